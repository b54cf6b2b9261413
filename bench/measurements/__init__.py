"""Measurements: each file here without a leading underscore computes one figure, under the file's name.

A measurement file holds literals, which are read without importing it, and a function:

* ``NAME``: the file's name.
* ``UNIT``: base unit of the value.
* ``VERSION``: of the protocol. Bump it when the way of measuring changes; values of older versions are stale.
* ``BETTER``: ``"higher"`` or ``"lower"``.
* ``PHASE``: ``"figures"``, or ``"timing"`` for what runs after all training, alone on the machine.
* ``COLUMN = (header, format)``: its column in every table, or None; see ``bench/boards/columns.py``.
* ``NEEDS`` (optional): name of a literal that the architecture's file must hold, such as ``"HEADS"`` for early exits.
  Records of other systems lack the figure without being incomplete.
* ``NEEDS_UNKNOWN = True`` (optional): only for data sets with test characters outside the label space.
* ``STORED = False`` (optional): a compressed row has the same value as the row that it is compressed from.
* ``FIGURES`` (optional): names in records of a figure that is measured under several conditions, such as
  ``("accuracy@flip", "accuracy@resize")``; the function is then ``measure(row, figure)``.
* ``PASSES`` (optional): how many times the network runs over the whole test split.
* ``measure(row) -> Measurement``: raises an exception when it fails.
* ``measure_in(deployment) -> Measurement`` (optional): the same figure in any runtime. Its version in records is
  VERSION and ``bench.plugins.EXPORT_VERSION``, such as ``1.3``; in int8 also INT8_VERSION, ``1.3.2``.
* ``OTHER_FILES = True`` (optional): in a runtime, its value is not measured with the exported file.
* ``EXPORTED = True`` (optional): ``measure_in`` applies only to runtimes that ship a system as a file.
"""
