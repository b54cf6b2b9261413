"""Latency: paired timing against a reference network, in a process of its own."""
