"""Verbs of the ``bench`` command, one file each, named after the verb.

A file without a leading underscore is a verb. It imports nothing heavy at its top, so that ``bench --help`` stays fast:

* ``HELP``: one line for ``bench --help``.
* ``add_arguments(parser)``: adds the verb's arguments; ``--json`` is already there.
* ``run(options) -> Answer``: does the work and returns the exit code, the JSON document and the text to print.
"""
