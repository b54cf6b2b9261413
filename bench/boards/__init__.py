"""Renders records as leaderboards: Markdown pages and SVG pictures."""
