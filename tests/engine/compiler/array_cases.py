"""Formulas of arrays, one for each way that an operation can be used, and their shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mmm_engine.compiler.shapes import Size
from tests.engine.compiler.harness import Formula, joined


@dataclass(frozen=True)
class Case:
    """A formula of an array.

    Attributes:
        name: What it shows.
        formula: The array.
        axes: Its shape.
    """

    name: str
    formula: Formula
    axes: tuple[Size, ...]


def product(f: Any, count: int, width: int) -> Any:
    """A matrix from the flat vector."""
    return f[:count][:, None] * f[count : count + width] + f[0]


def process(xp: Any, f: Any, i: Any) -> Any:
    """Loops that wait for each other: a curve, its mean, its size, the curve by its size, summed and gathered."""
    curve = xp.tanh(f[:3] @ i.grid.T)
    moves = curve - curve.mean(axis=-1)[..., None]
    size = xp.sqrt((moves**2).mean(axis=-1) + 0.01)
    level = xp.softplus(moves / size) * 0.1
    return (level[:, None] * i.grid * f[3:6]) @ xp.exp(0.1 * f[6:9]) - level.sum()


TRANSPOSES = [
    Case("transposed input", lambda xp, f, i: i.grid.T * f[0], (3, "rows")),
    Case("transposed result", lambda xp, f, i: xp.tanh(i.grid * f[:3]).T, (3, "rows")),
    Case("three axes turned", lambda xp, f, i: xp.tanh(i.cube * f[0]).T, ("tests", 5, "rows")),
    Case("two run-time axes turned", lambda xp, f, i: xp.tanh(i.wide * f[0]).T, ("rows", "tests")),
    Case("turned and added", lambda xp, f, i: i.wide * f[0] + xp.exp(i.wide.T * f[1]).T, ("tests", "rows")),
    Case("matrix plus its transpose", lambda xp, f, i: product(f, 3, 3) + product(f, 3, 3).T, (3, 3)),
    Case(
        "result plus its transpose",
        lambda xp, f, i: xp.tanh(product(f, 3, 3)) * xp.tanh(product(f, 3, 3)).T,
        (3, 3),
    ),
    Case("new axis first", lambda xp, f, i: f[None, :3] * f[3], (1, 3)),
    Case("new axis between", lambda xp, f, i: i.grid[:, None] * f[:2][:, None], ("rows", 2, 3)),
    Case("new axis behind", lambda xp, f, i: i.line[..., None] * f[:3], ("rows", 3)),
    Case("new axis of a result", lambda xp, f, i: xp.exp(0.1 * f[:3])[:, None] * i.line, (3, "rows")),
    Case("outer product", lambda xp, f, i: xp.tanh(i.few[:, None] * i.line * f[0]), ("tests", "rows")),
    Case(
        "axis against itself", lambda xp, f, i: xp.tanh((i.line[:, None] - i.line) * f[0]), ("rows", "rows")
    ),
    Case("axes of length one", lambda xp, f, i: xp.exp(f[:1])[None, :, None] * f[1:2], (1, 1, 1)),
    Case("length one dropped", lambda xp, f, i: xp.exp(f[:1][:, None])[0, :] * i.line, ("rows",)),
]
GATHERS = [
    Case("one element", lambda xp, f, i: f[4] * f[2], ()),
    Case("one element from the end", lambda xp, f, i: f[-2] * f[2], ()),
    Case("last element", lambda xp, f, i: f[-1] * f[2], ()),
    Case("last element of an inner axis", lambda xp, f, i: (i.grid * f[:3])[..., -1], ("rows",)),
    Case("numpy's whole numbers", lambda xp, f, i: f[np.int64(4)] * f[np.array([2, 0, 1])], (3,)),
    Case("one of an inner axis", lambda xp, f, i: i.cube[:, 2] * f[0], ("rows", "tests")),
    Case("one of a result", lambda xp, f, i: xp.tanh(i.grid * f[:3])[:, 1], ("rows",)),
    Case("list", lambda xp, f, i: f[[2, 0, 1]] * f[3:6], (3,)),
    Case("list from the end", lambda xp, f, i: f[[2, -1, 1]] * f[3:6], (3,)),
    Case("list of one", lambda xp, f, i: f[[7]] * f[3:6], (3,)),
    Case("list of a result", lambda xp, f, i: xp.tanh(i.grid * f[:3])[..., [2, 0]], ("rows", 2)),
    Case("list of an input", lambda xp, f, i: i.table[[4, 1]] * f[:2], (2, 2)),
    Case("list of a list", lambda xp, f, i: f[[4, 2, 0, 1]][[3, 1]], (2,)),
    Case("slice", lambda xp, f, i: f[2:7] * f[0], (5,)),
    Case("slice to the end", lambda xp, f, i: f[-3:] * f[..., 1:4], (3,)),
    Case("every second", lambda xp, f, i: f[1:8:2] * f[0], (4,)),
    Case("backwards", lambda xp, f, i: f[::-1] * f, (13,)),
    Case("overlapping slices", lambda xp, f, i: f[0:4] * f[1:5] * f[2:6], (4,)),
    Case("shifted input", lambda xp, f, i: i.lags * f[:4][:, None, None], (4, "rows", 3)),
    Case(
        "weights of a shifted input",
        lambda xp, f, i: (i.lags * f[:4][:, None, None]).sum(axis=0),
        ("rows", 3),
    ),
    Case("columns of a shifted input", lambda xp, f, i: i.lags[:, :, [2, 0]] * f[:2], (4, "rows", 2)),
    Case("one shift", lambda xp, f, i: i.lags[3] * i.lags[0] * f[:3], ("rows", 3)),
]
JOINTS = [
    Case("two pieces", lambda xp, f, i: joined(xp, [f[3:5], f[:3]], 0) * f[:5], (5,)),
    Case("pieces of size one", lambda xp, f, i: joined(xp, [f[:1], xp.exp(f[1:2]), f[4:9]], 0), (7,)),
    Case("only pieces of size one", lambda xp, f, i: joined(xp, [f[2:3], f[:1]], -1), (2,)),
    Case("one piece", lambda xp, f, i: joined(xp, [f[2:5] * f[0]], 0), (3,)),
    Case("same piece twice", lambda xp, f, i: joined(xp, [f[:3], f[:3]], 0) ** 2, (6,)),
    Case("numbers", lambda xp, f, i: joined(xp, [f[:2], np.array([1.0, 2.0, 4.0])], 0) * f[:5], (5,)),
    Case("columns", lambda xp, f, i: joined(xp, [i.grid * f[0], i.line[:, None] * f[1:3]], -1), ("rows", 5)),
    Case(
        "rows of results",
        lambda xp, f, i: joined(xp, [xp.exp(i.line * f[0])[None], i.lags[:, :, 0] * f[1]], 0),
        (5, "rows"),
    ),
    Case(
        "piece repeated along rows", lambda xp, f, i: joined(xp, [f[None, :2], i.grid * f[3]], 1), ("rows", 5)
    ),
    Case("both repeated", lambda xp, f, i: joined(xp, [f[None, :2], i.line[:, None] * f[2]], 1), ("rows", 3)),
    Case(
        "put in order",
        lambda xp, f, i: joined(xp, [xp.exp(0.1 * f[:3]), -f[3:5]], -1)[..., [3, 0, 4, 1, 2]],
        (5,),
    ),
    Case("part of it", lambda xp, f, i: joined(xp, [f[:3], f[5:9]], 0)[2:5], (3,)),
    Case(
        "three axes",
        lambda xp, f, i: joined(xp, [i.cube * f[0], xp.tanh(i.cube[:, 1:3] * f[1])], 1),
        ("rows", 7, "tests"),
    ),
]
PRODUCTS = [
    Case("vector by vector", lambda xp, f, i: f[:5] @ f[5:10], ()),
    Case("vector by vector over rows", lambda xp, f, i: xp.tanh(i.line * f[0]) @ i.line, ()),
    Case("vector by matrix", lambda xp, f, i: f[:5] @ i.table, (2,)),
    Case("vector by matrix over rows", lambda xp, f, i: xp.tanh(i.line * f[0]) @ i.grid, (3,)),
    Case("vector by transposed matrix", lambda xp, f, i: f[:3] @ i.grid.T, ("rows",)),
    Case("vector by transposed result", lambda xp, f, i: f[:3] @ xp.tanh(i.grid * f[3]).T, ("rows",)),
    Case("vector by vector as a column", lambda xp, f, i: f[:3] @ f[3:6][:, None], (1,)),
    Case("matrix by vector", lambda xp, f, i: i.grid @ f[:3], ("rows",)),
    Case("transposed matrix by vector", lambda xp, f, i: i.grid.T @ (i.line * f[0]), (3,)),
    Case("matrix by matrix", lambda xp, f, i: product(f, 3, 5) @ i.table, (3, 2)),
    Case("matrix by matrix over rows", lambda xp, f, i: xp.tanh(i.wide * f[0]) @ i.grid, ("tests", 3)),
    Case("matrix by transposed matrix", lambda xp, f, i: i.grid @ (i.grid * f[:3]).T * 0.1, ("rows", "rows")),
    Case("numbers by vector", lambda xp, f, i: np.array([1.0, -2.0, 0.5]) @ f[:3], ()),
    Case("table by vector", lambda xp, f, i: np.arange(6.0).reshape(2, 3) @ f[:3], (2,)),
    Case("table by matrix", lambda xp, f, i: np.arange(6.0).reshape(2, 3) @ product(f, 3, 4), (2, 4)),
    Case("numbers by matrix", lambda xp, f, i: np.array([1.0, -2.0, 0.5]) @ product(f, 3, 4), (4,)),
    Case("vector by table", lambda xp, f, i: f[:2] @ np.arange(6.0).reshape(2, 3), (3,)),
]
ARITHMETIC = [
    Case("number minus", lambda xp, f, i: 2.0 - f[:3], (3,)),
    Case("numbers minus", lambda xp, f, i: np.array([1.0, 2.0, 3.0]) - f[:3], (3,)),
    Case("table minus", lambda xp, f, i: np.arange(6.0).reshape(2, 3) - f[:3], (2, 3)),
    Case("number by", lambda xp, f, i: 2.0 / (f[:3] ** 2 + 1.0), (3,)),
    Case("numbers by", lambda xp, f, i: np.array([1.0, 2.0, 3.0]) / (f[:3] ** 2 + 1.0), (3,)),
    Case("whole numbers", lambda xp, f, i: 3 * f[:3] - 2 + np.int64(4) * f[3] / 7, (3,)),
    Case("by numbers", lambda xp, f, i: f[:3] / np.array([1.0, 2.0, 4.0]) - np.float64(0.5), (3,)),
    Case("negative", lambda xp, f, i: -xp.tanh(f[:3]) - (-f[3:6]), (3,)),
    Case("less and greater", lambda xp, f, i: (f[:3] < 0.1) * f[3] + (f[:3] > f[4:7]) * f[4], (3,)),
    Case("number to the power", lambda xp, f, i: 2.0 ** f[:3], (3,)),
    Case("numbers to the power", lambda xp, f, i: np.array([0.5, 1.5, 2.5]) ** f[:3], (3,)),
    Case("power of a power", lambda xp, f, i: (f[:3] ** 2 + 0.5) ** f[3:6], (3,)),
    Case("an exponent for each", lambda xp, f, i: (f[:3] ** 2 + 0.5) ** np.array([0.3, 1.0, -2.0]), (3,)),
    Case("equal exponents for each", lambda xp, f, i: (f[0] ** 2 + 0.5) ** np.array([2.0, 2.0, 2.0]), (3,)),
    Case("number of rows", lambda xp, f, i: i.line.shape[0] * f[:3], (3,)),
    Case("by the number of tests", lambda xp, f, i: i.wide * f[0] / (1.0 + i.wide.shape[0]), ("tests", "rows")),
    Case("a known length", lambda xp, f, i: i.grid.shape[1] * f[:3], (3,)),
    Case("ones and zeros", lambda xp, f, i: xp.ones_like(i.grid) * f[:3] + xp.zeros_like(i.grid), ("rows", 3)),
    Case("choice among arrays", lambda xp, f, i: xp.where(i.line[:, None] > 0.2, i.grid * f[0], f[1:4]), ("rows", 3)),
    Case("choice among numbers", lambda xp, f, i: xp.where(f[:3] < 0.1, 2.0, f[3]), (3,)),
    Case("bounds", lambda xp, f, i: xp.minimum(xp.maximum(i.grid * f[:3], -0.5), f[3:6] ** 2), ("rows", 3)),
    Case("distances", lambda xp, f, i: xp.abs(i.grid - f[:3]), ("rows", 3)),
    Case("sigmoid", lambda xp, f, i: xp.sigmoid(3.0 * i.grid * f[:3]), ("rows", 3)),
    Case("softplus", lambda xp, f, i: xp.softplus(3.0 * i.grid * f[:3]), ("rows", 3)),
    Case("loops that wait", process, ("rows",)),
]  # fmt: skip
MEANS = [
    Case("mean over known length", lambda xp, f, i: (i.grid * f[:3]).mean(axis=1), ("rows",)),
    Case("mean over rows", lambda xp, f, i: (i.grid * f[:3]).mean(axis=0), (3,)),
    Case("mean over the last of three", lambda xp, f, i: (i.cube * f[0]).mean(axis=-1), ("rows", 5)),
    Case("mean of all", lambda xp, f, i: xp.tanh(i.cube * f[0]).mean(), ()),
    Case("sum of a number", lambda xp, f, i: f[0].sum() * f[1], ()),
    Case("sum of ones", lambda xp, f, i: (xp.ones_like(i.grid) * 2.0).sum(axis=0) * f[:3], (3,)),
]

ARRAY_CASES = [*TRANSPOSES, *GATHERS, *JOINTS, *PRODUCTS, *ARITHMETIC, *MEANS]
