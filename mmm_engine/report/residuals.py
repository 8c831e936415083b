"""What the fit leaves over: residuals and how they depend on their own past.

Here: residual frames and their statistics.
Not here: sentences about them (sections/diagnostics.py), drawing (figures/checks.py).
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats


def residual_frame(predictions: pd.DataFrame) -> pd.DataFrame:
    """Date, split, actual, mean and residual (actual − mean, so > 0 means the model was too low)."""
    kept = predictions[["date", "split", "actual", "mean"]].reset_index(drop=True)
    return kept.assign(residual=kept["actual"] - kept["mean"])


def autocorrelation(residual: Floats, max_lag: int = 26) -> pd.DataFrame:
    """Correlation of residuals with themselves some rows earlier.

    Args:
        residual: Residuals in time order, shape (date,).
        max_lag: Largest lag, cut to a third of the rows.

    Returns:
        Columns lag, value, bound; |value| < bound in 95% of lags when residuals are independent.

    >>> autocorrelation(np.array([1.0, -1.0] * 6))["value"].iloc[0].round(3)
    np.float64(-0.917)
    """
    centred = residual - residual.mean()
    power = float(centred @ centred)
    lags = range(1, min(max_lag, len(residual) // 3) + 1)
    values = [float(centred[lag:] @ centred[:-lag]) / power if power else math.nan for lag in lags]
    return pd.DataFrame({"lag": list(lags), "value": values, "bound": 1.96 / math.sqrt(len(residual))})


def durbin_watson(residual: Floats) -> float:
    """Sum of squared steps over sum of squares: about 2 when rows are independent, below 2 when errors last.

    >>> durbin_watson(np.array([1.0, 1.0, 1.0, 1.0]))
    0.0
    """
    power = float(residual @ residual)
    return float(np.sum(np.diff(residual) ** 2)) / power if power else math.nan
