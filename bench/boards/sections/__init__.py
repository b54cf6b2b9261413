"""Sections of a board, one file each: tables below the leaderboard for the systems that call for them.

A section's file holds ``HEADING`` and ``text(section) -> str``, Markdown, empty where no row calls for it. With a
picture it also holds ``PICTURE`` (the end of its file name), ``ALT`` (what it shows) and
``picture(section, title, description) -> bytes | None``, an SVG. ``all_sections.py`` names the sections in their order.
"""
