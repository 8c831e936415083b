"""Spend of several channels as variables, and what it brings as functions that can be made large.

Here: `BudgetProblem`: totals per channel or amounts per period, the mean response and its derivatives, draws of it.
Not here: one channel's response (channel_response.py), the search (ascent.py, s_curves.py), attitudes to risk
(risk.py).

The response is a sum over channels, so that derivatives with respect to spend of two channels vanish.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.decisions.ascent import Function, Limits
from mmm_engine.decisions.channel_response import ChannelResponse, MeanLine


@dataclass(frozen=True, eq=False)
class BudgetProblem:
    """Channels, variables and limits.

    Variables z are totals per channel, shape (channel,), each spread over the periods in fixed shares; or amounts per
    period, shape (channel * period,), those of a channel beside one another.

    Attributes:
        responses: One per channel.
        shares: Shares of the periods in each total, shape (period, channel), columns adding up to one; None where each
            period of a channel is a variable.
        limits: Of z.
    """

    responses: tuple[ChannelResponse, ...]
    shares: Floats | None
    limits: Limits

    @property
    def periods(self) -> int:
        """Periods of the window."""
        return self.responses[0].periods

    @property
    def by_period(self) -> bool:
        """Whether each period of a channel is a variable."""
        return self.shares is None

    def of_draws(self, chosen: slice) -> BudgetProblem:
        """The same problem over some of the draws."""
        return replace(self, responses=tuple(response.of_draws(chosen) for response in self.responses))

    def with_limits(self, limits: Limits) -> BudgetProblem:
        """The same responses under other limits."""
        changed = replace(self, limits=limits)
        if "_lines" in vars(self):
            vars(changed)["_lines"] = self._lines  # they do not hang on limits
        return changed

    def spend(self, z: Floats) -> Floats:
        """The plan that variables stand for: money, shape (period, channel)."""
        if self.shares is not None:
            return np.asarray(self.shares * z)
        return np.ascontiguousarray(z.reshape(len(self.responses), self.periods).T)

    def variables(self, spend: Floats) -> Floats:
        """The variables of a plan of shape (period, channel); its totals where shares are fixed."""
        return np.asarray(spend.sum(axis=0) if self.shares is not None else spend.T.ravel())

    def draws(self, z: Floats) -> Floats:
        """What the plan brings, shape (draw,)."""
        return np.asarray(self.channel_draws(self.spend(z)).sum(axis=0))

    def channel_draws(self, spend: Floats) -> Floats:
        """What each channel of a plan brings, shape (channel, draw)."""
        return np.stack([response.draws(spend[:, at]) for at, response in enumerate(self.responses)])

    def gradient_draws(self, z: Floats) -> Floats:
        """Derivatives of `draws` with respect to the variables, shape (n, draw)."""
        spend = self._inner(self.spend(z))
        pieces = [response.gradient_draws(spend[:, at]) for at, response in enumerate(self.responses)]
        if self.shares is None:
            return np.concatenate(pieces)
        return np.stack([self.shares[:, at] @ piece for at, piece in enumerate(pieces)])

    def mean(self, z: Floats) -> tuple[float, Floats, Floats]:
        """Mean response, gradient and Hessian in the variables: a number, shape (n,), shape (n, n)."""
        if self.shares is None:
            return self.weighted(z, np.full(self._draws, 1.0 / self._draws))
        inner = np.maximum(z, self._floor)
        sums = np.array([line(inner[at : at + 1])[0] for at, line in enumerate(self._lines)])
        for at in np.flatnonzero(
            inner > z
        ).tolist():  # the slope of the smallest amount, but the value of what is spent
            sums[at, 0] = self._lines[at](z[at : at + 1])[0, 0]
        return float(sums[:, 0].sum()), sums[:, 1].copy(), np.diag(sums[:, 2])

    def weighted(self, z: Floats, draw_weights: Floats) -> tuple[float, Floats, Floats]:
        """As `mean`, with other weights of the draws, shape (draw,)."""
        spend = self._inner(self.spend(z))
        n, total = len(self.limits.lower), 0.0
        gradient, hessian = np.zeros(n), np.zeros((n, n))
        for at, response in enumerate(self.responses):
            value, slopes, curvatures = response.weighted(spend[:, at], draw_weights)
            total += value
            if self.shares is not None:
                shares = self.shares[:, at]
                gradient[at], hessian[at, at] = shares @ slopes, shares @ curvatures @ shares
            else:
                place = slice(at * self.periods, (at + 1) * self.periods)
                gradient[place], hessian[place, place] = slopes, curvatures
        return total, gradient, hessian

    @property
    def separable(self) -> bool:
        """Whether the response is a sum of functions of one variable each: no spend meets that of another period."""
        return self.shares is not None or all(len(one.weights) == 1 for one in self.responses)

    @property
    def lines(self) -> Sequence[MeanLine]:
        """Mean response to each variable alone; together they are the response where it is separable."""
        return self._lines

    @cached_property
    def _lines(self) -> Sequence[MeanLine]:
        weights = np.full(self._draws, 1.0 / self._draws)
        if self.shares is not None:
            return [one.line(self.shares[:, at], weights) for at, one in enumerate(self.responses)]
        single = np.eye(self.periods)
        return [response.line(period, weights) for response in self.responses for period in single]

    @property
    def _draws(self) -> int:
        return self.responses[0].draws_count

    @property
    def _floor(self) -> Floats | float:
        """The smallest amount at which a slope is taken: at 0 some curves have none, or an infinite one."""
        return 1e-12 * float(self.limits.upper.max(initial=0.0))

    def _inner(self, spend: Floats) -> Floats:
        return np.maximum(spend, self._floor)


def net_of_cost(function: Function, value: float, cost: Floats) -> Function:
    """Profit: `value` times a function less the money that the variables take.

    Args:
        function: The response.
        value: Money per unit of it.
        cost: Money per unit of each variable, shape (n,).
    """

    def profit(z: Floats) -> tuple[float, Floats, Floats]:
        brought, gradient, hessian = function(z)
        return value * brought - float(cost @ z), value * gradient - cost, value * hessian

    return profit
