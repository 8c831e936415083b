"""The platform's model, told some of the truth: what its intervals owe to not knowing it.

Here: `informed_client`, a world as a client whose columns hold what media did instead of what was spent, or whose sales
are free of what moves the baseline.
Not here: an observer who knows all of it and has no model (`oracle.py`), tables (`floor.py`).

| told | what is given instead |
|---|---|
| carry-over | media at work in each row, without a carry-over in the model |
| curves | the contribution of each row up to a factor, with neither carry-over nor curve in the model |
| baseline | sales less the baseline plus its mean, with neither season, controls nor wander in the model |

Returns have their default prior throughout: columns of costs hold what was spent. A channel that no money buys keeps
its unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mmm_engine.client.client_file import client_config_from_mapping
from mmm_engine.rows.client_data import ClientData, client_data_from_frame
from tests.benchmarks.truth.clients import careful_client
from tests.benchmarks.truth.media import Floats
from tests.benchmarks.truth.worlds import VisibleChannel, Workings, World


@dataclass(frozen=True)
class Told:
    """What the model is told of a world.

    Attributes:
        carry_over: How media work on in later rows.
        curves: How a channel answers to media at work; the carry-over with it.
        baseline: What sales would be without media.
        power: How much rows count (`likelihood_power`); None for the default's.
    """

    carry_over: bool = False
    curves: bool = False
    baseline: bool = False
    power: float | None = None


def informed_client(world: World, told: Told) -> ClientData:
    """The client of a world with careful settings, and what it is told.

    Raises:
        ValueError: If the world's workings are not known (one that is stored as files).
    """
    if world.workings is None:
        raise ValueError(f"world '{world.rows.name}' is stored without its workings: take one that is made")
    careful = careful_client(world.rows)
    settings, frame = careful.config.model_dump(mode="json"), careful.frame.copy()
    model: dict[str, Any] = settings["model"]
    if told.carry_over or told.curves:
        media = _responses(world, world.workings) if told.curves else world.workings.at_work
        frame = frame.assign(**_columns(world, media))
        model["adstock"] = {"kind": "none"}
        settings["channels"] = [_with_cost(channel) for channel in world.rows.channels]
    if told.curves:
        model["saturation"] = "none"
    if told.baseline:
        frame = frame.assign(sales=_without_baseline(world))
        model |= {"baseline": None, "yearly_seasonality": None}
        settings["controls"] = []
    if told.power is not None:
        model["likelihood_power"] = told.power
    return client_data_from_frame(client_config_from_mapping(settings), frame)


def _responses(world: World, workings: Workings) -> Floats:
    """Each channel's contribution in each row, which is its response where it has none; shape (date, channel)."""
    active = ~world.forms["null"].to_numpy(dtype=bool)
    return np.where(active, world.contribution, workings.response)


def _columns(world: World, media: Floats) -> dict[str, Floats]:
    """What media did under the name of each channel, and what was spent on those that have no column of costs."""
    spent = {
        _cost_column(channel): world.spend[:, position]
        for position, channel in enumerate(world.rows.channels)
        if channel.unit == "spend"
    }
    return {
        channel.column: media[:, position] for position, channel in enumerate(world.rows.channels)
    } | spent


def _with_cost(channel: VisibleChannel) -> dict[str, Any]:
    if channel.unit != "spend":
        return {"column": channel.column, "unit": channel.unit, "cost": channel.cost}
    return {"column": channel.column, "unit": "effective media", "cost": _cost_column(channel)}


def _cost_column(channel: VisibleChannel) -> str:
    return f"{channel.column}_spent"


def _without_baseline(world: World) -> Floats:
    """Sales less what moves their baseline, shape (date,)."""
    assert world.expected is not None
    baseline = world.expected - world.media_effect
    sales = world.rows.frame["sales"].to_numpy(dtype=float)
    return np.asarray(sales - baseline + baseline.mean())
