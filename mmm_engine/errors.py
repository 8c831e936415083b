"""The errors that users meet: who, what was found, what was wanted, what to do.

Here: one fault, and the exceptions that carry all faults of one file at once.
Not here: findings that warn but do not stop (rows/findings.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST_SHOWN = 100  # faults in one message; a file with more of them is not mended by reading on


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, in the four parts every message has.

    Attributes:
        where: Column, row or setting, as an editor shows it ("column 'tv', row 12").
        found: What stands there now.
        wanted: What should stand there.
        fix: What the reader can do about it.
    """

    where: str
    found: str
    wanted: str
    fix: str

    def __str__(self) -> str:
        """One line with all four parts."""
        return visible(f"{self.where}: found {self.found}; wanted {self.wanted}; {self.fix}")


def visible(text: str) -> str:
    r"""A text in which characters that would steer a terminal, or show nothing, stand as their escapes.

    >>> print(visible("red: \x1b[31m"))
    red: \x1b[31m
    """
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


class MMMError(Exception):
    """Base of every error the platform raises on purpose.

    Args:
        who: Whose problem it is, with the file ("client 'ms', data/ms.csv").
        faults: All faults found, in the order of the file.
    """

    def __init__(self, who: str, faults: Fault | Sequence[Fault]) -> None:
        self.who = who
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__(str(self))

    def __str__(self) -> str:
        """The whole message: one line for a single fault, a numbered list for several, cut off after many."""
        if len(self.faults) == 1:
            return f"{visible(self.who)}: {self.faults[0]}"
        lines = [f"{visible(self.who)}: {len(self.faults)} faults"]
        lines += [f"  {number}. {fault}" for number, fault in enumerate(self.faults[:MOST_SHOWN], start=1)]
        if len(self.faults) > MOST_SHOWN:
            lines.append(f"  … and {len(self.faults) - MOST_SHOWN:,} more")
        return "\n".join(lines)


class ConfigError(MMMError):
    """A client file (YAML) that cannot be used as it stands."""


class DataError(MMMError):
    """Rows of a client that break the data contract."""


class FitError(MMMError):
    """A fit that could not be started or finished."""


class HistoryError(MMMError):
    """A metric history that cannot be read or written."""


class DamagedHistoryError(HistoryError):
    """A metric history whose file is damaged; it can be made again from its facts."""
