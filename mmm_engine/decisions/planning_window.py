"""Coming periods of a client that money is planned for: responses of the channels, today's plan, the most ever spent.

Here: `PlanningWindow` and how it comes from a fitted window; a plan as a frame of money, and the media that it buys.
Not here: how one channel responds (channel_response.py), limits and objectives (budget_problem.py).

Today's plan is the last rows as they were, repeated until the window is full. Prices are those of the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmm_engine.array_types import Floats
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.decisions.channel_response import ChannelResponse
from mmm_engine.decisions.curves import shape_names
from mmm_engine.errors import DataError, Fault
from mmm_engine.model.draw_chunks import draw_chunks
from mmm_engine.model.mean import channel_scales, media_multiplier
from mmm_engine.model.media_transforms import ADSTOCKS
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.rows.calendar import Period
from mmm_engine.rows.window import ScaledInputs

LONGEST_WINDOW = 53
DRAWS_KEPT = 200


@dataclass(frozen=True, eq=False)
class PlanningWindow:
    """Coming periods that money is planned for.

    Attributes:
        client: Id of the client.
        channels: Names, in the order of the client file.
        dates: Of the periods, shape (period,).
        responses: One per channel.
        current: Today's plan: money per period, shape (period, channel).
        largest: Largest spend of a period ever seen, at the prices of the window, shape (period, channel).
        paid: Whether money buys the channel's media; the media of others are what they are.
        media_scale: Media units per unit of model space, shape (channel,).
        basis: How many of the last rows today's plan repeats.
        period: What one row is.
        target_kind: "revenue" or "conversions".
        currency: Written after amounts of money.
    """

    client: str
    channels: tuple[str, ...]
    dates: pd.DatetimeIndex
    responses: tuple[ChannelResponse, ...]
    current: Floats
    largest: Floats
    paid: NDArray[np.bool_]
    media_scale: Floats
    basis: int
    period: Period
    target_kind: str
    currency: str

    @property
    def periods(self) -> int:
        """Number of periods."""
        return len(self.dates)

    @staticmethod
    def kept(draws: int) -> slice:
        """Evenly spaced draws that are kept with a plan, at most `DRAWS_KEPT` of so many."""
        every = max(1, draws // DRAWS_KEPT)
        return slice(0, every * DRAWS_KEPT, every)

    def of_draws(self, chosen: slice) -> PlanningWindow:
        """The same window over some of the draws."""
        return replace(self, responses=tuple(response.of_draws(chosen) for response in self.responses))

    def frame(self, spend: Floats) -> pd.DataFrame:
        """A plan as a frame: date, then money of each channel.

        Args:
            spend: Shape (period, channel).
        """
        frame = pd.DataFrame(spend, columns=list(self.channels))
        frame.insert(0, "date", self.dates)
        return frame

    def media_frame(self, spend: Floats) -> pd.DataFrame:
        """The media that a plan buys, in the units of the client's rows: date, then one column per channel.

        It is what `forecast: {plan: ...}` of a client file takes.
        """
        columns = [response.media(spend[:, at]) for at, response in enumerate(self.responses)]
        return self.frame(np.column_stack(columns) * self.media_scale)

    def spend_of(self, plan: pd.DataFrame | Mapping[str, float] | Floats, name: str = "plan") -> Floats:
        """Money per period and channel of a plan in one of the forms that people have it in.

        Args:
            plan: A frame with a column per channel and a row per period (a channel that is not there goes on as today);
                or totals by channel, spread as today; or an array of shape (period, channel).
            name: What to call it in messages.

        Returns:
            Shape (period, channel).

        Raises:
            DataError: With every channel that is unknown, and numbers that are missing, infinite or below 0.
        """
        faults: list[Fault] = []
        spend = self.current.copy()
        if isinstance(plan, pd.DataFrame):
            columns = [str(column) for column in plan.columns if column != "date"]
            if len(plan) != self.periods:
                found, wanted = f"{len(plan)} rows", f"{self.periods}, one per {self.period}"
                raise DataError(self._who(name), Fault("the plan", found, wanted, "add or leave out rows"))
        elif isinstance(plan, Mapping):
            columns = list(plan)
        else:
            columns, array = list(self.channels), np.asarray(plan, dtype=float)
            if array.shape != spend.shape:
                found, wanted = f"an array of shape {array.shape}", f"{spend.shape} (period, channel)"
                raise DataError(self._who(name), Fault("the plan", found, wanted, "pass such an array"))
            plan = pd.DataFrame(array, columns=columns)
        for column in columns:
            if column not in self.channels:
                listed = ", ".join(self.channels)
                faults.append(Fault(f"column '{column}'", "no such channel", f"one of {listed}", "rename it"))
                continue
            values = pd.to_numeric(pd.Series(plan[column]), errors="coerce").to_numpy(float)
            if not np.isfinite(values).all() or (values < 0).any():
                bad = values[~np.isfinite(values) | (values < 0)][0]
                faults.append(Fault(f"channel '{column}'", f"{bad:g}", "amounts of 0 or more", "correct it"))
                continue
            at = self.channels.index(column)
            spend[:, at] = values if len(values) > 1 or self.periods == 1 else values * self.shares[:, at]
        if faults:
            raise DataError(self._who(name), faults)
        return spend

    @property
    def shares(self) -> Floats:
        """Shares of the periods in each channel's total, as today; even where nothing is spent; columns add up to 1."""
        totals = self.current.sum(axis=0)
        even = np.full(self.current.shape, 1.0 / self.periods)
        return np.where(totals > 0.0, self.current / np.where(totals > 0.0, totals, 1.0), even)

    def beyond_seen(self, spend: Floats) -> NDArray[np.bool_]:
        """Cells with more than the largest spend ever seen, shape (period, channel)."""
        return np.asarray(spend > self.largest * (1.0 + 1e-9))

    def _who(self, name: str) -> str:
        return f"client '{self.client}', {name}"


def planning_window(
    window: FittedWindow, periods: int, *, basis: int = 4, carry_out: bool = True
) -> PlanningWindow:
    """The periods after the last row of a window, over all draws of its posterior.

    Args:
        window: Fitted on all rows (`full`).
        periods: How many periods money is planned for, 1 to 53.
        basis: How many of the last rows are "today".
        carry_out: Whether what is spent in the window also counts where it works after it.

    Raises:
        DataError: If rows are held out, or a number is out of its range.
    """
    inputs = window.inputs
    _check(inputs, periods, basis)
    specification, xp = window.specification, numpy_functions()
    tail = specification.max_lag - 1 if carry_out else 0
    rows = periods + tail
    extended = inputs.extended(
        np.zeros((rows, specification.n_channels)), np.zeros((rows, specification.n_controls))
    )
    arrays = window.on_rows(extended).arrays
    draws = len(window.draws[specification.parameters[0].name])
    multiplier = np.ones((rows, draws))
    if specification.media_process is not None:
        chunks = [
            np.asarray(media_multiplier(chunk, arrays, specification, xp))[:, -rows:]
            for chunk in draw_chunks(window.draws)
        ]
        multiplier = np.ascontiguousarray(np.concatenate(chunks).T)
    scales = np.asarray(channel_scales(window.draws, specification, xp)).reshape(draws, -1)
    current, rate = _today(inputs, periods, basis)
    responses = []
    for at, name in enumerate(inputs.config.channel_names):
        weights = _adstock_weights(window, at)
        kind, parameters = _curve(window, at)
        length = periods + (len(weights) - 1 if carry_out else 0)
        responses.append(
            ChannelResponse(
                name=name,
                kind=kind,
                parameters=parameters,
                weights=weights,
                carry_in=_carry_in(inputs.media_scaled[:, at], weights, length),
                factor=multiplier[:length] * (scales[:, at] * inputs.scales.target),
                rate=rate[:, at],
            )
        )
    largest = inputs.media_scaled[: inputs.train_rows].max(axis=0)
    config = inputs.config
    return PlanningWindow(
        client=config.client,
        channels=config.channel_names,
        dates=extended.dates[len(inputs.dates) :][:periods],
        responses=tuple(responses),
        current=current,
        largest=largest / rate,
        paid=np.array(config.paid),
        media_scale=inputs.scales.media_array(),
        basis=basis,
        period=inputs.period,
        target_kind=config.target.kind,
        currency=config.currency,
    )


def _check(inputs: ScaledInputs, periods: int, basis: int) -> None:
    faults = []
    if inputs.horizon:
        faults.append(Fault("window", f"'{inputs.window}'", "a window without held-out rows", "use 'full'"))
    if not 1 <= periods <= LONGEST_WINDOW:
        wanted = f"1 to {LONGEST_WINDOW} periods"
        faults.append(Fault("horizon", str(periods), wanted, "choose a number in that range"))
    if not 1 <= basis <= inputs.train_rows:
        wanted = f"1 to {inputs.train_rows} of the last rows"
        faults.append(Fault("what counts as today", str(basis), wanted, "choose a number in that range"))
    if faults:
        raise DataError(f"client '{inputs.config.client}', plan", faults)


def _today(inputs: ScaledInputs, periods: int, basis: int) -> tuple[Floats, Floats]:
    """Money of today's plan and media (model space) per unit of money, each of shape (period, channel)."""
    place = inputs.train_rows - basis + np.arange(periods) % basis
    media, spend = inputs.media_scaled[place], inputs.spend[place]
    bought = (media > 0.0) & (spend > 0.0)
    usual = [_usual_rate(inputs, at, basis) for at in range(media.shape[1])]
    rate = np.where(bought, media / np.where(bought, spend, 1.0), usual)
    return np.asarray(media / rate), rate


def _usual_rate(inputs: ScaledInputs, channel: int, basis: int) -> float:
    """Media per unit of money over the last rows, over all where they have none; the column itself where free."""
    for first in (inputs.train_rows - basis, 0):
        media = inputs.media_scaled[first : inputs.train_rows, channel].sum()
        spend = inputs.spend[first : inputs.train_rows, channel].sum()
        if media > 0.0 and spend > 0.0:
            return float(media / spend)
    return 1.0 / float(inputs.scales.media_array()[channel])


def _adstock_weights(window: FittedWindow, channel: int) -> Floats:
    """Share of a channel's media that works at each lag, shape (lag, draw)."""
    group = next(group for group in window.specification.adstocks if channel in group.channels)
    place, draws = group.channels.index(channel), len(next(iter(window.draws.values())))
    parameters = {short: window.draws[name][:, place] for short, name in group.parameters}
    weights = ADSTOCKS[group.kind].weights(parameters, group.max_lag, numpy_functions())
    stacked = np.stack([np.broadcast_to(np.asarray(weight, dtype=float), draws) for weight in weights])
    return np.asarray(stacked / stacked.sum(axis=0))


def _curve(window: FittedWindow, channel: int) -> tuple[str, dict[str, Floats]]:
    """Kind of a channel's curve and its shape parameters, each of shape (draw,)."""
    group = next(group for group in window.specification.saturations if channel in group.channels)
    place, names = group.channels.index(channel), dict(group.parameters)
    return group.kind, {
        short: np.ascontiguousarray(window.draws[names[short]][:, place]) for short in shape_names(group.kind)
    }


def _carry_in(media: Floats, weights: Floats, rows: int) -> Floats:
    """Media of the rows before that still works in the rows ahead, shape (row, draw)."""
    past = np.zeros((rows, len(weights)))
    for lag in range(1, len(weights)):
        for row in range(min(lag, rows)):
            if lag - row <= len(media):
                past[row, lag] = media[len(media) - (lag - row)]
    return past @ weights


def plan_names(names: Sequence[str], window: PlanningWindow, where: str) -> list[int]:
    """Positions of channels that a setting names.

    Raises:
        DataError: With every name that no channel has.
    """
    listed = ", ".join(window.channels)
    unknown = [
        Fault(where, f"'{name}'", f"some of {listed}", "correct the name")
        for name in names
        if name not in window.channels
    ]
    if unknown:
        raise DataError(f"client '{window.client}', plan", unknown)
    return [window.channels.index(name) for name in names]
