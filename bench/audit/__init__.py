"""Audit of published figures: checks what papers print against the networks that they describe."""
