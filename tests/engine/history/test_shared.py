"""Several machines record scores and forecasts in one place, and each reads what all of them wrote."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pandas as pd
import pytest
from upath import UPath

from mmm_engine.errors import HistoryError
from mmm_engine.history import shared as shared_module
from mmm_engine.history.clients import ClientHistory
from mmm_engine.history.shared import SharedFacts
from mmm_engine.history.store import History
from mmm_engine.history.tables import METRIC_HISTORY
from tests.engine.history.history_cases import START, score_rows
from tests.engine.history.test_advice_ledger import outcome, rows


@pytest.fixture(params=["mounted folder", "object store"])
def place(request, tmp_path):
    """Where the machines meet."""
    if request.param == "mounted folder":
        return tmp_path / "place"
    return UPath(f"memory://{uuid.uuid4().hex}/mmm")


@pytest.fixture
def machine(tmp_path, place):
    """The history of a machine by its name."""
    return lambda name: History(tmp_path / name / "metric_history.duckdb", patience=30, shared=place)


def forecast(first: str = "2026-01-05") -> pd.DataFrame:
    """Two weeks ahead."""
    quantiles = {"q05": 1.0, "q25": 2.0, "q50": 3.0, "q75": 4.0, "q95": 5.0, "mean": 3.0}
    return pd.DataFrame({"date": pd.date_range(first, periods=2, freq="7D")}).assign(**quantiles)


def freeze(history: History, cutoff: str = "2025-12-29", data: str = "data0") -> int:
    """Put a forecast into the ledger."""
    first = str((pd.Timestamp(cutoff) + pd.Timedelta(weeks=1)).date())
    return history.freeze_forecast(
        "ms",
        forecast(first),
        cutoff=pd.Timestamp(cutoff),
        issued_at=START,
        run_id="run-000",
        data_version=data,
    )


def test_a_machine_reads_what_another_recorded(machine):
    """Scores of a client, then of all; a machine that joins later has everything."""
    machine("a").append(score_rows(0))
    assert list(machine("b").read("ms")["run_id"].unique()) == ["run-000"]
    machine("b").append(score_rows(1, client="app"))
    assert set(machine("a").read()["client"]) == {"ms", "app"}
    pd.testing.assert_frame_equal(machine("c").read(), machine("a").read())


def test_a_run_that_two_machines_record_keeps_the_scores_of_both(machine):
    """A refresh on one, its audit on another, under one run id."""
    machine("a").append(score_rows(0))
    machine("b").append(score_rows(0, scores={"bias": 0.5}))
    for name in ("a", "b", "c"):
        assert sorted(machine(name).read("ms")["metric"]) == ["bias", "crps", "mape"]


def test_a_forecast_that_one_machine_froze_is_frozen_for_all_and_scored_by_any(machine):
    """The first word stays; what happened reaches the machine that issued it."""
    assert freeze(machine("a")) == 2
    assert freeze(machine("b")) == 0
    assert freeze(machine("b"), cutoff="2026-01-05", data="data1") == 2
    assert machine("c").score_forecasts("ms", pd.Series({pd.Timestamp("2026-01-05"): 3.5})) == 1
    judged = machine("a").ledger("ms")
    assert len(judged) == 4
    assert judged["actual"].dropna().tolist() == [3.5]


def test_advice_that_one_machine_froze_is_filled_in_by_another(machine):
    """With the draws behind it, which lie beside the facts."""
    assert machine("a").advice.freeze("ms", rows(), b"draws") == 3
    assert machine("b").advice.freeze("ms", rows(), b"other draws") == 0
    ((frozen, draws),) = machine("b").advice.come("ms", pd.Timestamp("2026-02-02"))
    assert draws == b"draws"
    assert machine("b").advice.fill_in("ms", outcome(frozen, 990.0)) == 3
    assert machine("a").advice.read("ms")["happened"].dropna().tolist() == [990.0]


def test_draws_that_lie_in_the_shared_place_alone_move_with_their_client(machine, place, tmp_path):
    """One machine freezes, another gives the client a new id, a third fills in."""
    machine("a").advice.freeze("ms", rows(), b"draws")
    clients = ClientHistory(tmp_path / "b" / "metric_history.duckdb", shared=place)
    assert clients.copy("ms", "shop") == 3
    clients.forget("ms")
    ((frozen, draws),) = machine("c").advice.come("shop", pd.Timestamp("2026-02-02"))
    assert (draws, set(frozen["client"])) == (b"draws", {"shop"})
    assert list(machine("c").advice.come("ms", pd.Timestamp("2026-02-02"))) == []
    assert not [path for path in place.rglob("*") if path.is_file() and "ms" in (path.parent.name, path.stem)]


@pytest.mark.parametrize("client", ["app", "advice_ledger", "metric_history"])
def test_files_of_other_clients_are_not_fetched(machine, place, tmp_path, client):
    """Not a run that is called like the client, nor all of a table that is."""
    machine("a").append(score_rows(0, client="ms", run_id=client))
    machine("a").advice.freeze("ms", rows(), b"draws")
    assert list(SharedFacts(tmp_path / "b", place).fetch(client)) == []
    machine("a").append(score_rows(1, client=client))
    ((table, copy),) = SharedFacts(tmp_path / "b", place).fetch(client)
    assert (table, copy) == (METRIC_HISTORY, tmp_path / "b" / "metric_history" / client / "run-001.parquet")


def test_a_machine_that_joins_fetches_what_it_asks_for(machine, tmp_path):
    """A pod's home is empty: were it to read everybody's facts, runs of thousands of clients would do little else."""
    for client in ("ms", "app"):
        machine("a").append(score_rows(0, client=client))
    assert set(machine("b").read("ms")["client"]) == {"ms"}
    assert {file.parent.name for file in (tmp_path / "b").rglob("*.parquet")} == {"ms"}
    assert set(machine("b").read()["client"]) == {"ms", "app"}


def test_machines_that_write_at_once_lose_nothing(machine):
    """Three machines, two runs each."""
    names = ["a", "b", "c"]

    def record(number: int) -> None:
        for run in range(2):
            machine(names[number]).append(score_rows(10 * number + run, client=f"shop{number}"))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(record, range(3)))
    for name in names:
        assert len(machine(name).read()) == 3 * 2 * 2


def test_nothing_is_fetched_twice(machine, tmp_path, place):
    """The note of a machine says what it has; what was written here is not fetched at all."""
    machine("a").append(score_rows(0))
    machine("b").read()
    for name in ("a", "b"):
        assert list(SharedFacts(tmp_path / name, place).fetch()) == []
    machine("a").append(score_rows(1))
    ((table, copy),) = SharedFacts(tmp_path / "b", place).fetch("ms")
    assert (table, copy) == (METRIC_HISTORY, tmp_path / "b" / "metric_history" / "ms" / "run-001.parquet")


def test_a_database_that_is_gone_is_made_again_from_what_all_recorded(machine):
    """Also from what was recorded elsewhere meanwhile."""
    machine("a").append(score_rows(0))
    machine("b").append(score_rows(1))
    machine("a").path.unlink()
    assert machine("a").rebuild() == 4
    assert len(machine("a").read()) == 4


class Refusing:
    """A place that refuses the first writes or reads."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self) -> str:
        """Refuse, or do it."""
        self.left -= 1
        if self.left >= 0:
            raise OSError("503 Slow Down")
        return "done"


def test_a_place_that_refuses_for_a_while_is_asked_again(tmp_path, monkeypatch):
    """Three refusals are waited for."""
    pauses = []
    ours = SimpleNamespace(monotonic=time.monotonic, sleep=pauses.append)  # threads of other tests sleep too
    monkeypatch.setattr(shared_module, "time", ours)
    assert SharedFacts(tmp_path, tmp_path)._patiently(Refusing(3), "file") == "done"
    assert len(pauses) == 3


def test_a_place_that_keeps_refusing_is_named(tmp_path):
    """One error: which file, what was said, what to do."""
    facts = SharedFacts(tmp_path, tmp_path / "place", patience=0.0)
    with pytest.raises(HistoryError, match=r"place/some/file.*503 Slow Down.*mend access"):
        facts._patiently(Refusing(1), "some/file")
