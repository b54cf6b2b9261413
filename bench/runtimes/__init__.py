"""Runtimes: a file here without a leading underscore runs recognisers, and its name follows ``latency@``.

Such a file holds

* ``prepare(subject, form) -> Loader``: does once what takes long, such as the export. Each call of the loader makes a
  fresh classifier, which keeps to ``bench.runtimes._base.threads()`` threads. Loaders are pickled and run in the
  measuring process, which imports what they need; a runtime without torch must not import torch at its top.
* ``FORMS``, where there is more than the plain form: with ``FORMS = ("int8",)`` the file ``x.py`` is the runtimes ``x``
  (form ``""``) and ``x-int8``.
* ``ALL_THREADS``: whether latency is also measured with all threads.
"""
