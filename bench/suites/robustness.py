"""Rotated, flipped and resized characters: the accuracy that each system loses, and what augmentation recovers."""

from dataclasses import replace

from bench.suites._base import Suite
from bench.suites.hccr import SUITE as HCCR

# mobilenet-hccr, section 6.4: the network trained without and with resized characters.
PAIRS = tuple(f"{name}+light-{resized}" for name in ("mobilenet_v2", "fire:gwap") for resized in ("noresize", "resize"))
PAPERS_OWN = ("mobilenet_v2+paper", "mobilenet_v2+paper-noresize")
SMOKE = ("nearest_mean", "lenet5", "lenet5+light-noresize", "lenet5+light-resize")
QUICK = (
    "nearest_mean", "lenet5", "squeezenet", "mobilenet_v1", "mobilenet_v2", "shui_cnn", "fire:gap", "fire:gwap",
    "dlqdf:dlqdf", *PAIRS,
)  # fmt: skip
# With explicit recipes: under the scale's default, half of each pair would repeat another row's training.
PAPER = (
    "nearest_mean+paper", "lenet5+paper", "squeezenet+paper", "mobilenet_v1+paper", "fire:gwap+paper",
    "resnet:18+paper", *PAPERS_OWN,
)  # fmt: skip
ROWS = {"smoke": SMOKE, "quick": QUICK, "paper": PAPER}

SUITE = Suite(
    title="Robustness to rotation, flip and resize",
    dataset=HCCR.dataset,
    measurements=("accuracy", "robustness", "macs", "params", "size_bytes", "latency"),
    # The scales of suite hccr, so that rows reuse its trained weights.
    scales={name: replace(HCCR.scales[name], systems=rows, recipe="light") for name, rows in ROWS.items()},
)
