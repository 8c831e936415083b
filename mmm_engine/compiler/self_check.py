"""One point at which machine code is compared with numpy before it is used.

Here: made-up inputs of a signature, and what of a density or of results differs there.
Not here: what happens then (code_cache.py).

Values are compared with the formula itself on numpy arrays, derivatives with the graph computed by numpy. Both agree
with right code to about 1e-13; code of another formula, processor or compiler version is off by far more than the
tolerance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.compiler.graph import Expression
from mmm_engine.compiler.inputs import Signature
from mmm_engine.compiler.interpreter import interpreted

TOLERANCE = 1e-8  # of the largest number that is compared, or of 1

_LENGTHS = (5, 3, 2)  # of the first dynamic axes, then again from the first


def made_up_inputs(signature: Signature) -> tuple[Floats, dict[str, Floats], dict[str, int]]:
    """A flat vector, inputs by name and lengths of dynamic axes, always the same for a signature.

    Inputs lie between 0.1 and 0.9, so that logarithms, roots and ratios of them exist.
    """
    rng = np.random.default_rng(0)
    lengths = {axis: _LENGTHS[at % len(_LENGTHS)] for at, axis in enumerate(signature.dynamic_axes)}
    arrays = {}
    for layout in signature.layouts:
        shape = tuple(lengths[size] if isinstance(size, str) else size for size in layout.sizes)
        array = rng.uniform(0.1, 0.9, shape[1:] if layout.shifted else shape)
        if layout.shifted:
            padded = np.concatenate([np.zeros((shape[0] - 1, *shape[2:])), array])
            starts = range(shape[0] - 1, -1, -1)
            array = np.stack([padded[start : start + shape[1]] for start in starts])
        arrays[layout.name] = array
    return 0.3 * rng.normal(size=signature.size), arrays, lengths


def density_mismatch(
    call: Callable[[Floats, Floats], tuple[float, Floats]],
    signature: Signature,
    outputs: Sequence[Expression],
    formula: Callable[[Floats, dict[str, Floats]], Any],
) -> str | None:
    """What differs between a compiled density and its formula; None where nothing does.

    Args:
        call: The compiled density: (flat vector, data buffer) -> (value, gradient).
        signature: Of the density.
        outputs: Operations "store" into "value" and "gradient".
        formula: The density on numpy arrays: (flat vector, inputs by name) -> value.
    """
    flat, arrays, lengths = made_up_inputs(signature)
    value, gradient = call(flat, signature.data_buffer(SimpleNamespace(**arrays)))
    with np.errstate(all="ignore"):
        expected = float(formula(flat, arrays))
    stores = [node for node in outputs if node.detail[0] == "gradient"]
    expected_gradient = np.empty(signature.size)
    for node, part in zip(stores, interpreted(stores, {"flat": flat, **arrays}, lengths), strict=True):
        expected_gradient[node.detail[1] :][: part.size] = part.ravel()
    if not (np.isfinite(expected) and np.isfinite(expected_gradient).all()):
        return None if np.isnan(value) else f"the value is {value:.12g} instead of not finite"
    return _difference("value", value, expected) or _difference("gradient", gradient, expected_gradient)


def results_mismatch(
    call: Callable[[Floats, Floats, int], Floats],
    signature: Signature,
    formula: Callable[[Floats, dict[str, Floats]], Sequence[Any]],
) -> str | None:
    """What differs between compiled results and their formula; None where nothing does.

    Args:
        call: The compiled results: (points, data buffer, width) -> a row for each point.
        signature: Of the results.
        formula: The results on numpy arrays: (flat vector, inputs by name) -> the parts of a row.
    """
    flat, arrays, _ = made_up_inputs(signature)
    points = np.stack([flat, -flat])
    with np.errstate(all="ignore"):
        rows = [[np.asarray(part, dtype=float) for part in formula(point, arrays)] for point in points]
    expected = np.stack([np.concatenate([part.ravel() for part in row]) for row in rows])
    results = call(points, signature.data_buffer(SimpleNamespace(**arrays)), expected.shape[1])
    return _difference("result", results, expected)


def _difference(name: str, computed: Any, expected: Any) -> str | None:
    computed, expected = np.ravel(computed), np.ravel(expected)
    scale = max(1.0, float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)))
    wrong = ~np.isclose(computed, expected, rtol=0.0, atol=TOLERANCE * scale, equal_nan=True)
    if not wrong.any():
        return None
    at = int(wrong.argmax())
    return f"{name} {at} is {computed[at]:.12g} instead of {expected[at]:.12g}"
