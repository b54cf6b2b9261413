"""Records to boards: Markdown pages and SVG pictures."""
