"""Advice that is frozen when it is given, and what came of it, from what is stored of a client.

Here: `freeze_advice` and `score_advice`.
Not here: advice itself (advice.py), the ledger (mmm_engine.history), the bridge (mmm_engine.decisions.advice_draws).
"""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import datetime
from typing import TYPE_CHECKING

from mmm_assets.types import ClientData, History

if TYPE_CHECKING:
    from mmm_engine.client.decision_config import DecisionConfig
    from mmm_engine.decisions.budget_plan import BudgetPlan
    from mmm_engine.posterior.fitted_window import FittedWindow

logger = logging.getLogger(__name__)


def request_version(settings: DecisionConfig, config_version: str) -> str:
    """12 hex digits of what was asked for: the client file's `decision`, and the settings of the model."""
    asked = json.dumps([settings.model_dump(mode="json"), config_version], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:12]


def freeze_advice(
    history: History,
    plan: BudgetPlan,
    fitted: FittedWindow,
    *,
    request: str,
    issued_at: datetime,
    run_id: str,
) -> int:
    """Put advice and the draws behind it into the ledger; the same advice again changes nothing.

    Args:
        history: Of all clients.
        plan: What is advised: its spend where it is sure enough, else that of today.
        fitted: The window it was made from.
        request: Version of what was asked for.
        issued_at: Now.
        run_id: The run that gave it.

    Returns:
        Number of rows that were frozen now.
    """
    import numpy as np

    from mmm_engine.decisions.advice_draws import AdviceDraws
    from mmm_engine.history.advice_ledger import vintage_rows

    window, inputs = plan.window, fitted.inputs
    draws = AdviceDraws.of(plan, fitted)
    table = plan.table.assign(
        advised=draws.advised.sum(axis=0), expected=draws.channel_expected, paid=window.paid
    )
    names = ["channel", "advice", "today", "advised", "marginal", "expected", "paid"]
    low, high = np.quantile(draws.predicted, [0.05, 0.95])
    rows = vintage_rows(
        window.client,
        [{str(name): value for name, value in row.items()} for row in table[names].to_dict("records")],
        expected={"mean": float(draws.expected.mean()), "q05": float(low), "q95": float(high)},
        acts=plan.acts,
        dates=(window.dates[0], window.dates[-1]),
        cutoff=inputs.cutoff,
        issued_at=issued_at,
        run_id=run_id,
        data_version=inputs.data_version,
        request_version=request,
    )
    return history.advice.freeze(window.client, rows, draws.to_bytes())


def score_advice(history: History, data: ClientData) -> int:
    """Fill in what came of every piece of advice whose periods have come.

    Advice that names a channel which the client no longer has, or whose draws cannot be read, stays as it is.

    Returns:
        Number of rows of the ledger whose outcome is new or was restated.
    """
    import pandas as pd

    from mmm_engine.decisions.advice_draws import AdviceDraws
    from mmm_engine.history.advice_ledger import OUTCOME
    from mmm_engine.history.tables import ADVICE_LEDGER, ALL_CHANNELS

    client, names = data.config.client, list(data.config.channel_names)
    parts = []
    for rows, content in history.advice.come(client, data.dates[-1]):
        try:
            draws = AdviceDraws.from_bytes(content)
        except ValueError as error:
            logger.warning(
                "client '%s': advice of %s stays unjudged: %s", client, rows["cutoff"].iloc[0], error
            )
            continue
        channels = [response.name for response in draws.responses]
        first, last = rows["first_date"].iloc[0], rows["last_date"].iloc[0]
        within = (data.dates >= first) & (data.dates <= last)
        if not set(channels) <= set(names) or within.sum() != len(draws.advised):
            continue
        place = [names.index(channel) for channel in channels]
        bridge = draws.bridge(data.media[within][:, place], float(data.target[within].sum()))
        spent = data.spend[within][:, place].sum(axis=0)
        paid = [data.config.paid[at] for at in place]
        by_channel = rows.set_index("channel").loc[channels].reset_index()
        by_channel = by_channel.assign(spent=spent, delivery=bridge.delivery)
        whole = rows[rows["channel"] == ALL_CHANNELS].assign(
            spent=float(spent[paid].sum()),
            delivery=float(bridge.delivery.sum()),
            happened=float(data.target[within].sum()),
            rest=bridge.rest,
            pit=bridge.pit,
        )
        parts += [by_channel[[*ADVICE_LEDGER.key, *OUTCOME]], whole[[*ADVICE_LEDGER.key, *OUTCOME]]]
    return history.advice.fill_in(client, pd.concat(parts, ignore_index=True)) if parts else 0
