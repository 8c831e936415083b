"""Where the checks of the platform stop being content; a client file may override each number.

Here: the thresholds and their defaults.

| check | thresholds |
|---|---|
| data_contract | restated_max |
| sampler_converged | rhat_max, ess_min, divergence_rate_max, tree_depth_hits_max, bfmi_min |
| holdout_skill | skill_min |
| holdout_calibration | bias_abs_max, coverage_90_min, coverage_90_max |
| fit_explains | r_squared_min |
| baseline_positive | baseline_negative_max |
| media_plausible | media_share_max, roas_max, cost_per_conversion_min |
| media_known | media_far_max |
| media_supported | media_support_min |
| controls_plausible | control_share_max |
| curves_plausible | flat_response_max |
| residuals | autocorrelation_max |
| prior_pushes | prior_pushes_max |
| recovery | recovery_min |
| stability | stability_min |
| sensitivity | stability_min, placebo_max |
| drift | drift_max |

Errors: sampler_converged on `full` (nothing of the refresh is published), fit_explains, baseline_positive,
media_plausible, controls_plausible, and holdout_skill where the naive forecast clearly wins on all longer windows. All
others are warnings. Errors that no threshold moves: the rest of data_contract, training_cutoff, fitted_rows,
window_fitted, history_rows, report_self_contained.

Not here: the checks (scores/gates.py, scores/plausibility.py).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mmm_engine.client.validation import Frozen

Fraction = Annotated[float, Field(ge=0, le=1)]


class ThresholdConfig(Frozen):
    """Numbers of the checks; a name ends in the side that is allowed.

    ``prior_pushes_max`` counts parameters whose posterior median lies outside the prior's central 98% (None: as many
    as chance brings), ``baseline_negative_max`` is the probability that a training row is expected below 0 without
    media, ``media_far_max`` the probability that media bring more than twice or less than half of what is said,
    ``media_support_min`` the part of what media are credited with that their movements must support (1 over it is the
    most), ``control_share_max`` what the movements of one control may bring, as a share of the target,
    ``flat_response_max`` what a channel would still bring with a tenth of its media, as a share. ``roas_max`` and
    ``cost_per_conversion_min`` bound the median return of each channel, in the client's own units. ``drift_max`` is a
    share of the limit of the drift statistic, ``placebo_max`` the return of an audit's placebo channel over that of the
    channel it copies, ``restated_max`` what a column of a new file may take back of the rows of the last refresh, as a
    share of their sum.
    """

    rhat_max: Annotated[float, Field(ge=1)] = 1.01
    ess_min: Annotated[float, Field(ge=0)] = 400
    divergence_rate_max: Fraction = 0.001
    tree_depth_hits_max: Annotated[int, Field(ge=0)] = 0
    bfmi_min: Annotated[float, Field(ge=0)] = 0.3
    skill_min: Annotated[float, Field(le=1)] = 0.0
    bias_abs_max: Annotated[float, Field(ge=0)] = 0.2
    coverage_90_min: Fraction = 0.5
    coverage_90_max: Fraction = 1.0
    r_squared_min: Annotated[float, Field(le=1)] = 0.1
    baseline_negative_max: Fraction = 0.05
    media_share_max: Fraction = 0.7
    roas_max: Annotated[float, Field(gt=0)] = 50.0
    cost_per_conversion_min: Annotated[float, Field(gt=0)] | None = None
    media_far_max: Fraction = 0.08
    media_support_min: Fraction = 0.5
    control_share_max: Annotated[float, Field(ge=0)] = 0.35
    flat_response_max: Fraction = 0.5
    autocorrelation_max: Fraction = 0.5
    prior_pushes_max: Annotated[int, Field(ge=0)] | None = None
    recovery_min: Fraction = 0.3
    stability_min: Fraction = 0.8
    drift_max: Annotated[float, Field(ge=1)] = 1.0
    placebo_max: Annotated[float, Field(gt=0)] = 0.5
    restated_max: Annotated[float, Field(ge=0)] = 0.1
