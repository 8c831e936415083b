"""Columns that vary and still tell too little: each is planted once and found."""

import numpy as np
import pandas as pd
import pytest

from mmm_engine.client.config import TargetConfig
from mmm_engine.client.model_config import AdstockConfig, ModelConfig
from mmm_engine.rows.client_data import client_data_from_frame
from tests.engine.client_cases import shop_config
from tests.engine.rows.test_findings import ROWS, only, rows


def test_a_stock_that_hardly_moves_is_no_sales() -> None:
    """Beside 10 million subscribers movements of some hundred are lost: that the forecast is bad helps nobody."""
    frame = rows()
    frame["revenue"] += 1e7
    finding = only(frame)
    assert (finding.code, finding.column) == ("still-target", "revenue")
    assert "of its level" in finding.message
    assert "new customers" in finding.fix


def test_a_channel_that_gets_the_same_every_week_is_told_from_the_baseline_by_nobody() -> None:
    """Half a percent around its mean is no experiment."""
    frame = rows()
    frame["radio"] = 500 + 2.5 * np.random.default_rng(3).normal(size=ROWS)
    finding = only(frame)
    assert (finding.code, finding.column) == ("constant-channel", "radio")
    assert "0.5" in finding.message or "0.4" in finding.message


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [(70, 73, "runs from 2021-05-10 to 2021-05-24 alone, in 3 of 156 rows"), (70, 78, "in 8 of 156 rows")],
)
def test_a_channel_of_one_burst_is_told(start: int, end: int, words: str) -> None:
    """Three weeks of one campaign: a holiday in the same weeks would be its effect."""
    frame = rows()
    frame.loc[~frame.index.isin(range(start, end)), "radio"] = 0.0
    frame.loc[frame.index.isin(range(start, end)), "radio"] = np.linspace(200, 240, end - start)
    finding = only(frame)
    assert (finding.code, finding.column) == ("single-stretch", "radio")
    assert words in finding.message


def test_a_channel_that_has_just_begun_is_told_so() -> None:
    """Its history is as long as a burst, but there will be more of it; windows before it are told besides."""
    frame = rows()
    frame.loc[: ROWS - 7, "radio"] = 0.0
    frame.loc[ROWS - 6 :, "radio"] = np.linspace(200, 240, 6)
    told = {one.code: one for one in _of(frame)}
    assert told["single-stretch"].message.startswith("began 6 rows before the end")


def test_nine_weeks_or_two_bursts_are_some_evidence() -> None:
    """Two campaigns half a year apart share no other cause by chance."""
    frame = rows()
    frame.loc[~frame.index.isin([40, 41, 100, 101]), "radio"] = 0.0
    frame.loc[frame.index.isin([40, 41, 100, 101]), "radio"] = [200.0, 210.0, 220.0, 230.0]
    assert all(one.code != "single-stretch" for one in _of(frame))


def test_money_that_is_booked_by_invoice_is_told() -> None:
    """The first week of every month has all its money: gaps of four and five weeks, never another."""
    frame = rows()
    first_of_month = frame["week"].dt.month.diff().ne(0)
    frame["radio"] = np.where(first_of_month, 400 + 30 * np.random.default_rng(6).normal(size=ROWS), 0.0)
    finding = only(frame)
    assert (finding.code, finding.column) == ("booked-by-invoice", "radio")
    assert finding.message.startswith("is spent once in 4 or 5 weeks, 36 times")


def test_campaigns_at_uneven_times_are_no_invoices() -> None:
    """Nor is a channel that pauses for a week now and then."""
    frame = rows()
    frame["radio"] = np.where(
        np.isin(np.arange(ROWS), [3, 9, 20, 24, 60, 90, 101, 140]), 400.0 + np.arange(ROWS), 0.0
    )
    assert all(one.code != "booked-by-invoice" for one in _of(frame))


@pytest.mark.parametrize("kind", ["revenue", "conversions"])
def test_sales_that_are_mostly_nothing_are_rare_and_have_no_outliers(kind: str) -> None:
    """Every sale among many zeros stood out, and a likelihood was suggested whose fits take minutes and never agree."""
    frame = rows()
    frame["revenue"] = np.random.default_rng(4).poisson(0.3, ROWS).astype(float)
    config = shop_config(target=TargetConfig(column="revenue", kind=kind))
    data = client_data_from_frame(config, frame)
    (finding,) = [one for one in data.findings if one.column == "revenue"]
    assert finding.code == "rare-target"
    assert finding.message.startswith("is 0 in 98 of 156 rows")
    assert "student_t" not in finding.fix
    assert not [one for one in data.suggestions if one.setting == "likelihood"]


def test_a_likelihood_that_rare_sales_cannot_have_is_named() -> None:
    """Written by hand it is the reader's choice, who is told."""
    frame = rows()
    frame["revenue"] = np.random.default_rng(4).poisson(0.3, ROWS).astype(float)
    config = shop_config(model=ModelConfig(likelihood="student_t", adstock=AdstockConfig(max_lag=4)))
    (finding,) = [one for one in client_data_from_frame(config, frame).findings if one.code == "rare-target"]
    assert "student_t" in finding.fix


def _of(frame: pd.DataFrame) -> list:
    return list(client_data_from_frame(shop_config(), frame).findings)
