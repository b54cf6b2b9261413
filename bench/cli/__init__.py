"""The verbs of ``bench``, one file each."""
