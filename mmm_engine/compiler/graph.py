"""Array formulas written down instead of computed: graphs of operations on arrays.

Here: `Graph`, `Expression` and the operators that formulas use on it.
Not here: shapes (shapes.py), derivatives (autodiff.py), machine code (fusion.py, lowering.py), the formulas themselves.

A formula that takes its functions from array_functions.py runs on numpy arrays and on expressions alike. Equal
operations on equal arguments are one node (hash consing), so that what a formula writes twice is computed once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from mmm_engine.array_types import Array, Index, Operand
from mmm_engine.compiler.shapes import Size, broadcast_sizes, full_index, positions_of, static_size

_LARGEST_POWER = 64  # up to here powers are products, also of negative numbers
_NAMES = "add multiply reciprocal exp expm1 log log1p sqrt tanh abs erfc gammaln maximum minimum less select"
ELEMENTWISE = frozenset(_NAMES.split())
"""Operations whose element depends on one element of each argument."""

_UNARY: dict[str, Callable[[float], float]] = {
    "reciprocal": lambda x: 1.0 / x,
    "exp": math.exp,
    "expm1": math.expm1,
    "log": math.log,
    "log1p": math.log1p,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
    "abs": abs,
    "erfc": math.erfc,
    "gammaln": math.lgamma,
}


@dataclass(frozen=True, eq=False)
class Expression:
    """One operation of a graph; behaves like an array in formulas.

    Attributes:
        operation: A name in `ELEMENTWISE`, or one of
            "input" (detail: its name), "dynamic_size" (name of the axis), "constant" (one number for all elements),
            "table" (all numbers), "transpose" (per axis the argument's axis, None for a new one of length one),
            "gather" (axis, positions of the argument, -1 for 0), "concatenate" (axis), "sum" (axes),
            "store" (an output, position of its first element there).
        arguments: What it is applied to.
        sizes: Lengths of the axes.
        detail: What else the operation needs to know.
        graph: Where it is written down.
        number: Its place in the graph; arguments have smaller ones.
    """

    operation: str
    arguments: tuple[Expression, ...]
    sizes: tuple[Size, ...]
    detail: Any
    graph: Graph
    number: int

    __array_ufunc__ = None  # numpy leaves `array * expression` to the expression

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.sizes)

    @property
    def shape(self) -> tuple[int | Expression, ...]:
        """Lengths of the axes, those of dynamic axes as expressions."""
        return tuple(size if isinstance(size, int) else self.graph.dynamic_size(size) for size in self.sizes)

    def __array__(self, dtype: Any = None, *, copy: bool | None = None) -> NoReturn:
        """Refused: without it numpy would make an array of one object."""
        raise TypeError("an expression has no numbers")

    def is_constant(self, value: float | None = None) -> bool:
        """Whether all elements are one known number (this one)."""
        return self.operation == "constant" and (value is None or self.detail == value)

    def __repr__(self) -> str:
        return f"<{self.number} {self.operation} {self.sizes}>"

    def __add__(self, other: Operand) -> Expression:
        return self.graph.apply("add", self, other)

    __radd__ = __add__

    def __mul__(self, other: Operand) -> Expression:
        return self.graph.apply("multiply", self, other)

    __rmul__ = __mul__

    def __neg__(self) -> Expression:
        return self * -1.0

    def __sub__(self, other: Operand) -> Expression:
        return self + -1.0 * self.graph.expression(other)

    def __rsub__(self, other: Operand) -> Expression:
        return self.graph.expression(other) + -1.0 * self

    def __truediv__(self, other: Operand) -> Expression:
        return self * self.graph.apply("reciprocal", other)

    def __rtruediv__(self, other: Operand) -> Expression:
        return self.graph.expression(other) * self.graph.apply("reciprocal", self)

    def __gt__(self, other: Operand) -> Expression:
        return self.graph.apply("less", other, self)

    def __lt__(self, other: Operand) -> Expression:
        return self.graph.apply("less", self, other)

    def __pow__(self, exponent: Operand) -> Expression:
        power = self.graph.expression(exponent)
        if not power.is_constant() or (2.0 * power.detail) % 1.0 or abs(power.detail) > _LARGEST_POWER:
            return self.graph.apply("exp", power * self.graph.apply("log", self))
        result = _whole_power(self, int(abs(power.detail)))
        if power.detail % 1.0:
            result = result * self.graph.apply("sqrt", self)
        result = self.graph.apply("reciprocal", result) if power.detail < 0 else result
        return result + self.graph.constant(0.0, power.sizes)

    def __rpow__(self, base: Operand) -> Expression:
        return self.graph.apply("exp", self * self.graph.apply("log", base))

    def __matmul__(self, other: Array) -> Expression:
        """Products summed over the last axis of this and the first of the other (of one or two axes each)."""
        right = self.graph.expression(other)
        if right.ndim == 1:
            return (self * right).sum(axis=-1)
        if self.ndim == 1 and right.operation == "transpose":  # a transposed matrix is read along its rows
            return (right.T * self).sum(axis=-1)
        return (self[..., None] * right).sum(axis=self.ndim - 1)

    def __rmatmul__(self, other: Array) -> Expression:
        return self.graph.expression(other) @ self

    @property
    def T(self) -> Expression:  # noqa: N802  (numpy's name)
        """The axes in reverse order."""
        return self.graph.transpose(self, tuple(range(self.ndim))[::-1])

    def sum(self, axis: int | Sequence[int] | None = None) -> Expression:
        """Sum over some axes, all when None."""
        axes = (
            range(self.ndim)
            if axis is None
            else [number % self.ndim for number in ((axis,) if isinstance(axis, int) else axis)]
        )
        return self.graph.sum(self, tuple(sorted(axes)))

    def mean(self, axis: int | None = None) -> Expression:
        """Mean over an axis, over all when None."""
        axes = range(self.ndim) if axis is None else [axis % self.ndim]
        total = self.sum(axis)
        for number in axes:
            total = total / self.shape[number]
        return total

    def __getitem__(self, index: Index) -> Expression:
        """Numbers, slices and lists of positions on axes of known size; None for a new axis; whole axes.

        Raises:
            TypeError: If elements of a dynamic axis are picked, or a mask is given.
            IndexError: If a position is outside its axis.
        """
        parts = full_index(index, self.ndim)
        result, axis = self, 0
        for part in parts:
            if part is None:
                kept: list[int | None] = list(range(result.ndim))
                result = self.graph.transpose(result, (*kept[:axis], None, *kept[axis:]))
                axis += 1
            elif isinstance(part, slice) and part == slice(None):
                axis += 1
            elif isinstance(part, (int, np.integer)):
                result = self.graph.gather(result, axis, positions_of([part], result.sizes[axis]))
                result = self.graph.transpose(result, tuple(at for at in range(result.ndim) if at != axis))
            else:
                result = self.graph.gather(result, axis, positions_of(part, result.sizes[axis]))
                axis += 1
        return result

    def __iter__(self) -> Iterator[Expression]:
        raise TypeError("an expression is not a sequence")  # numpy would try


@dataclass
class Graph:
    """Operations in the order they were written, equal ones once."""

    nodes: dict[tuple[Any, ...], Expression] = field(default_factory=dict)

    def input(self, name: str, sizes: Sequence[Size]) -> Expression:
        """An array that is handed over at run time."""
        return self._node("input", (), tuple(sizes), name)

    def dynamic_size(self, name: str) -> Expression:
        """The length of a dynamic axis, as a number."""
        return self._node("dynamic_size", (), (), name)

    def constant(self, value: float, sizes: Sequence[Size] = ()) -> Expression:
        """One number everywhere."""
        return self._node("constant", (), tuple(sizes), float(value))

    def expression(self, value: Operand) -> Expression:
        """Numbers and numpy arrays as expressions; expressions as they are."""
        if isinstance(value, Expression):
            return value
        array = np.asarray(value, dtype=float)
        if array.size and (array == array.flat[0]).all():
            return self.constant(float(array.flat[0]), array.shape)
        return self._node("table", (), array.shape, tuple(array.ravel().tolist()))

    def apply(self, operation: str, *operands: Operand) -> Expression:
        """An elementwise operation, operands broadcast as in numpy.

        Raises:
            ValueError: If the shapes do not fit together.
        """
        arguments = [self.expression(value) for value in operands]
        sizes = broadcast_sizes([argument.sizes for argument in arguments])
        if operation in ("add", "multiply"):
            return self._sum_or_product(operation, arguments, sizes)
        if len(arguments) == 1 and arguments[0].is_constant():
            with suppress(ValueError, ArithmeticError):  # outside its domain: left to run time
                return self.constant(_UNARY[operation](arguments[0].detail), sizes)
        return self._node(operation, tuple(arguments), sizes, None)

    def transpose(self, argument: Expression, axes: tuple[int | None, ...]) -> Expression:
        """Axes in another order, without some of length one, or with new ones (None), to broadcast along."""
        if argument.operation == "transpose":
            return self.transpose(
                argument.arguments[0], tuple(None if a is None else argument.detail[a] for a in axes)
            )
        if axes == tuple(range(argument.ndim)):
            return argument
        sizes = tuple(1 if axis is None else argument.sizes[axis] for axis in axes)
        if argument.is_constant():
            return self.constant(argument.detail, sizes)
        return self._node("transpose", (argument,), sizes, axes)

    def gather(self, argument: Expression, axis: int, positions: Sequence[int]) -> Expression:
        """Elements at these positions of an axis of known size; 0 where a position is -1.

        Raises:
            TypeError: If the axis is dynamic.
        """
        size = static_size(argument.sizes[axis])
        picked = tuple(at if at == -1 else at % size for at in positions)
        if picked == tuple(range(size)):
            return argument
        sizes = (*argument.sizes[:axis], len(picked), *argument.sizes[axis + 1 :])
        if argument.is_constant() and (-1 not in picked or argument.is_constant(0.0)):
            return self.constant(argument.detail, sizes)
        return self._node("gather", (argument,), sizes, (axis, picked))

    def concatenate(self, pieces: Sequence[Operand], axis: int) -> Expression:
        """Pieces behind one another along an axis; along the other axes they broadcast.

        Raises:
            TypeError: If the axis is dynamic in one of them.
            ValueError: If the other axes do not fit together.
        """
        arguments = tuple(self.expression(piece) for piece in pieces)
        rank = arguments[0].ndim
        axis %= rank
        if any(piece.ndim != rank for piece in arguments):
            raise ValueError(f"pieces {[piece.sizes for piece in arguments]} do not fit together")
        lengths = [static_size(piece.sizes[axis]) for piece in arguments]
        others = broadcast_sizes([(*p.sizes[:axis], 1, *p.sizes[axis + 1 :]) for p in arguments])
        arguments = tuple(p for p, length in zip(arguments, lengths, strict=True) if length) or arguments[:1]
        if len(arguments) == 1 and arguments[0].sizes[:axis] + arguments[0].sizes[axis + 1 :] == (
            others[:axis] + others[axis + 1 :]
        ):
            return arguments[0]
        return self._node("concatenate", arguments, (*others[:axis], sum(lengths), *others[axis + 1 :]), axis)

    def sum(self, argument: Expression, axes: tuple[int, ...]) -> Expression:
        """Sum over axes, which the result does not have."""
        kept = tuple(axis for axis in range(argument.ndim) if axis not in axes)
        dropped = tuple(axis for axis in axes if argument.sizes[axis] == 1)
        if dropped:
            rest = tuple(axis for axis in range(argument.ndim) if axis not in dropped)
            return self.sum(
                self.transpose(argument, rest),
                tuple(rest.index(axis) for axis in axes if axis not in dropped),
            )
        if not axes:
            return argument
        sizes = tuple(argument.sizes[axis] for axis in kept)
        if argument.is_constant():
            total = self.constant(argument.detail, sizes)
            for axis in axes:
                total = total * argument.shape[axis]
            return total
        return self._node("sum", (argument,), sizes, axes)

    def store(self, value: Expression, place: str, start: int, sizes: tuple[Size, ...]) -> Expression:
        """Writes a value, broadcast to these sizes, into an output from a position on."""
        return self._node("store", (value,), sizes, (place, start))

    def _sum_or_product(
        self, operation: str, arguments: list[Expression], sizes: tuple[Size, ...]
    ) -> Expression:
        left, right = sorted(arguments, key=lambda node: (not node.is_constant(), node.number))
        neutral = 0.0 if operation == "add" else 1.0
        if left.is_constant() and right.is_constant():
            both = left.detail + right.detail if operation == "add" else left.detail * right.detail
            return self.constant(both, sizes)
        if left.is_constant(neutral) and right.sizes == sizes:
            return right
        if operation == "multiply" and left.is_constant(0.0):
            return self.constant(0.0, sizes)
        if left.is_constant() and right.operation == operation and right.arguments[0].is_constant():
            return self.apply(operation, self.apply(operation, left, right.arguments[0]), right.arguments[1])
        return self._node(operation, (left, right), sizes, None)

    def _node(
        self, operation: str, arguments: tuple[Expression, ...], sizes: tuple[Size, ...], detail: Any
    ) -> Expression:
        key = (operation, tuple(argument.number for argument in arguments), sizes, detail)
        if key not in self.nodes:
            self.nodes[key] = Expression(operation, arguments, sizes, detail, self, len(self.nodes))
        return self.nodes[key]


def topological(outputs: Sequence[Expression]) -> list[Expression]:
    """The outputs and all they depend on, arguments first."""
    reached: dict[int, Expression] = {}
    stack = list(outputs)
    while stack:
        node = stack.pop()
        if node.number not in reached:
            reached[node.number] = node
            stack.extend(node.arguments)
    return [reached[number] for number in sorted(reached)]


def _whole_power(base: Expression, exponent: int) -> Expression:
    """Repeated squaring."""
    if exponent == 0:
        return base.graph.constant(1.0, base.sizes)
    half = _whole_power(base, exponent // 2)
    square = half * half if exponent > 1 else half
    return square * base if exponent % 2 else square
