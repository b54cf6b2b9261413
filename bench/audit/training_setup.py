"""Audit checks of a paper's training setup: recipe settings, input shape, variants and data set sizes."""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from bench.audit.networks import NotHereError
from bench.audit.verdicts import Finding
from bench.plugins import DATASETS
from datamodules.readers.casia_parts import PARTS
from datamodules.readers.gb2312 import LEVEL1
from tasks.recipes import recipe_for


def recipe(literals: Mapping[str, Any], check: Mapping[str, Any]) -> Finding:
    """A ``field`` of the system's recipe as a number, or all its ``fields`` compared with the check's values.

    The recipe is ``paper`` unless the check names a ``recipe``; write augmentation fields as ``augmentation.rotate``.
    """
    name = check.get("recipe", "paper")
    settings = recipe_for(name, literals["RECIPE"]).as_dict()
    if "field" in check:
        value = _at(settings, check["field"])
        return Finding(float(value) * check.get("factor", 1), f"Recipe {name}: {check['field']} {value}")
    values = {path: _at(settings, path) for path in check["fields"]}
    text = ", ".join(f"{path} {_plain(value)}" for path, value in values.items())
    holds = all(_plain(values[path]) == _plain(wanted) for path, wanted in check["fields"].items())
    return Finding(None, f"Recipe {name}: {text}", holds=holds)


def image(literals: Mapping[str, Any], check: Mapping[str, Any]) -> Finding:
    """Side of the architecture's input, and its channels if the check names ``channels``."""
    channels, side = literals["INPUT"]
    holds = None if check.get("channels", channels) == channels else False
    return Finding(side, f"The network's input is {channels}×{side}×{side}", holds=holds)


def variants(literals: Mapping[str, Any], check: Mapping[str, Any]) -> Finding:
    """Values of one ``axis`` in the variants' names: equal to ``values``, or in the range ``above`` to ``at_most``."""
    parts = [part for variant in literals["VARIANTS"] for part in variant.split("-")]
    values = sorted({float(p[1:]) for p in parts if p[0] == check["axis"] and p[1:].replace(".", "").isdigit()})
    text = f"The variants have {check['axis']} = {', '.join(f'{value:g}' for value in values)}"
    if "values" in check:
        return Finding(None, text, holds=values == [float(value) for value in check["values"]])
    low, high = check["above"], check["at_most"]
    return Finding(None, text, holds=bool(values) and all(low < value <= high for value in values))


def dataset(check: Mapping[str, Any]) -> Finding:
    """A ``fact`` of data set ``name`` that is known without its files.

    ``classes`` of GB2312's first level, or the published number of ``train`` or ``test`` images of the official files.
    """
    if check["name"] not in DATASETS.names():
        raise NotHereError(f"Not checkable yet: no data set {check['name']} is installed")
    module, fact = DATASETS.load(check["name"]), check["fact"]
    if fact not in ("classes", "train", "test"):
        raise KeyError(f"unknown fact {fact}; known: classes, train, test")
    value = len(LEVEL1) if fact == "classes" else _images(module, fact)
    unit = {"train": "training images", "test": "test images"}.get(fact, fact)
    return Finding(value, f"{value:,} {unit} in the data set {check['name']}")


def _at(settings: Mapping[str, Any], path: str) -> Any:
    """The setting at a dotted path; raises KeyError, with the known settings, if there is none."""
    value: Any = settings
    for name in path.split("."):
        value = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
        if name not in value:
            raise KeyError(f"recipes have no setting {path}; they have {', '.join(value)}")
        value = value[name]
    return value


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _images(module: Any, part: str) -> int:
    """Number of images in a part of the official files; raises NotHereError if no count is published."""
    if hasattr(module, "LAYOUT"):
        return int(module.LAYOUT.whole[part == "test"])
    counts = [PARTS[name].characters for name in getattr(module.PROTOCOL, part)]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        raise NotHereError(f"Needs the files: no count is published for all of {module.PROTOCOL.name}")
    return sum(known)
