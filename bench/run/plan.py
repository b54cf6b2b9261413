"""From what was asked to the rows of a run; refuses wrong use before anything is trained."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.measurements._row import LEAST_CHARACTERS
from bench.plugins import ARCHITECTURES, DATASETS, MEASUREMENTS, SUITES, check_runtimes, in_runtimes
from bench.records.predictions import row_folder
from bench.records.record import slug, slug_system
from bench.suites._base import SCALES, Scale, Suite
from bench.system import System, parse_system, refuse_other_layers, with_parents
from bench.training.pretrained import check_pretrained, weights_files
from bench.training.train import Hardware
from datamodules._base import CharacterDataModule, DataSettings
from datamodules._errors import DataError, UsageError
from datamodules._unlabelled import UnlabelledImages, read_unlabelled
from tasks.recipe import Recipe
from tasks.recipes import GIVEN, recipe_for


@dataclass(frozen=True)
class Request:
    """What the user asked of ``bench run``.

    Attributes:
        suite, dataset, scale: names; dataset None for the suite's own.
        data_root: the user's files; None for embedded data.
        systems: names; empty for the suite's default rows.
        runtimes: beside eager and those of the scale.
        seeds: of the rows, one record each.
        out: folder of ``results/`` and the boards.
        runs: folder of checkpoints, curves and predictions.
        fresh: measure again what is there.
        hardware: where to train.
        command: as records state it.
        unlabelled: ``DATASET`` or ``DATASET:ROOT``, whose images retraining learns from; None for the dataset's own
            training images without their labels.
        weights: folder of the trained weights that rows +given take, by architecture.
    """

    suite: str
    dataset: str | None = None
    scale: str = "quick"
    data_root: Path | None = None
    systems: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    out: Path = Path("leaderboards")
    runs: Path = Path("runs")
    fresh: bool = False
    hardware: Hardware = field(default_factory=Hardware)
    command: str = "bench run"
    unlabelled: str | None = None
    weights: Path | None = None


@dataclass(frozen=True)
class Plan:
    """What a run will do.

    Attributes:
        unlabelled: the images that the request names for retraining; None for the dataset's own.
        given: files of trained weights by the architectures of their rows.
    """

    request: Request
    suite: Suite
    scale: Scale
    systems: tuple[System, ...]
    datamodule: CharacterDataModule
    unlabelled: UnlabelledImages | None = None
    given: Mapping[str, Path] = field(default_factory=dict)

    @property
    def rows(self) -> list[tuple[System, int]]:
        """(system, seed), system by system."""
        return [(system, seed) for system in self.systems for seed in self.request.seeds]

    @property
    def runtimes(self) -> tuple[str, ...]:
        """Where rows are deployed beside eager: what the scale does anyway, then what was asked for."""
        return tuple(dict.fromkeys((*self.scale.runtimes, *self.request.runtimes)))

    @property
    def taken(self) -> tuple[str, ...]:
        """The suite's measurements, without those that the scale has no time for."""
        return tuple(name for name in self.suite.measurements if name not in self.scale.without)

    def deployed(self, system: System) -> tuple[tuple[str, str], ...]:
        """(runtime, measurement) of what is measured of a system there, such as ("onnxruntime", "latency")."""
        names = in_runtimes(self.measurements(system))
        return tuple((runtime, name) for runtime in self.runtimes for name in names)

    def recipe(self, system: System) -> Recipe:
        """A system's recipe with the scale's share of its epochs, one at the least."""
        recipe = recipe_for(system.recipe, ARCHITECTURES.load(system.architecture.partition(":")[0]).RECIPE)
        if self.request.data_root is not None:
            epochs = recipe.epochs * self.scale.share_own
        else:
            epochs = min(recipe.epochs * self.scale.share, self.scale.most_epochs or recipe.epochs)
        heads = recipe.heads
        if heads is not None and replace(system, storage=None).parent is not None:
            heads = replace(heads, begun=True)
        return replace(recipe, epochs=float(max(1, round(epochs))), heads=heads)

    def pretrained_weights(self, system: System) -> Path | None:
        """The given weights that a row takes, or is made from; None where they are trained."""
        return self.given.get(system.architecture) if system.recipe == GIVEN else None

    def measurements(self, system: System) -> tuple[str, ...]:
        """Those measurements that apply to a system: some need what not every architecture has."""
        literals = ARCHITECTURES.literals(system.architecture.partition(":")[0])
        said = {name: MEASUREMENTS.literals(name) for name in self.taken}
        return tuple(
            name for name, one in said.items()
            if one.get("NEEDS") in (None, *literals) and (one.get("STORED", True) or not system.storage)
        )  # fmt: skip

    def folder(self, system: System, seed: int) -> Path:
        """Where a row's weights, curve and predictions lie."""
        asked = self.request
        row = {"suite": asked.suite, "dataset": {"name": self.datamodule.info.name}, "scale": asked.scale}
        return row_folder(asked.runs, {**row, "system": system.name, "seed": seed})


def make_plan(request: Request) -> Plan:
    """Check every name and load the dataset.

    Raises:
        UnknownPlugin: an unknown suite, dataset, system, recipe or runtime; the known ones are listed.
        UsageError: an unknown scale, a dataset that cannot take what was asked, or a suite that trains nothing.
        DataError: damaged or missing data.
    """
    suite: Suite = SUITES.load(request.suite).SUITE
    if request.scale not in suite.scales:
        raise UsageError(f"unknown scale {request.scale!r}; known: {', '.join(s for s in SCALES if s in suite.scales)}")
    scale = suite.scales[request.scale]
    check_runtimes(*scale.runtimes, *request.runtimes)
    for name in suite.measurements:
        MEASUREMENTS.check(name)
    systems = tuple(dict.fromkeys(parse_system(s, scale_recipe(suite)) for s in request.systems or scale.systems))
    if not request.systems and scale.recipe != scale_recipe(suite):
        systems = tuple(replace(s, recipe=scale.recipe) if s.recipe == s.default_recipe else s for s in systems)
    weights = weights_files(request.weights) if request.weights else {}
    dataset = DATASETS.load(request.dataset or suite.dataset)
    settings = DataSettings(request.data_root, scale.classes, scale.writers)
    try:
        datamodule: CharacterDataModule = dataset.build(settings)
        unlabelled = _unlabelled(request.unlabelled, systems, settings)
    except ValueError as error:
        raise UsageError(str(error)) from error
    datamodule.setup()
    _check_validation(datamodule, request.data_root)
    images = _images(unlabelled, datamodule)
    systems = tuple(_learning_from(system, images) for system in systems)
    plan = Plan(request, suite, scale, with_parents(systems), datamodule, unlabelled)
    _check_training(datamodule, [system for system in plan.systems if _trains(system, unlabelled)])
    for system in plan.systems:
        refuse_other_layers(system, datamodule.info.classes)
    return replace(plan, given=_given(weights, plan))


def _given(files: Mapping[str, Path], plan: "Plan") -> dict[str, Path]:
    """The files of weights that rows take, by the rows' architectures."""
    rows = [system for system in plan.systems if system.given]
    if files and not rows:
        raise UsageError(
            "--weights: no row takes them; name one that does, such as --system torchvision:resnet50+given"
        )
    if rows and plan.request.seeds != (0,):
        raise UsageError(f"{rows[0].name}: wanted seed 0 alone: given weights are the same for all")
    for system in rows:
        name = slug_system(system.architecture)
        if name not in files:
            got = f"those of {', '.join(files)}" if files else "no --weights"
            raise UsageError(f"{system.name}: wanted a file {name}.safetensors of trained weights, got {got}")
        check_pretrained(files[name], system.architecture, plan.datamodule)
    return {system.architecture: files[slug_system(system.architecture)] for system in rows}


def _unlabelled(spelt: str | None, systems: tuple[System, ...], settings: DataSettings) -> UnlabelledImages | None:
    """The images that the request names for retraining, if any."""
    if spelt is None:
        return None
    if not any(system.learned == "retrained" for system in systems):
        raise ValueError(
            "--unlabelled: no system learns from it; name one that does, such as --system lenet5+c8-retrained"
        )
    return read_unlabelled(spelt, settings)


def _images(unlabelled: UnlabelledImages | None, datamodule: CharacterDataModule) -> str:
    """What names of systems call the images that they learn from without labels; empty where these are their own."""
    if unlabelled is None or unlabelled.fingerprint == datamodule.fingerprint:
        return ""
    return slug(unlabelled.name) or unlabelled.fingerprint.removeprefix("sha256:")[:8]  # of a name without any of a-z


def _learning_from(system: System, images: str) -> System:
    """A system under the name that says whose images it learns from without labels."""
    storage = system.storage
    if storage is None or storage.learned != "retrained" or storage.images == images:
        return system
    if storage.images:
        got = f"those of {images}" if images else "none but its own"
        raise UsageError(f"{system.name}: wanted the images of {storage.images}, got {got}; name them by --unlabelled")
    return replace(system, storage=storage.on_images(images))


def _check_validation(datamodule: CharacterDataModule, root: Path | None) -> None:
    """Refuse data whose validation part is too small to time a network with, before anything is trained."""
    found = len(datamodule.val)
    if found < LEAST_CHARACTERS:
        raise DataError(
            root or datamodule.info.name, 0, f"at least {LEAST_CHARACTERS} validation characters, which latency needs",
            f"{found}, cut from {len(datamodule.train) + found} training characters",
            f"Add training characters: at least {3 * LEAST_CHARACTERS} are wanted, a third of which validate.",
        )  # fmt: skip


def _trains(system: System, unlabelled: UnlabelledImages | None) -> bool:
    """Whether a row learns from training images, with labels or without."""
    if not system.storage:
        return not system.given
    return system.learned == "conventional" or bool(system.learned and unlabelled is None)


def _check_training(datamodule: CharacterDataModule, systems: list[System]) -> None:
    """Refuse data without a training part, where rows are to learn from it."""
    if systems and not len(datamodule.train):
        names = ", ".join(system.name for system in systems)
        raise UsageError(
            f"{datamodule.info.name}: wanted training images for {names}, got none; add that part, name rows +given "
            "with --weights, or give systems +…-retrained other images by --unlabelled"
        )


def scale_recipe(suite: Suite) -> str:
    """The recipe that the suite's system names leave out: that of its default scale."""
    return suite.scales["quick"].recipe
