"""Windows and their names: one value, one place that knows how it is called."""

from __future__ import annotations

import numpy as np
import pytest

from mmm_engine.client.windows import (
    FULL,
    LONGEST_WINDOW,
    STANDARD_WINDOWS,
    Window,
    standard_window,
    windows_holding_out,
)
from mmm_engine.errors import ConfigError, DataError


def test_windows_of_a_refresh() -> None:
    """All rows first, then one, two and three months of weeks held out."""
    assert [(window.name, window.holdout) for window in STANDARD_WINDOWS] == [
        ("full", 0), ("h04", 4), ("h08", 8), ("h12", 12),
    ]  # fmt: skip
    assert STANDARD_WINDOWS[0] == FULL


@pytest.mark.parametrize(("rows", "name"), [(0, "full"), (4, "h04"), (12, "h12"), (100, "h100")])
def test_a_window_has_its_name_and_is_found_by_it(rows: int, name: str) -> None:
    """There and back; in a sentence it is its name."""
    window = Window.holding_out(rows)
    assert (window.name, str(window), f"{window}") == (name, name, name)
    assert Window.named(name) == window


@pytest.mark.parametrize(("period", "rows"), [("day", 56), ("week", 8), ("month", 8)])
def test_windows_of_daily_rows_are_whole_weeks(period: str, rows: int) -> None:
    """Each day of the week is held out as often as the others; weeks and months count as they are."""
    assert Window.holding_out(8).rows(period, 400) == rows
    assert FULL.rows(period, 400) == 0


@pytest.mark.parametrize(("available", "rows"), [(167, 12), (168, 84)])
def test_a_short_daily_history_holds_out_days(available: int, rows: int) -> None:
    """From 24 weeks on the longest window leaves as many rows as it takes."""
    assert LONGEST_WINDOW.rows("day", available) == rows


@pytest.mark.parametrize("name", ["", "h4", "h00", "h004", "H04", "h-4", "h04 ", "recovery", "h٠٤"])
def test_a_name_that_no_window_has_is_refused(name: str) -> None:
    """Nothing is guessed: stored files and keys carry names exactly."""
    with pytest.raises(ConfigError, match="number of held-out rows"):
        Window.named(name)


def test_a_window_that_no_refresh_has_is_refused() -> None:
    """The message lists the windows there are."""
    assert standard_window("h08") == Window.holding_out(8)
    with pytest.raises(ConfigError, match="one of full, h04, h08, h12"):
        standard_window("h99")


def test_holdouts_of_a_user_become_windows() -> None:
    """Whole numbers of any kind, in their order."""
    assert windows_holding_out([8, np.int64(4)], "toy") == (Window.holding_out(8), Window.holding_out(4))


@pytest.mark.parametrize("holdouts", [[], [0], [4, 4], [-4], [4.0], ["4"], [4, 0]])
def test_holdouts_that_no_window_can_be_made_of_are_refused(holdouts: list[object]) -> None:
    """None, not whole, not above 0, or twice."""
    with pytest.raises(DataError, match="different whole numbers above 0"):
        windows_holding_out(holdouts, "toy")  # type: ignore[arg-type]
