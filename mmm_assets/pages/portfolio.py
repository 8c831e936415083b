"""The numbers of the page of all clients.

Here: one row per client from its status and the metric history.
Not here: order, wording and look of the page (mmm_engine.report.portfolio), where a client stands (publication.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from mmm_assets.pages.publication import Status
from mmm_assets.types import DataFrame, History, Series
from mmm_engine.client.windows import FULL, Window

JUDGED = Window.holding_out(8)  # whose held-out rows stand for a client
TREND_LENGTH = 12

_LATEST = {  # column of the page -> (window, split, metric) in the history
    "mape_h08": (JUDGED.name, "test", "mape"),
    "skill_h08": (JUDGED.name, "test", "skill"),
    "coverage_90_h08": (JUDGED.name, "test", "coverage_90"),
    "stability": (FULL.name, "windows", "stability"),
    "rhat_max": (FULL.name, "all", "rhat_max"),
    "ess_bulk_min": (FULL.name, "all", "ess_bulk_min"),
    "ess_tail_min": (FULL.name, "all", "ess_tail_min"),
    "divergences": (FULL.name, "all", "divergences"),
}


def portfolio_frame(
    clients: Sequence[str],
    statuses: Sequence[Status],
    history: History,
    now: datetime,
    under_way: Collection[str] = (),
) -> DataFrame:
    """One row per client, with the columns that `mmm_engine.report.portfolio` reads.

    Args:
        clients: Ids of all clients.
        statuses: Of those that were refreshed to the end.
        history: What is recorded of them.
        now: Moment that ages are counted to.
        under_way: Clients that are refreshed right now.
    """
    import pandas as pd

    from mmm_engine.report.portfolio import FIRST_REFRESH

    frame = pd.DataFrame(index=pd.Index(list(clients), name="client", dtype=str))
    frame = frame.join(
        pd.DataFrame([_standing(status) for status in statuses], columns=_STANDING).set_index("client")
    )
    rows = history.read(latest=True)
    frame = frame.join(_latest(rows))
    frame = frame.join(_trend(history.read(metric="mape", window=JUDGED.name, split="test")))
    frame = frame.join(_drift(rows))
    frame = frame.join(_late_after(rows, history.read(metric="mape", window=FULL.name, split="train")))
    is_first = frame["verdict"].isna() & frame.index.isin(list(under_way))
    frame.loc[is_first, ["verdict", "reason"]] = (
        FIRST_REFRESH,
        "its first refresh has not come to its end yet",
    )
    frame["verdict"] = frame["verdict"].fillna("never refreshed")
    frame["reason"] = frame["reason"].fillna("no refresh came to its end")
    frame["reason"] = [_with_alarms(*cells) for cells in zip(frame["reason"], frame["alarms"], strict=True)]
    frame["report"] = frame["report"].fillna("")
    frame["stale_days"] = (pd.Timestamp(now.date()) - pd.to_datetime(frame["last_date"])).dt.days
    frame["ess_min"] = frame[["ess_bulk_min", "ess_tail_min"]].min(axis=1)
    return frame.reset_index()


_STANDING = ["client", "verdict", "reason", "reasons", "recorded_at", "seconds", "report", "budget"]


def _standing(status: Status) -> dict[str, Any]:
    return {
        "client": status.client,
        "verdict": status.verdict,
        "reason": "; ".join(status.reasons),
        "reasons": list(status.reasons),
        "recorded_at": status.at,
        "seconds": status.seconds,
        "budget": status.budget,
        "report": f"../report/{status.client}.html" if status.good_at else "",
    }


def _latest(rows: DataFrame) -> DataFrame:
    """Latest numbers of each client, and the last row of data its full window was fitted on."""
    import pandas as pd

    names = {place: name for name, place in _LATEST.items()}
    whole = rows[rows["channel"] == "all"]
    places = pd.Series(
        list(zip(whole["window"], whole["split"], whole["metric"], strict=True)), index=whole.index
    )
    named = whole.assign(name=places.map(names)).dropna(subset="name")
    numbers = named.pivot(index="client", columns="name", values="value").reindex(columns=list(_LATEST))
    full = rows[rows["window"] == FULL.name]
    return numbers.join(full.groupby("client")["cutoff"].max().rename("last_date"), how="outer")


def _late_after(rows: DataFrame, refreshes: DataFrame) -> Series:
    """Age of data in days from which on they are late: that of a row, and half as long again as new rows usually take.

    Days of a row are those between the cutoffs of the windows, over the rows that lie between; how long new rows take
    are the usual days between the last cutoffs of the client, at least those of a row.
    """
    import pandas as pd

    windows = rows[rows["window"].str.fullmatch("full|h[0-9]+")].groupby(["client", "window"])["cutoff"].max()
    late = {}
    for client, cutoffs in windows.groupby(level="client"):
        ends = pd.to_datetime(cutoffs.droplevel("client"))
        held = [(Window.named(str(name)).holdout, end) for name, end in ends.items()]
        most, earliest = max(held, key=lambda each: each[0])
        if FULL.name not in ends.index or not most:
            continue
        row = (ends[FULL.name] - earliest).days / most
        own = (
            pd.to_datetime(refreshes.loc[refreshes["client"] == client, "cutoff"])
            .drop_duplicates()
            .sort_values()
        )
        steps = own.diff().dt.days.dropna().tail(TREND_LENGTH)
        rhythm = max(row, float(steps.median()) if len(steps) else row)
        late[client] = row + 1.5 * rhythm
    return pd.Series(late, name="late_after", dtype=float)


def _drift(rows: DataFrame) -> DataFrame:
    """Largest drift statistic over its limit, and the names of the series in alarm, by client."""
    import pandas as pd

    drift = rows[rows["metric"].str.startswith("drift_")].dropna(subset="value")
    alarms = drift[drift["value"] >= 1].sort_values("value", ascending=False).groupby("client")["metric"]
    names = alarms.agg(lambda metrics: ", ".join(metric.removeprefix("drift_") for metric in metrics))
    return pd.DataFrame({"drift": drift.groupby("client")["value"].max(), "alarms": names})


def _with_alarms(reason: str, alarms: object) -> str:
    """The reason with the series that left their usual range in front of it."""
    if not isinstance(alarms, str):
        return reason
    return "; ".join(part for part in (f"drift alarm: {alarms}", reason) if part)


def _trend(rows: DataFrame) -> Series:
    """The last values of the sparkline of each client, oldest first."""
    by_client = rows[rows["channel"] == "all"].groupby("client")["value"]
    return by_client.agg(lambda values: list(values.tail(TREND_LENGTH))).rename("trend")
