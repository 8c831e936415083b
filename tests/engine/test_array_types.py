"""A type checker holds formulas to what numpy arrays and expressions can both do."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from mypy import api

from mmm_engine.array_types import ArrayFunctions, axis_length
from mmm_engine.compiler.array_functions import numpy_functions, traced_functions
from mmm_engine.compiler.graph import Graph

SETTINGS = """
[mypy]
strict = True
follow_imports = silent
[mypy-mmm_engine]
follow_imports = skip
[mypy-scipy.*]
ignore_missing_imports = True
"""  # the package itself is skipped: for type checkers it names the whole toolkit

FORMULAS = """
import numpy as np
from numpy.typing import NDArray

from mmm_engine.array_types import Array, ArrayFunctions, Floats
from mmm_engine.compiler.array_functions import numpy_functions, traced_functions
from mmm_engine.compiler.graph import Expression
from mmm_engine.model.time_variation import softplus_multiplier


def right(x: Array, y: Array | float, xp: ArrayFunctions) -> Array:
    z = xp.where(x > 0.0, x**2 / y, -2.0 * xp.log1p(x)) - 1.0
    z = z[..., None, :] @ x.T + xp.concatenate([x, xp.zeros_like(x)], axis=-1)[[0, 2], 1:]
    return (x < z) * z.mean(axis=-1) / x.shape[0] + 2.0**x


def accepted(floats: Floats, expression: Expression) -> None:
    right(floats, floats, numpy_functions())
    right(expression, 1.0, traced_functions())
    softplus_multiplier(floats, floats, numpy_functions())
    softplus_multiplier(expression, expression, traced_functions())


def wrong(x: Array, maybe: Array | None, texts: NDArray[np.str_], xp: ArrayFunctions) -> None:
    softplus_multiplier("x", x, xp)  # arg-type
    softplus_multiplier(texts, x, xp)  # arg-type
    softplus_multiplier(x, x, np)  # arg-type
    x.cumsum()  # attr-defined
    x.sum(axis=-1, keepdims=True)  # call-arg
    x[0] = 1.0  # index
    x["column"]  # index
    x + "1"  # operator
    x + maybe  # operator
    x // 2.0  # operator
    xp.cosh(x)  # attr-defined
    xp.exp("x")  # arg-type
    xp.exp(x, x)  # call-arg
    len(x)  # arg-type
"""


def test_type_checker_refuses_wrong_formulas_and_no_others(tmp_path: Path) -> None:
    """Each line of `wrong` has an error of the kind that it names; no other line has any."""
    source, settings = tmp_path / "formulas.py", tmp_path / "mypy.ini"
    source.write_text(FORMULAS)
    settings.write_text(SETTINGS)
    options = ["--config-file", str(settings), "--cache-dir", str(tmp_path / "cache"), "--no-error-summary"]
    output, faults, _ = api.run([*options, str(source)])
    errors = re.findall(r"formulas\.py:(\d+): error: .*\[([\w-]+)\]$", output, re.MULTILINE)
    expected = [
        (str(number), line.split("# ")[1])
        for number, line in enumerate(FORMULAS.splitlines(), start=1)
        if "  # " in line
    ]
    assert faults == ""
    assert errors == expected, output


def test_numpy_and_tracing_have_the_same_functions() -> None:
    """Those that `ArrayFunctions` promises."""
    names = {name for name in vars(ArrayFunctions) if not name.startswith("_")}
    for functions in (numpy_functions(), traced_functions()):
        assert {entry.name for entry in fields(functions)} == names


@pytest.mark.parametrize("dtype", [None, float])
def test_expression_has_no_numbers(dtype: type | None) -> None:
    """Before, `np.asarray` made an array of one object of it, or blamed a sequence that nobody had written."""
    expression = Graph().input("x", (3,))
    with pytest.raises(TypeError, match="an expression has no numbers"):
        np.asarray(expression, dtype=dtype)


def test_length_of_an_axis() -> None:
    """Known for arrays and for static axes; a dynamic one has none before a call."""
    expression = Graph().input("x", ("rows", 3))
    assert axis_length(np.zeros((2, 5)), 0) == 2
    assert axis_length(expression, -1) == 3
    with pytest.raises(TypeError, match="axis 0 is dynamic"):
        axis_length(expression, 0)
