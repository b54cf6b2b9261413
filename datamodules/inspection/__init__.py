"""What lies in a file or folder of characters, and what of it is damaged."""
