"""Architectures: a file here without a leading underscore is one, and its name is its name everywhere.

Such a file holds literals, which are read without importing torch, and one function:

* ``SOURCE``: the paper, as one line.
* ``VARIANTS``: tuple of variant names; empty where there is only one.
* ``INPUT``: (channels, size) of the network's input in pixels.
* ``LAYOUT``: ``"channels_last"`` or ``"contiguous"``, whichever is faster on a CPU at batch 1 (measured).
* ``CPU_TRAINING``: ``"bf16"`` where training in it is faster on CPUs that compute in it (measured), else ``"fp32"``.
* ``RECIPE``: recipe name -> the settings that differ from that recipe's defaults (``tasks/recipe.py``).
* ``build(variant, classes, channels, size) -> nn.Module``: float (B, channels, size, size) with ink 1 and paper 0
  (or, for three channels, values of 0 to 1) -> logits (B, classes); while it trains, a network of several heads may
  give a tuple of them, whose losses are summed.
"""

from datamodules._plugins import Registry

ARCHITECTURES = Registry("tasks.architectures", entry_points="hccr_bench.architectures")
