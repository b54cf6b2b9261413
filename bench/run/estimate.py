"""What a run will cost, before anything is trained."""

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

# The first two were fitted to seconds.train of the 28 records of suites hccr and shui (2026-11, AMD EPYC, Zen 4), by
# least squares of the logarithms and without the third; most were trained on
# one thread. Half of them took within 1.6 times the estimate, all within 4.3 times.
# Validation is in it; an image stands for a training image, a multiply-add for one of its forward pass.
SECONDS_PER_IMAGE = 1.0e-4
SECONDS_PER_MAC = 1.0e-10
SECONDS_PER_STEP = 3.0e-3  # of lenet5+paper, whose steps have one image each
# Measured on the same machine, of lenet5, fire:gwap and torchvision:resnet50: paired timing of a row in a runtime, with
# one thread and with all; its export; an answer; memory of a process that imports torch.
SECONDS_TO_TIME = 5.0
SECONDS_TO_TIME_A_MAC = 4e-9
SECONDS_TO_EXPORT = 2.5
SECONDS_TO_ANSWER_A_MAC = 1.5e-11
SECONDS_OF_MEMORY = 2.5
_PHASES = ("seconds_train", "seconds_measure", "seconds_export", "seconds_time")  # as a run goes through them
PASSES_TO_CHOOSE = 3  # of the validation images for each layer whose centroids are chosen; measured on fire:gwap
HEADS_SHARE = 0.5  # of a training image's cost, where early heads learn on a frozen network
PASS_SHARE = 1 / 3  # of a training image's cost: it goes forward, and back through activations and weights


def costs(plan: Plan, states: Mapping[tuple[System, int], ResumeState] | None = None) -> list[dict[str, Any]]:
    """System, seed, macs, params, what is to do, and estimated seconds of each row, in all and in each phase.

    ``todo`` is what the run will do: nothing where the record is whole and current, measure where the row is trained
    already, else train. A row that was trained before on this machine is estimated by what that took, others by their
    multiply-adds. One whose network cannot be built has an ``error`` and no cost; the run makes it a failed row.

    Raises:
        RecordError: a file in the way is no record of this schema.
    """
    states = resume_states(plan) if states is None else states
    return [{"system": s.name, "seed": seed, **_cost_or_error(plan, s, states[s, seed])} for s, seed in plan.rows]


def training_seconds(images: float, macs: int, batch: int = 64) -> float:
    """Estimated seconds to train on so many images, all epochs together.

    Args:
        images: of all epochs.
        macs: multiply-adds of the network.
        batch: images a step.
    """
    return images * (SECONDS_PER_IMAGE + macs * SECONDS_PER_MAC + SECONDS_PER_STEP / batch)


def _cost_or_error(plan: Plan, system: System, state: ResumeState) -> dict[str, Any]:
    try:
        if state.error is not None:
            raise state.error
        return _cost(plan, system, state)
    except Exception as error:  # one plug-in's failure must not keep the others from running
        nothing = {"seconds": 0.0, **dict.fromkeys(_PHASES, 0.0)}
        return {"macs": None, "params": None, "todo": "nothing", **nothing, "error": describe(error)}


def _cost(plan: Plan, system: System, state: ResumeState) -> dict[str, Any]:
    name, _, variant = system.architecture.partition(":")
    module = ARCHITECTURES.load(name)
    channels, size = module.INPUT
    info = plan.datamodule.info
    with torch.device("meta"):
        network = Normalised(module.build(variant, info.classes, channels, size), "contiguous").eval()
        counted = count(network, torch.empty(1, channels, size, size, dtype=torch.uint8))
    params = sum(p.numel() for p in network.parameters())
    seconds = dict.fromkeys(_PHASES, 0.0)
    if state.todo == "train":
        taken = (state.record.get("seconds") or {}).get("train")
        images, batch = _images(plan, system, network), plan.recipe(system).batch
        seconds["seconds_train"] = taken or training_seconds(images, counted.macs, batch)
    if state.todo != "nothing":
        passes = sum(MEASUREMENTS.literals(name).get("PASSES", 0) for name in plan.taken)
        seconds["seconds_measure"] = PASS_SHARE * training_seconds(passes * info.sizes["test"], counted.macs)
        answers = 2 * affordable(COMPARED, counted.macs) + affordable(min(ANSWERED, info.sizes["test"]), counted.macs)
        answered = answers * counted.macs * SECONDS_TO_ANSWER_A_MAC
        seconds["seconds_export"] = (SECONDS_TO_EXPORT + answered) * len(plan.runtimes)
        seconds["seconds_time"] = _timing_seconds(plan, system, counted.macs)
    return {
        "macs": counted.macs, "params": params, "todo": state.todo, "seconds": sum(seconds.values()), **seconds,
    }  # fmt: skip


def _timing_seconds(plan: Plan, system: System, macs: int) -> float:
    """What is timed alone on the machine: eager and each runtime, every exit of a cascade, and memory."""
    taken = plan.measurements(system)
    heads = len(ARCHITECTURES.literals(system.architecture.partition(":")[0]).get("HEADS", ()))
    timings = {"latency": 1, "exit_latency": heads + 1}  # each head alone, and the cascade beside them
    deployed = [name for _, name in plan.deployed(system)]
    exports = heads * deployed.count("exit_latency")  # a runtime takes each head as a file of its own
    timed = sum(timings.get(name, 0) for name in (*taken, *deployed))
    each = SECONDS_TO_TIME + SECONDS_TO_TIME_A_MAC * macs
    return each * timed + SECONDS_TO_EXPORT * exports + SECONDS_OF_MEMORY * ("process_bytes" in taken)


def _images(plan: Plan, system: System, network: Normalised) -> float:
    """What a row is made from, as so many training images: its training, or choosing centroids and learning again."""
    recipe, sizes = plan.recipe(system), plan.datamodule.info.sizes
    storage = system.storage
    answers = PASS_SHARE * sizes["test"]
    if system.given:
        return answers
    if storage is None:
        begun = recipe.heads is not None and recipe.heads.begun
        return recipe.all_epochs * sizes["train"] * (HEADS_SHARE if begun else 1)
    images = answers  # packing takes about as long as reading the weights
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
