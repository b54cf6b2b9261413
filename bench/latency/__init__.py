"""Latency: paired timing against a reference network, in a separate process."""
