"""Runtimes: each file here without a leading underscore runs recognisers; its name follows ``latency@`` in records.

A runtime file holds

* ``prepare(subject, form) -> Loader``: does the expensive work once, such as the export. Each call of the loader makes
  a fresh classifier that uses ``bench.runtimes._base.threads()`` threads. Loaders are pickled and run in the measuring
  process, which imports what they need; a runtime that works without torch must not import torch at module level.
* ``FORMS`` (optional): further forms. With ``FORMS = ("int8",)`` the file ``x.py`` provides the runtimes ``x`` (form
  ``""``) and ``x-int8``.
* ``ALL_THREADS``: whether latency is also measured with all threads.
"""
