"""Judging: formulas on arrays and frames.

Here: forecast scores, the seasonal naive forecast, scores against a known truth, drift, the checks, the verdict.
Not here: fits and posteriors (fleets/ brings the two together).
Imports: `client` and `rows`, for thresholds and types; it knows no model.
"""
