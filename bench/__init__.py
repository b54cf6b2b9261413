"""Suites become records and records become leaderboards."""
