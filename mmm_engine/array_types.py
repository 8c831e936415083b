"""Types of arrays, shared by all wings.

Here: aliases for numpy arrays by what they hold; `Array`, `Operand` and `ArrayFunctions`, what a formula may use that
runs on numpy arrays and on expressions (compiler/graph.py) alike; `axis_length`.
Not here: shapes, which each docstring tells; the functions themselves (compiler/array_functions.py).

A type checker holds formulas to what both kinds of array can do. It knows neither shapes nor values.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Days = NDArray[np.datetime64]
"""Dates of type datetime64[D]; NaT where a cell is no date."""

_Part = int | slice | EllipsisType | None | Sequence[int] | Integers
Index = _Part | tuple[_Part, ...]
"""What may stand in the brackets behind an array: for each axis a position, positions, or a slice."""


class Array(Protocol):
    """Numbers on axes: a numpy array of floats, or an expression, which writes down what would be computed.

    Operators work element by element and broadcast as in numpy. None changes an array in place.
    """

    def __array__(self) -> Floats:
        """The numbers; for `np.asarray`, where a formula has been computed.

        Raises:
            TypeError: If it is an expression, which has none.
        """
        ...

    @property
    def ndim(self) -> int:
        """Number of axes."""
        ...

    @property
    def shape(self) -> tuple[int | Array, ...]:
        """Lengths of the axes; an expression's dynamic ones are expressions."""
        ...

    @property
    def T(self) -> Array:  # noqa: N802  (numpy's name)
        """The axes in reverse order."""
        ...

    def __getitem__(self, index: Index, /) -> Array:
        """Part of the array; None makes an axis of length one."""
        ...

    def sum(self, *, axis: int | tuple[int, ...] | None = None) -> Array:
        """Sum over an axis or some, over all when None."""
        ...

    def mean(self, *, axis: int | None = None) -> Array:
        """Mean over an axis, over all when None."""
        ...

    def __neg__(self) -> Array: ...
    def __add__(self, other: Operand, /) -> Array: ...
    def __radd__(self, other: Operand, /) -> Array: ...
    def __sub__(self, other: Operand, /) -> Array: ...
    def __rsub__(self, other: Operand, /) -> Array: ...
    def __mul__(self, other: Operand, /) -> Array: ...
    def __rmul__(self, other: Operand, /) -> Array: ...
    def __truediv__(self, other: Operand, /) -> Array: ...
    def __rtruediv__(self, other: Operand, /) -> Array: ...
    def __pow__(self, exponent: Operand, /) -> Array: ...
    def __rpow__(self, base: Operand, /) -> Array: ...
    def __matmul__(self, other: Array, /) -> Array: ...
    def __rmatmul__(self, other: Array, /) -> Array: ...
    def __lt__(self, other: Operand, /) -> Mask: ...
    def __gt__(self, other: Operand, /) -> Mask: ...


def axis_length(array: Array, axis: int) -> int:
    """Length of an axis.

    Raises:
        TypeError: If it is dynamic: an expression, known when the compiled formula is called.
    """
    length = array.shape[axis]
    if not isinstance(length, int):
        raise TypeError(f"the length of axis {axis} is dynamic")
    return length


class Mask(Protocol):
    """Where a comparison holds: true or 1 there, false or 0 elsewhere."""

    def __mul__(self, other: Array, /) -> Array: ...


Operand = Array | float
"""What stands beside an array in a formula."""


class ArrayFunctions(Protocol):
    """The functions a formula may use, its argument `xp`: on numpy arrays, or on expressions.

    Each works element by element and broadcasts, but for `concatenate`. Outside a function's domain numpy's rules hold
    (NaN or infinity, never an error).
    """

    def exp(self, x: Operand, /) -> Array:
        """e^x."""
        ...

    def expm1(self, x: Operand, /) -> Array:
        """e^x - 1, exact also near 0."""
        ...

    def log(self, x: Operand, /) -> Array:
        """Natural logarithm."""
        ...

    def log1p(self, x: Operand, /) -> Array:
        """log(1 + x), exact also near 0."""
        ...

    def sqrt(self, x: Operand, /) -> Array:
        """Square root."""
        ...

    def tanh(self, x: Operand, /) -> Array:
        """Hyperbolic tangent."""
        ...

    def abs(self, x: Operand, /) -> Array:
        """Absolute value."""
        ...

    def erfc(self, x: Operand, /) -> Array:
        """2 / sqrt(pi) times the integral of e^(-t^2) above x."""
        ...

    def gammaln(self, x: Operand, /) -> Array:
        """Logarithm of the gamma function, x > 0."""
        ...

    def sigmoid(self, x: Operand, /) -> Array:
        """1 / (1 + e^-x)."""
        ...

    def softplus(self, x: Operand, /) -> Array:
        """log(1 + e^x), which never overflows."""
        ...

    def maximum(self, x: Operand, y: Operand, /) -> Array:
        """The greater of two."""
        ...

    def minimum(self, x: Operand, y: Operand, /) -> Array:
        """The smaller of two."""
        ...

    def where(self, condition: Mask | bool, yes: Operand, no: Operand, /) -> Array:
        """`yes` where the condition holds, `no` elsewhere."""
        ...

    def concatenate(self, pieces: Sequence[Array], axis: int) -> Array:
        """Pieces behind one another along an axis; their other axes are equal."""
        ...

    def ones_like(self, array: Array, /) -> Array:
        """1 in the shape of an array."""
        ...

    def zeros_like(self, array: Array, /) -> Array:
        """0 in the shape of an array."""
        ...
