"""Asset checks of the budget's plan.

Here: `advice`, which asks the engine about the stored plan.
Not here: the predicates (mmm_engine.decisions.plan_checks), other checks (gates.py).
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from mmm_assets.checks import evaluations
from mmm_assets.partitions import clients

_ASKED = {  # check -> what is asked
    "advice_given": "The model may be used, and the request of the client file's `decision` can be met.",
    "advice_proven": "No other plan within the limits brings noticeably more, and free channels return the same.",
    "advice_within_seen": "No channel gets more in a period than was ever seen.",
}


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(name, asset="budget_plan", description=description, partitions_def=clients)
        for name, description in _ASKED.items()
    ],
    ins={"budget_plan": dg.AssetIn()},
    can_subset=True,
)
def advice(context: dg.AssetCheckExecutionContext, budget_plan: dict[str, Any]) -> Iterator[Any]:
    """Judge the stored advice of a client."""
    from mmm_engine.decisions.plan_checks import advice_verdicts

    judged = {verdict.check: verdict for verdict in advice_verdicts(budget_plan)}
    yield from evaluations.of_chosen(context, judged.__getitem__)
