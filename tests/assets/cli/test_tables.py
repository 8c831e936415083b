"""Tables fit a terminal of 80 columns: numbers and dates stay whole, and names are broken where people break them."""

from __future__ import annotations

import io
from datetime import datetime

import pandas as pd
import pytest
from rich.console import Console
from rich.table import Table

from mmm_assets.cli.plan_tables import _broken
from mmm_assets.cli.tables import history_tables


def printed(table: Table, width: int = 80) -> list[str]:
    """Lines of a table on a terminal so wide."""
    screen = Console(width=width, record=True, file=io.StringIO())
    screen.print(table)
    return [line.rstrip() for line in screen.export_text().splitlines()]


def history_rows(channels: tuple[str, ...] = ("all",)) -> pd.DataFrame:
    """Recorded scores of one client."""
    rows = [
        {"recorded_at": datetime(2026, 11, 27, 4, 0, 12), "client": "shop", "window": "h04", "split": split,
         "channel": channel, "metric": metric, "value": 0.0567891, "unit": "fraction", "cutoff": datetime(2024, 1, 1)}
        for split, metric in (("test", "mape"), ("all", "media_share_prior_q95")) for channel in channels
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_scores_of_a_client_fit_80_columns(mmm, used_home, monkeypatch):
    """A terminal of that width once cut numbers off: "7.…"."""
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = mmm("show", "shop")
    table = out[: out.index("checks of data and model")]
    assert code == 0
    assert "…" not in table
    assert {"h04", "h08", "h12"} <= set(table.split())
    assert max(len(line) for line in table.splitlines()) <= 80


def test_history_tells_what_is_the_same_in_all_rows_once():
    """The client stands in the title, the split beside the metric; a refresh is told to the minute, on one line."""
    (table,) = history_tables(history_rows(), is_ledger=False)
    lines = printed(table)
    assert lines[0] == "2 scores of shop"
    assert lines[2].split() == ["recorded", "window", "metric", "value", "unit"]
    assert lines[4].split("  ")[0].strip() == "2026-11-27 04:00"
    assert "mape test" in lines[4]
    assert len(lines) <= 7


def test_long_names_never_break_numbers_or_times():
    """Names of channels and metrics are what gives way."""
    (table,) = history_tables(history_rows(("all", "northern_lights_brand_awareness_cost")), is_ledger=False)
    text = "\n".join(printed(table, 70))
    assert text.count("2026-11-27 04:00") == 4
    assert text.count("0.056789") == 4


@pytest.mark.parametrize(
    ("name", "room", "lines"),
    [
        ("tv_cost", 20, ["tv_cost"]),
        ("facebook_ads_brand_awareness_cost", 20, ["facebook_ads_brand_", "awareness_cost"]),
        ("facebook_ads_brand_awareness_cost", 1, ["facebook_", "ads_brand_", "awareness_", "cost"]),
        ("_", 20, ["_"]),
    ],
)
def test_names_are_broken_behind_underscores(name: str, room: int, lines: list[str]):
    """Not inside of words, as far as there are underscores; nothing of a name is lost."""
    assert _broken(name, room).splitlines() == lines
    assert "".join(lines) == name


def test_a_plan_fits_80_columns(mmm, used_home, data_dir, sampler, monkeypatch):
    """Amounts and intervals stay on one line."""
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = mmm("plan", "shop")
    table = out[out.index("─") : out.index("Found by:")]
    assert code == 0
    assert max(len(line) for line in table.splitlines()) <= 80
    told = [line for line in table.splitlines() if {"raise", "cut", "hold", "first"} & set(line.split())]
    assert len(told) > 1
    assert all(" to " in line for line in told)
