"""One kind of evaluation each, run on one client.

Here: scored windows, holdout, origins, recovery, stability, sensitivity, refresh diff, the canary.
Not here: formulas of scores (scores/), Dagster (mmm_assets).
Imports: `results`, `scores`, `simulation` and what lies below them.
"""
