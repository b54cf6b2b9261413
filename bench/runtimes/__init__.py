"""Runtimes: a file here without a leading underscore runs recognisers, and its name follows ``latency@``.

Such a file holds ``prepare(subject, form) -> Loader``: what takes long, such as export, is done there once, and
each call of what it returns makes a fresh classifier. Loaders travel to other processes, pickled: what they need is
imported there, so that a runtime that does without torch must not import it at its top. Where the file offers more
than its plain form, it holds the literal ``FORMS``: with ``FORMS = ("int8",)`` the file ``x.py`` is the runtimes ``x``
(form ``""``) and ``x-int8``. It is imported in the measuring process, and a classifier keeps to ``threads()`` threads.
"""
