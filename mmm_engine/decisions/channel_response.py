"""What one channel's spend in the coming periods brings, draw by draw, with carry-in and carry-out.

Here: `ChannelResponse`, from money per period to draws of the target, and its derivatives.
Not here: where its arrays come from (planning_window.py), several channels together (budget_problem.py).

With spend x_t in the periods t = 0 .. T - 1 of a window and adstock weights w_l,

    media        u_t = rate_t x_t^(1 - g) reference_t^g
    with carry   A_r = carry_in_r + sum over l of w_l u_(r - l)
    response     R   = sum over rows r of factor_r (f(A_r) - f(carry_in_r))

for each draw. Rows go on after the window until its last spend has stopped working; media after the window count as
none, so that spend that nobody has decided on is not credited. g is 0 but where prices rise with what is bought.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mmm_engine.array_types import Floats, Integers
from mmm_engine.decisions.curves import LineCurve, curve_with_slopes


@dataclass(frozen=True, eq=False)
class ChannelResponse:
    """Draws of one channel's response.

    Attributes:
        name: Of the channel.
        kind: Its saturation.
        parameters: Shape parameters of the curve, each of shape (draw,).
        weights: Adstock weights, shape (lag, draw).
        carry_in: Media of the rows before the window that still works, model space, shape (row, draw).
        factor: Target per unit of the curve, shape (row, draw): scale of the curve, time variation, target's scale.
        rate: Media (model space) per unit of money, shape (period,).
        price_growth: g in [0, 1): how fast the price of media grows with what is spent in a period.
        reference: Spend at which `rate` is the price, shape (period,); of no consequence where g is 0.
    """

    name: str
    kind: str
    parameters: Mapping[str, Floats]
    weights: Floats
    carry_in: Floats
    factor: Floats
    rate: Floats
    price_growth: float = 0.0
    reference: Floats | None = None

    @property
    def periods(self) -> int:
        """Periods that money is planned for."""
        return len(self.rate)

    @property
    def rows(self) -> int:
        """Rows in which the spend works: the periods, and those of the carry-out."""
        return len(self.factor)

    @property
    def draws_count(self) -> int:
        """Number of draws."""
        return int(self.factor.shape[1])

    def of_draws(self, chosen: Integers | slice) -> ChannelResponse:
        """The response over some of the draws."""
        return replace(
            self,
            parameters={name: values[chosen] for name, values in self.parameters.items()},
            weights=self.weights[:, chosen],
            carry_in=self.carry_in[:, chosen],
            factor=self.factor[:, chosen],
        )

    def media(self, spend: Floats) -> Floats:
        """Media that the spend of each period buys, model space, shape (period,)."""
        if not self.price_growth:
            return np.asarray(self.rate * spend)
        return np.asarray(self._rate_of_power * spend ** (1.0 - self.price_growth))

    def row_draws(self, spend: Floats) -> Floats:
        """What the spend adds to the target in each row, shape (row, draw).

        Args:
            spend: Money, shape (period,).
        """
        value, _, _ = curve_with_slopes(self.kind, self._with_carry(self.media(spend)), self.parameters)
        return np.asarray(self.factor * (value - self._value_of_carry_in))

    def draws(self, spend: Floats) -> Floats:
        """What the spend adds to the target over all rows, shape (draw,)."""
        return np.asarray(self.row_draws(spend).sum(axis=0))

    def gradient_draws(self, spend: Floats) -> Floats:
        """Derivative of `draws` with respect to the spend of each period, shape (period, draw)."""
        _, slope, _ = curve_with_slopes(self.kind, self._with_carry(self.media(spend)), self.parameters)
        slope *= self.factor
        gradient = np.zeros((self.periods, self.draws_count))
        for lag, weight in enumerate(self.weights):
            last = self._periods_with(lag)
            gradient[:last] += weight * slope[lag : lag + last]
        return gradient * self._media_slopes(spend)[0][:, None]

    def weighted(self, spend: Floats, draw_weights: Floats) -> tuple[float, Floats, Floats]:
        """Weighted sum over draws of the response, its gradient and Hessian in the spend of each period.

        Args:
            spend: Money, shape (period,).
            draw_weights: Shape (draw,); 1 over the number of draws gives the mean.

        Returns:
            A number, shape (period,), shape (period, period).
        """
        media = self._with_carry(self.media(spend))
        value, slope, curvature = curve_with_slopes(self.kind, media, self.parameters)
        weight = self.factor * draw_weights
        total = float(np.vdot(weight, value - self._value_of_carry_in))
        slope *= weight
        curvature *= weight
        by_lag = self.weights @ slope.T  # (lag, row)
        gradient = np.zeros(self.periods)
        hessian = np.zeros((self.periods, self.periods))
        for lag, sums in enumerate(by_lag):
            last = self._periods_with(lag)
            gradient[:last] += sums[lag : lag + last]
        for first in range(len(self.weights)):
            products = (self.weights[first:] * self.weights[first]) @ curvature.T  # (lag, row)
            for apart, sums in enumerate(products):
                # period t at lag `first` + apart and period t + apart at lag `first` meet in the row t + first + apart
                last = min(self.periods - apart, self.rows - first - apart)
                at = np.arange(max(last, 0))
                hessian[at, at + apart] += sums[first + apart : first + apart + len(at)]
        hessian = np.triu(hessian) + np.triu(hessian, 1).T
        return total, *self._in_money(spend, gradient, hessian)

    def line(self, pattern: Floats, draw_weights: Floats) -> MeanLine:
        """The weighted sum of the response as a function of a total that is spread over the periods in fixed shares.

        Args:
            pattern: Shares of the periods, shape (period,), adding up to one.
            draw_weights: Shape (draw,).
        """
        step = self._with_carry(self.media(pattern)) - self.carry_in
        reached = (step != 0.0).any(axis=1)
        weight = (self.factor * draw_weights)[reached]
        curve = LineCurve.of(self.kind, self.carry_in[reached], step[reached], weight, self.parameters)
        offset = float(np.vdot(weight, self._value_of_carry_in[reached]))
        return MeanLine(curve, offset, 1.0 - self.price_growth)

    @cached_property
    def _value_of_carry_in(self) -> Floats:
        """f of the media of the rows before alone, shape (row, draw)."""
        return np.array(curve_with_slopes(self.kind, self.carry_in, self.parameters)[0])

    @cached_property
    def _rate_of_power(self) -> Floats:
        """Media per unit of spend^(1 - g)."""
        if self.reference is None:
            return self.rate
        return np.asarray(self.rate * self.reference**self.price_growth)

    def _periods_with(self, lag: int) -> int:
        """How many periods still have a row that many rows later."""
        return max(0, min(self.periods, self.rows - lag))

    def _with_carry(self, media: Floats) -> Floats:
        """A_r, shape (row, draw)."""
        shifted = np.zeros((self.rows, len(self.weights)))
        for lag in range(len(self.weights)):
            last = self._periods_with(lag)
            shifted[lag : lag + last, lag] = media[:last]
        return np.asarray(shifted @ self.weights + self.carry_in)

    def _media_slopes(self, spend: Floats) -> tuple[Floats, Floats]:
        """du/dx and its derivative, each of shape (period,)."""
        g = self.price_growth
        if not g:
            return self.rate, np.zeros(self.periods)
        safe = np.maximum(spend, 1e-100)
        return (
            (1.0 - g) * self._rate_of_power * safe**-g,
            -g * (1.0 - g) * self._rate_of_power * safe ** (-g - 1.0),
        )

    def _in_money(self, spend: Floats, gradient: Floats, hessian: Floats) -> tuple[Floats, Floats]:
        """Gradient and Hessian in media as those in money."""
        first, second = self._media_slopes(spend)
        return gradient * first, hessian * np.outer(first, first) + np.diag(gradient * second)


@dataclass(frozen=True, eq=False)
class MeanLine:
    """The mean response to a total that is spread over the periods in fixed shares.

    Attributes:
        curve: Sum of the curve, carry-in included.
        offset: What the carry-in brings alone.
        power: 1 - g: media are proportional to the total to this power.
    """

    curve: LineCurve
    offset: float
    power: float

    def __call__(self, total: Floats) -> Floats:
        """Response, marginal response and its derivative at each total, shape (total, 3)."""
        total = np.asarray(total, dtype=float)
        if self.power == 1.0:
            result = self.curve(total)
        else:
            p, safe = self.power, np.maximum(total, 1e-100)
            media, slope = total**p, p * safe ** (p - 1.0)
            value, first, second = self.curve(media).T
            curvature = p * (p - 1.0) * safe ** (p - 2.0)
            result = np.stack([value, first * slope, second * slope**2 + first * curvature], axis=1)
        result[:, 0] -= self.offset
        return result
