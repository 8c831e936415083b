"""Columns of media and money: either missing where the other runs, counts taken for money, slips of single rows.

Here: what the columns say, as figures and words.
Not here: findings (media_findings.py), costs of zeros everywhere (contract.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mmm_engine.rows.regressors import Regressors

UNPAID_MIN = (
    0.05  # share of a channel's media in rows without cost from which on it is told; of its cost likewise
)
PEAK_RATIO = 20.0  # how far single rows must lie above all others
MIRROR_MIN = 0.995  # correlation with the target from which on a column says what the target says

_MOST_PEAKS = 3
_LEAST_OTHERS = 8  # rows that run beside the peaks: a channel of a few bursts has none

_COUNTS = re.compile(
    r"impress|click|(?:^|[^a-z])(?:imps?|views?|grps?|trps?|reach|sessions?|visits?|sends?|mails?|opens?|downloads?)"
    r"(?:$|[^a-z])"
)
_MICROS = re.compile(r"(?:^|[^a-z])micros?(?:$|[^a-z])")
_MONEY = re.compile(r"spend|cost|budget|money|invest|amount|eur|usd|gbp|€|\$|£")


@dataclass(frozen=True)
class UnpaidMedia:
    """Rows in which a channel runs and its cost is 0.

    Attributes:
        channel: Column of the media.
        cost: Column of the money.
        rows: How many rows.
        running: In how many the channel runs.
        share: Part of the channel's media that is in them.
        first: The first of them.
    """

    channel: str
    cost: str
    rows: int
    running: int
    share: float
    first: int


def unpaid_media(rows: Regressors) -> Iterator[UnpaidMedia]:
    """Channels of whose media at least `UNPAID_MIN` have no cost, in rows of their own."""
    for channel in rows.config.channels:
        if channel.cost is not None:
            yield from _alone(rows, channel.column, channel.cost, of=channel.column, without=channel.cost)


def idle_media(rows: Regressors) -> Iterator[UnpaidMedia]:
    """Channels of whose money at least `UNPAID_MIN` is spent in rows without media; ``running`` counts rows of cost."""
    for channel in rows.config.channels:
        if channel.cost is not None:
            yield from _alone(rows, channel.column, channel.cost, of=channel.cost, without=channel.column)


def _alone(rows: Regressors, channel: str, cost: str, *, of: str, without: str) -> Iterator[UnpaidMedia]:
    """Rows that have something of one column and nothing of the other, if they hold enough of it."""
    amounts = rows.values(of)
    alone = np.flatnonzero((amounts > 0) & (rows.values(without) == 0))
    share = float(amounts[alone].sum() / amounts.sum())
    if share >= UNPAID_MIN:
        yield UnpaidMedia(channel, cost, len(alone), int((amounts > 0).sum()), share, int(alone[0]))


def lone_peaks(rows: Regressors) -> dict[str, list[int]]:
    """Rows of channels and costs, at most three each, that lie `PEAK_RATIO` times above all others that run."""
    result = {}
    for column in dict.fromkeys((*rows.config.channel_names, *rows.config.cost_names)):
        values = rows.values(column)
        order = np.argsort(values)[::-1]
        sizes = values[order]
        for count in range(1, _MOST_PEAKS + 1):
            others = sizes[count:][sizes[count:] > 0]
            if len(others) >= _LEAST_OTHERS and sizes[count - 1] >= PEAK_RATIO * others[0]:
                result[column] = sorted(map(int, order[:count]))
    return result


def mirrors_of_target(rows: Regressors) -> dict[str, float]:
    """Channels and controls whose correlation with the target is at least `MIRROR_MIN` in size."""
    target = rows.standardised([rows.config.target.column])[:, 0]
    columns = rows.standardised(rows.inputs)
    correlations = dict(zip(rows.inputs, target @ columns / len(rows), strict=True))
    return {column: float(one) for column, one in correlations.items() if abs(one) >= MIRROR_MIN}


def in_micros(rows: Regressors) -> list[str]:
    """Columns of money that are called micros, as interfaces of advertising platforms count it: in millionths."""
    config = rows.config
    bought = [channel.column for channel, paid in zip(config.channels, config.paid, strict=True) if paid]
    columns = dict.fromkeys((config.target.column, *bought, *config.cost_names))
    return [column for column in columns if _MICROS.search(column.lower())]


def counts_taken_for_money(rows: Regressors) -> Iterator[tuple[str, str]]:
    """(channel, why) for channels that are said to be money and look like impressions, clicks or the like.

    A name says so, or the channel adds up to more than the revenue that it is to explain.
    """
    config = rows.config
    revenue = float(rows.target.sum())
    for channel, is_paid in zip(config.channels, config.paid, strict=True):
        if channel.cost is not None or not is_paid or _MICROS.search(channel.column.lower()):
            continue
        values, name = rows.values(channel.column), channel.column.lower()
        if _COUNTS.search(name) and not _MONEY.search(name):
            yield channel.column, "is called like a count"
        elif config.target.kind == "revenue" and values.sum() > revenue > 0:
            whole = " in whole numbers" if np.array_equal(values, np.round(values)) else ""
            yield channel.column, f"adds up to {values.sum() / revenue:.2g} times the revenue{whole}"
