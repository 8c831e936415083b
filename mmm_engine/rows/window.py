"""Scales from training rows, and one window of a client in model space.

Here: MaxAbs scales fitted on the training rows only, and the scaled train and test rows of a window.
Not here: what the scaled rows mean to the model (model/mean.py), bringing draws back to original units
(results/predictive.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmm_engine.array_types import Floats
from mmm_engine.client.config import ClientConfig
from mmm_engine.client.windows import Window
from mmm_engine.errors import DataError, Fault
from mmm_engine.rows.calendar import Calendar, Period
from mmm_engine.rows.client_data import ClientData
from mmm_engine.rows.wandering_baseline import baseline_scale

_SPEND = (
    "spend: "  # prefix of the money columns in `ScaledInputs.frame`, where a channel has a cost of its own
)


@dataclass(frozen=True)
class Scales:
    """One positive number per column; dividing by it puts the training rows in [-1, 1]. And one for the baseline.

    Attributes:
        target: Scale of the target, original units.
        media: Scale of each channel, in the units of its media column.
        controls: Scale of each control.
        baseline: Size of the steps of a baseline that wanders, as a multiple of what their prior says
            (wandering_baseline.py); 1 in windows of versions that did not judge it.
    """

    target: float
    media: dict[str, float]
    controls: dict[str, float]
    baseline: float = 1.0

    def media_array(self) -> Floats:
        """Scales of the channels in their order, shape (channel,)."""
        return np.array(list(self.media.values()), dtype=float)

    def control_array(self) -> Floats:
        """Scales of the controls in their order, shape (control,)."""
        return np.array(list(self.controls.values()), dtype=float)


@dataclass(frozen=True)
class ScaledInputs:
    """One window of one client: training rows first, held-out rows after them.

    Attributes:
        window: Which rows are held out.
        config: The client's configuration.
        calendar: Dates of all rows and their period.
        scales: Fitted on the training rows only.
        train_rows: How many of them the model is fitted on.
        target_scaled: Model space, shape (date,).
        media_scaled: Model space, shape (date, channel).
        controls_scaled: Model space, shape (date, control).
        spend: Money per channel, original units, shape (date, channel); of a channel that no money buys its media.
        data_version: Version of the client's rows.
    """

    window: Window
    config: ClientConfig
    calendar: Calendar
    scales: Scales
    train_rows: int
    target_scaled: Floats
    media_scaled: Floats
    controls_scaled: Floats
    spend: Floats
    data_version: str

    @property
    def period(self) -> Period:
        """What one row is: a day, a week or a month."""
        return self.calendar.period

    @cached_property
    def dates(self) -> pd.DatetimeIndex:
        """Dates of all rows, shape (date,)."""
        return pd.DatetimeIndex(self.calendar.days.astype("datetime64[ns]"), name="date")

    @property
    def cutoff(self) -> pd.Timestamp:
        """Last training date."""
        return pd.Timestamp(self.dates[self.train_rows - 1])

    @property
    def money_in_training(self) -> Floats:
        """Money per channel over the training rows, original units, shape (channel,); 0 where none buys its media."""
        return np.where(self.config.paid, self.spend[: self.train_rows].sum(axis=0), 0.0)

    def first(self, rows: int) -> ScaledInputs:
        """The window's first `rows` rows, under the same name and scales."""
        return replace(
            self,
            calendar=self.calendar.first(rows),
            train_rows=min(self.train_rows, rows),
            target_scaled=self.target_scaled[:rows],
            media_scaled=self.media_scaled[:rows],
            controls_scaled=self.controls_scaled[:rows],
            spend=self.spend[:rows],
        )

    def extended(self, media_scaled: Floats, controls_scaled: Floats) -> ScaledInputs:
        """The window with rows appended that follow its last one and whose target and spend nobody knows (NaN).

        Args:
            media_scaled: Media of the new rows, model space, shape (new row, channel).
            controls_scaled: Their controls, model space, shape (new row, control).
        """
        count = len(media_scaled)
        return replace(
            self,
            calendar=self.calendar.extended(count),
            target_scaled=np.concatenate([self.target_scaled, np.full(count, np.nan)]),
            media_scaled=np.vstack([self.media_scaled, media_scaled]),
            controls_scaled=np.vstack([self.controls_scaled, controls_scaled]),
            spend=np.vstack([self.spend, np.full((count, self.spend.shape[1]), np.nan)]),
        )

    @property
    def horizon(self) -> int:
        """Number of held-out rows."""
        return len(self.dates) - self.train_rows

    @property
    def target(self) -> Floats:
        """Observed target, original units, shape (date,)."""
        return self.target_scaled * self.scales.target

    @property
    def split(self) -> NDArray[np.str_]:
        """Whether each row is "train" or "test", shape (date,)."""
        return np.where(np.arange(len(self.dates)) < self.train_rows, "train", "test")

    def frame(self) -> pd.DataFrame:
        """All rows as one tidy frame in model space, with `date` and `split`, for storing as Parquet."""
        config = self.config
        columns: dict[str, Any] = {
            "date": self.dates,
            "split": self.split,
            config.target.column: self.target_scaled,
        }
        columns |= dict(zip(config.channel_names, self.media_scaled.T, strict=True))
        columns |= dict(zip(config.control_names, self.controls_scaled.T, strict=True))
        columns |= {
            _SPEND + name: column for name, column in zip(config.channel_names, self.spend.T, strict=True)
        }
        return pd.DataFrame(columns)

    def record(self) -> dict[str, Any]:
        """Everything `frame` does not hold, as plain values that JSON can keep."""
        return {
            "window": self.window.name,
            "client": self.config.client,
            "period": self.period,
            "cutoff": self.cutoff.isoformat(),
            "data_version": self.data_version,
            "config": self.config.model_dump(mode="json"),
            "scales": asdict(self.scales),
        }

    @classmethod
    def from_record(cls, frame: pd.DataFrame, record: Mapping[str, Any]) -> ScaledInputs:
        """The inputs that `frame` and `record` were written from."""
        config = ClientConfig.from_record(record["config"])
        names = list(config.channel_names)
        return cls(
            window=Window.named(record["window"]),
            config=config,
            calendar=Calendar(frame["date"].to_numpy(), record["period"]),
            scales=Scales(**record["scales"]),
            train_rows=int((frame["split"] == "train").sum()),
            target_scaled=frame[config.target.column].to_numpy(float),
            media_scaled=frame[names].to_numpy(float),
            controls_scaled=frame[list(config.control_names)].to_numpy(float),
            spend=frame[[_SPEND + name for name in names]].to_numpy(float),
            data_version=record["data_version"],
        )


def scale_window(data: ClientData, window: Window) -> ScaledInputs:
    """The client's rows with the last ones held out, scaled on the rows before.

    A channel or control that is 0 in all training rows stays 0 in the held-out ones: nothing was learnt of its effect,
    and a prior that has not met any row could add more than all sales to a forecast. `unseen_in_training` names them.

    Args:
        data: Validated rows of the client.
        window: How much at the end the model does not see, and the name under which the split is stored.

    Raises:
        DataError: If fewer training rows than the longest lag + 2 remain.
    """
    train_rows = window.train_rows(data.period, len(data))
    held_out = len(data) - train_rows
    needed = data.config.longest_lag + 2
    if held_out < 0 or train_rows < needed:
        raise DataError(
            f"client '{data.config.client}'",
            Fault(
                f"window '{window}'",
                f"{max(train_rows, 0)} training rows of {len(data)} after holding out {held_out}",
                f"at least {needed} training rows",
                "hold out fewer rows or add history",
            ),
        )
    scales = fit_scales(data.first(train_rows))
    media, controls = data.media / scales.media_array(), data.controls / scales.control_array()
    for columns in (media, controls):
        columns[train_rows:, _is_zero(columns[:train_rows])] = 0.0
    return ScaledInputs(
        window=window,
        config=data.config,
        calendar=data.calendar,
        scales=scales,
        train_rows=train_rows,
        target_scaled=data.target / scales.target,
        media_scaled=media,
        controls_scaled=controls,
        spend=data.spend,
        data_version=data.data_version,
    )


def fit_scales(train: ClientData) -> Scales:
    """MaxAbs scale of every column of the training rows, and how far the baseline wanders in them.

    A column that is zero in all training rows gets the scale 1: nothing is divided by zero.
    """
    config = train.config
    target = float(_max_abs(train.target[:, None])[0])
    largest, controls = _max_abs(train.media), _max_abs(train.controls)
    media = largest.copy()
    # the logarithm needs no scale and is not free of it: as in pymc-marketing it sees the media's own units
    media[[(channel.saturation or config.model.saturation) == "log" for channel in config.channels]] = 1.0
    return Scales(
        target=target,
        media=dict(zip(config.channel_names, media.tolist(), strict=True)),
        controls=dict(zip(config.control_names, controls.tolist(), strict=True)),
        baseline=baseline_scale(
            train, train.target / target, train.media / largest, train.controls / controls
        ),
    )


def unseen_in_training(inputs: ScaledInputs) -> tuple[str, ...]:
    """Channels and controls without a training row above or below 0: they begin in the held-out rows, or later."""
    names = (*inputs.config.channel_names, *inputs.config.control_names)
    is_zero = _is_zero(np.hstack([inputs.media_scaled, inputs.controls_scaled])[: inputs.train_rows])
    return tuple(name for name, unseen in zip(names, is_zero, strict=True) if unseen)


def constant_in_training(inputs: ScaledInputs) -> tuple[str, ...]:
    """Channels and controls that do not vary within the training rows, so that only their prior speaks."""
    names = (*inputs.config.channel_names, *inputs.config.control_names)
    rows = np.hstack([inputs.media_scaled, inputs.controls_scaled])[: inputs.train_rows]
    return tuple(name for name, column in zip(names, rows.T, strict=True) if np.ptp(column) == 0.0)


def _is_zero(rows: Floats) -> NDArray[np.bool_]:
    """Whether each column is 0 in all rows, shape (column,)."""
    zero: NDArray[np.bool_] = (rows == 0.0).all(axis=0)
    return zero


def _max_abs(rows: Floats) -> Floats:
    # as scikit-learn's MaxAbsScaler, whose import alone takes a second; a test holds the two together
    largest = np.abs(rows).max(axis=0)
    return np.where(largest == 0.0, 1.0, largest)


def without_scaling(inputs: ScaledInputs) -> ScaledInputs:
    """The same window in original units: every scale is 1."""
    scales = inputs.scales
    return replace(
        inputs,
        scales=Scales(
            1.0, dict.fromkeys(scales.media, 1.0), dict.fromkeys(scales.controls, 1.0), scales.baseline
        ),
        target_scaled=inputs.target,
        media_scaled=inputs.media_scaled * scales.media_array(),
        controls_scaled=inputs.controls_scaled * scales.control_array(),
    )
