"""What a run will cost, before anything is trained."""

from typing import Any

import torch

from bench.counting import count
from bench.left import left
from bench.plan import Plan
from bench.plugins import ARCHITECTURES, MEASUREMENTS
from bench.record import RecordError
from bench.runner import describe
from bench.system import System
from tasks.compression.judging import MOST_IMAGES
from tasks.compression.storage import parse_storage
from tasks.normalised import Normalised
from tasks.retraining import CONVENTIONAL_RATES, DRAWS, retraining_recipe

# Fitted to seconds.train of the 28 records of suites hccr and shui (2026-11, AMD EPYC, Zen 4) by least squares of the
# logarithms; most were trained on one thread. Half of them took within 1.6 times the estimate, all within 4.3 times.
# Validation is in it; an image stands for a training image, a multiply-add for one of its forward pass.
SECONDS_PER_IMAGE = 1.0e-4
SECONDS_PER_MAC = 1.0e-10
# Median of seconds.measure in the twelve records of suite hccr at scale quick, 3.2 to 8.0: figures, and paired timing
# in eager with one thread. What came later was measured apart: 0.4 s with all threads; memory of a process with torch.
SECONDS_TO_MEASURE = 5.6
SECONDS_OF_MEMORY = 2.0
SECONDS_IN_RUNTIME = 8.0  # export 2.5, up to a thousand answers 1.7, paired timing 3, all threads and memory 0.8
PASSES_TO_CHOOSE = 3  # of the validation images for each layer whose centroids are chosen; measured on fire:gwap
PASS_SHARE = 1 / 3  # of a training image's cost: it goes forward, and back through activations and weights


def costs(plan: Plan) -> list[dict[str, Any]]:
    """System, seed, macs, params, what is to do, and estimated seconds of each row.

    ``todo`` is what the run will do: nothing where the record is whole and current, measure where the row is trained
    already, else train. A row that was trained before on this machine is estimated by what that took, others by their
    multiply-adds. One whose network cannot be built has an ``error`` and no cost; the run makes it a failed row.

    Raises:
        RecordError: a file in the way is no record of this schema.
    """
    return [{"system": s.name, "seed": seed, **_cost_or_error(plan, s, seed)} for s, seed in plan.rows]


def training_seconds(images: float, macs: int) -> float:
    """Estimated seconds to train on so many images, all epochs together, of a network with so many multiply-adds."""
    return images * (SECONDS_PER_IMAGE + macs * SECONDS_PER_MAC)


def _cost_or_error(plan: Plan, system: System, seed: int) -> dict[str, Any]:
    try:
        return _cost(plan, system, seed)
    except RecordError:
        raise
    except Exception as error:  # one plug-in's failure must not keep the others from running
        nothing = {"seconds": 0.0, "seconds_train": 0.0, "seconds_measure": 0.0}
        return {"macs": None, "params": None, "todo": "nothing", **nothing, "error": describe(error)}


def _cost(plan: Plan, system: System, seed: int) -> dict[str, Any]:
    name, _, variant = system.architecture.partition(":")
    module = ARCHITECTURES.load(name)
    channels, size = module.INPUT
    info = plan.datamodule.info
    with torch.device("meta"):
        network = Normalised(module.build(variant, info.classes, channels, size), "contiguous").eval()
        counted = count(network, torch.empty(1, channels, size, size, dtype=torch.uint8))
    params = sum(p.numel() for p in network.parameters())
    found = left(plan, system, seed)
    train = measure = 0.0
    if found.todo == "train":
        taken = (found.record.get("seconds") or {}).get("train")
        train = taken or training_seconds(_images(plan, system, network), counted.macs)
    if found.todo != "nothing":
        measure = SECONDS_TO_MEASURE + SECONDS_IN_RUNTIME * len(plan.runtimes)
        measure += SECONDS_OF_MEMORY * ("process_bytes" in plan.taken)
        passes = sum(MEASUREMENTS.literals(name).get("PASSES", 0) for name in plan.taken)
        measure += PASS_SHARE * training_seconds(passes * info.sizes["test"], counted.macs)
    return {
        "macs": counted.macs, "params": params, "todo": found.todo, "seconds": train + measure,
        "seconds_train": train, "seconds_measure": measure,
    }  # fmt: skip


def _images(plan: Plan, system: System, network: Normalised) -> float:
    """What a row is made from, as so many training images: its training, or choosing centroids and learning again."""
    recipe, sizes = plan.recipe(system), plan.datamodule.info.sizes
    storage = parse_storage(system.storage)
    if storage is None:
        return recipe.all_epochs * sizes["train"]
    images = 0.0  # packing takes about as long as reading the weights
    if storage.within is not None:
        layers = sum(parameter.ndim > 1 for parameter in network.parameters())
        images += PASS_SHARE * PASSES_TO_CHOOSE * layers * min(MOST_IMAGES, sizes["val"])
    epochs = retraining_recipe(recipe, 1).all_epochs
    if storage.learned == "conventional":
        images += len(CONVENTIONAL_RATES) * epochs * sizes["train"]
    elif storage.learned:
        unlabelled = len(plan.unlabelled.images) if plan.unlabelled else sizes["train"]
        images += (epochs + DRAWS * PASS_SHARE) * unlabelled
    return images
