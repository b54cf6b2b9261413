"""Trackers: what listens to the events of a run and shows or logs its progress."""
