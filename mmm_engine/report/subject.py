"""One client under report: the look-ups and derived frames that several sections share.

Here: labels of channels, single scores and returns by name, totals, which channels must not be read.
Not here: sentences (headline.py, sections/), columns of the frames (inputs.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from mmm_engine.client.windows import Window
from mmm_engine.report import numbers, wording
from mmm_engine.report.inputs import ReportInputs, WindowReport
from mmm_engine.report.palette import channel_colors
from mmm_engine.rows.calendar import SEASON_LENGTH
from mmm_engine.scores.identification import NOT_IDENTIFIED, Reading, interval_factor, readings
from mmm_engine.scores.seasonal_naive import repeated

NAN = float("nan")
_SEASON_BEFORE = {
    "day": "last week's values",
    "week": "last season's values",
    "month": "last season's values",
}
_JUDGED = Window.holding_out(8)  # the window that the headline quotes where it was fitted


@dataclass(frozen=True, eq=False)
class Subject:
    """Inputs with the questions that sections ask of them.

    Attributes:
        inputs: What the report is made from.
    """

    inputs: ReportInputs

    # --- words -----------------------------------------------------------------------------------

    @cached_property
    def labels(self) -> dict[str, str]:
        """Column name of every channel, control and component to its label on the page."""
        names = [
            *self.inputs.spend["channel"],
            *self.inputs.decomposition["component"],
            self.inputs.target_name,
        ]
        return wording.display_names(str(name) for name in names)

    def label(self, name: str) -> str:
        """Label of a column, also of one that no frame has named before."""
        return self.labels.get(name) or wording.display_name(name)

    @property
    def target(self) -> str:
        """The target's name in a sentence."""
        return self.label(self.inputs.target_name)

    def amount(self, value: float) -> str:
        """A quantity of the target, short, with its unit."""
        return numbers.compact(value, self.inputs.target_unit)

    def money(self, value: float) -> str:
        """An amount of money, short."""
        return numbers.compact(value, self.inputs.currency_unit)

    @property
    def one_of_money(self) -> str:
        """One unit of money in a sentence ("€1")."""
        unit = self.inputs.currency_unit
        return numbers.grouped(1.0, unit) if unit else "1 unit of money"

    @property
    def brought_words(self) -> str:
        """What one unit of money brings, as an axis or a heading says it ("revenue per €1 spent")."""
        money = f"{self.one_of_money} spent" if self.inputs.currency_unit else "unit of money spent"
        return f"{self.inputs.target_kind} per {money}"

    @property
    def brought_unit(self) -> str:
        """Unit of what one unit of money brings: money where the target is revenue."""
        return self.inputs.currency_unit if self.inputs.target_kind == "revenue" else ""

    def gained(self, value: float, unit: str) -> str:
        """A gain of the advice with what it is measured in ("€2.1M revenue", "€40k", "310 conversions").

        Args:
            value: The gain.
            unit: The advice's own word for it: the kind of the target, or money where its value is known.
        """
        return (
            f"{self.money(value)} revenue" if unit == "revenue" else numbers.compact(value, _one_line(unit))
        )

    def gain_around(self, unit: str) -> tuple[str, str]:
        """What stands before and behind a gain; argument as that of `gained`."""
        if unit != "revenue":
            return numbers.around(_one_line(unit))
        before, behind = numbers.around(self.inputs.currency_unit)
        return before, f"{behind} revenue"

    def gained_by_one(self, value: float, unit: str) -> str:
        """What one more unit of money gains; arguments as those of `gained`."""
        money = self.inputs.currency_unit
        return (
            f"{numbers.price(value, money)} revenue"
            if unit == "revenue"
            else numbers.price(value, _one_line(unit))
        )

    @cached_property
    def channel_tokens(self) -> dict[str, str]:
        """Palette token of each channel, the same in every chart of the page: by what it brings, largest first."""
        channels = self.totals.loc[self.totals["kind"] == "channel", "component"]
        return channel_colors([*channels, *self.inputs.spend["channel"]])

    def return_of(self, value: float) -> str:
        """A channel's return, or its cost per conversion, as an amount of money."""
        return numbers.price(float(value), self.inputs.currency_unit)

    def periods(self, number: int) -> str:
        """A count of rows ("8 weeks")."""
        return wording.count(number, self.inputs.period)

    def window_words(self, window: Window) -> str:
        """A window in a sentence: what was held out ("last 8 weeks", "all rows")."""
        return f"last {self.held_out([window])}" if window.holdout else "all rows"

    def held_out(self, windows: Sequence[Window]) -> str:
        """How much windows hold out ("4 and 8 weeks"): of daily rows weeks, or days where the history is short."""
        ordered = sorted(windows, key=lambda window: window.holdout)
        fitted = [self.inputs.windows[window] for window in ordered if window in self.inputs.windows]
        in_weeks = all(report.horizon == 7 * report.window.holdout for report in fitted)
        unit = "week" if self.inputs.period == "day" and in_weeks else self.inputs.period
        *others, last = [window.holdout for window in ordered]
        return wording.listing([*map(str, others), wording.count(last, unit)])

    @property
    def repeated(self) -> str:
        """What the naive forecast repeats: the season before, or the last value where rows do not reach back so far."""
        window = self.judged
        if window is None:
            return _SEASON_BEFORE[self.inputs.period]
        train_rows = int((window.predictions["split"] == "train").sum())
        what = repeated(train_rows, window.horizon, SEASON_LENGTH[self.inputs.period])
        return {
            "season": _SEASON_BEFORE[self.inputs.period],
            "last": "the last value",
            "rows": "earlier values",
        }[what]

    # --- scores ----------------------------------------------------------------------------------

    def score(self, window: WindowReport, split: str, metric: str) -> float:
        """One score of a window, NaN when it was not computed."""
        return pick(window.scores, split=split, channel="all", metric=metric)

    @cached_property
    def judged(self) -> WindowReport | None:
        """The held-out window that the headline quotes: eight periods, else the longest."""
        longest = self.inputs.holdouts[-1] if self.inputs.holdouts else None
        return self.inputs.windows.get(_JUDGED, longest)

    # --- returns ---------------------------------------------------------------------------------

    @property
    def return_metric(self) -> str:
        """How a channel's return is told: "roas" for revenue, "cpa" for conversions."""
        return "roas" if self.inputs.target_kind == "revenue" else "cpa"

    @property
    def return_words(self) -> str:
        """The return metric's name in a sentence."""
        return "return" if self.return_metric == "roas" else "cost per conversion"

    def returns(self, metric: str) -> pd.DataFrame:
        """Rows of one return metric of window "full", indexed by channel."""
        frame = self.inputs.full.returns
        return frame[frame["metric"] == metric].drop_duplicates("channel").set_index("channel")

    @cached_property
    def paid(self) -> pd.DataFrame:
        """Channel, spend, contribution (mean, q05, q95) of each paid channel, largest spend first."""
        spend = self.inputs.spend.drop_duplicates("channel").set_index("channel")["spend"]
        names = [name for name in self.inputs.paid_channels if name in self.returns("contribution").index]
        gained = self.returns("contribution").reindex(names)[["mean", "q05", "q95"]]
        frame = gained.rename(columns={"mean": "contribution"}).assign(spend=spend.reindex(names))
        return frame.rename_axis("channel").reset_index()

    @cached_property
    def totals(self) -> pd.DataFrame:
        """Component, kind and mean of each part of the target over all rows, largest channel first."""
        return component_totals(self.inputs.decomposition)

    @property
    def media_share(self) -> float:
        """Contribution of all channels over the modelled target."""
        whole = float(self.totals["mean"].sum())
        media = float(self.totals.loc[self.totals["kind"] == "channel", "mean"].sum())
        return media / whole if whole else NAN

    # --- trust -----------------------------------------------------------------------------------

    @cached_property
    def readings(self) -> dict[str, Reading]:
        """Whether each channel can be read, and why, by its column."""
        names = [str(name) for name in self.inputs.spend["channel"].drop_duplicates()]
        told = readings(self.inputs.full.scores, self.inputs.recovery, self.inputs.recovery_min, names)
        partners = {name: self.label(each.partner) for name, each in told.items() if each.partner}
        return {name: replace(each, partner=partners.get(name, "")) for name, each in told.items()}

    @cached_property
    def readability(self) -> pd.DataFrame:
        """Channel, factor (of the 90% interval, each way), recovery, coverage_90, verdict and why; those looked at."""
        columns = ["factor", "recovery", "coverage_90"]
        own = self.inputs.full.scores
        frames = [own[own["metric"].isin({"log_sd", "robust_log_sd"})]]
        if self.inputs.recovery is not None:
            frames.append(self.inputs.recovery)
        rows = pd.concat(frames, ignore_index=True)
        wide = rows.pivot_table(index="channel", columns="metric", values="value", sort=False, dropna=False)
        found = wide.reindex(index=[n for n, each in self.readings.items() if each.reason != "not_tested"])
        found = found.reindex(
            columns=["log_sd", "robust_log_sd", "contribution_recovery", "contribution_coverage_90"]
        )
        scores = found.rename(columns=lambda name: str(name).removeprefix("contribution_"))
        scores["factor"] = interval_factor(
            scores[["log_sd", "robust_log_sd"]].max(axis=1).to_numpy(dtype=float)
        )
        told = [self.readings[str(name)] for name in scores.index]
        scores = scores[columns].assign(
            verdict=[each.words for each in told], why=[each.why for each in told]
        )
        return scores.rename_axis("channel").reset_index()

    @cached_property
    def parameter_recovery(self) -> pd.DataFrame:
        """Parameter, recovery, coverage_90, z_score and contraction; empty when not run."""
        columns = ["recovery", "coverage_90", "z_score", "contraction"]
        frame = self.inputs.recovery
        if frame is None or frame.empty:
            return pd.DataFrame(columns=["parameter", *columns])
        own = frame[~frame["channel"].isin(set(self.inputs.spend["channel"])) & frame["metric"].isin(columns)]
        wide = own.pivot_table(index="channel", columns="metric", values="value", sort=False, dropna=False)
        return pd.DataFrame(wide.reindex(columns=columns).rename_axis("parameter").reset_index())

    @cached_property
    def unreadable(self) -> tuple[str, ...]:
        """Channels whose return must not be read."""
        return tuple(name for name, each in self.readings.items() if each.identified == NOT_IDENTIFIED)

    @property
    def unreadable_why(self) -> str:
        """Why they must not be read, as the end of a sentence."""
        reasons = {self.readings[name].why for name in self.unreadable}
        if len(reasons) != 1:
            return "the section on returns says why of each"
        why = reasons.pop()
        return why if len(self.unreadable) == 1 else wording.of_several(why)

    @property
    def simulations(self) -> int:
        """Simulations that recovery was tested with; 0 when it was not, or when nobody knows."""
        frame = self.inputs.recovery
        counts = (
            [] if frame is None else frame.loc[frame["metric"] == "simulations", "value"].dropna().tolist()
        )
        return int(counts[0]) if counts else 0

    @property
    def unreadable_words(self) -> str:
        """What must not be read ("the return of tv, or the effect of views"), "" when all may be."""
        paid = [self.label(name) for name in self.unreadable if name in self.inputs.paid_channels]
        unpaid = [self.label(name) for name in self.unreadable if name not in self.inputs.paid_channels]
        said = [f"the {self.return_words} of {wording.listing(paid)}"] if paid else []
        said += [f"the effect of {wording.listing(unpaid)}"] if unpaid else []
        return ", or ".join(said)


def _one_line(unit: str) -> str:
    return wording.safe_text(unit, 40) if unit else ""


CALENDAR_KINDS = ("trend", "seasonality", "weekday", "holidays")
"""Kinds of parts that follow the calendar."""


def component_totals(decomposition: pd.DataFrame) -> pd.DataFrame:
    """Sum of each component over all rows: baseline, calendar, controls, events, then channels by size."""
    kinds = ("baseline", *CALENDAR_KINDS, "control", "event", "channel")
    order = {kind: place for place, kind in enumerate(kinds)}
    totals = decomposition.groupby(["component", "kind"], sort=False, as_index=False)["mean"].sum()
    rank = totals["kind"].map(order).fillna(1)
    ordered = totals.assign(rank=rank, size=-totals["mean"]).sort_values(["rank", "size"], kind="stable")
    return pd.DataFrame(ordered[["component", "kind", "mean"]].reset_index(drop=True))


def pick(frame: pd.DataFrame, **where: str) -> float:
    """The one value of a score frame at the given columns, NaN when the row is missing."""
    chosen = frame
    for column, value in where.items():
        chosen = chosen[chosen[column] == value]
    return float(chosen["value"].iloc[0]) if len(chosen) else NAN
