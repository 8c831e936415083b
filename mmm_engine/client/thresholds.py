"""Where the checks of the platform stop being content; a client file may override each number.

Here: the thresholds and their defaults.

| check | thresholds |
|---|---|
| sampler_converged | rhat_max, ess_min, divergence_rate_max, tree_depth_hits_max, bfmi_min |
| prior_pushes | prior_pushes_max |
| baseline_positive | baseline_negative_max |
| holdout_skill | skill_min, bias_abs_max, coverage_90_min, coverage_90_max |
| recovery | recovery_min |
| stability | stability_min |
| sensitivity | stability_min, placebo_max |
| drift | drift_max |

A failure is a warning, but for sampler_converged on `full`: an error, and nothing of the refresh is published.
Errors that no threshold moves: data_contract, training_cutoff, window_fitted, history_rows, report_self_contained.

Not here: the checks (scores/gates.py).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mmm_engine.client.validation import Frozen

Fraction = Annotated[float, Field(ge=0, le=1)]


class ThresholdConfig(Frozen):
    """Numbers of the checks; a name ends in the side that is allowed.

    ``prior_pushes_max`` counts parameters whose posterior median lies outside the prior's central 98%,
    ``baseline_negative_max`` is the probability that the baseline of a training row lies below 0, ``drift_max`` a
    share of the limit of the drift statistic, ``placebo_max`` the return of an audit's placebo channel over that of
    the channel it copies.
    """

    rhat_max: Annotated[float, Field(ge=1)] = 1.01
    ess_min: Annotated[float, Field(ge=0)] = 400
    divergence_rate_max: Fraction = 0.001
    tree_depth_hits_max: Annotated[int, Field(ge=0)] = 0
    bfmi_min: Annotated[float, Field(ge=0)] = 0.3
    prior_pushes_max: Annotated[int, Field(ge=0)] = 0
    baseline_negative_max: Fraction = 0.05
    skill_min: Annotated[float, Field(le=1)] = 0.0
    bias_abs_max: Annotated[float, Field(ge=0)] = 0.2
    coverage_90_min: Fraction = 0.5
    coverage_90_max: Fraction = 1.0
    recovery_min: Fraction = 0.3
    stability_min: Fraction = 0.8
    drift_max: Annotated[float, Field(ge=1)] = 1.0
    placebo_max: Annotated[float, Field(gt=0)] = 0.5
