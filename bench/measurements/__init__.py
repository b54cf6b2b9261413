"""Measurements: a file here without a leading underscore is one, and its name is its name everywhere.

Such a file holds literals, which are read without importing it, and one function:

* ``NAME``: the file's name.
* ``UNIT``: base unit of the value.
* ``VERSION``: of the protocol; another way of measuring is another version, and older values are stale.
* ``BETTER``: ``"higher"`` or ``"lower"``.
* ``PHASE``: ``"figures"``, or ``"timing"`` for what runs after all training, alone on the machine.
* ``COLUMN = (header, format)``: its column in every table, or None; see ``bench/boards/columns.py``.
* ``NEEDS``, where not every system has it: the name of a literal that its architecture's file holds, such as
  ``"HEADS"`` for early exits; records of other systems lack the figure, and that is no error.
* ``STORED = False``, where a compressed row would give the same as the row that it is compressed from.
* ``measure(row) -> Measurement``: a failure is raised, never hidden in the value.

A measurement of the same figure under several conditions holds their names in records as ``FIGURES``, such as
``("accuracy@flip", "accuracy@resize")``, and its function is ``measure(row, figure)``. ``PASSES`` says how often it
runs the network over the test part altogether, where it does. A measurement that is made in each runtime too has a
second function, ``measure_in(deployment)``.
"""
