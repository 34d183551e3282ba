"""What a function costs: floating-point operations of its products and convolutions, counted in its trace."""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr

OTHER = "other"
"""Scope of what is in none."""


def products(function: Callable[..., Any], *arguments: Any, turns: int | None = None) -> Counter[str]:
    """Floating-point operations (a multiplication and an addition are two) of all products and convolutions of a call,
    by the outermost `jax.named_scope` in which they are.

    Args:
      arguments: arrays, or `jax.ShapeDtypeStruct`; nothing is computed.
      turns: of loops whose length the trace does not say.
    Raises:
      ValueError: there is a product in a loop of unknown length, and `turns` is not given.
    """
    total = Counter()
    for scope, operations in _products(jax.make_jaxpr(function)(*arguments).jaxpr, "", turns):
        total[scope or OTHER] += operations
    return total


def _products(jaxpr: Jaxpr, outer: str, unknown: int | None) -> Iterator[tuple[str, int]]:
    for equation in jaxpr.eqns:
        scope = outer or str(equation.source_info.name_stack).split("/")[0]
        if equation.primitive.name == "dot_general":
            yield scope, _dot(equation)
        elif equation.primitive.name == "conv_general_dilated":
            yield scope, _convolution(equation)
        inner = [pair for part in _parts(equation.params) for pair in _products(part, scope, unknown)]
        if not inner:
            continue
        turns = {"scan": equation.params.get("length"), "while": unknown}.get(equation.primitive.name, 1)
        if turns is None:
            raise ValueError("a product is in a loop whose length is not known: its operations cannot be counted")
        yield from ((name, turns * operations) for name, operations in inner)


def _parts(params: dict[str, Any]) -> Iterator[Jaxpr]:
    for value in params.values():
        for part in value if isinstance(value, tuple | list) else (value,):
            if isinstance(part, ClosedJaxpr):
                yield part.jaxpr
            elif isinstance(part, Jaxpr):
                yield part


def _dot(equation) -> int:
    (contracted, _), _ = equation.params["dimension_numbers"]
    left = equation.invars[0].aval.shape
    return 2 * math.prod(equation.outvars[0].aval.shape) * math.prod(left[axis] for axis in contracted)


def _convolution(equation) -> int:
    kernel, numbers = equation.invars[1].aval.shape, equation.params["dimension_numbers"]
    each = math.prod(size for axis, size in enumerate(kernel) if axis != numbers.rhs_spec[0])
    return 2 * math.prod(equation.outvars[0].aval.shape) * each
