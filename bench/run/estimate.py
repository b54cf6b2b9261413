"""Estimates the seconds that each row of a run takes: training, measuring, exporting, timing."""

from collections.abc import Mapping
from typing import Any

import torch

from bench.measurements._deployment import ANSWERED, COMPARED, affordable
from bench.measurements._mac_counter import count
from bench.plugins import ARCHITECTURES, MEASUREMENTS
from bench.run.measure import describe
from bench.run.plan import Plan
from bench.run.resume import ResumeState, resume_states
from bench.system import System
from tasks.compression.layer_sweep import MOST_IMAGES
from tasks.normalised import Normalised
from tasks.retraining_settings import CONVENTIONAL_RATES, DRAWS, most_images, retraining_recipe

# The first two are a least-squares fit of log seconds.train over 28 records of suites hccr and shui (2026-11, AMD EPYC,
# Zen 4, mostly one thread), without the third. Half of the records are within a factor of 1.6, all within 4.3.
# Validation is included; an image is one training image, a MAC one multiply-add of its forward pass.
SECONDS_PER_IMAGE = 1.0e-4
SECONDS_PER_MAC = 1.0e-10
SECONDS_PER_STEP = 3.0e-3  # of lenet5+paper, which has a batch size of 1
# Measured on the same machine with lenet5, fire:gwap and torchvision:resnet50: paired timing of a row in a runtime with
# one thread and with all; its export; one prediction; the memory probe, a process that imports torch.
SECONDS_TO_TIME = 5.0
SECONDS_TO_TIME_A_MAC = 4e-9
SECONDS_TO_EXPORT = 2.5
SECONDS_TO_ANSWER_A_MAC = 1.5e-11
SECONDS_OF_MEMORY = 2.5
_PHASES = ("seconds_train", "seconds_measure", "seconds_export", "seconds_time")  # in the order of a run
PASSES_TO_CHOOSE = 3  # over the validation images, for each layer whose centroids are selected; measured on fire:gwap
HEADS_SHARE = 0.5  # of a training image's cost, when early heads train on a frozen network
PASS_SHARE = 1 / 3  # of a training image's cost: forward, and backward through activations and weights


def costs(plan: Plan, states: Mapping[tuple[System, int], ResumeState] | None = None) -> list[dict[str, Any]]:
    """System, seed, macs, params, remaining work, and estimated seconds of each row, total and per phase.

    ``todo`` is ``nothing`` if the record is whole and current, ``measure`` if the row is already trained, else
    ``train``. Earlier training on this machine gives the estimate; without it, the multiply-adds do. A row whose
    network cannot be built has an ``error`` and no cost; the run records it as failed.
    """
    states = resume_states(plan) if states is None else states
    return [{"system": s.name, "seed": seed, **_cost_or_error(plan, s, states[s, seed])} for s, seed in plan.rows]


def training_seconds(images: float, macs: int, batch: int = 64) -> float:
    """Estimated seconds to train on ``images`` images (all epochs), with ``macs`` multiply-adds for each."""
    return images * (SECONDS_PER_IMAGE + macs * SECONDS_PER_MAC + SECONDS_PER_STEP / batch)


def _cost_or_error(plan: Plan, system: System, state: ResumeState) -> dict[str, Any]:
    try:
        if state.error is not None:
            raise state.error
        return _cost(plan, system, state)
    except Exception as error:  # one broken plug-in must not stop the other rows
        nothing = {"seconds": 0.0, **dict.fromkeys(_PHASES, 0.0)}
        return {"macs": None, "params": None, "todo": "nothing", **nothing, "error": describe(error)}


def _cost(plan: Plan, system: System, state: ResumeState) -> dict[str, Any]:
    name, _, variant = system.architecture.partition(":")
    module, info = ARCHITECTURES.load(name), plan.datamodule.info
    channels, size = module.INPUT
    with torch.device("meta"):
        network = Normalised(module.build(variant, info.classes, channels, size), "contiguous").eval()
        counted = count(network, torch.empty(1, channels, size, size, dtype=torch.uint8))
    params = sum(p.numel() for p in network.parameters())
    seconds = dict.fromkeys(_PHASES, 0.0)
    if state.todo == "train":
        earlier = (state.record.get("seconds") or {}).get("train")
        images, batch = _images(plan, system, network), plan.recipe(system).batch
        seconds["seconds_train"] = earlier or training_seconds(images, counted.macs, batch)
    if state.todo != "nothing":
        passes = sum(MEASUREMENTS.literals(name).get("PASSES", 0) for name in plan.scale_measurements)
        seconds["seconds_measure"] = PASS_SHARE * training_seconds(passes * info.sizes["test"], counted.macs)
        answers = 2 * affordable(COMPARED, counted.macs) + affordable(min(ANSWERED, info.sizes["test"]), counted.macs)
        answered = answers * counted.macs * SECONDS_TO_ANSWER_A_MAC
        seconds["seconds_export"] = (SECONDS_TO_EXPORT + answered) * len(plan.runtimes)
        seconds["seconds_time"] = _timing_seconds(plan, system, counted.macs)
    return {
        "macs": counted.macs, "params": params, "todo": state.todo, "seconds": sum(seconds.values()), **seconds,
    }  # fmt: skip


def _timing_seconds(plan: Plan, system: System, macs: int) -> float:
    """Timing of eager, each runtime and every exit of a cascade, and the memory probe."""
    measurements = plan.measurements(system)
    heads = len(ARCHITECTURES.literals(system.architecture.partition(":")[0]).get("HEADS", ()))
    timings = {"latency": 1, "exit_latency": heads + 1}  # each head alone, and the whole cascade
    deployed = [name for _, name in plan.deployed(system)]
    exports = heads * deployed.count("exit_latency")  # a runtime loads one file per head
    timed = sum(timings.get(name, 0) for name in (*measurements, *deployed))
    each = SECONDS_TO_TIME + SECONDS_TO_TIME_A_MAC * macs
    return each * timed + SECONDS_TO_EXPORT * exports + SECONDS_OF_MEMORY * ("process_bytes" in measurements)


def _images(plan: Plan, system: System, network: Normalised) -> float:
    """The row's cost in training images: training, or centroid selection and retraining."""
    recipe, sizes = plan.recipe(system), plan.datamodule.info.sizes
    storage = system.storage
    answers = PASS_SHARE * sizes["test"]
    if system.pretrained:
        return answers
    if storage is None:
        begun = recipe.heads is not None and recipe.heads.begun
        return recipe.all_epochs * sizes["train"] * (HEADS_SHARE if begun else 1)
    images = answers  # packing takes about as long as loading the weights
    if storage.settings.within is not None:
        layers = sum(parameter.ndim > 1 for parameter in network.parameters())
        images += PASS_SHARE * PASSES_TO_CHOOSE * layers * min(MOST_IMAGES, sizes["val"])
    epochs = retraining_recipe(recipe, 1).all_epochs
    curve = (epochs + 1) * PASS_SHARE * sizes["val"]
    if storage.learned == "conventional":
        images += answers + len(CONVENTIONAL_RATES) * (epochs * sizes["train"] + curve)
    elif storage.learned:
        unlabelled = len(plan.unlabelled.images) if plan.unlabelled else sizes["train"]
        unlabelled = min(unlabelled, most_images(network, plan.datamodule.info.classes, DRAWS))
        images += answers + (epochs + DRAWS * PASS_SHARE) * unlabelled + curve
    return images
