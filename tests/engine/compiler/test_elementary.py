"""The compiler's elementary functions against numpy's in higher precision, dense grids and special values.

Largest errors found, in units in the last place: exp 0.97, expm1 1.8, log 0.84, log1p 1.5, tanh 2.6, erfc 7.

Documented otherwise than a C library's, and held here: exp is infinite from 709.4 on, not only from 709.783; it is 0
below -708, not only below -745; log of anything below the smallest normal number is -inf; expm1 and log1p of -0.0
are +0.0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mmm_engine.compiler.graph import Graph
from mmm_engine.compiler.inputs import InputLayout
from tests.engine.compiler.harness import buffer, results

Function = Callable[[Any], Any]

NAN, INF = math.nan, math.inf
SMALLEST_NORMAL, SMALLEST, LARGEST = 2.2250738585072014e-308, 5e-324, 1.7976931348623157e308
# units in the last place; one more where long double is no longer than double
BOUNDS = {"exp": 1.0, "expm1": 2.0, "log": 1.0, "log1p": 1.6, "tanh": 2.8, "erfc": 8.0}
_SLACK = 0.0 if np.finfo(np.longdouble).precision > 15 else 1.0


@pytest.fixture(scope="module")
def functions() -> dict[str, Function]:
    """Each function as machine code that takes and gives an array."""
    return {name: _machine(name) for name in BOUNDS}


def _machine(name: str) -> Function:
    graph = Graph()
    values = graph.apply(name, graph.input("x", ("rows",)))
    outputs = [graph.store(values, "result", 0, ("rows",))]
    machine = results(outputs, [InputLayout("x", ("rows",))], 1)

    def function(x: Any) -> Any:
        points = np.asarray(x, dtype=float)
        data = buffer(machine.signature, {"x": points}, (len(points), 0))
        return machine(np.zeros((1, 1)), data, len(points))[0]

    return function


def _errors(found: Any, name: str, points: Any) -> Any:
    """Distance from the true value in units in the last place of it."""
    if name == "erfc":
        wanted = np.array([math.erfc(x) for x in points], dtype=np.longdouble)
    else:
        wanted = getattr(np, name)(points.astype(np.longdouble))
    return np.abs(found.astype(np.longdouble) - wanted) / np.spacing(np.abs(wanted.astype(float)))


GRIDS = {
    "exp": [np.linspace(-708.0, 709.4, 200_001), np.linspace(-1.0, 1.0, 100_001)],
    "expm1": [
        np.linspace(-708.0, 709.4, 100_001),
        np.linspace(-1.0, 1.0, 200_001),
        np.geomspace(1e-300, 1.0, 50_001),
        -np.geomspace(1e-300, 50.0, 50_001),
    ],
    "log": [
        np.geomspace(SMALLEST_NORMAL, 1.7e308, 200_001),
        np.linspace(0.4, 2.5, 200_001),
        1.0 + np.geomspace(1e-16, 1.0, 50_001),
        1.0 - np.geomspace(1e-16, 0.99, 50_001),
    ],
    "log1p": [
        np.linspace(-0.999999, 3.0, 200_001),
        np.geomspace(1e-300, 1.7e308, 100_001),
        -np.geomspace(1e-300, 1.0 - 1e-16, 100_001),
    ],
    "tanh": [
        np.linspace(-30.0, 30.0, 200_001),
        np.linspace(-1.0, 1.0, 200_001),
        np.geomspace(1e-300, 30.0, 50_001),
    ],
    "erfc": [
        np.linspace(-6.0, 26.0, 60_001),
        np.linspace(-1.0, 1.0, 60_001),
        np.geomspace(1e-300, 26.0, 20_001),
    ],
}


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_dense_grids(functions: dict[str, Function], name: str) -> None:
    """Nowhere on grids of 100,000 points and more is an error larger than the bound at the top of this file."""
    for points in GRIDS[name]:
        errors = _errors(functions[name](points), name, points)
        worst = int(np.argmax(errors))
        assert errors[worst] <= BOUNDS[name] + _SLACK, points[worst]


SPECIAL: list[tuple[str, float, float]] = [
    ("exp", 0.0, 1.0),
    ("exp", -0.0, 1.0),
    ("exp", SMALLEST, 1.0),
    ("exp", -SMALLEST_NORMAL, 1.0),
    ("exp", INF, INF),
    ("exp", -INF, 0.0),
    ("exp", LARGEST, INF),
    ("exp", -LARGEST, 0.0),
    ("exp", 710.0, INF),
    ("exp", -746.0, 0.0),
    ("expm1", 0.0, 0.0),
    ("expm1", SMALLEST, SMALLEST),
    ("expm1", -SMALLEST, -SMALLEST),
    ("expm1", 1e-20, 1e-20),
    ("expm1", INF, INF),
    ("expm1", -INF, -1.0),
    ("expm1", 710.0, INF),
    ("expm1", -746.0, -1.0),
    ("expm1", -LARGEST, -1.0),
    ("log", 0.0, -INF),
    ("log", -0.0, -INF),
    ("log", -1.0, NAN),
    ("log", -INF, NAN),
    ("log", -SMALLEST, NAN),
    ("log", 1.0, 0.0),
    ("log", INF, INF),
    ("log", SMALLEST_NORMAL, math.log(SMALLEST_NORMAL)),
    ("log", LARGEST, math.log(LARGEST)),
    ("log1p", 0.0, 0.0),
    ("log1p", -1.0, -INF),
    ("log1p", -2.0, NAN),
    ("log1p", -INF, NAN),
    ("log1p", INF, INF),
    ("log1p", SMALLEST, SMALLEST),
    ("log1p", -SMALLEST, -SMALLEST),
    ("log1p", 1e-20, 1e-20),
    ("log1p", LARGEST, math.log(LARGEST)),
    ("tanh", 0.0, 0.0),
    ("tanh", SMALLEST, SMALLEST),
    ("tanh", -SMALLEST, -SMALLEST),
    ("tanh", INF, 1.0),
    ("tanh", -INF, -1.0),
    ("tanh", LARGEST, 1.0),
    ("tanh", -LARGEST, -1.0),
    ("tanh", 20.0, 1.0),
    ("erfc", 0.0, 1.0),
    ("erfc", -0.0, 1.0),
    ("erfc", SMALLEST, 1.0),
    ("erfc", INF, 0.0),
    ("erfc", -INF, 2.0),
    ("erfc", LARGEST, 0.0),
    ("erfc", -LARGEST, 2.0),
    ("erfc", 27.3, 0.0),
]


@pytest.mark.parametrize(("name", "point", "wanted"), SPECIAL)
def test_special_values(functions: dict[str, Function], name: str, point: float, wanted: float) -> None:
    """Zeros, ends of the range of numbers and of the functions' own are numpy's, alone and among other numbers."""
    alone = functions[name](np.array([point]))
    among = functions[name](np.array([0.5, point, 0.25, 0.125, 0.75, 0.5, 0.25, 0.5, point]))
    with np.errstate(all="ignore"):
        numpy_s = math.erfc(point) if name == "erfc" else getattr(np, name)(point)
    assert numpy_s == pytest.approx(wanted, rel=1e-15, abs=0.0, nan_ok=True)
    for found in (alone[0], among[1], among[8]):
        assert found == pytest.approx(wanted, rel=1e-15, abs=0.0, nan_ok=True)


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_nan_stays_nan(functions: dict[str, Function], name: str) -> None:
    """A missing number is missing in the result, its neighbours are not."""
    found = functions[name](np.array([NAN, 0.5, NAN, 0.25, 0.5]))
    assert np.isnan(found).tolist() == [True, False, True, False, False]


@pytest.mark.parametrize(("name", "odd"), [("tanh", True), ("expm1", False), ("log1p", False)])
def test_sign_of_zero(functions: dict[str, Function], name: str, odd: bool) -> None:
    """tanh keeps the sign of -0.0; expm1 and log1p give +0.0, where numpy has -0.0: no formula here can tell."""
    found = functions[name](np.array([-0.0]))[0]
    assert found == 0.0
    assert np.signbit(found) == odd


def test_where_exp_ends(functions: dict[str, Function]) -> None:
    """exp reaches to 709.4 above and to -708 below; the last 0.4 of what doubles can hold is given away."""
    assert functions["exp"](np.array([709.4, 709.41, 709.78])) == pytest.approx(
        [math.exp(709.4), INF, INF], rel=1e-15
    )
    assert functions["exp"](np.array([-708.0, -708.01])) == pytest.approx(
        [math.exp(-708.0), 0.0], rel=1e-15, abs=0.0
    )
    assert functions["expm1"](np.array([709.4, 709.41])) == pytest.approx([math.expm1(709.4), INF], rel=1e-15)


def test_numbers_below_the_smallest_normal_one_have_no_logarithm(functions: dict[str, Function]) -> None:
    """Log of a subnormal number is -inf, and of no other positive number."""
    numbers = np.array([SMALLEST, 1e-310, np.nextafter(SMALLEST_NORMAL, 0.0)])
    assert functions["log"](numbers).tolist() == [-INF] * 3
    assert np.isfinite(functions["log"](np.array([SMALLEST_NORMAL, LARGEST]))).all()


def test_erfc_ends_where_doubles_do(functions: dict[str, Function]) -> None:
    """Its tail never is negative, nor larger than the smallest normal number where the true one is smaller."""
    points = np.linspace(26.55, 28.0, 1001)
    found = functions["erfc"](points)
    assert (found >= 0.0).all()
    assert (found <= 1.01 * np.array([math.erfc(x) for x in points]) + SMALLEST).all()


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("exp", np.linspace(-750.0, 720.0, 100_001)),
        ("expm1", np.linspace(-2.0, 2.0, 100_001)),
        ("log", np.geomspace(1e-310, 1.7e308, 100_001)),
        ("log1p", np.linspace(-1.0, 3.0, 100_001)),
        ("tanh", np.linspace(-25.0, 25.0, 100_001)),
    ],
)
def test_rising_functions_never_fall(functions: dict[str, Function], name: str, points: Any) -> None:
    """No step down from one point to the next, across the seams of the reductions neither."""
    found = functions[name](points)
    assert (np.diff(found[np.isfinite(found)]) >= 0.0).all()
    assert (np.sort(found) == found).all()
