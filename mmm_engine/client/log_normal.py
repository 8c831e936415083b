"""Log-normal priors as people write them: a median with a spread, or two ends.

Here: the median and spread that two ends stand for, and the prior of a half-life.
Not here: priors on returns (return_priors.py), the density of a half-life's prior (distributions/bounded.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, model_validator

from mmm_engine.client.validation import Frozen, Problem, refusal
from mmm_engine.files.yaml_document import describe

_SD_TO_95 = 1.6448536269514722  # standard deviations from the median of a normal to its 95% point


def with_median(values: object, sigma: str) -> object:
    """Settings in which `low` and `high`, the 5% and 95% points, are written as a median and a spread."""
    if not isinstance(values, Mapping) or not {"low", "high"} & set(values):
        return values
    rest = {name: value for name, value in values.items() if name not in ("low", "high")}
    ends: list[float] = []
    problems = []  # all at the section itself: one end without the other would be a second fault
    for name in ("low", "high"):
        value = values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            wanted = f"a number above 0 for '{name}'"
            problems.append(Problem((), describe(value), wanted, "write low and high together"))
        else:
            ends.append(float(value))
    problems += [
        Problem((), f"'{name}' beside 'low' and 'high'", "one of the two forms", f"delete '{name}'")
        for name in ("median", sigma)
        if name in rest
    ]
    if not problems and ends[0] >= ends[1]:
        found = f"'high' {ends[1]:g} and 'low' {ends[0]:g}"
        problems.append(Problem((), found, f"for 'high' a number above low ({ends[0]:g})", "swap the two"))
    if problems:
        raise refusal(*problems)
    low, high = ends
    return {**rest, "median": math.sqrt(low * high), sigma: math.log(high / low) / (2.0 * _SD_TO_95)}


class HalfLife(Frozen):
    """What is known of a carry-over: days until half of what is left of an effect is left, log-normal.

    Told by its median in days and the standard deviation of its logarithm, or by ``low`` and ``high``, the points with
    5% below and 5% above: {low: 3, high: 21}. A number alone is the median. Days, so that daily, weekly and monthly
    rows of a client say the same.
    """

    median: Annotated[float, Field(gt=0)] = 7.0
    sigma: Annotated[float, Field(gt=0)] = 0.8

    @model_validator(mode="before")
    @classmethod
    def _read_forms(cls, values: object) -> object:
        if isinstance(values, int | float) and not isinstance(values, bool):
            return {"median": values}
        return with_median(values, "sigma")
