"""Architectures: each file here without a leading underscore is one; its file name is its name everywhere.

Such a file holds literals, which are read without importing torch, and one function:

* ``SOURCE``: the paper, as one line.
* ``VARIANTS``: tuple of variant names; empty if there is only one.
* ``INPUT``: (channels, size) of the network's input in pixels.
* ``LAYOUT``: ``"channels_last"`` or ``"contiguous"``, whichever is faster on a CPU at batch 1 (measured).
* ``CPU_TRAINING``: ``"bf16"`` if training in bfloat16 is faster on CPUs that support it (measured), else ``"fp32"``.
* ``RECIPE``: recipe name -> the settings that differ from that recipe's defaults (``tasks/recipe.py``).
* ``build(variant, classes, channels, size) -> nn.Module``: float (B, channels, size, size) with ink 1 and paper 0
  (or, for three channels, values of 0 to 1) -> logits (B, classes). In training mode, a network with several heads
  may return a tuple of logits, whose losses are summed.
"""

from datamodules._plugins import Registry

ARCHITECTURES = Registry("tasks.architectures", entry_points="hccr_bench.architectures")
