"""What a run will cost, before anything is trained."""

from typing import Any

import torch

from bench.counting import count
from bench.machine import machine
from bench.plan import Plan
from bench.plugins import ARCHITECTURES
from bench.record import RecordError, read_record, record_path
from bench.runner import describe
from bench.system import System
from tasks.normalised import Normalised

# Seconds per training image on two cores of an AMD EPYC (Zen 4), fitted to quick runs of this suite: a share for
# normalisation, activations and loading, and three passes' worth of multiply-adds.
SECONDS_PER_IMAGE = 0.0025
SECONDS_PER_MAC = 2.0e-11
SECONDS_PER_ROW = 10.0  # predictions, figures and paired timing


def costs(plan: Plan) -> list[dict[str, Any]]:
    """System, seed, macs, params and estimated seconds of each row.

    A row that was trained before on this machine is estimated by what it took, others by their multiply-adds. One
    whose network cannot be built has an ``error`` and no cost; the run makes it a failed row.
    """
    return [{"system": s.name, "seed": seed, **_cost_or_error(plan, s, seed)} for s, seed in plan.rows]


def _cost_or_error(plan: Plan, system: System, seed: int) -> dict[str, Any]:
    try:
        return _cost(plan, system, seed)
    except Exception as error:  # one plug-in's failure must not keep the others from running
        return {"macs": None, "params": None, "seconds": 0.0, "error": describe(error)}


def _cost(plan: Plan, system: System, seed: int) -> dict[str, Any]:
    name, _, variant = system.architecture.partition(":")
    module = ARCHITECTURES.load(name)
    channels, size = module.INPUT
    info = plan.datamodule.info
    with torch.device("meta"):
        network = Normalised(module.build(variant, info.classes, channels, size), "contiguous").eval()
        counted = count(network, torch.empty(1, channels, size, size, dtype=torch.uint8))
    per_image = SECONDS_PER_IMAGE + counted.macs * SECONDS_PER_MAC
    seconds = plan.recipe(system).epochs * info.sizes["train"] * per_image + SECONDS_PER_ROW
    params = sum(p.numel() for p in network.parameters())
    taken = _taken_before(plan, system, seed)
    return {"macs": counted.macs, "params": params, "seconds": seconds if taken is None else taken}


def _taken_before(plan: Plan, system: System, seed: int) -> float | None:
    request = plan.request
    asked = {
        "suite": request.suite, "scale": request.scale, "system": system.name, "seed": seed, "machine": machine(),
        "dataset": {"name": plan.datamodule.info.name},
    }  # fmt: skip
    path = record_path(request.out / "results", asked)
    if not path.exists():
        return None
    try:
        record = read_record(path)
    except RecordError:
        return None  # the run itself names it
    seconds = record.get("seconds") or {}
    taken = seconds.get("train", 0.0) + seconds.get("measure", 0.0)
    return 0.0 if record["status"] == "whole" and not request.fresh else (taken or None)
