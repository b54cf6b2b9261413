"""Formats figures for boards and terminal tables: all rounding and unit conversion happens here."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.records.rows import Figure

NONE = "—"
# 10^6: multiply-adds and parameters in millions, bytes in MB (not MiB), nanoseconds in milliseconds.
MILLION = 1e6


def digits(value: float, figures: int = 3) -> str:
    """A number with ``figures`` significant digits, never in exponential form: ``1,234``, ``12.3``, ``0.0123``."""
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    decimals = max(0, figures - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def percent(value: float) -> str:
    """A ratio as per cent with two decimals, without the sign."""
    return f"{100 * value:.2f}"


def accuracy(figure: "Figure") -> str:
    """``98.77 ± 0.12 (3 seeds) [98.10–99.20]``."""
    if figure.value is None:
        return figure.why or NONE
    spread = "" if figure.spread is None else f" ± {percent(figure.spread)} ({figure.n} seeds)"
    return percent(figure.value) + spread + _interval(figure, percent, "–")


def points(figure: "Figure") -> str:
    """``4.20 [3.10, 5.30]``: a difference of ratios in percentage points, with its interval."""
    return (figure.why or NONE) if figure.value is None else percent(figure.value) + _interval(figure, percent, ", ")


def share(figure: "Figure") -> str:
    """``99.93``: a ratio as per cent without its interval."""
    return (figure.why or NONE) if figure.value is None else percent(figure.value)


def number(figure: "Figure") -> str:
    """A figure in its own unit, with three significant digits."""
    return (figure.why or NONE) if figure.value is None else digits(figure.value)


def millions(figure: "Figure") -> str:
    """A count in millions, bytes in MB or nanoseconds in milliseconds."""
    return (figure.why or NONE) if figure.value is None else digits(figure.value / MILLION)


def noisy_millions(figure: "Figure") -> str:
    """Like ``millions``, followed by ``noisy`` for a noisy measurement."""
    return millions(figure) + (" `noisy`" if figure.noisy and figure.value is not None else "")


def ratio(figure: "Figure") -> str:
    """``0.84 [0.83–0.86]``, followed by ``noisy`` for a noisy measurement."""
    if figure.value is None:
        return figure.why or NONE
    return digits(figure.value) + _interval(figure, digits, "–") + (" `noisy`" if figure.noisy else "")


def milliseconds(figure: "Figure") -> str:
    """``1.23 (1.20–1.31, p90 1.50 ≤ 1.56)``: median, quartiles, 90th percentile and its upper bound."""
    if figure.value is None:
        return figure.why or NONE
    parts = []
    if figure.low is not None and figure.high is not None:
        parts.append(f"{digits(figure.low / MILLION)}–{digits(figure.high / MILLION)}")
    if figure.p90 is not None:
        bound = "" if figure.p90_bound is None else f" ≤ {digits(figure.p90_bound / MILLION)}"
        parts.append(f"p90 {digits(figure.p90 / MILLION)}{bound}")
    return digits(figure.value / MILLION) + (f" ({', '.join(parts)})" if parts else "")


def of_unit(figure: "Figure", unit: str) -> str:
    """A figure with its unit, converted for display: ratio to %, ns to ms, byte to MB."""
    if figure.value is None:
        return figure.why or NONE
    if unit == "ratio":
        return f"{percent(figure.value)} %"
    if unit in ("ns", "byte"):
        return f"{digits(figure.value / MILLION)} {'ms' if unit == 'ns' else 'MB'}"
    return f"{digits(figure.value)} {unit}".strip()


def places(rank: tuple[int, int] | None) -> str:
    """``3``, or ``2–4`` where intervals overlap."""
    return NONE if rank is None else "–".join(map(str, dict.fromkeys(rank)))


def _interval(figure: "Figure", form: Callable[[float], str], between: str) -> str:
    return "" if figure.low is None or figure.high is None else f" [{form(figure.low)}{between}{form(figure.high)}]"
