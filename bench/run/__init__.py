"""Runs a suite: plans, trains, measures and times its rows, and writes one record per row."""
