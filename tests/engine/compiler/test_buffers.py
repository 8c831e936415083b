"""Memory of compiled functions: stored results on the stack and on the heap, rows of results."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mmm_engine.compiler.graph import Graph
from mmm_engine.compiler.shapes import Size
from tests.engine.compiler.harness import (
    LAYOUTS,
    LENGTHS,
    TRACED,
    XP,
    Formula,
    assert_agrees,
    buffer,
    compiled,
    made_up,
    results,
)


def test_results_too_long_for_the_stack() -> None:
    """A stored result of 3,600 elements, and another beside it, are as right as short ones."""

    def formula(xp: Any, f: Any, i: Any) -> Any:
        square = xp.tanh(f[:, None] * f)
        return (square * square.T).sum() + (square @ square).sum() + xp.exp(0.1 * f).sum()

    machine = compiled(formula, size=60, layouts=())
    assert_agrees(machine, formula, (0, 0), layouts=())


def test_many_results_do_not_exhaust_the_stack() -> None:
    """200 stored results of 2,000 elements are 3 MB: more than a sampler's thread has; most of them go to the heap."""
    rng = np.random.default_rng(2)
    tables = rng.normal(size=(200, 2000))

    def formula(xp: Any, f: Any, i: Any) -> Any:
        pieces = [xp.tanh(table * f[0]) for table in tables]
        means = sum(piece.mean() for piece in pieces)
        return sum(((piece - means) ** 2).mean() for piece in pieces)

    machine = compiled(formula, size=1, layouts=())
    before = threading.stack_size(2**20)
    try:
        with ThreadPoolExecutor(1) as pool:
            found = pool.submit(machine, np.array([0.3]), {}, (0, 0)).result()
    finally:
        threading.stack_size(before)
    assert found.value == pytest.approx(formula(XP, np.array([0.3]), None), rel=1e-11)


def test_results_of_many_points() -> None:
    """Results of several shapes, one behind the other for each point, are numpy's; known axes come first in memory."""
    formulas: tuple[tuple[Formula, tuple[Size, ...]], ...] = (
        (lambda xp, f, i: f[:3] * f[3], (3,)),
        (lambda xp, f, i: xp.tanh(i.line * f[4]).sum(), ()),
        (lambda xp, f, i: xp.exp(0.1 * i.grid * f[:3]), ("rows", 3)),
    )
    graph = Graph()
    flat = graph.input("flat", (5,))
    inputs = SimpleNamespace(**{layout.name: graph.input(layout.name, layout.sizes) for layout in LAYOUTS})
    outputs = [
        graph.store(formula(TRACED, flat, inputs), "result", start, axes)
        for (formula, axes), start in zip(formulas, (0, 3, 4), strict=True)
    ]
    machine = results(outputs, LAYOUTS, 5)
    points = np.random.default_rng(5).normal(size=(6, 5))
    for lengths in LENGTHS:
        numbers, width = made_up(lengths, seed=2), 4 + 3 * lengths[0]
        result = machine(points, buffer(machine.signature, numbers, lengths), width)
        for point, row in zip(points, result, strict=True):
            wanted = [np.ravel(formula(XP, point, SimpleNamespace(**numbers)).T) for formula, _ in formulas]
            assert row == pytest.approx(np.concatenate(wanted), rel=1e-13, abs=1e-13)
