"""Windows: which rows at the end of a client's data a fit does not see.

Here: `Window`, its name in files, tables and messages, the windows of every refresh.
Not here: the rows of a window and their scales (rows/window.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral

from mmm_engine.errors import ConfigError, DataError, Fault

_HOLDOUT_NAME = re.compile(r"h(\d{2,4})")


@dataclass(frozen=True)
class Window:
    """A split of a client's rows into training rows and the held-out rows after them.

    Attributes:
        name: Under which it is stored and shown ("full", "h04"); also its text.
        holdout: How much at the end the fit does not see: rows, or weeks where rows are days (`rows`).

    >>> Window.holding_out(4), str(Window.holding_out(0))
    (Window(name='h04', holdout=4), 'full')
    """

    name: str
    holdout: int

    def rows(self, period: str, available: int) -> int:
        """Number of rows at the end that the fit does not see.

        Of daily rows whole weeks are held out, as long as there are at least `ROWS_FOR_WEEKS` of them: four days say
        nothing of a model, and hold some days of the week more often than others. A shorter history has days held out,
        because weeks would leave next to nothing to train on.

        Args:
            period: Whether rows are days, weeks or months.
            available: How many rows the client has.

        >>> Window.holding_out(4).rows("day", 400), Window.holding_out(4).rows("month", 60)
        (28, 4)
        >>> Window.holding_out(4).rows("day", 100)
        4
        """
        return self.holdout * (7 if period == "day" and available >= ROWS_FOR_WEEKS else 1)

    def train_rows(self, period: str, available: int) -> int:
        """Number of rows that the fit sees, the first ones; below 1 where a history is too short for the window.

        >>> Window.holding_out(4).train_rows("week", 100)
        96
        """
        return available - self.rows(period, available)

    @classmethod
    def holding_out(cls, rows: int) -> Window:
        """The window that holds out so many rows (of daily rows: weeks), with the name that all such windows have."""
        return cls(f"h{rows:02d}" if rows else "full", rows)

    @classmethod
    def named(cls, name: str) -> Window:
        """The window of a name that `holding_out` gave.

        Raises:
            ConfigError: If no window is called so.

        >>> Window.named("h13")
        Window(name='h13', holdout=13)
        """
        numbered = _HOLDOUT_NAME.fullmatch(name)
        window = FULL if name == FULL.name else cls.holding_out(int(numbered[1])) if numbered else None
        if window is None or window.name != name:
            fault = Fault(
                "name", f"'{name}'", "'full', or 'h' and the number of held-out rows ('h04')", "rename it"
            )
            raise ConfigError("window", fault)
        return window

    def __str__(self) -> str:
        """Its name."""
        return self.name


FULL = Window.holding_out(0)
"""All rows: the window that decisions are read from."""

STANDARD_WINDOWS = (FULL, *map(Window.holding_out, (4, 8, 12)))
"""The windows of every refresh, the one with most training rows first."""

LONGEST_WINDOW = max(STANDARD_WINDOWS, key=lambda window: window.holdout)

ROWS_FOR_WEEKS = 2 * 7 * LONGEST_WINDOW.holdout
"""Daily rows from which on windows hold out weeks: the longest one then leaves as many rows as it takes."""


def standard_window(name: str) -> Window:
    """The window of a refresh that has this name.

    Raises:
        ConfigError: If there is none.
    """
    for window in STANDARD_WINDOWS:
        if window.name == name:
            return window
    names = ", ".join(window.name for window in STANDARD_WINDOWS)
    raise ConfigError("refresh", Fault("window", f"'{name}'", f"one of {names}", "choose one of these"))


def windows_holding_out(holdouts: Sequence[int], client: str) -> tuple[Window, ...]:
    """The windows that hold out each number of rows.

    Args:
        holdouts: Numbers of rows (of daily rows: weeks), as a user gave them.
        client: Whose windows they are, for the error.

    Raises:
        DataError: If there is none, one is not a whole number above 0, or one comes twice.
    """
    numbers = list(holdouts) if isinstance(holdouts, Iterable) else [holdouts]
    usable = {int(number) for number in numbers if isinstance(number, Integral) and number > 0}
    if not isinstance(holdouts, Iterable) or not usable or len(usable) != len(numbers):
        found = repr(numbers if isinstance(holdouts, Iterable) else holdouts)
        fault = Fault(
            "holdouts", found, "a list of different whole numbers above 0", "pass for example [4, 8, 12]"
        )
        raise DataError(f"client '{client}'", fault)
    return tuple(Window.holding_out(int(number)) for number in holdouts)
