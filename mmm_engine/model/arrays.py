"""The arrays that the model's formulas take: what they hold, their axes, and how a window's rows become them.

Here: `ModelData`, in which each array is declared once with its axes; its values from a window.
Not here: the formulas (mean.py, likelihood.py), rows and scales (rows/window.py), what only the sampler's coordinates
look at (posterior/geometry.py).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from mmm_engine.array_types import Array, Floats
from mmm_engine.compiler.inputs import axes_of, declared
from mmm_engine.model.calendar_terms import (
    event_occurrences,
    holiday_shares,
    trend_hinges,
    weekday_contrasts,
)
from mmm_engine.model.lift_arrays import lift_arrays
from mmm_engine.model.media_transforms import lagged
from mmm_engine.model.return_specification import return_arrays
from mmm_engine.model.specification import ModelSpecification
from mmm_engine.model.terms import WEEKDAY_CONTRASTS, TimeProcess
from mmm_engine.model.time_variation import fourier_modes, hsgp_basis, hsgp_frequencies
from mmm_engine.rows.wandering_baseline import baseline_steps
from mmm_engine.rows.window import ScaledInputs

DYNAMIC_AXES = ("rows", "occurrences", "tests", "test_rows")
"""Axes whose lengths come with the data; the specification knows the others (`axis_sizes`)."""

HALF_WIDTH_PER_ROW = 1.5

NEAR_ZERO = 0.1
"""A control whose smallest size is less than this share of its largest comes near 0."""

MORE_MEDIA = 0.01
"""Marginal returns: what one per cent more media in every period brings."""


@dataclass(frozen=True)
class ModelData:
    """The arrays a specification is fed with, in model space; each field names the array's axes."""

    media_lagged: Array = declared("lag", "rows", "channel", shifted=True)
    """Media of the row itself and of the rows before it."""
    controls: Array = declared("rows", "control")
    fourier: Array = declared("rows", "fourier_mode")
    """Sines and cosines of the day of the year."""
    media_basis: Array = declared("rows", "media_basis")
    """Basis functions of the time variation of the media."""
    media_frequencies: Array = declared("media_basis")
    intercept_basis: Array = declared("rows", "intercept_basis")
    intercept_frequencies: Array = declared("intercept_basis")
    baseline_time: Array = declared("rows", "baseline_slope")
    """Time since the first training row, as a share of the time between the first and the last."""
    baseline_steps: Array = declared("rows", "knot")
    """How much of each step of the baseline lies behind a row, from 0 to 1, times the size of the steps."""
    trend: Array = declared("rows", "changepoint")
    """Hinges: rows since each changepoint over all rows, 0 before it."""
    weekdays: Array = declared("rows", "weekday_contrast")
    """Contrasts of the days of the week."""
    holidays: Array = declared("rows", "holiday")
    """Share of a row's days that are holidays: any, then each."""
    event_days: Array = declared("rows", "occurrences")
    """Days to the nearest day of each occurrence of an event."""
    event_shares: Array = declared("rows", "occurrences")
    """What of each occurrence may fall on a row."""
    event_members: Array = declared("occurrences", "event")
    """1 where an occurrence is one of an event, else 0."""
    lift_without: Array = declared("lag", "test_rows", "lift_channel")
    """Media of each row of a lift test and of the rows before it, as they would have been without the test."""
    lift_with: Array = declared("lag", "test_rows", "lift_channel")
    """The same with it."""
    lift_share: Array = declared("test_rows", "lift_channel")
    """The share of the series that was in the test; 0 where there is none (lift_arrays.py tells the order)."""
    lift_rows: Array = declared("test_rows", "lift_channel", "rows")
    """1 at the row that it is, else 0."""
    lift_blocks: Array = declared("tests", "test_rows")
    """1 where a row is one of the first, second, ... test of its channel, else 0."""
    lift_gain: Array = declared("tests", "lift_channel")
    """What each test measured."""
    lift_sigma: Array = declared("tests", "lift_channel")
    """Its standard error."""
    lift_variation: Array = declared("tests", "lift_channel")
    """Variance between tests and over time, as a share of the squared effect."""
    lift_counts: Array = declared("tests", "lift_channel")
    """1 where a channel has such a test, else 0."""
    training: Array = declared("rows")
    """1 over the number of training rows in these rows, else 0: weights of a mean."""
    target_scaled: Array = declared("rows")
    likelihood_power: Array = declared()
    """Power of the likelihood of the rows: how much each of them counts."""
    return_expected: Array = declared("channel")
    """Sum of contributions that the prior on a channel's return is centred on."""
    return_sigma: Array = declared("channel")
    """Standard deviation of the logarithm of a return around its centre, or around the level that channels share; its
    scale where it is learnt."""
    level_sigma: Array = declared()
    """Standard deviation of the logarithm of that level."""
    silent: Array = declared("channel")
    """1 where a channel has no media in the training rows, else 0."""

    def arrays(self) -> dict[str, Array]:
        """The arrays by name, in the fixed order in which compiled code takes them."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}


def axis_sizes(specification: ModelSpecification) -> dict[str, int]:
    """Lengths of the axes that a specification fixes."""
    return {
        "lag": specification.max_lag,
        "channel": specification.n_channels,
        "control": specification.n_controls,
        "fourier_mode": 2 * specification.fourier_order,
        "media_basis": specification.media_process.n_basis if specification.media_process else 0,
        "intercept_basis": specification.intercept_process.n_basis if specification.intercept_process else 0,
        "baseline_slope": int(specification.baseline_steps > 0),
        "knot": specification.baseline_steps,
        "changepoint": specification.changepoints,
        "weekday_contrast": WEEKDAY_CONTRASTS if specification.has_weekdays else 0,
        "holiday": 1 + specification.n_holidays if specification.n_holidays else 0,
        "event": specification.n_events,
        "lift_channel": len(specification.lift_channels),
    }


def model_data(inputs: ScaledInputs, specification: ModelSpecification) -> ModelData:
    """Arrays of all rows of a window, train then test: carry-over crosses the cutoff by itself."""
    rows = len(inputs.dates)
    fourier = np.zeros((rows, 0))
    if specification.fourier_order:
        fourier = fourier_modes(inputs.dates.day_of_year.to_numpy(float), specification.fourier_order)
    media_basis, media_frequencies = process_basis(specification.media_process, rows, inputs.train_rows)
    intercept_basis, intercept_frequencies = process_basis(
        specification.intercept_process, rows, inputs.train_rows
    )
    event_days, event_shares, event_members = event_occurrences(inputs.config.model.events, inputs.calendar)
    baseline_time, steps = baseline_steps(inputs.calendar, inputs.train_rows, inputs.config.model.baseline)
    return ModelData(
        media_lagged=lagged(inputs.media_scaled, specification.max_lag),
        controls=inputs.controls_scaled - control_references(inputs),
        fourier=fourier,
        media_basis=media_basis,
        media_frequencies=media_frequencies,
        intercept_basis=intercept_basis,
        intercept_frequencies=intercept_frequencies,
        baseline_time=baseline_time,
        baseline_steps=steps * inputs.scales.baseline,
        trend=trend_hinges(inputs.calendar, inputs.train_rows, specification.changepoints),
        weekdays=weekday_contrasts(inputs.calendar) if specification.has_weekdays else np.zeros((rows, 0)),
        holidays=holiday_shares(inputs.calendar, inputs.config.model.holidays),
        event_days=event_days,
        event_shares=event_shares,
        event_members=event_members,
        **lift_arrays(inputs, specification.max_lag),
        training=np.where(np.arange(rows) < inputs.train_rows, 1.0 / inputs.train_rows, 0.0),
        target_scaled=inputs.target_scaled,
        likelihood_power=np.asarray(inputs.config.model.likelihood_power),
        **return_arrays(inputs, specification.returns),
    )


def control_references(inputs: ScaledInputs) -> Floats:
    """The values from which contributions of controls count, shape (control,), scaled.

    A price that is never near 0 says what sales do when it changes, not what they would be at a price of 0: counted
    from 0 its contribution is most of the target and trades off against the baseline, which no data can tell apart.
    """
    training = inputs.controls_scaled[: inputs.train_rows]
    preset_takes_means = inputs.config.model.preset == "calibrated"
    references = np.zeros(training.shape[1])
    for position, control in enumerate(inputs.config.controls):
        values = training[:, position]
        low, high = np.abs(values).min(), np.abs(values).max()
        far_from_zero = (
            preset_takes_means and low >= NEAR_ZERO * high and abs(np.sign(values).sum()) == len(values)
        )
        if control.reference == "mean" or (control.reference is None and far_from_zero):
            references[position] = values.mean()
    return references


def first_rows[Data: ModelData](data: Data, rows: int) -> Data:
    """The arrays of the first rows only."""
    shorter = {}
    for name, axes in axes_of(data).items():
        if "rows" in axes:
            kept = tuple(slice(rows) if axis == "rows" else slice(None) for axis in axes)
            shorter[name] = getattr(data, name)[kept]
    return replace(data, **shorter)


def with_media[Data: ModelData](data: Data, factor: float) -> Data:
    """The same rows with so much of the media of every channel."""
    return replace(data, media_lagged=data.media_lagged * factor)


def process_basis(process: TimeProcess | None, rows: int, train_rows: int) -> tuple[Floats, Floats]:
    """Basis functions of a time-varying term at each row, shape (rows, basis), and their frequencies.

    Args:
        process: The term; None has no basis functions.
        rows: Rows wanted, from the first.
        train_rows: The basis is laid around these.
    """
    if process is None:
        return np.zeros((rows, 0)), np.zeros(0)
    width = half_width(process, train_rows)
    basis = hsgp_basis(np.arange(rows, dtype=float), (train_rows - 1) / 2.0, width, process.n_basis)
    return basis, hsgp_frequencies(width, process.n_basis)


def half_width(process: TimeProcess, train_rows: int) -> float:
    """Half-width L of the basis of a time-varying term, in rows."""
    return process.half_width or HALF_WIDTH_PER_ROW * train_rows
