"""How money is planned: the settings `decision` of a client file, and the words for budgets and objectives.

Here: the settings with their ranges and defaults; `Budget` and `Objective`, read from their words.
Not here: the optimiser (decisions/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from mmm_engine.client.validation import Frozen, PlainText, Problem, nearest, refused
from mmm_engine.files.yaml_document import shorten

BUDGET_WORDS = "an amount, last_4, last_13, profit, roi 2, mroi 1, +20000, -20000, +10% or -10%"
OBJECTIVE_WORDS = "mean, worst 5%, reach 120000 or beat today"
DEFAULT_BASIS = 4
_NUMBER = r"(\d+(?:\.\d+)?(?:e\d+)?)"


@dataclass(frozen=True)
class Budget:
    """How much money there is.

    Attributes:
        kind: "today": as much as in the last rows; "amount"; "more": today's and `number` beside it, no channel below
            today; "less": today's without `number`, no channel above today; "profit": until the next unit of money
            earns just itself; "roi": as much as there can be with an average return of `number`; "mroi": until the
            next unit returns `number`.
        number: As the kind says; for "more" and "less" a share of today's where `is_share`.
        is_share: See `number`.
        basis: How many of the last rows are "today".
    """

    kind: Literal["today", "amount", "more", "less", "profit", "roi", "mroi"]
    number: float = 0.0
    is_share: bool = False
    basis: int = DEFAULT_BASIS

    @classmethod
    def read(cls, text: str | float) -> Budget | None:
        """A budget from its words; None where they are none.

        >>> Budget.read("last_13").basis, Budget.read("+10%").number, Budget.read(5000).kind
        (13, 0.1, 'amount')
        """
        if isinstance(text, int | float):
            return cls("amount", float(text)) if text >= 0 else None
        text = text.strip().lower().replace(",", "")
        if match := re.fullmatch(r"last_(\d{1,2})", text):
            return cls("today", basis=int(match[1])) if int(match[1]) > 0 else None
        if text == "profit":
            return cls("profit")
        if match := re.fullmatch(rf"(roi|mroi) {_NUMBER}", text):
            return cls("roi" if match[1] == "roi" else "mroi", float(match[2]))
        if match := re.fullmatch(rf"([+-]){_NUMBER}(%?)", text):
            share = match[3] == "%"
            number = float(match[2]) / (100.0 if share else 1.0)
            return cls("more" if match[1] == "+" else "less", number, share)
        if match := re.fullmatch(_NUMBER, text):
            return cls("amount", float(match[1]))
        return None


@dataclass(frozen=True)
class Objective:
    """What a plan is chosen for.

    Attributes:
        kind: "mean": the expected response; "worst": the mean of the worst `number` of draws; "reach": the probability
            of a response of at least `number`; "beat": the probability of more than today's plan brings.
        number: As the kind says.
    """

    kind: Literal["mean", "worst", "reach", "beat"]
    number: float = 0.0

    @classmethod
    def read(cls, text: str) -> Objective | None:
        """An objective from its words; None where they are none.

        >>> Objective.read("worst 10%").number, Objective.read("beat today").kind
        (0.1, 'beat')
        """
        text = text.strip().lower().replace(",", "")
        if text == "mean":
            return cls("mean")
        if text == "beat today":
            return cls("beat")
        if (match := re.fullmatch(rf"worst {_NUMBER}%", text)) and 0.0 < float(match[1]) < 100.0:
            return cls("worst", float(match[1]) / 100.0)
        if match := re.fullmatch(rf"reach {_NUMBER}", text):
            return cls("reach", float(match[1]))
        return None


def _as_text(value: object) -> object:
    """An amount that is written as a number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.15g}" if is_number else value


def _checked_budget(text: str) -> str:
    if Budget.read(text) is None:
        raise refused(shorten(text), BUDGET_WORDS, "write one of these")
    return text


def _checked_objective(text: str) -> str:
    if Objective.read(text) is None:
        raise refused(shorten(text), OBJECTIVE_WORDS, "write one of these")
    return text


def _pairs(value: object) -> object:
    """Bounds written as lists."""
    if isinstance(value, Mapping):
        return {name: tuple(pair) if isinstance(pair, list) else pair for name, pair in value.items()}
    return value


def _checked_bounds(bounds: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    for name, (low, high) in bounds.items():
        if low > high:
            found = f"[{low:g}, {high:g}] for {shorten(name)}"
            raise refused(found, "the smaller amount first", "exchange the two")
    return bounds


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Amount = Annotated[float, Field(ge=0)]


class DecisionConfig(Frozen):
    """How the money of the coming rows is planned.

    ``margin`` is what a unit of the target earns before media are paid: the share of revenue that is left, or money per
    conversion. ``within`` is how far a channel's total may move from today's, as a share; ``bounds`` are amounts for
    the whole horizon, which count instead; channels in ``keep`` go on as today.
    """

    margin: Annotated[float, Field(gt=0)] | None = None
    horizon: Annotated[int, Field(ge=1, le=53)] = 4
    budget: Annotated[PlainText, BeforeValidator(_as_text), AfterValidator(_checked_budget)] = "last_4"
    within: Annotated[float, Field(ge=0, le=10)] = 0.3
    bounds: Annotated[
        dict[str, tuple[Amount, Amount]], BeforeValidator(_pairs), AfterValidator(_checked_bounds)
    ] = Field(default_factory=dict)
    keep: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = ()
    objective: Annotated[PlainText, AfterValidator(_checked_objective)] = "mean"

    @property
    def basis(self) -> int:
        """How many of the last rows are "today"."""
        budget = Budget.read(self.budget)
        assert budget is not None  # noqa: S101  (its words were checked)
        return budget.basis

    def name_problems(self, channels: tuple[str, ...]) -> Iterator[Problem]:
        """Channels that are named here and that the client does not have."""
        named = [("bounds", name) for name in self.bounds] + [("keep", name) for name in self.keep]
        for setting, name in named:
            if name not in channels:
                location = ("decision", setting, name) if setting == "bounds" else ("decision", setting)
                fix = nearest(name, channels) or "correct the name"
                yield Problem(location, shorten(name), f"one of {', '.join(channels)}", fix)
