"""Runtimes: each file here without a leading underscore runs recognisers; its name follows ``latency@`` in records.

A runtime that ships as a file holds

* ``FILE``: the name of that file, a literal, such as ``"recogniser.onnx"``.
* ``export(subject, form) -> bytes``: its content, the same bytes for the same subject.
* ``load(path) -> Classifier``: opens it, with ``bench.runtimes._base.threads()`` threads. It is called in the measuring
  process; if the file works without torch, this must not import torch.

Another runtime holds

* ``prepare(subject, form) -> Loader``: does the expensive work once. Each call of the loader makes a fresh classifier.
  Loaders are pickled and run in the measuring process.

Both may hold

* ``FORMS`` (optional): further forms. With ``FORMS = ("int8",)`` the file ``x.py`` provides the runtimes ``x`` (form
  ``""``) and ``x-int8``.
* ``ALL_THREADS``: whether latency is also measured with all threads.
"""
