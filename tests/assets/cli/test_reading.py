"""Commands that read: which clients there are, where one stands, its tables, what a check means; for programs too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import dagster as dg
import pandas as pd
import pytest

from mmm_assets import home as homes
from mmm_assets.checks.latest import latest_checks
from mmm_assets.cli.tables import count_lines
from mmm_assets.dagster_private.execution import job_origin
from mmm_assets.launching.processes import process_identity
from mmm_assets.pages.publication import Publication
from mmm_assets.runs import CLIENT_TAG, PROCESS_TAG, Refresh
from mmm_assets.storage.results import ResultStore
from mmm_engine.client.windows import FULL
from mmm_engine.scores.advice import ADVICE
from tests.assets.conftest import break_client, files_below, write_client


@dg.job
def one_step() -> None:
    """A job that stands for a refresh; it is never executed."""


def test_list_names_every_client_with_its_verdict(mmm, used_home, data_dir):
    """Clients with files, and those of which results are stored; never refreshed is said so."""
    write_client(data_dir, "new")
    (data_dir / "app.yaml").unlink()
    code, out, _ = mmm("list")
    assert code == 0
    assert "3 clients" in out
    lines = {
        line.split()[0]: line for line in out.splitlines() if line.split()[:1] in (["app"], ["new"], ["shop"])
    }
    assert "never refreshed" in lines["new"]
    assert "no client file" in lines["app"]
    assert "2025-02-17" in lines["shop"]
    rows = {row["client"]: row for row in json.loads(mmm("list", "--format", "json")[1])}
    assert rows["new"]["verdict"] is None
    assert rows["shop"]["verdict"] == Publication(root=str(used_home)).status("shop").verdict
    assert rows["shop"]["published"] is True


def test_clients_are_listed_as_people_count(mmm, home, data_dir):
    """toy2 before toy10, wherever clients are listed: `list`, `check`, messages."""
    for client in ("toy10", "toy2"):
        write_client(data_dir, client)
    for file in data_dir.glob("*.yaml"):
        if not file.stem.startswith("toy"):
            file.unlink()
    assert [row["client"] for row in json.loads(mmm("list", "--format", "json")[1])] == ["toy2", "toy10"]
    assert [row["client"] for row in json.loads(mmm("check", "--format", "json")[1])] == ["toy2", "toy10"]
    assert "toy2, toy10" in " ".join(mmm("show", "nobody")[2].split())


def test_a_client_whose_first_refresh_runs_is_told_so(mmm, home, data_dir):
    """`list` said "never refreshed", `gate` to refresh it; once its process is gone they say so again."""
    write_client(data_dir, "new")
    with homes.open_instance(home) as instance:
        tags = {CLIENT_TAG: "new", PROCESS_TAG: process_identity()}
        origin, status = job_origin("client_data_job"), dg.DagsterRunStatus.STARTED
        run = instance.create_run_for_job(one_step, status=status, tags=tags, remote_job_origin=origin)

        def line() -> str:
            (line,) = [line for line in mmm("list")[1].splitlines() if line.split()[:1] == ["new"]]
            return line

        assert "first refresh under way" in line()
        rows = {row["client"]: row for row in json.loads(mmm("list", "--format", "json")[1])}
        assert rows["new"]["first_refresh_runs"]
        assert "client 'new': its first refresh is under way" in mmm("gate", "new")[2]
        instance.add_run_tags(run.run_id, {PROCESS_TAG: process_identity().rpartition(":")[0] + ":1"})
        assert "never refreshed" in line()


def test_a_client_whose_first_files_are_refused_has_no_report_and_a_reason(mmm, home, data_dir):
    """It was "report stale", and `mmm show` advised the very refresh that was refused."""
    now = datetime.now(UTC)
    Publication(root=str(home)).refuse(
        "shop", ["a row is missing"], Refresh("one", now, now, "mmm refresh shop")
    )
    (row,) = [row for row in json.loads(mmm("list", "--format", "json")[1]) if row["client"] == "shop"]
    assert (row["published"], row["has_report"]) == (False, False)
    (line,) = [line for line in mmm("list")[1].splitlines() if line.split()[:1] == ["shop"]]
    assert "do not use, no report" in line
    code, _, err = mmm("show", "shop")
    assert code == 2
    assert "its last refresh was refused: a row is missing" in " ".join(err.split())


@pytest.mark.parametrize("words", [("list",), ("show", "shop")])
def test_a_damaged_plan_costs_no_list(mmm, used_home, data_dir, words):
    """Nothing is said of that one; the file lies in the quarantine."""
    plan = used_home / "storage" / "budget_plan" / "shop.json"
    plan.write_bytes(plan.read_bytes()[:20])
    code, out, err = mmm(*words, "--format", "json")
    assert (code, "Traceback" in err) == (0, False)
    rows = json.loads(out)
    (row,) = [row for row in (rows if words == ("list",) else [rows]) if row["client"] == "shop"]
    assert row["plan"] is None
    assert not plan.exists()


def test_an_empty_home_and_folder_say_so(mmm, home, tmp_path, monkeypatch):
    """With what to do next."""
    monkeypatch.setenv("MMM_DATA_DIR", str(tmp_path / "nothing"))
    code, out, _ = mmm("list")
    assert code == 0
    assert "No clients" in out
    assert "Next: mmm add" in out
    assert json.loads(mmm("list", "--format", "json")[1]) == []


def test_show_ends_with_the_verdict_and_only_what_needs_a_look(mmm, used_home, data_dir):
    """All checks with --verbose."""
    code, out, _ = mmm("show", "shop")
    assert code == 0
    verdict = Publication(root=str(used_home)).status("shop").verdict
    assert out.splitlines()[-1].startswith(f"shop: {verdict}, refreshed ")
    assert " passed " not in out
    assert " passed " in mmm("show", "shop", "--verbose")[1]
    record = json.loads(mmm("show", "shop", "--format", "json")[1])
    assert record["verdict"] == verdict
    assert set(record["scores"]) == {"full", "h04", "h08", "h12"}
    assert {"check": "data_contract", "partition": "shop", "outcome": "passed"}.items() <= record["checks"][
        0
    ].items()


def test_a_refresh_ends_with_the_verdict_and_only_what_needs_a_look(mmm, home, data_dir, sampler, quick):
    """A count of all checks says that the others were made."""
    code, out, _ = mmm("refresh", "shop", "--windows", "full,h04")
    assert code == 0
    assert "sampler_converged" not in out
    assert " checks of data and model: " in out
    assert " checks of plan, history and page: " in out
    assert "\nAll of them: mmm show shop --verbose\n" in out  # on a line of its own: to be copied
    assert out.splitlines()[-1].startswith("shop: ")


def test_terminal_and_report_count_the_same_checks(used_home, open_home):
    """Those of data and model, which the verdict follows from; checks of plan, history and page stand apart."""
    checks = latest_checks(open_home(used_home), "shop")
    results = ResultStore(root=str(used_home)).read("shop")
    counted = {check.check for check in checks if check.is_of_model}
    assert counted == {verdict.check for verdict in results.verdicts} | {"drift"}
    assert count_lines(checks).startswith(f"{len(counted)} checks of data and model: ")


def test_a_home_of_an_earlier_version_is_read_without_returns_by_period(used_home):
    """Their files came later: windows are whole without them, until the next refresh writes them."""
    store = ResultStore(root=str(used_home))
    known = store.read("shop").windows[FULL].period_returns
    assert {"span", "q05", "q95"} <= set(known.columns)
    shutil.rmtree(used_home / "storage" / "period_returns")
    windows = store.read("shop").windows
    assert {str(window) for window in windows} == {"full", "h04", "h08", "h12"}
    assert windows[FULL].period_returns is None


def test_programs_get_json_on_standard_output_alone(mmm, home, data_dir, sampler, quick):
    """A refresh: one line a client; a check: faults and findings; progress goes elsewhere."""
    code, out, err = mmm("refresh", "shop", "app", "--windows", "full,h04", "--format", "json")
    assert code == 0
    shop, app = map(json.loads, out.splitlines())
    assert (shop["client"], app["client"]) == ("shop", "app")
    assert shop["succeeded"]
    assert {check["outcome"] for check in shop["checks"]} <= {"passed", "warning", "not judged"}
    assert "Scores of shop" in err
    break_client(data_dir, "shop")
    code, out, err = mmm("check", "--format", "json")
    assert (code, err) == (2, "")
    faults = {record["client"]: record["faults"] for record in json.loads(out)}
    assert (len(faults["shop"]), faults["app"]) == (2, [])
    assert set(faults["shop"][0]) == {"where", "found", "wanted", "fix"}


def test_gate_gives_json(mmm, used_home):
    """Outcome and reason of each check."""
    code, out, _ = mmm("gate", "shop", "--format", "json")
    assert code == 0
    assert {check["check"] for check in json.loads(out)} >= {"data_contract", "sampler_converged"}


@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx"])
def test_export_writes_every_table(mmm, used_home, data_dir, tmp_path, form):
    """The same rows in each form."""
    code, out, _ = mmm("export", "shop", "--to", tmp_path / "out", "--format", form)
    assert code == 0
    paths = out.split()
    if form == "xlsx":
        (path,) = paths
        tables = pd.read_excel(path, sheet_name=None)
    else:
        read = pd.read_csv if form == "csv" else pd.read_parquet
        tables = {path.split(".")[-2]: read(path) for path in paths}
    assert {"contributions", "returns", "response_curves", "parameters", "predictions", "forecast"} <= set(
        tables
    )
    returns = pd.read_parquet(used_home / "storage" / "channel_returns" / "shop" / "full.parquet")
    assert tables["returns"]["mean"].to_list() == pytest.approx(returns["mean"].to_list())
    assert set(tables["contributions"]["component"]) >= {"tv", "search", "price"}


def test_open_shows_the_report(mmm, used_home, data_dir, monkeypatch):
    """The page of the analyst; a page for the client only where there is one."""
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    code, out, _ = mmm("open", "shop")
    assert (code, "no browser" in out) == (0, False)
    assert opened == [Publication(root=str(used_home)).report_path("shop").as_uri()]
    code, _, err = mmm("open", "shop", "--audience", "client")
    assert (code, "mmm report shop --audience client" in err) == (2, True)


def test_a_machine_without_a_browser_says_so(mmm, used_home, monkeypatch):
    """The path of the page, and how else it can be looked at, in place of a search for browsers."""
    monkeypatch.setattr("webbrowser.open", lambda address: False)
    code, out, err = mmm("open", "shop")
    assert (code, err) == (0, "")
    assert "report/shop.html" in out
    assert "mmm ui" in out


@pytest.mark.parametrize("check", sorted(ADVICE))
def test_every_check_is_explained(mmm, check):
    """Meaning, how it is judged, remedy."""
    code, out, _ = mmm("explain", check)
    assert code == 0
    assert ADVICE[check].remedy in out


def test_wrong_words_get_help(mmm, used_home, data_dir):
    """A check, a client, a metric, a window that nobody knows: the nearest is named, exit code 2."""
    before = files_below(used_home / "storage")
    for words, meant in (
        (("explain", "stabilty"), "stability"),
        (("history", "shpo"), "shop"),
        (("history", "--metric", "mpae"), "mape"),
        (("history", "--window", "h4"), "h04"),
        (("show", "shpo"), "shop"),
        (("report", "shpo"), "shop"),
        (("gate", "shpo"), "shop"),
        (("remove", "shpo", "--yes"), "shop"),
    ):
        code, _, err = mmm(*words)
        assert code == 2, words
        assert f"did you mean '{meant}'?" in err, words
    assert files_below(used_home / "storage") == before


def test_version_help_and_silence(mmm, used_home, data_dir):
    """`--version`, `-h`, `-q` before any command."""
    assert mmm("--version")[1].startswith("mmm 0.")
    assert "mmm refresh [OPTIONS]" in " ".join(mmm("refresh", "-h")[1].split())
    code, _, err = mmm("-q", "portfolio")
    assert (code, err) == (0, "")
    assert json.loads(mmm("schema")[1])["title"] == "Client file"


def test_a_shell_completes_clients(data_dir):
    """As the shell asks for it."""
    code = "import sys; from mmm_assets.cli.app import main; sys.argv = ['mmm']; main()"
    environment = {"_MMM_COMPLETE": "complete_bash", "COMP_WORDS": "mmm show s", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.stdout.split() == ["shop"], done.stderr
