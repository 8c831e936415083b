"""The command line: what it prints, its exit codes, and that bad input writes nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from mmm_assets.pages.publication import Publication
from mmm_assets.storage.io_managers import JsonFiles
from mmm_engine.history.store import History
from tests.assets.conftest import break_client, files_below, words_to_add, write_client


def test_refresh_prints_scores_checks_and_the_report(mmm, home, data_dir, sampler, quick):
    """Exit code 0; every window has a line; the report exists where the last lines say."""
    code, out, _ = mmm("refresh", "shop", "--windows", "full,h04", "--verbose")
    assert code == 0
    assert "Scores of shop" in out
    assert "h04" in out
    assert "sampler_converged" in out
    path = Publication(root=str(home)).report_path("shop")
    assert f"Report: {path}" in out
    assert path.is_file()
    assert (home / "storage" / "portfolio" / "portfolio.html").is_file()
    assert "finished" in out  # the progress of a fit, as a plain line


def test_refresh_ends_with_1_when_a_hard_gate_fails(mmm, home, data_dir, sampler):
    """The check and the refused page are named."""
    sampler.unhealthy.add("full")
    code, out, _ = mmm("refresh", "shop", "--windows", "full")
    assert code == 1
    assert "FAILED" in out
    assert "not published" in out
    assert "shop.failed.html" in out
    assert mmm("gate", "shop")[0] == 1


def test_a_quiet_refresh_says_why_it_failed_and_nothing_else(mmm, home, data_dir, sampler, monkeypatch):
    """A gate, a fit that dies, a portfolio that cannot be written: each on standard error."""
    sampler.unhealthy.add("full")
    code, out, err = mmm("-q", "refresh", "shop", "--windows", "full")
    assert (code, out) == (1, "")
    assert "shop: sampler_converged: " in err
    sampler.unhealthy.clear()
    monkeypatch.setattr("mmm_assets.cli.client_walk.refresh_portfolio", lambda *_: False)
    code, out, err = mmm("-q", "refresh", "shop", "--windows", "full")
    assert (code, out) == (1, "")
    assert err == "The page of all clients could not be written again; mmm portfolio says why.\n"

    def no_memory(*_, **__):
        raise MemoryError("no memory left")

    monkeypatch.setattr("mmm_engine.posterior.fit.fit", no_memory)
    code, out, err = mmm("-q", "refresh", "shop", "--windows", "full")
    assert (code, out) == (1, "")
    assert "MemoryError" in err


def test_refresh_of_bad_input_ends_with_2_and_writes_nothing(mmm, tmp_path, monkeypatch, data_dir, sampler):
    """All faults in one message; no home, no partition, no file, no history row."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "never_made"))
    break_client(data_dir, "shop")
    before = files_below(tmp_path)
    code, _, err = mmm("refresh", "shop")
    assert code == 2
    assert err.count("client 'shop'") == 1
    assert "2 faults" in err
    assert files_below(tmp_path) == before
    assert not (tmp_path / "never_made").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("refresh", "nobody"),
        ("refresh", "../evil"),
        ("refresh", "shop", "--windows", "full,h99"),
        ("refresh", "shop", "--windows", ""),
        ("refresh", "shop", "--draws", "0"),
        ("refresh", "shop", "--draws", "many"),
        ("refresh", "shop", "--chains", "65"),
        ("refresh",),
        ("check", "nobody"),
        ("report", "shop"),
        ("report", "../evil"),
        ("history", "../evil"),
        ("gate", "shop"),
        ("simulate", "../evil"),
        ("simulate", "shop"),
        ("nonsense",),
    ],
)
def test_whatever_is_wrong_is_said_in_words_and_writes_nothing(
    mmm, tmp_path, monkeypatch, data_dir, sampler, words
):
    """Exit code 2 and no traceback."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "never_made"))
    before = files_below(tmp_path)
    code, out, err = mmm(*words)
    assert code == 2
    assert err
    assert "Traceback" not in out + err
    assert files_below(tmp_path) == before


def test_one_bad_client_does_not_stop_the_others(mmm, home, data_dir, sampler, quick):
    """The sound one is refreshed; the exit code is that of the bad one."""
    break_client(data_dir, "app")
    code, out, err = mmm("refresh", "app", "shop", "--windows", "full")
    assert code == 2
    assert "client 'app'" in err
    assert "Scores of shop" in out
    assert not (home / "storage" / "client_data" / "app.parquet").exists()


def test_one_failing_client_does_not_stop_the_others(mmm, home, data_dir, sampler, quick, monkeypatch):
    """A client whose fit fails is reported and the next one is refreshed."""
    fit = sampler.fit

    def only_app_fails(inputs, **options):
        if inputs.config.client == "app":
            raise MemoryError("no memory left")
        return fit(inputs, **options)

    monkeypatch.setattr("mmm_engine.posterior.fit.fit", only_app_fails)
    code, out, _ = mmm("refresh", "app", "shop", "--windows", "full")
    assert code == 1
    assert "MemoryError" in out
    assert Publication(root=str(home)).status("shop").published


def test_check_lists_findings_or_faults(mmm, data_dir):
    """Exit code 0 for clients that keep the contract, 2 as soon as one does not."""
    code, out, _ = mmm("check", "shop", "app")
    assert code == 0
    assert (
        "shop: keeps the data contract (60 rows by week, 2024-01-01 to 2025-02-17, 2 channels, 1 control)"
        in out
    )
    break_client(data_dir, "shop")
    code, out, err = mmm("check")
    assert code == 2
    assert "app: keeps" in out
    assert "2 faults" in err


@pytest.mark.parametrize(
    ("model", "messages"),
    [
        (
            {"priors": {"intercept": {"distribution": "HalfNormal", "sd": 0.3}}},
            ["setting 'model.priors.intercept.sd' (line ", "did you mean 'sigma'?"],
        ),
        (
            {"priors": {"saturation_lam": {"distribution": "Gamma", "mu": 2}}},
            ["setting 'model.priors.saturation_lam' (line ", "found Gamma with mu alone", "add sigma"],
        ),
        (
            {"priors": {"gamma_control": {"distribution": "Normal", "mu": 0, "sigma": -1}}},
            ["setting 'model.priors.gamma_control.sigma' (line ", "found -1; wanted a number above 0"],
        ),
        (
            {"priors": {"adstock_alfa": {"distribution": "Beta", "alpha": 1, "beta": 3}}},
            [
                "setting 'model.priors.adstock_alfa' (line ",
                "an unknown prior",
                "did you mean 'adstock_alpha'?",
            ],
        ),
        (
            {"priors": {"likelihood": {"distribution": "Normal", "mu": 0, "sigma": 1}}},
            ["setting 'model.priors.likelihood' (line ", "Normal with sigma: its mean is the model's"],
        ),
        (
            {"priors": {"adstock_alpha": {"distribution": "Normal", "mu": 0.5, "sigma": 0.2}}},
            [
                "setting 'model.priors.adstock_alpha' (line ",
                "found Normal(mu=0.5, sigma=0.2), which reaches from -inf to inf",
                "wanted a prior on numbers between 0 and 1: Beta, Kumaraswamy, LogitNormal, HalfLife, or one",
                "write for example HalfLife(median=1, sigma=0.8)",
            ],
        ),
    ],
    ids=["name", "missing", "range", "parameter", "likelihood", "support"],
)
def test_check_refuses_priors_that_no_model_can_have(mmm, data_dir, model, messages):
    """Names of arguments, their ranges, names of parameters: with the line, before anything is fitted."""
    write_client(data_dir, "shop", model=model)
    for command in ("check", "refresh"):
        code, _, err = mmm(command, "shop")
        assert code == 2
        assert all(message in err for message in messages)


@pytest.mark.parametrize(
    ("step", "rows", "lag"), [("D", 200, 28), ("W-MON", 60, 8), ("MS", 40, 3), ("W-MON", 29, 5)]
)
def test_add_gives_media_the_same_time_to_work_whatever_a_row_is(mmm, data_dir, tmp_path, step, rows, lag):
    """Four weeks of days, eight weeks, three months; no more than 24 rows leave over."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"day": pd.date_range("2023-01-02" if step != "MS" else "2021-01-01", periods=rows, freq=step)}
    )
    frame["tv"], frame["sales"] = rng.gamma(2, 10, rows), rng.normal(900, 20, rows)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    words = ("--data", tmp_path / "rows.csv", "--date", "day", "--target", "sales", "--channels", "tv")
    code, _, err = mmm("add", "june", *words)
    assert code == 0, err
    text = (data_dir / "june.yaml").read_text()
    assert f"max_lag: {lag}" in text
    assert "as long as media are taken to work" in text


def test_add_names_the_file_that_was_typed(mmm, tmp_path):
    """Not the copy that is checked under the client's name."""
    frame = pd.DataFrame(
        {"day": pd.date_range("2023-01-02", periods=60, freq="W-MON"), "tv": 1.0, "sales": 2.0}
    )
    source = tmp_path / "export of may.csv"
    frame.to_csv(source, index=False)
    words = ("--data", source, "--date", "day", "--target", "sales", "--channels", "tv,radio")
    code, _, err = mmm("add", "june", *words)
    assert code == 2
    assert f"client 'june', {source}: 3 faults" in err
    assert "june.csv" not in err


def test_check_refuses_a_channels_prior_that_the_channel_has_no_parameter_for(mmm, data_dir):
    """The line is that of the channel, also where channels are written as a mapping."""
    prior = {"distribution": "HalfNormal", "sigma": 1}
    path = data_dir / "shop.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["channels"] = {"tv": {"priors": {"gamma_control": prior}}, "search": None}
    path.write_text(yaml.safe_dump(settings))
    code, _, err = mmm("check", "shop")
    assert code == 2
    assert "setting 'channels.tv.priors.gamma_control' (line " in err


def test_add_copies_the_rows_and_writes_a_client_file_that_can_be_read(mmm, data_dir, tmp_path):
    """The file reads back, and a second client of the same id needs --force."""
    from mmm_engine.rows.client_data import read_client

    source = tmp_path / "Rows of June.csv"
    source.write_bytes((data_dir / "shop.csv").read_bytes())
    words = (
        "add",
        "june",
        "--data",
        source,
        "--date",
        "week",
        "--target",
        "sales",
        "--channels",
        "tv, search",
    )
    code, out, _ = mmm(*words, "--controls", "price", "--any-sign", "--seasonality", "2", "--max-lag", "6")
    assert code == 0
    assert "mmm refresh june" in out
    data = read_client("june", data_dir)
    assert (
        (data_dir / "june.yaml")
        .read_text()
        .startswith("# yaml-language-server: $schema=.client.schema.json\n")
    )
    assert (data_dir / ".client.schema.json").read_text() == mmm("schema")[1]
    assert data.config.channel_names == ("tv", "search")
    assert (data.config.model.adstock.max_lag, data.config.model.yearly_seasonality) == (6, 2)
    assert data.config.controls[0].effect == "any"
    assert source.exists()
    before = files_below(data_dir)
    code, _, err = mmm(*words)
    assert code == 2
    assert "--force" in err
    assert files_below(data_dir) == before
    assert mmm(*words, "--force")[0] == 0


def test_add_writes_what_the_rows_ask_for(mmm, data_dir, tmp_path):
    """Only when it is told to, with the reason beside it; no control has a sign that nobody said."""
    import numpy as np
    import pandas as pd

    from mmm_engine.client.client_file import read_client_config

    days = pd.date_range("2022-01-03", periods=200)
    rng = np.random.default_rng(1)
    tv, price = rng.gamma(2, 50, 200), rng.normal(10, 1, 200)
    sales = 1000 + tv - 10 * price + 50.0 * (np.arange(200) % 7 > 4) + rng.normal(0, 10, 200)
    source = tmp_path / "days.csv"
    pd.DataFrame({"day": days, "sales": sales, "tv": tv, "price": price}).to_csv(source, index=False)
    words = ("add", "june", "--data", source, "--date", "day", "--target", "sales", "--channels", "tv")
    code, out, _ = mmm(*words, "--controls", "price")
    assert code == 0
    assert "with --suggested (and --force): weekly_seasonality: true" in out
    plain = read_client_config(data_dir / "june.yaml")
    assert not plain.model.weekly_seasonality
    assert plain.controls[0].effect == "any"
    options = ("--suggested", "--country", "DE", "--subdivision", "BY", "--negative", "price", "--force")
    code, out, _ = mmm(*words, "--controls", "price", *options)
    assert code == 0
    assert "taken over: weekly_seasonality: true" in out
    config = read_client_config(data_dir / "june.yaml")
    assert config.model.weekly_seasonality
    assert config.controls[0].effect == "negative"
    assert (config.model.holidays.country, config.model.holidays.subdivision) == ("DE", "BY")
    assert max(once.start for one in config.model.holidays.days for once in one.days) == "2024-12-26"
    text = (data_dir / "june.yaml").read_text()
    assert "# weekly_seasonality, because the day of the week explains" in text
    assert "# holidays, because they were asked for; the days are those of the package holidays" in text
    assert mmm("check", "june")[0] == 0


@pytest.mark.parametrize("name", ["rows.csv", "rows.xlsx"])
def test_add_keeps_how_the_file_is_written(mmm, data_dir, tmp_path, name):
    """A European export: what was found is printed once and stands in the client file; checks are quiet about it."""
    from mmm_engine.client.client_file import read_client_config

    frame = pd.read_csv(data_dir / "shop.csv").rename(columns={"tv": "tv, cost"})
    frame["week"] = pd.to_datetime(frame["week"]).dt.strftime("%d.%m.%y")
    frame = frame.map(lambda cell: str(cell).replace(".", ",") if isinstance(cell, float) else cell)
    source = tmp_path / name
    if name.endswith("csv"):
        source.write_text("Report;\n" + frame.to_csv(index=False, sep=";"))
    else:
        with pd.ExcelWriter(source) as book:
            frame.to_excel(book, sheet_name="Data", index=False)
            pd.DataFrame({"note": [1]}).to_excel(book, sheet_name="Notes", index=False)
    words = ("--data", source, "--date", "week", "--target", "sales", "--channels", '"tv, cost",search')
    code, out, err = mmm("add", "june", *words)
    assert code == 0, err
    config = read_client_config(data_dir / "june.yaml")
    assert config.channel_names == ("tv, cost", "search")
    assert (config.csv.decimal, config.csv.dates) == (",", "day/month/year")
    if name.endswith("csv"):
        assert (
            "file: columns are separated by ';', numbers have a decimal comma, dates are day/month/year"
            in out
        )
        assert config.csv.separator == ";"
    else:
        assert config.sheet == "Data"
    code, out, _ = mmm("check", "june")
    assert code == 0
    assert "separated" not in out
    assert "decimal" not in out
    assert mmm("add", "july", *words, "--dates", "month/day/year")[0] == 2


def test_holidays_are_printed_as_a_client_file_has_them(mmm):
    """The lines read back as the section of a client file; an unknown country is refused."""
    from mmm_engine.client.client_file import client_config_from_mapping
    from mmm_engine.files.yaml_document import parse_document

    code, out, _ = mmm("holidays", "US", "--since", "2023", "--until", "2024")
    assert code == 0
    settings = {"client": "a", "data": "a.csv", "date": "d", "target": "t", "channels": ["c"]}
    stored = client_config_from_mapping(settings | dict(parse_document(out).values)).model.holidays
    assert {"Thanksgiving Day", "Independence Day"} <= {one.name for one in stored.days}
    code, _, err = mmm("holidays", "Germany", "--since", "2023", "--until", "2024")
    assert (code, "wanted the code of a country" in err) == (2, True)
    assert mmm("holidays", "US", "--since", "2024", "--until", "2023")[0] == 2


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--positive", "price", "wanted a control"),
        ("--subdivision", "BY", "without a country"),
        ("--country", "ZQ", "wanted the code of a country"),
        ("--target", "turnover", "turnover"),
        ("--channels", "tv,radio", "radio"),
        ("--channels", "", "channels"),
        ("--kind", "happiness", "happiness"),
        ("--data", "missing.csv", "no such file"),
        ("--max-lag", "99", "99"),
    ],
)
def test_add_refuses_what_the_rows_do_not_have(mmm, data_dir, option, value, message):
    """Exit code 2, and the data folder is as before."""
    options = {
        "--data": str(data_dir / "shop.csv"),
        "--date": "week",
        "--target": "sales",
        "--channels": "tv,search",
        option: value,
    }
    before = files_below(data_dir)
    code, _, err = mmm("add", "june", *[word for pair in options.items() for word in pair])
    assert code == 2
    assert message in err
    assert files_below(data_dir) == before


def test_simulate_writes_a_client_with_its_truth(mmm, data_dir):
    """Rows, settings and truth; the client keeps the data contract."""
    code, _, _ = mmm("simulate", "sim", "--weeks", "80", "--channels", "3", "--seed", "5")
    assert code == 0
    assert {"sim.csv", "sim.yaml", "sim.truth.json"} <= set(files_below(data_dir))
    assert len(json.loads((data_dir / "sim.truth.json").read_text())["channels"]) == 3
    assert mmm("check", "sim")[0] == 0


def test_simulate_can_have_a_trend_events_and_lift_tests(mmm, data_dir):
    """The table of the lift tests lies beside the client file, and `check` says what it read."""
    options = ("--weeks", "110", "--channels", "2", "--trend", "0.2", "--events", "--lift-tests", "3")
    assert mmm("simulate", "sim", *options)[0] == 0
    assert {"sim.csv", "sim.yaml", "sim.truth.json", "sim.lift.csv"} <= set(files_below(data_dir))
    code, out, _ = mmm("check", "sim")
    assert code == 0
    assert "2 channels, 2 controls, 2 events, 6 lift tests)" in out
    assert mmm("simulate", "sim", *options)[0] == 2  # all four files would be replaced


def test_history_prints_tables_csv_and_json(mmm, used_home, data_dir):
    """The same rows in three forms; a filter keeps what it says."""
    code, out, _ = mmm("history", "shop", "--metric", "mape", "--format", "json")
    rows = json.loads(out)
    assert code == 0
    assert {(row["client"], row["metric"]) for row in rows} == {("shop", "mape")}
    assert len(mmm("history", "shop", "--metric", "mape", "--format", "csv")[1].splitlines()) == len(rows) + 1
    assert f"{len(rows)} scores" in mmm("history", "shop", "--metric", "mape")[1]
    write_client(data_dir, "new")
    code, text = mmm("history", "new")[:2]
    assert code == 0
    assert text.startswith("No scores recorded for client 'new' yet in ")
    assert text.endswith("Next: mmm refresh new\n")
    code, text = mmm("history", "shop", "--metric", "no-such-word")[:2]
    assert text.startswith("No scores recorded for client 'shop', metric 'no-such-word' yet in ")
    assert text.endswith("Next: mmm history shop\n")


def test_gate_is_0_for_clients_that_passed(mmm, used_home, data_dir):
    """All clients of the data folder when none is named."""
    code, out, _ = mmm("gate")
    assert code == 0
    assert "sampler_converged" in out
    assert "shop|full, h04, h08, h12" in out


def test_gate_is_1_for_a_client_that_was_never_refreshed(mmm, used_home, data_dir):
    """A model nobody has judged is not fit for use."""
    write_client(data_dir, "new")
    code, _, err = mmm("gate", "shop", "new")
    assert code == 1
    assert "'new': never refreshed; run: mmm refresh new" in err


@pytest.mark.parametrize(
    "words",
    [
        ("refresh", "nobody"),
        ("audit", "nobody"),
        ("check", "nobody"),
        ("show", "nobody"),
        ("open", "nobody"),
        ("history", "nobody"),
        ("history", "nobody", "--ledger"),
        ("history", "nobody", "--advice", "--format", "json"),
        ("gate", "shop", "nobody"),
        ("plan", "nobody"),
        ("report", "nobody"),
        ("export", "nobody"),
        ("rename", "nobody", "somebody", "--yes"),
        ("remove", "nobody", "--yes"),
    ],
)
def test_a_client_that_nobody_knows_is_bad_input(mmm, used_home, data_dir, words):
    """Exit code 2 of every command that takes a client's name, and which clients there are."""
    code, _, err = mmm(*words)
    said = " ".join(err.split())
    assert code == 2
    assert "app, shop" in said
    assert "mmm refresh nobody" not in said


def test_gate_misses_a_renamed_client_under_its_new_id(mmm, used_home, data_dir):
    """The old id is named and judges nothing; the new one was never refreshed."""
    for suffix in (".yaml", ".csv"):
        (data_dir / f"shop{suffix}").rename(data_dir / f"store{suffix}")
    text = (data_dir / "store.yaml").read_text().replace("shop", "store")
    (data_dir / "store.yaml").write_text(text)
    code, out, err = mmm("gate")
    assert code == 1
    assert "client 'shop': not judged, its file is gone" in err
    assert "client 'store': never refreshed" in err
    assert "shop" not in out


@pytest.mark.parametrize("command", ["check", "gate"])
@pytest.mark.parametrize("folder", ["empty", "absent"])
def test_commands_that_have_nothing_to_look_at_say_so(mmm, used_home, tmp_path, monkeypatch, command, folder):
    """Exit code 2: a job in CI that looks at the wrong folder does not pass."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("MMM_DATA_DIR", str(tmp_path / folder))
    code, _, err = mmm(command)
    assert code == 2
    assert ("without a client" if folder == "empty" else "which does not exist") in err
    assert "add one with mmm add" in err


def test_what_a_terminal_cannot_write_becomes_an_escape(data_dir, used_home):
    """A channel's name in another alphabet: no traceback, and the name can still be told from others."""
    script = (
        "from mmm_assets.cli.terminal import write_whatever_the_encoding, print_parts, print_error\n"
        "import sys; write_whatever_the_encoding(); print_parts('Fernsehen \u00fc'); sys.stdout.write('\u4e2d\\n')"
    )
    environment = dict(os.environ, PYTHONIOENCODING="ascii")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment, check=True)
    assert done.stdout.splitlines() == [b"Fernsehen \\xfc", b"\\u4e2d"]


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("", 120), ("none", 120), ("0", 120)])
def test_piped_output_is_as_wide_as_columns_says(mmm, used_home, monkeypatch, columns, width):
    """Without a word of it tables in files have their own width."""
    monkeypatch.setenv("COLUMNS", columns)
    out = mmm("gate", "shop")[1]
    longest = max(map(len, out.splitlines()))
    assert longest <= width
    assert longest > width - 20


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("", 120)])
def test_what_a_refresh_says_stays_while_steps_run(stream, columns, width):
    """Dagster points both streams at log files meanwhile; both are as wide as COLUMNS says."""
    script = (
        "import os, sys; from mmm_assets.cli.terminal import step_proof_console\n"
        f"screen = step_proof_console(to_stderr={stream == 'stderr'})\n"
        "nowhere = os.open(os.devnull, os.O_WRONLY); os.dup2(nowhere, 1); os.dup2(nowhere, 2)\n"
        "screen.rule()"
    )
    environment = dict(os.environ, COLUMNS=columns, PYTHONIOENCODING="utf-8")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment, check=True)
    assert getattr(done, stream).decode() == "─" * width + "\n"


def test_an_empty_history_is_not_read_for_words_that_nobody_said(mmm, home, monkeypatch):
    """Without a word nothing can be misspelt."""
    read = []
    rows = History.read
    monkeypatch.setattr(
        History, "read", lambda self, *words, **more: read.append(words) or rows(self, *words, **more)
    )
    assert mmm("history")[:2] == (0, f"No scores recorded yet in {home}.\nNext: mmm refresh\n")
    assert len(read) == 1


def test_add_takes_units_costs_curves_and_says_what_it_assumes(mmm, data_dir, tmp_path):
    """Impressions with their money, an organic channel without, a carry-over; what nobody said is printed."""
    from mmm_engine.client.client_file import read_client_config

    frame = pd.read_csv(data_dir / "shop.csv")
    frame.assign(tv_cost=frame["tv"] / 2).to_csv(tmp_path / "rows.csv", index=False)
    words = words_to_add(tmp_path / "rows.csv")
    options = (
        "--unit",
        "tv=impressions",
        "--cost",
        "tv=tv_cost",
        "--adstock",
        "delayed",
        "--saturation",
        "tanh",
    )
    code, out, err = mmm(
        "add", "june", *words, *options, "--controls", "price", "--country", "DE", "--no-holidays"
    )
    assert code == 0, err
    config = read_client_config(data_dir / "june.yaml")
    assert [(one.unit, one.cost) for one in config.channels] == [("impressions", "tv_cost"), ("spend", None)]
    assert (config.model.adstock.kind, config.model.saturation) == ("delayed", "tanh")
    assert config.model.holidays is None
    assert "assumed: search is money spent (--unit, --cost otherwise)" in out
    assert "assumed: price may raise or lower the target (--positive, --negative otherwise)" in out
    for wrong, message in (
        (("--cost", "radio=tv_cost"), "found 'radio'; wanted a channel"),
        (("--unit", "tv"), "found 'tv'; wanted name=word"),
        (("--adstock", "long"), "long"),
        (("--holidays",), "found no country"),
    ):
        code, _, err = mmm("add", "july", *words, *wrong)
        assert code == 2
        assert message in err


def test_report_for_the_client_is_a_page_of_its_own_and_stays_fresh(mmm, used_home, sampler):
    """Asked for once, it is written again with every page for the analyst."""
    publication = Publication(root=str(used_home))
    code, out, _ = mmm("report", "shop", "--audience", "client")
    page = publication.client_path("shop")
    assert (code, out.strip()) == (0, str(page))
    assert "for the client" in page.read_text()
    assert "for the analyst" in publication.report_path("shop").read_text()
    page.write_text("old")
    assert mmm("report", "shop")[0] == 0
    assert "for the client" in page.read_text()


def test_report_and_portfolio_render_again_from_what_is_stored(mmm, used_home):
    """Paths on standard output, nothing is fitted; a page that is written anew makes no model younger."""
    page = Publication(root=str(used_home)).report_path("shop")
    page.unlink()
    statuses, refreshed = JsonFiles(root=str(used_home)), "2026-01-05T10:00:00+00:00"
    statuses.write("report", "shop", statuses.read("report", "shop") | {"at": refreshed})
    code, out, _ = mmm("report", "shop")
    assert (code, out.strip().splitlines()[-1]) == (0, str(page))
    assert "Refreshed 5 Jan 2026 10:00" in page.read_text().replace("\N{NO-BREAK SPACE}", " ")
    publication = Publication(root=str(used_home))
    assert publication.status("shop").at == refreshed
    statuses.write("canary", None, {"hold": "tv found 1, true 9", "numbers": {}, "at": ""})
    assert mmm("report", "shop")[0] == 1
    assert publication.status("shop").at > refreshed  # what is held back today is stale since today
    statuses.write("canary", None, {"hold": "", "numbers": {}, "at": ""})
    code, out, _ = mmm("portfolio")
    assert code == 0
    assert "shop" in Path(out.strip().splitlines()[-1]).read_text()


def test_commands_that_read_do_not_load_the_model(data_dir, used_home):
    """`mmm check` and `mmm history` never import PyMC."""
    code = (
        "import sys; from mmm_assets.cli import app; sys.argv = ['mmm', *{words}]\n"
        "try: app.main()\nexcept SystemExit: pass\n"
        "print([m for m in ('pymc', 'pytensor', 'nutpie', 'dagster') if m in sys.modules])"
    )
    for words in (["check", "shop"], ["history", "shop", "--format", "csv"]):
        out = subprocess.run(
            [sys.executable, "-c", code.format(words=words)], capture_output=True, text=True, check=True
        ).stdout
        assert out.splitlines()[-1] == "[]"


def test_ui_starts_dagster_on_this_machine_only(mmm, home, monkeypatch, tmp_path):
    """From any folder, with the platform's home and workspace."""
    calls, served = [], []
    monkeypatch.setattr("os.execv", lambda program, words: calls.append(words))
    monkeypatch.setattr(
        "mmm_assets.pages.server.start_server", lambda home, port: served.append((home, port))
    )
    monkeypatch.setenv("MMM_PAGES_PORT", "1")
    monkeypatch.chdir(tmp_path)
    code, out, _ = mmm("ui", "--port", "3999")
    assert code == 0
    assert served == [(home, 4000)]
    assert "http://127.0.0.1:4000/portfolio/portfolio.html" in out
    (words,) = calls
    assert words[1] == "-P"  # nor does the web server take modules from the folder it is started in,
    assert os.environ["PYTHONSAFEPATH"] == "1"  # or the daemon and the code server, which it starts
    assert words[words.index("-h") + 1] == "127.0.0.1"
    assert Path(words[words.index("-w") + 1]).name == "workspace.yaml"
    assert Path(words[words.index("-w") + 1]).is_absolute()


def test_a_client_file_that_names_another_client_is_refused(mmm, data_dir, home):
    """The file's name is the id."""
    write_client(data_dir, "third")
    (data_dir / "third.yaml").rename(data_dir / "fourth.yaml")
    code, _, err = mmm("check", "fourth")
    assert code == 2
    assert "third" in err
