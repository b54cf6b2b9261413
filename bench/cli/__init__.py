"""The verbs of ``bench``: a file here without a leading underscore is one, called by the file's name.

Such a file imports nothing heavy at its top, so that ``bench --help`` stays fast, and holds

* ``HELP``: one line for ``bench --help``.
* ``add_arguments(parser)``: adds the verb's arguments; ``--json`` is there already.
* ``run(options) -> Answer``: does the work and returns the exit code, the JSON document and the text to print.
"""
