"""An experiment as a client's settings say it.

Here: `LiftTest`, what it may say and what its change of media means for the rows; tests of channels that are not there.
Not here: tables of lift tests (lift_tests.py), which rows a test covers (rows/lift_windows.py), how it enters the
likelihood (model/lift_tests.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from mmm_engine.client.model_config import Day
from mmm_engine.client.validation import Frozen, Problem, nearest, refusal
from mmm_engine.files.yaml_document import shorten

if TYPE_CHECKING:
    from mmm_engine.array_types import Floats


MOST_TESTS = 1000
"""Lift tests of a client: each is a term of its own in the likelihood."""


class LiftTest(Frozen):
    """An experiment: what more (or less) of a channel brought, in original units.

    From the period of ``date`` to that of ``end`` (the same, where it is not written) the channel had ``delta_x`` more
    media in each period than it would have had. In these periods and the ``cool_down`` periods after them the target
    was ``delta_y`` higher, all of them together, known up to a standard error of ``sigma``.

    Without the test there would have been ``x`` in each period; with ``x`` None, what the rows have less ``delta_x``.
    A test in some regions only has their part of the target as ``share``; ``x``, ``delta_x`` and ``delta_y`` then are
    those of the regions.

    Both of the following widen ``sigma``, as shares of the effect: ``heterogeneity`` is the standard deviation between
    effects of one channel in different tests, ``ageing`` that of what a year changes in them.
    """

    channel: str
    date: Day
    end: Day | None = None
    cool_down: Annotated[int, Field(ge=0, le=104)] = 0
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    x: Annotated[float, Field(ge=0)] | None = None
    delta_x: float
    delta_y: float
    sigma: Annotated[float, Field(gt=0)]
    heterogeneity: Annotated[float, Field(ge=0)] = 0.0
    ageing: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _check_step(self) -> LiftTest:
        problems = []
        if self.delta_x == 0 or (self.x is not None and self.x + self.delta_x < 0):
            before = "" if self.x is None else f", to not less than 0 (x is {self.x:g})"
            found, wanted = f"{self.delta_x:g}", f"a change{before}"
            problems.append(Problem(("delta_x",), found, wanted, "correct the row of this test"))
        if self.end is not None and self.end < self.date:
            problems.append(Problem(("end",), self.end, f"{self.date} or later", "swap the two days"))
        if problems:
            raise refusal(*problems)
        return self

    def media_paths(self, media: Floats) -> tuple[Floats, Floats]:
        """Media of the rows of the test without the change and with it, as if the whole series had been in it.

        The regions of the test have the response curve of the whole at the same media per head, so their media are
        divided by ``share``. The rows have the media of all regions: what the test added to them is taken off first.

        Args:
            media: Media in the rows of the test, original units, shape (date,).

        Returns:
            Two arrays of that shape and unit.
        """
        without = media - self.delta_x if self.x is None else 0.0 * media + self.x / self.share
        return without, without + self.delta_x / self.share


def lift_test_problems(tests: Iterable[LiftTest], channels: Sequence[str]) -> Iterator[Problem]:
    """Lift tests of channels that the client does not have."""
    for index, test in enumerate(tests):
        if test.channel not in channels:
            fix = nearest(test.channel, channels) or "correct the row of this test"
            wanted = f"one of {', '.join(channels)}"
            yield Problem(("lift_tests", index, "channel"), shorten(test.channel), wanted, fix)
