"""Files that once misled the platform, one folder each in ``../shared/cases``: what `mmm add` and `mmm check` say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

CASES = Path(__file__).parents[4] / "shared" / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="../shared/cases is not beside the checkout")


@pytest.fixture
def case(tmp_path, monkeypatch, home):
    """Copies a case to a folder of the test, which is then the current one; its data folder."""

    def copy(name: str) -> Path:
        folder = Path(shutil.copytree(CASES / name, tmp_path / name))
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o700 if path.is_dir() else 0o600)
        monkeypatch.setenv("MMM_DATA_DIR", str(folder / "data"))
        monkeypatch.chdir(folder)
        return folder / "data"

    return copy


@pytest.mark.parametrize(
    ("name", "file", "channels", "kept"),
    [
        ("csv-european", "eu", "tv,search,social", {"csv": {"separator": ";", "decimal": ","}}),
        ("csv-european", "semidot", "tv,search,social", {"csv": {"separator": ";"}}),
        ("csv-european", "tab", "tv,search,social", {}),
        ("csv-european", "dmony", "tv,search,social", {}),
        ("csv-european", "dmy2", "tv,search,social", {}),
        ("csv-first-line-no-header", "sepline", "tv,search,social", {}),
        ("csv-first-line-no-header", "title", "tv,search,social", {}),
        ("header-invisible-character", "zwsp", "tv,search,social", {}),
        ("comma-in-column-name", "c", '"tv, cost",search', {}),
    ],
)
def test_files_as_people_have_them_are_added(case, mmm, name, file, channels, kept):
    """One command, and what was found is kept in the client file."""
    data = case(name)
    code, out, err = mmm(
        "add", "z", "--data", f"{file}.csv", "--date", "week", "--target", "sales", "--channels", channels
    )
    assert code == 0, err
    assert " rows by week)" in out
    settings = yaml.safe_load((data / "z.yaml").read_text())
    assert {key: settings[key] for key in kept} == kept
    assert mmm("check", "z")[0] == 0


def test_a_panel_is_named_as_one(case, mmm):
    """Not as rows that came twice."""
    case("panel-file")
    code, _, err = mmm(
        "add", "p", "--data", "panel.csv", "--date", "week", "--target", "sales", "--channels", "tv,search"
    )
    assert code == 2
    assert "panel" in err


@pytest.mark.parametrize(
    ("name", "client", "codes"),
    [
        ("cost-zero-while-media-runs", "zerocost", {"cost-missing"}),
        ("daily-no-weekday-term", "daily3y", {"weekly-rhythm"}),
        ("daily-forecast-wrong-weekday", "dd", set()),
        ("flat-channel-stands-for-baseline", "covidtvi", {"level-step"}),
        ("event-leaks-into-next-row", "evmon", set()),
        ("gate-blocks-on-a-few-divergences", "x100", set()),
        ("ordinary-client-does-not-converge", "w104", set()),
        ("prior-pushes-always-warn", "base", set()),
    ],
)
def test_findings_are_those_that_a_reader_needs(case, mmm, name, client, codes):
    """And none of ordinary rows."""
    case(name)
    code, out, _ = mmm("check", client, "--format", "json")
    assert code == 0
    assert {finding["code"] for finding in json.loads(out)[0]["findings"]} == codes


@pytest.mark.parametrize(
    ("name", "client", "words"),
    [
        ("cost-zero-while-media-runs", "allzero", "a channel that no money buys has none"),
        ("negative-level-target", "allneg", "its baseline has a sign"),
        ("negative-level-target", "halfneg", "its baseline has a sign"),
        *[("prior-arguments-unchecked", client, "setting 'model.priors.") for client in
          ("psd", "pmiss", "punif", "pneg", "ptrans", "plist")],
    ],
)  # fmt: skip
def test_what_no_model_can_use_is_refused_before_a_fit(case, mmm, name, client, words):
    """With exit code 2 and the setting or column by name."""
    case(name)
    code, _, err = mmm("check", client)
    assert code == 2
    assert words in err


def test_a_folder_with_nothing_in_it_is_told(case, mmm, monkeypatch):
    """A check that looked at nothing did not pass."""
    monkeypatch.setenv("MMM_DATA_DIR", str(case("check-of-nothing-passes").parent / "nowhere"))
    code, _, err = mmm("check")
    assert code == 2
    assert "does not exist" in err
