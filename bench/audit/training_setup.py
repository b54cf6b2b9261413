"""Checks of how a paper trains and on what: against recipes, inputs, variants and the data sets' own rules."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from bench.audit.networks import NotHereError
from bench.audit.verdicts import Finding
from bench.plugins import DATASETS
from datamodules.readers.casia_parts import PARTS
from datamodules.readers.gb2312 import LEVEL1
from tasks.recipes import recipe_for


def recipe(literals: Mapping[str, Any], check: Mapping[str, Any]) -> Finding:
    """What the system's recipe (``paper`` unless ``recipe`` says) has for a ``field``, or for all of ``fields``.

    Fields of the augmentation are written ``augmentation.rotate``; one field is compared with the printed number,
    several with what ``fields`` gives.
    """
    name = check.get("recipe", "paper")
    settings = recipe_for(name, literals["RECIPE"]).as_dict()
    if "field" in check:
        value = _at(settings, check["field"])
        factor = check.get("factor", 1)
        return Finding(float(value) * factor, f"recipe {name} has {check['field']} {value}")
    found = {path: _at(settings, path) for path in check["fields"]}
    text = ", ".join(f"{path} {_plain(value)}" for path, value in found.items())
    holds = all(_plain(found[path]) == _plain(wanted) for path, wanted in check["fields"].items())
    return Finding(None, f"recipe {name} has {text}", holds=holds)


def image(literals: Mapping[str, Any], check: Mapping[str, Any]) -> Finding:
    """Side of the input that the architecture states, and its channels where the check has ``channels``."""
    channels, side = literals["INPUT"]
    holds = None if check.get("channels", channels) == channels else False
    return Finding(side, f"the network takes {channels}×{side}×{side}", holds=holds)


def variants(literals: Mapping[str, Any], check: Mapping[str, Any]) -> Finding:
    """The values that one ``axis`` of the variants' names takes: those printed (``values``), or in a range."""
    parts = [part for variant in literals["VARIANTS"] for part in variant.split("-")]
    found = sorted({float(p[1:]) for p in parts if p[0] == check["axis"] and p[1:].replace(".", "").isdigit()})
    text = f"variants have {check['axis']} {', '.join(f'{value:g}' for value in found)}"
    if "values" in check:
        return Finding(None, text, holds=found == [float(value) for value in check["values"]])
    low, high = check["above"], check["at_most"]
    return Finding(None, text, holds=bool(found) and all(low < value <= high for value in found))


def dataset(check: Mapping[str, Any]) -> Finding:
    """A ``fact`` that the protocol of data set ``name`` fixes before any file is read.

    ``classes`` of GB2312's first level, or the ``train`` and ``test`` images that its official files are known to hold.
    """
    if check["name"] not in DATASETS.names():
        raise NotHereError(f"not checkable yet: no data set {check['name']} is installed")
    value = _FACTS[check["fact"]](DATASETS.load(check["name"]))
    return Finding(value, f"data set {check['name']} has {value:,} {check['fact'].replace('_', ' ')}")


def _at(settings: Mapping[str, Any], path: str) -> Any:
    """The setting at a dotted path; raises KeyError, with the settings there are, where there is none."""
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
    """Images of a part of the official files; raises NotHereError where their owner states no count."""
    if hasattr(module, "LAYOUT"):
        return int(module.LAYOUT.whole[part == "test"])
    counts = [PARTS[name].characters for name in getattr(module.PROTOCOL, part)]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        raise NotHereError(f"the files decide it: no count is published for all of {module.PROTOCOL.name}")
    return sum(known)


_FACTS: Mapping[str, Callable[[Any], int]] = {
    "classes": lambda module: len(LEVEL1),
    "train": lambda module: _images(module, "train"),
    "test": lambda module: _images(module, "test"),
}
