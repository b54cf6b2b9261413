"""Sections of a board below its leaderboard, one file each, such as runtimes, early exits and robustness.

A section's file holds ``HEADING`` and ``text(section) -> str``: Markdown, empty if no row needs the section. With a
picture it also holds ``PICTURE`` (the end of its file name), ``ALT`` (its alternative text) and
``picture(section, title, description) -> bytes | None``, an SVG. ``all_sections.py`` lists the sections in order.
"""
