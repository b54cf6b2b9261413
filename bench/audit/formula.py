"""Evaluates arithmetic formulas over named figures, without ``eval``, and the range that their rounding allows."""

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
    """Evaluate a formula of numbers, names, ``+ - * / // **``, ``min``, ``max``, ``mean`` and ``abs``.

    Raises:
        ValueError: the formula contains anything else, or a name without a value.
    """
    try:
        return _value(ast.parse(formula, mode="eval").body, values)
    except (KeyError, SyntaxError) as error:
        raise ValueError(f"formula {formula!r}: {type(error).__name__} {error}") from error


def span(formula: str, values: Mapping[str, float], bounds: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    """Least and greatest value of a formula whose names may lie anywhere within their ``bounds``.

    Tries every name at its value and at both bounds: exact for formulas that are monotonic in each name.
    """
    ends = [{values[name], *bounds[name]} for name in bounds]
    results = [evaluate(formula, {**values, **dict(zip(bounds, chosen, strict=True))}) for chosen in product(*ends)]
    return min(results), max(results)


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
