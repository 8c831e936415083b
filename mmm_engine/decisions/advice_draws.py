"""The draws behind a piece of advice, few enough to be kept: what it expected, and what other spend would have brought.

Here: `AdviceDraws`, as a file and back; the bridge from what was expected to what happened.
Not here: the plan (budget_plan.py), where the file is kept and what stands in the ledger (history/).

Over the periods of the advice alone, without what works after them,

    happened = expected + delivery + rest

where `expected` is the target under the advised spend, `delivery` what the difference between bought and advised media
brings, both means over the advice's own draws, and `rest` everything else: noise, what the model does not know, what it
has wrong. The rest is judged against the spread of the same draws at the media that were bought.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from zipfile import BadZipFile

import numpy as np

from mmm_engine.array_types import Floats
from mmm_engine.decisions.budget_plan import BudgetPlan
from mmm_engine.decisions.channel_response import ChannelResponse
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.forecast import extend_inputs
from mmm_engine.results.predictive import predict


@dataclass(frozen=True)
class Bridge:
    """From what was expected to what happened; happened = expected + sum of delivery + rest.

    Attributes:
        expected: Target under the advised spend.
        delivery: What each channel's difference between bought and advised media brings, shape (channel,).
        rest: What remains.
        pit: Share of the draws, with the media that were bought and with noise, below what happened.
    """

    expected: float
    delivery: Floats
    rest: float
    pit: float


@dataclass(frozen=True, eq=False)
class AdviceDraws:
    """What was expected of advice, on some of the draws that gave it.

    Attributes:
        responses: One per channel, over the periods of the advice alone.
        media_scale: Media units per unit of model space, shape (channel,).
        advised: Money per period that was advised, shape (period, channel).
        expected: Target in all periods under it, shape (draw,).
        predicted: The same with noise, shape (draw,).
    """

    responses: tuple[ChannelResponse, ...]
    media_scale: Floats
    advised: Floats
    expected: Floats
    predicted: Floats

    @classmethod
    def of(cls, plan: BudgetPlan, fitted: FittedWindow) -> AdviceDraws:
        """Those of a plan; where it is not sure enough for money to be moved, today's spend was advised.

        Args:
            plan: The plan.
            fitted: The window it was made from. Controls of the coming periods are those of a forecast without a plan.
        """
        window = plan.window
        advised = plan.spend if plan.acts else window.current
        media = window.media_frame(advised).drop(columns="date")
        prediction = predict(fitted.on_rows(extend_inputs(fitted.inputs, window.periods, media)))
        chosen = window.kept(len(prediction.draws))
        coming = slice(-window.periods, None)
        return cls(
            responses=tuple(_within(response.of_draws(chosen)) for response in window.responses),
            media_scale=window.media_scale,
            advised=advised,
            expected=prediction.mean_draws[chosen, coming].sum(axis=1),
            predicted=prediction.draws[chosen, coming].sum(axis=1),
        )

    @property
    def channel_expected(self) -> Floats:
        """What the advised spend of each channel is expected to bring in its periods, shape (channel,)."""
        return np.asarray(self._brought(self.advised).mean(axis=1))

    def bridge(self, media: Floats, happened: float) -> Bridge:
        """What came of the advice.

        Args:
            media: Media of the periods as they were bought, units of the client's rows, shape (period, channel).
            happened: Target in all periods.
        """
        rates = np.column_stack([response.rate for response in self.responses])
        more = self._brought(media / self.media_scale / rates) - self._brought(self.advised)
        expected, delivery = float(self.expected.mean()), more.mean(axis=1)
        return Bridge(
            expected=expected,
            delivery=delivery,
            rest=happened - expected - float(delivery.sum()),
            pit=float((self.predicted + more.sum(axis=0) < happened).mean()),
        )

    def to_bytes(self) -> bytes:
        """A file of all of it (NumPy's npz, compressed)."""
        file = io.BytesIO()
        arrays = {name: getattr(self, name) for name in ("media_scale", "advised", "expected", "predicted")}
        for at, response in enumerate(self.responses):
            arrays[f"{at}.kind"] = np.array(response.kind)
            arrays[f"{at}.name"] = np.array(response.name)
            for name in ("weights", "carry_in", "factor", "rate"):
                arrays[f"{at}.{name}"] = getattr(response, name)
            arrays |= {f"{at}.parameters.{name}": values for name, values in response.parameters.items()}
        np.savez_compressed(file, **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> AdviceDraws:
        """What `to_bytes` wrote.

        Raises:
            ValueError: If the content is something else.
        """
        try:
            return cls._read(content)
        except (KeyError, OSError, BadZipFile) as error:
            raise ValueError(f"no draws of advice: {error}") from error

    @classmethod
    def _read(cls, content: bytes) -> AdviceDraws:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            responses = []
            for at in range(len(arrays["media_scale"])):
                named = f"{at}.parameters."
                parameters = {n.removeprefix(named): arrays[n] for n in arrays.files if n.startswith(named)}
                parts = {n: arrays[f"{at}.{n}"] for n in ("weights", "carry_in", "factor", "rate")}
                name, kind = str(arrays[f"{at}.name"]), str(arrays[f"{at}.kind"])
                responses.append(ChannelResponse(name=name, kind=kind, parameters=parameters, **parts))
            named_arrays = {n: arrays[n] for n in ("media_scale", "advised", "expected", "predicted")}
        return cls(responses=tuple(responses), **named_arrays)

    def _brought(self, spend: Floats) -> Floats:
        """What each channel brings, shape (channel, draw)."""
        return np.stack([response.draws(spend[:, at]) for at, response in enumerate(self.responses)])


def _within(response: ChannelResponse) -> ChannelResponse:
    """The response without the rows after the last period."""
    periods = response.periods
    return replace(response, carry_in=response.carry_in[:periods], factor=response.factor[:periods])
