"""Checks between printed figures: sums, ratios, differences and means of other cells and of computed figures."""

import ast
import operator
import statistics
from collections.abc import Callable, Mapping
from itertools import product

_OPERATORS: Mapping[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Pow: operator.pow, ast.USub: operator.neg,
}  # fmt: skip
_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "min": min, "max": max, "mean": lambda *values: statistics.fmean(values), "abs": abs,
}  # fmt: skip


def evaluate(formula: str, values: Mapping[str, float]) -> float:
    """Value of a formula of numbers, names, ``+ - * / // **``, ``min``, ``max``, ``mean`` and ``abs``.

    Raises:
        ValueError: anything else stands in it, or a name has no value.
    """
    try:
        return _value(ast.parse(formula, mode="eval").body, values)
    except (KeyError, SyntaxError) as error:
        raise ValueError(f"formula {formula!r}: {type(error).__name__} {error}") from error


def span(formula: str, values: Mapping[str, float], bounds: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    """Least and greatest value of a formula when names may lie anywhere between their ``bounds``.

    Every name on its value and at both ends: enough for formulas that rise or fall in each name alone.
    """
    ends = [{values[name], *bounds[name]} for name in bounds]
    found = []
    for chosen in product(*ends):
        found.append(evaluate(formula, {**values, **dict(zip(bounds, chosen, strict=True))}))
    return min(found), max(found)


def _value(node: ast.AST, values: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name):
            return values[name]
        case ast.BinOp(left=left, op=sign, right=right):
            return _OPERATORS[type(sign)](_value(left, values), _value(right, values))
        case ast.UnaryOp(op=sign, operand=inner):
            return _OPERATORS[type(sign)](_value(inner, values))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _FUNCTIONS[name](*[_value(argument, values) for argument in arguments])
    raise KeyError(ast.unparse(node))
