"""What an audit runs, and what a forecast assumes.

Here: the settings `audit` and `forecast` of a client file, with their ranges and defaults.
Not here: the runs themselves (fleets/), the checks of what they find (scores/gates.py).

An audit is the deep look at a model that is too dear for every refresh: some forty fits at the defaults.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mmm_engine.client.validation import DataPath, Frozen

Truth = Literal["prior", "posterior"]
Fraction = Annotated[float, Field(ge=0, le=1)]


class AuditConfig(Frozen):
    """What an audit runs; 0 or false leaves a part out.

    Attributes:
        simulations: Refits of simulated targets: coverage, ranks, which channels are identified.
        truth: Where their parameters come from: ``posterior`` says what data like this client's can tell, ``prior``
            whether the model finds whatever it looks for.
        origins: Rolling origins for the scores by horizon.
        step: Rows between two origins.
        seeds: Fits of the same rows with other seeds.
        noise: Standard deviation of the noise on media and spend, as a share.
        placebo: Whether to add a channel of shuffled spend, which should earn nothing.
    """

    simulations: Annotated[int, Field(ge=0, le=1000)] = 20
    truth: Truth = "posterior"
    origins: Annotated[int, Field(ge=0, le=52)] = 6
    step: Annotated[int, Field(ge=1, le=53)] = 4
    seeds: Annotated[int, Field(ge=0, le=20)] = 1
    noise: Fraction = 0.05
    placebo: bool = True


class ForecastConfig(Frozen):
    """How far the forecast of a refresh reaches, and the file of planned media beside the client file, if any."""

    horizon: Annotated[int, Field(ge=4, le=13)] = 8
    plan: DataPath | None = None
