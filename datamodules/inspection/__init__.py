"""Counts the characters in files and folders and lists damage; draws contact sheets."""
