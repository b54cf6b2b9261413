"""Audit checks of layers: their number, kinds, shapes and settings, compared with printed architecture tables."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bench.audit.formula import evaluate
from bench.audit.networks import Built, Layer
from bench.audit.verdicts import Finding

_SCALED = re.compile(r"(\d+)(a?)(d?)$")  # 32a: times alpha; 32ad: times alpha and delta
_AXES = {"a": re.compile(r"(?:^|-)a([\d.]+)"), "d": re.compile(r"(?:^|-)d(\d+)")}  # of variants such as d2-a0.5
_FACTS = {"takes": "input channels", "filters": "output channels"}


def step(built: Built, check: Mapping[str, Any], variant: str) -> Finding:
    """Compare the ``at``-th step of the network, and ``times - 1`` further ones ``every`` steps apart, with the table.

    Printed facts: ``op``, ``kernel``, ``stride``, ``padding``, ``input`` and ``output`` (sides first, channels last),
    ``side`` (of the output), ``takes`` and ``filters`` (input and output channels). Widths may be scaled: ``32a``,
    ``32ad``.
    """
    positions = [check["at"] + index * check.get("every", 1) for index in range(check.get("times", 1))]
    if positions[-1] > len(built.steps):
        return Finding(None, f"The network has only {len(built.steps)} steps", holds=False)
    return _compared([built.steps[position - 1] for position in positions], check, variant)


def layer(built: Built, check: Mapping[str, Any], variant: str) -> Finding:
    """Compare the layer or block ``name``, and the layers inside it by ``parts``; facts as for ``step``.

    The number of the finding is that of the output channels.
    """
    whole = built.layer(check["name"])
    finding = _compared([whole], check, variant)
    for name, facts in check.get("parts", {}).items():
        inner = next((one for one in built.steps if one.name.startswith(f"{check['name']}.{name}")), None)
        part = _compared([inner], facts, variant) if inner else Finding(None, f"no layer {name}", holds=False)
        why = f"{finding.why}; {name}: {part.why.removeprefix('Built: ')}"
        finding = Finding(None, why, holds=bool(finding.holds and part.holds))
    return Finding(whole.output[0], finding.why, holds=finding.holds)


def every(built: Built, check: Mapping[str, Any], variant: str) -> Finding:
    """Check that at least one layer exists, and that all of kinds ``ops`` or classes ``types`` follow a rule.

    The rule: ``formula`` lies ``between`` two bounds or equals ``equals``, in W and H (sides of input and output), M
    and N (channels of input and output), K, S, P (kernel, stride, padding), ``params`` and ``macs``; or the layer is
    ``followed_by`` layers of these ops. ``but`` names exceptions.
    """
    if "types" in check:
        chosen = [one for one in built.named.values() if type(one.module).__name__ in check["types"]]
    else:
        chosen = [one for one in built.layers if one.op in check["ops"]]
    chosen = [one for one in chosen if one.name not in check.get("but", ())]
    broken = [one.name for one in chosen if not _follows(built, one, check)]
    kinds = listed(check.get("types", check.get("ops")))
    words = f"{len(chosen) - len(broken)} of {len(chosen)} {kinds} layers follow the rule"
    exceptions = f"; exceptions: {', '.join(broken)}" if broken else ""
    return Finding(None, words + exceptions, holds=bool(chosen) and not broken)


def setting(built: Built, check: Mapping[str, Any], variant: str) -> Finding:
    """An ``attribute`` with the same value in all layers of the kinds ``ops``, such as ``p`` of dropout.

    ``named`` selects layers whose names contain it.

    Raises:
        ValueError: the values differ, or there is no such layer.
    """
    chosen = [one for one in built.layers if one.op in check["ops"] and check.get("named", "") in one.name]
    values = {float(getattr(one.module, check["attribute"])) for one in chosen}
    if len(values) != 1:
        raise ValueError(f"layers of kind {check['ops']} have {check['attribute']} {sorted(values)}")
    (value,) = values
    return Finding(value, f"{check['attribute']} = {value:g} in all {listed(check['ops'])} layers")


def layers(built: Built, check: Mapping[str, Any], variant: str) -> Finding:
    """Number of executed layers of the kinds ``ops``, in the parts ``within``, without names that contain ``but``."""
    excluded, within = check.get("but", ""), tuple(f"{part}." for part in check.get("within", ()))
    count = sum(
        one.op in check["ops"] and not (excluded and excluded in one.name)
        and (not within or f"{one.name}.".startswith(within))
        for one in built.layers
    )  # fmt: skip
    place = f" in {', '.join(check['within'])}" if within else ""
    return Finding(count, f"{count} {listed(check['ops'])} layers{place}")


def parts(built: Built, check: Mapping[str, Any], variant: str) -> Finding:
    """Whether the network has top-level parts with the names ``named``; it may have others too."""
    names = [name for name, _ in built.network.named_children()]
    missing = [name for name in check["named"] if name not in names]
    words = f"The network's parts are {', '.join(names)}"
    return Finding(None, f"{words}; it has no {', '.join(missing)}" if missing else words, holds=not missing)


def blocks(built: Built, check: Mapping[str, Any], variant: str) -> Finding:
    """Number of modules of the class ``type``."""
    count = sum(type(module).__name__ == check["type"] for module in built.network.modules())
    return Finding(count, f"{count} {check['type']} modules")


def output(built: Built, check: Mapping[str, Any], variant: str) -> Finding:
    """Output shape of the network, compared with ``shape``; else its last dimension, the number of classes."""
    holds = list(built.output) == check["shape"] if "shape" in check else None
    return Finding(built.output[-1], f"The network outputs {_shape(built.output)} numbers per image", holds=holds)


def listed(kinds: Sequence[str]) -> str:
    """Kinds of layers in words, such as ``convolution, depthwise and max pool``."""
    words = [kind.replace("_", " ") for kind in kinds]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _compared(found: Sequence[Layer], check: Mapping[str, Any], variant: str) -> Finding:
    wrong: dict[str, None] = {}  # an ordered set
    for one in found:
        facts = _facts(one)
        for fact, value in check.items():
            if fact in facts and (printed := _scaled(value, variant)) != facts[fact]:
                wrong[f"{_FACTS.get(fact, fact)}: built {_text(facts[fact])}, printed {_text(printed)}"] = None
    text = _describe(found[0]) + (f", {len(found)} times" if len(found) > 1 else "")
    return Finding(found[0].output[0], "; ".join([f"Built: {text}", *wrong]), holds=not wrong)


def _facts(one: Layer) -> dict[str, Any]:
    """Everything that a table may print about a layer."""
    return {
        "op": one.op, "kernel": one.setting("kernel_size"), "stride": one.setting("stride"),
        "padding": one.setting("padding"), "input": _sides_first(one.inputs), "output": _sides_first(one.output),
        "takes": one.inputs[0], "filters": one.output[0], "side": one.output[-1],
    }  # fmt: skip


def _describe(one: Layer) -> str:
    kernel, stride = one.setting("kernel_size"), one.setting("stride")
    window = f" {kernel}×{kernel}" if kernel else ""
    step = f", stride {stride}" if stride else ""
    kind = one.op.replace("_", " ") if one.op != "other" else "block"
    return f"{kind}{window}{step}, {_shape(one.inputs)} → {_shape(one.output)}"


def _follows(built: Built, one: Layer, check: Mapping[str, Any]) -> bool:
    if "followed_by" in check:
        index = built.layers.index(one) + 1
        after = [following.op for following in built.layers[index : index + len(check["followed_by"])]]
        return bool(after == check["followed_by"])
    values: dict[str, float] = {"W": one.inputs[-1], "M": one.inputs[0], "H": one.output[-1], "N": one.output[0]}
    values |= {
        letter: one.setting(name) or 0 for letter, name in (("K", "kernel_size"), ("S", "stride"), ("P", "padding"))
    }
    values["macs"] = built.macs(one.name)
    values["params"] = sum(p.numel() for p in one.module.parameters()) if one.module else 0
    value = evaluate(check["formula"], values)
    if "between" in check:
        low, high = check["between"]
        return bool(low <= value <= high)
    return value == evaluate(str(check["equals"]), values)


def _scaled(printed: Any, variant: str) -> Any:
    if isinstance(printed, list):
        return [_scaled(one, variant) for one in printed]
    match = _SCALED.match(printed) if isinstance(printed, str) else None
    if match is None:
        return printed
    value = float(match[1])
    for axis in filter(None, match.groups()[1:]):
        setting = _AXES[axis].search(variant)
        value *= float(setting[1]) if setting else 1.0
    return int(value)


def _sides_first(shape: tuple[int, ...]) -> list[int]:
    """A shape as tables print it: side, side, channels; a vector as its length."""
    return [*shape[1:], shape[0]]


def _shape(shape: tuple[int, ...]) -> str:
    return _text(_sides_first(shape))


def _text(value: Any) -> str:
    return "×".join(map(str, value)) if isinstance(value, list) else str(value)
