"""`mmm plan` on refreshed clients of a fake fit: words, formats, files, exit codes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture(autouse=True)
def _refreshed_clients(used_home, data_dir, sampler) -> None:
    """Both clients are refreshed, and nothing samples."""


def test_the_plan_is_printed_with_its_reasons(mmm) -> None:
    """A sentence, a row per channel, why to believe it; exit code 0."""
    code, out, err = mmm("plan", "shop")
    assert code == 0, err
    for words in ("advice", "Found by:", "The next unit of money", "today"):
        assert words in out


@pytest.mark.parametrize("what", [(), ("--frontier",), ("--tests",), ("--by-period", "--next", "2")])
def test_rows_come_as_csv_and_json(mmm, what: tuple[str, ...]) -> None:
    """The same rows in both."""
    as_csv = pd.read_csv(io.StringIO(mmm("plan", "shop", *what, "--format", "csv")[1]))
    as_json = pd.DataFrame(json.loads(mmm("plan", "shop", *what, "--format", "json")[1]))
    assert list(as_csv.columns) == list(as_json.columns)
    assert len(as_csv) == len(as_json) > 1


def test_a_plan_can_be_forecast(mmm, data_dir: Path) -> None:
    """The media that --output writes are read as a plan by the client file."""
    from mmm_engine.rows.client_data import read_client
    from mmm_engine.rows.plan import read_plan

    assert mmm("plan", "shop", "--next", "6", "--output", str(data_dir / "next.csv"))[0] == 0
    assert len(read_plan(data_dir / "next.csv", read_client("shop", data_dir))) == 6


def test_a_scenario_is_compared_on_the_same_draws(mmm, data_dir: Path) -> None:
    """Today, the plan and the file beside one another; a file of other dates is refused."""
    money = pd.DataFrame(json.loads(mmm("plan", "shop", "--format", "json")[1]))
    mmm("plan", "shop", "--output", str(data_dir / "mine.csv"))
    rows = json.loads(mmm("plan", "shop", "--scenario", str(data_dir / "mine.csv"), "--format", "json")[1])
    assert [row["plan"] for row in rows] == ["today", "this plan", "mine"]
    assert len(money)
    frame = pd.read_csv(data_dir / "mine.csv")
    frame["date"] = "2001-01-01"
    frame.iloc[:1].to_csv(data_dir / "other.csv", index=False)
    code, _, err = mmm("plan", "shop", "--scenario", str(data_dir / "other.csv"))
    assert code == 2
    assert "correct the dates" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--budget", "lots"), "last_13"),
        (("--objective", "max"), "worst 5%"),
        (("--within", "far"), "30%"),
        (("--budget", "999999999"), "which the limits allow"),
        (("--budget", "profit"), "margin"),
        (("--keep", "telly"), "telly"),
        (("--output", "plan.txt"), ".csv"),
    ],
)
def test_requests_that_cannot_be_met_exit_with_2(mmm, options: tuple[str, ...], words: str) -> None:
    """With what was found, what is allowed and what to do."""
    code, _, err = mmm("plan", "shop", *options)
    assert code == 2
    assert words in err


def test_a_model_that_is_not_to_be_used_gives_no_advice(mmm, sampler) -> None:
    """The verdict "do not use" ends in exit code 1 and the checks that failed, and nothing is advised."""
    sampler.unhealthy.add("full")
    assert mmm("refresh", "shop", "--windows", "full")[0] == 1
    code, out, err = mmm("plan", "shop")
    assert code == 1
    assert "no money is to be moved" in err
    assert "advice" not in out


def test_a_client_that_was_never_refreshed_is_refused(mmm) -> None:
    """It is told what to run."""
    assert mmm("plan", "nobody")[0] == 2


def test_the_frontier_has_a_line_a_budget(mmm) -> None:
    """Nineteen columns of a client's channels broke every number over three lines of a terminal."""
    out = mmm("plan", "shop", "--frontier")[1]
    lines = [
        line for line in out.splitlines() if " to " in line and line.split()[0].replace(",", "").isdigit()
    ]
    assert len(lines) == 20
    assert "--format csv" in out
