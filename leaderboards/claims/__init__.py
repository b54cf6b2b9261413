"""What the papers printed, one YAML file a paper; read through importlib.resources."""
