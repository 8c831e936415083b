"""Changes of the target's level that come at once and last.

Here: finding them beside trend, season, inputs and events.
Not here: changes of unit (findings.py: factors of five and more), single rows that stand out (outliers.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.rows.regressors import Regressors, residual
from mmm_engine.rows.usual_spread import usual_spread

SIDE = 8  # rows before and after a step by which it is judged
STEP_Z = (
    10.0  # robust z of the difference between both sides beyond which a level has changed; drifts reach 9
)
STEP_GAIN = 0.2  # least share of what is left unexplained that all steps together take away
_MOST_STEPS = 4
_BENDS = 4  # of the trend, so that growth that slows down is no step
_OF_WHITE_NOISE = 0.63  # standard deviation of a difference of medians of eight rows each, of rows with 1


@dataclass(frozen=True)
class LevelStep:
    """A change of level.

    Attributes:
        row: The first row of the new level.
        size: How much higher it is, in units of the target.
    """

    row: int
    size: float


def level_steps(rows: Regressors) -> tuple[LevelStep, ...]:
    """Steps of the target that nothing in the client file explains, in the order of time.

    Smooth regressors may bend towards a step, but none of them jumps: what they leave over does. The rows with the
    widest jumps, measured by medians of `SIDE` rows on both sides, are put into the regression together, as one step
    alone says little of a level that drops and comes back. Those stay whose jump is wider than `STEP_Z` robust
    standard deviations of all other differences. A level that drifts makes all differences wide; it is no step.
    """
    if len(rows) < 4 * SIDE:
        return ()
    scale = float(np.abs(rows.target).max())
    target, design = rows.target / scale, _regressors(rows)
    if len(rows) - design.shape[1] < 2 * SIDE:
        return ()
    found: list[int] = []
    while len(found) < _MOST_STEPS and (row := _widest(target, design, found)) is not None:
        found.append(row)
    while found:
        jumps = _jumps(target, design, found)
        least = min(jumps, key=lambda row: jumps[row])
        if jumps[least] > STEP_Z:
            break
        found.remove(least)
    found.sort()
    everything = np.column_stack([design, _steps(len(target), found)])
    if not found or _squares(target, everything) > (1 - STEP_GAIN) * _squares(target, design):
        return ()
    sizes = np.linalg.lstsq(everything, target, rcond=None)[0][-len(found) :]
    return tuple(LevelStep(row, float(size) * scale) for row, size in zip(found, sizes, strict=True))


def _regressors(rows: Regressors) -> Floats:
    """Whatever may explain the target but for its level, shape (date, regressor)."""
    events = [rows.within(event) for event in rows.config.model.events]
    of_events = np.column_stack(events).astype(float) if events else np.empty((len(rows), 0))
    bends = np.linspace(-1, 1, _BENDS + 2)[1:-1]
    bent = np.maximum(rows.line()[:, 1:] - bends, 0.0)
    return np.column_stack(
        [rows.trend(), bent, rows.yearly(), rows.holidays(), of_events, rows.standardised(rows.inputs)]
    )


def _widest(target: Floats, design: Floats, found: list[int]) -> int | None:
    """The row at which what is left jumps most beside known steps; None where no row is far enough from them."""
    known = np.column_stack([design, _steps(len(target), found)])
    sizes = np.abs(_differences(residual(target, known)))
    free = [at for at in range(len(sizes)) if all(abs(at + SIDE - row) >= SIDE for row in found)]
    if not free:
        return None
    widest = max(free, key=lambda at: sizes[at]) + SIDE
    near = [at + SIDE for at in free if abs(at + SIDE - widest) <= SIDE // 2]
    return min(near, key=lambda row: _squares(target, np.column_stack([known, _steps(len(target), [row])])))


def _jumps(target: Floats, design: Floats, found: list[int]) -> dict[int, float]:
    """How wide the target jumps at each of some steps, in robust standard deviations of differences elsewhere."""
    steps = _steps(len(target), found)
    everything = np.column_stack([design, steps])
    left = residual(target, everything)
    sizes = np.linalg.lstsq(everything, target, rcond=None)[0][-len(found) :]
    away = [at for at in range(len(target)) if all(abs(at - row) >= SIDE for row in found)]
    differences = _differences(left)
    elsewhere = [differences[at - SIDE] for at in away if SIDE <= at <= len(target) - SIDE]
    if len(elsewhere) < 2 * SIDE:
        return dict.fromkeys(found, 0.0)
    noise = float(usual_spread(left))
    spread = max(float(usual_spread(np.array(elsewhere), about=0.0)), _OF_WHITE_NOISE * noise, 1e-9)
    jumped = [
        abs(_differences(left + step * size)[row - SIDE])
        for row, step, size in zip(found, steps.T, sizes, strict=True)
    ]
    return {row: float(jump) / spread for row, jump in zip(found, jumped, strict=True)}


def _differences(values: Floats) -> Floats:
    """Median of `SIDE` rows from each row on, less that of the rows before it; first that of row `SIDE`."""
    medians = np.median(np.lib.stride_tricks.sliding_window_view(values, SIDE), axis=1)
    differences: Floats = medians[SIDE:] - medians[:-SIDE]
    return differences


def _squares(target: Floats, design: Floats) -> float:
    left = residual(target, design)
    return float(left @ left)


def _steps(count: int, rows: list[int]) -> Floats:
    """0 before and 1 from each of some rows on, shape (date, step)."""
    return np.asarray(np.arange(count)[:, None] >= np.asarray(rows, dtype=int)[None, :], dtype=float)
