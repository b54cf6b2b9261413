"""Plans a run: turns a request into rows, and rejects invalid requests before any training."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.measurements._row import LEAST_CHARACTERS
from bench.plugins import (
    ARCHITECTURES,
    DATASETS,
    MEASUREMENTS,
    SUITES,
    check_runtimes,
    exported_name,
    in_runtimes,
)
from bench.records.predictions import RUNS, row_folder
from bench.records.provenance import machine
from bench.records.record import file_name, slug, slug_system
from bench.suites._base import SCALES, Scale, Suite
from bench.system import System, parse_system, refuse_unknown_layers, with_parents
from bench.training.pretrained import check_pretrained, check_start, weights_files
from bench.training.train import Hardware
from datamodules._base import CharacterDataModule, DataSettings
from datamodules._errors import DataError, UsageError
from datamodules._unlabelled import UnlabelledImages, read_unlabelled
from tasks.recipe import Recipe
from tasks.recipes import FEW_IMAGES_STEPS, GIVEN, recipe_for

LONGEST_NAME = 220  # bytes of a record's file name: file systems allow 255, and atomic writing adds some


@dataclass(frozen=True)
class Request:
    """The options of ``bench run``.

    Attributes:
        suite, dataset, scale: names; dataset None for the suite's default.
        data_root: the user's files; None for embedded data.
        systems: names; empty for the suite's default rows.
        runtimes: in addition to eager and the scale's runtimes.
        seeds: one record per system and seed.
        out: folder of ``results/`` and the boards.
        runs: folder of checkpoints, curves and predictions.
        fresh: ignore existing records.
        retime_noisy: time noisy latencies of existing records again.
        hardware: where to train.
        command: the command line, for records.
        unlabelled: ``DATASET`` or ``DATASET:ROOT``, the images for retraining; None for the dataset's own training
            images without labels.
        weights: folder of weights supplied by the user, for rows +given; files are named by architecture.
        glyphs: folders of fonts and stroke data, for datasets whose writers follow them.
        start: weights that rows +finetuned start from.
        per_class: training images of each class, at most; None for all.
    """

    suite: str
    dataset: str | None = None
    scale: str = "quick"
    data_root: Path | None = None
    systems: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    out: Path = Path("leaderboards")
    runs: Path = RUNS
    fresh: bool = False
    retime_noisy: bool = False
    hardware: Hardware = field(default_factory=Hardware)
    command: str = "bench run"
    unlabelled: str | None = None
    weights: Path | None = None
    glyphs: tuple[Path, ...] = ()
    start: Path | None = None
    per_class: int | None = None


@dataclass(frozen=True)
class Plan:
    """A checked request: the systems, the data and the scale of a run.

    Attributes:
        unlabelled: the images for retraining that the request names; None for the dataset's own.
        pretrained: files of the weights supplied by the user, by architecture.
    """

    request: Request
    suite: Suite
    scale: Scale
    systems: tuple[System, ...]
    datamodule: CharacterDataModule
    unlabelled: UnlabelledImages | None = None
    pretrained: Mapping[str, Path] = field(default_factory=dict)

    @property
    def rows(self) -> list[tuple[System, int]]:
        """(system, seed), system by system."""
        return [(system, seed) for system in self.systems for seed in self.request.seeds]

    @property
    def runtimes(self) -> tuple[str, ...]:
        """Runtimes in addition to eager: those of the scale, then those of the request."""
        return tuple(dict.fromkeys((*self.scale.runtimes, *self.request.runtimes)))

    @property
    def scale_measurements(self) -> tuple[str, ...]:
        """The suite's measurements, without those that the scale leaves out."""
        return tuple(name for name in self.suite.measurements if name not in self.scale.without)

    def deployed(self, system: System) -> tuple[tuple[str, str], ...]:
        """The (runtime, measurement) pairs of a system, such as ("onnxruntime", "latency")."""
        names = in_runtimes(self.measurements(system))
        return tuple(
            (runtime, name) for runtime in self.runtimes for name in names
            if exported_name(runtime) or not MEASUREMENTS.literals(name).get("EXPORTED")
        )  # fmt: skip

    def recipe(self, system: System) -> Recipe:
        """A system's recipe with the scale's share of its epochs, at least one; more where few images are given."""
        recipe = recipe_for(system.recipe, ARCHITECTURES.load(system.architecture.partition(":")[0]).RECIPE)
        if self.request.data_root is not None:
            epochs = recipe.epochs * self.scale.share_own
        else:
            epochs = min(recipe.epochs * self.scale.share, self.scale.most_epochs or recipe.epochs)
        few = system.finetuned or self.request.per_class is not None
        if few and recipe.optimizer != "none":
            steps = max(1, len(self.datamodule.train) // recipe.batch)  # of an epoch; the incomplete batch is dropped
            epochs = max(epochs, math.ceil(FEW_IMAGES_STEPS / steps))
        heads = recipe.heads
        if heads is not None and replace(system, storage=None).parent is not None:
            heads = replace(heads, begun=True)
        return replace(recipe, epochs=float(max(1, round(epochs))), heads=heads)

    def pretrained_weights(self, system: System) -> Path | None:
        """Weights supplied by the user for a row or its parent; None if the weights are trained."""
        return self.pretrained.get(system.architecture) if system.recipe == GIVEN else None

    def start_weights(self, system: System) -> Path | None:
        """Weights that a row's training starts from; None for random ones."""
        return self.request.start if system.finetuned else None

    def measurements(self, system: System) -> tuple[str, ...]:
        """The measurements that apply to a system: some need early exits, float32 weights, or unknown characters."""
        literals = ARCHITECTURES.literals(system.architecture.partition(":")[0])
        needs = {name: MEASUREMENTS.literals(name) for name in self.scale_measurements}
        unknown = bool(self.datamodule.splits.unknown)
        return tuple(
            name for name, need in needs.items()
            if need.get("NEEDS") in (None, *literals) and (need.get("STORED", True) or not system.storage)
            and (unknown or not need.get("NEEDS_UNKNOWN"))
        )  # fmt: skip

    def folder(self, system: System, seed: int) -> Path:
        """Folder of a row's weights, curve and predictions."""
        row = {"suite": self.request.suite, "dataset": {"name": self.datamodule.info.name}, "scale": self.request.scale}
        return row_folder(self.request.runs, {**row, "system": system.name, "seed": seed})


def make_plan(request: Request) -> Plan:
    """Check every name and load the dataset.

    Raises:
        UnknownPlugin: an unknown suite, dataset, system, recipe or runtime; the message lists the known ones.
        UsageError: an unknown scale, options that the dataset does not support, or options without a row that needs
            them.
        DataError: damaged or missing data.
    """
    suite: Suite = SUITES.load(request.suite).SUITE
    if request.scale not in suite.scales:
        raise UsageError(f"unknown scale {request.scale!r}; known: {', '.join(s for s in SCALES if s in suite.scales)}")
    scale = suite.scales[request.scale]
    check_runtimes(*scale.runtimes, *request.runtimes)
    for name in suite.measurements:
        MEASUREMENTS.check(name)
    systems = tuple(dict.fromkeys(parse_system(s, suite.recipe) for s in request.systems or scale.systems))
    if not request.systems and scale.recipe != suite.recipe:
        systems = tuple(replace(s, recipe=scale.recipe) if s.recipe == s.default_recipe else s for s in systems)
    weights = weights_files(request.weights) if request.weights else {}
    name = request.dataset or suite.dataset
    dataset = DATASETS.load(name)
    if request.glyphs and not DATASETS.literals(name).get("GLYPHS"):
        takers = ", ".join(one for one in DATASETS.names() if DATASETS.literals(one).get("GLYPHS"))
        raise UsageError(f"--glyphs: dataset {name} takes none; those that do: {takers}")
    settings = DataSettings(request.data_root, scale.classes, scale.writers, request.glyphs)
    try:
        datamodule: CharacterDataModule = dataset.build(settings)
        unlabelled = _unlabelled(request.unlabelled, systems, settings)
    except ValueError as error:
        raise UsageError(str(error)) from error
    datamodule.per_class = request.per_class
    datamodule.setup()
    _check_validation(datamodule, request.data_root)
    images = _images_name(unlabelled, datamodule)
    systems = tuple(_with_images(system, images) for system in systems)
    plan = Plan(request, suite, scale, with_parents(systems), datamodule, unlabelled)
    _check_training(datamodule, [system for system in plan.systems if _trains(system, unlabelled)])
    for system in plan.systems:
        refuse_unknown_layers(system, datamodule.info.classes)
        _check_name(system, request)
    _check_start(plan)
    return replace(plan, pretrained=_pretrained(weights, plan))


def _check_name(system: System, request: Request) -> None:
    """Refuse a system whose record's file name would be too long for the file system."""
    length = len(file_name(system.name, machine()["name"], request.scale, max(request.seeds)).encode())
    if length > LONGEST_NAME:
        raise UsageError(
            f"{system.name}: wanted a file name of at most {LONGEST_NAME} bytes for its record, got {length}; vary "
            "fewer settings, or write them as a recipe in the architecture's RECIPE"
        )


def _check_start(plan: Plan) -> None:
    """Refuse --from without a row that uses it, a row that needs it, and weights of another architecture."""
    start, rows = plan.request.start, [system for system in plan.systems if system.finetuned]
    if start is not None and not rows:
        raise UsageError("--from: no row uses it; name one, such as --system quill+finetuned")
    for system in rows:
        if start is None:
            raise UsageError(f"{system.name}: wanted the weights to start from, by --from FILE.safetensors")
        check_start(start, system.architecture)
        if plan.recipe(system).optimizer == "none":
            raise UsageError(f"{system.name}: is fitted in one pass, so weights to start from would change nothing")
    for system, seed in plan.rows:
        if start is not None and start.resolve().is_relative_to(plan.folder(system, seed).resolve()):
            raise UsageError(f"--from {start}: this run writes to that folder; copy the file elsewhere first")


def _pretrained(files: Mapping[str, Path], plan: "Plan") -> dict[str, Path]:
    """The weights supplied by the user for the plan's rows, by architecture."""
    rows = [system for system in plan.systems if system.pretrained]
    if files and not rows:
        raise UsageError("--weights: no row uses them; name one, such as --system torchvision:resnet50+given")
    if rows and plan.request.seeds != (0,):
        raise UsageError(f"{rows[0].name}: wanted seed 0 only: weights supplied by the user are the same for all seeds")
    for system in rows:
        name = slug_system(system.architecture)
        if name not in files:
            got = f"those of {', '.join(files)}" if files else "no --weights"
            raise UsageError(f"{system.name}: wanted a file {name}.safetensors of trained weights, got {got}")
        check_pretrained(files[name], system.architecture, plan.datamodule)
    return {system.architecture: files[slug_system(system.architecture)] for system in rows}


def _unlabelled(source: str | None, systems: tuple[System, ...], settings: DataSettings) -> UnlabelledImages | None:
    """The images that the request names for retraining, if any."""
    if source is None:
        return None
    if not any(system.learned == "retrained" for system in systems):
        raise ValueError("--unlabelled: no system uses it; name one, such as --system lenet5+c8-retrained")
    return read_unlabelled(source, settings)


def _images_name(unlabelled: UnlabelledImages | None, datamodule: CharacterDataModule) -> str:
    """The name of the unlabelled images in system names; empty for the dataset's own."""
    if unlabelled is None or unlabelled.fingerprint == datamodule.fingerprint:
        return ""
    return slug(unlabelled.name) or unlabelled.fingerprint.removeprefix("sha256:")[:8]  # names without a-z have no slug


def _with_images(system: System, images: str) -> System:
    """The system with the name of its unlabelled images."""
    storage = system.storage
    if storage is None or storage.learned != "retrained" or storage.images == images:
        return system
    if storage.images:
        got = f"those of {images}" if images else "only its own"
        raise UsageError(f"{system.name}: wanted the images of {storage.images}, got {got}; name them by --unlabelled")
    return replace(system, storage=storage.on_images(images))


def _check_validation(datamodule: CharacterDataModule, root: Path | None) -> None:
    """Reject data with too few validation characters to measure latency."""
    count = len(datamodule.val)
    if count < LEAST_CHARACTERS:
        raise DataError(
            root or datamodule.info.name, 0, f"at least {LEAST_CHARACTERS} validation characters, which latency needs",
            f"{count}, cut from {len(datamodule.train) + count} training characters",
            f"Add training characters: at least {3 * LEAST_CHARACTERS} are needed; a third of them is for validation.",
        )  # fmt: skip


def _trains(system: System, unlabelled: UnlabelledImages | None) -> bool:
    """Whether a row needs the dataset's training images, with or without labels."""
    if not system.storage:
        return not system.pretrained
    return system.learned == "conventional" or bool(system.learned and unlabelled is None)


def _check_training(datamodule: CharacterDataModule, systems: list[System]) -> None:
    """Reject data without a training part if rows need it."""
    if systems and not len(datamodule.train):
        names = ", ".join(system.name for system in systems)
        raise UsageError(
            f"{datamodule.info.name}: wanted training images for {names}, got none; add that part, use rows +given "
            "with --weights, or pass other images for systems +…-retrained by --unlabelled"
        )
