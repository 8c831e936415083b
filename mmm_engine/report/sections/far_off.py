"""Rows that lie far off what the model expects: what keeps a page from saying that nothing stands out.

Not here: what stands out of the rows before any model (rows/outliers.py), all residuals (diagnostics.py).
"""

from __future__ import annotations

import numpy as np

from mmm_engine.report import numbers
from mmm_engine.report.subject import Subject
from mmm_engine.rows.usual_spread import usual_spread

#: Robust standard deviations from which on a row lies clearly off.
FAR_OFF = 5.0


def rows_far_off(subject: Subject) -> str:
    """How many rows lie far off what the model expects, and the last of them; "" without any."""
    rows = subject.inputs.full.predictions
    off = (rows["actual"] - rows["mean"]).to_numpy(dtype=float)
    if np.isnan(off).all():
        return ""
    off = off - np.nanmedian(off)
    usual = float(usual_spread(off[~np.isnan(off)], about=0.0))
    far = np.flatnonzero(np.abs(off) > FAR_OFF * usual) if usual > 0 else np.array([], dtype=int)
    if not len(far):
        return ""
    last = numbers.day(rows["date"].iloc[int(far[-1])])
    lie = "lies" if len(far) == 1 else "lie"
    when = f"on {last}" if len(far) == 1 else f"the last on {last}"
    how_far = f"more than {FAR_OFF:g} usual deviations"
    return f"{subject.periods(len(far))} {lie} far off what the model expects, {when}: {how_far}."
