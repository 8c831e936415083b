"""What every share of each channel's spend of today would gain, on draws that belong together, for a page of sliders.

Here: `gain_grid`, as plain values that a file can keep.
Not here: the page that adds them up (report/templates/sliders.js).

The gains of a plan are sums over channels, draw by draw: the response is additive and so is the money. So a page that
has each channel's gain on a grid of shares answers for every combination, with intervals, without the model.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from mmm_engine.decisions.budget_plan import BudgetPlan

SHARES = np.round(np.arange(0.0, 1.5001, 0.05), 2)
"""Shares of today's spend at which gains are kept: from nothing to half as much again."""

_LEVELS = 32767  # of a signed number of two bytes


def gain_grid(plan: BudgetPlan) -> dict[str, Any]:
    """Gains over today of each paid channel that spends today, at every share and for the same draws.

    Returns:
        shares; draws (how many); period (what one row is); and channels, each with its name, `today` (money), `plan`
        (share of today), `seen` (share up to which no period gets more than the most ever seen), `fixed` (whether the
        model cannot read it) and `gains`: numbers of two bytes, little-endian, share by share, in base64, in units of
        `unit`. Gains are money where the value of the target is known, and then net of the money spent more.
    """
    window, value = plan.window, plan.request.value
    thinned = window.of_draws(window.kept(window.responses[0].draws_count))
    channels = []
    for at, response in enumerate(thinned.responses):
        spend = window.current[:, at]
        today = float(spend.sum())
        if not window.paid[at] or today <= 0.0:
            continue
        brought = np.stack([response.draws(share * spend) for share in SHARES])
        gains = (brought - brought[SHARES == 1.0]) * (1.0 if value is None else value)
        if value is not None:
            gains -= ((SHARES - 1.0) * today)[:, None]
        unit = float(np.abs(gains).max()) / _LEVELS or 1.0
        spends = spend > 0.0
        channels.append(
            {
                "channel": window.channels[at],
                "today": today,
                "plan": float(plan.spend[:, at].sum()) / today,
                "seen": float((window.largest[spends, at] / spend[spends]).min()),
                "fixed": window.channels[at] in plan.request.unreadable,
                "unit": unit,
                "gains": base64.b64encode(np.round(gains / unit).astype("<i2").tobytes()).decode("ascii"),
            }
        )
    draws = thinned.responses[0].draws_count
    return {"shares": SHARES.tolist(), "draws": draws, "period": window.period, "channels": channels}
