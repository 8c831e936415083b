"""A home that the first release wrote opens with its history whole, and the next refresh goes on from it.

``homes/home-2026-11-22.tar.xz`` is what its `mmm refresh shop --windows full,h04` left behind, a client of 48 weeks and
two channels; only the body of the report was cut.
"""

from __future__ import annotations

import csv
import io
import json
import tarfile
from pathlib import Path

import pytest

from mmm_assets.pages.publication import Publication
from mmm_engine.history.store import History
from tests.assets.conftest import append_weeks

ARCHIVE = Path(__file__).parent / "homes" / "home-2026-11-22.tar.xz"
RECORDED = 186  # scores, as its refresh said


@pytest.fixture
def first_home(tmp_path, monkeypatch) -> Path:
    """The home of the first release, free to be changed."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MMM_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "home"


def test_commands_that_read_know_what_was_recorded(first_home, mmm):
    """History, ledger, verdict and runs, with nothing to be done first."""
    code, out, err = mmm("history", "shop", "--format", "csv")
    assert (code, err) == (0, "")
    assert len(list(csv.DictReader(io.StringIO(out)))) == RECORDED
    code, out, _ = mmm("list", "--format", "json")
    assert code == 0
    (shop,) = json.loads(out)
    assert (shop["client"], shop["verdict"]) == ("shop", "usable")
    assert mmm("history", "shop", "--ledger")[0] == 0
    assert mmm("show", "shop")[0] == 0
    assert "sampler_converged" in mmm("gate", "shop")[1]


def test_its_database_is_made_again_from_its_facts(first_home):
    """Tables have got columns and views since; the facts are what counts."""
    before = History(first_home / "metric_history.duckdb").read("shop")
    (first_home / "metric_history.duckdb").unlink()
    after = History(first_home / "metric_history.duckdb").read("shop")
    assert len(before) == RECORDED
    assert before.equals(after)


def test_the_next_refresh_goes_on_from_it(first_home, mmm, sampler):
    """New scores stand beside the old ones, its forecasts are judged by the new rows, the report is published."""
    history = History(first_home / "metric_history.duckdb")
    before, forecasts = history.read("shop"), history.ledger("shop")
    append_weeks(first_home.parent / "data", "shop", count=2)
    code, out, err = mmm("refresh", "shop", "--windows", "full,h04")
    assert code in (0, 1), err  # what the fake fit says of the rows is no concern of this test
    assert "Traceback" not in out + err
    after = history.read("shop")
    old = after[after["run_id"].isin(before["run_id"])]
    assert old.reset_index(drop=True).equals(before)
    assert after["run_id"].nunique() == 2
    ledger = history.ledger("shop")
    assert len(ledger) > len(forecasts) > 0
    assert ledger["actual"].notna().sum() == 2
    assert Publication(root=str(first_home)).status("shop").refresh != "be9309cad615"
    assert not (first_home / "quarantine").exists()
