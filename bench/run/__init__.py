"""A run: from a request to trained, measured and timed rows, each with its record."""
