"""The pages for newcomers: what they tell to type is run here, and prints what they show."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import typing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmm_assets.checks.latest import LatestCheck
from mmm_assets.cli.app import main
from mmm_assets.cli.tables import SCORES, count_lines
from mmm_engine.client.client_file import client_config_from_mapping
from mmm_engine.client.return_priors import LevelKind, ReturnKind
from mmm_engine.decisions.plan_words import moves_sentence
from mmm_engine.files.yaml_document import parse_document
from mmm_engine.model.default_priors import PROCESS_DEFAULTS
from mmm_engine.model.media_transforms import ADSTOCKS, SATURATIONS
from mmm_engine.model.specification import model_specification

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def dialogue(page: str) -> dict[str, str]:
    """Commands `mmm …` of a page with what it says that they print: the text block that follows, if one does."""
    blocks = FENCED.findall((DOCS / page).read_text())
    following = [*blocks[1:], ("", "")]
    return {
        " ".join(block.replace("\\\n", " ").split()): shown if kind == "text" else ""
        for (language, block), (kind, shown) in zip(blocks, following, strict=True)
        if not language and block.startswith("mmm ")
    }


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    """Type a command in a folder with the sample clients; what it prints."""
    shutil.copytree(ROOT / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMM_DATA_DIR", "data")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("PYTHONSAFEPATH", "")

    def run(command: str) -> str:
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        assert not end.value.code, err
        return out.replace(f"{tmp_path}/", "")

    return run


@pytest.mark.parametrize("command", ["mmm explain stability", "mmm check ms"])
def test_the_tutorial_shows_what_is_printed(typed, command: str) -> None:
    """Commands that take a second are run."""
    assert typed(command) == dialogue("tutorial.md")[command]


def test_the_tutorial_shows_the_table_of_a_refresh(typed) -> None:
    """Its columns are those of today, and its numbers are explained by their names there."""
    text = (DOCS / "tutorial.md").read_text()
    table = next(block for kind, block in FENCED.findall(text) if "Scores of ms" in block)
    head = table[: table.index("─")].splitlines()
    columns = [" ".join(heading.split()) for heading in SCORES]
    words = " ".join(" ".join(line.split()) for line in head).split()
    assert sorted(words) == sorted([*["Scores", "of", "ms", "window"], *" ".join(columns).split()])
    checks = [
        LatestCheck("residuals", "ms", "passed", ""),
        LatestCheck("drift", "ms", "not judged", ""),
        LatestCheck("history_rows", "ms", "passed", ""),
        LatestCheck("rows_in_time", "ms", "not judged", ""),
    ]
    shown, report, verdict = re.split(
        "(?=Report:|ms: usable)", table[table.index(" of data and model") - 9 :]
    )
    expected = f"{count_lines(checks)}\nAll of them: mmm show ms --verbose"
    shown, expected = (re.sub(r"\d+( check)s?", r"N\1s", text) for text in (shown.strip(), expected))
    assert re.sub(r"\d+", "N", shown) == re.sub(r"\d+", "N", expected)
    assert (report, verdict[:10]) == ("Report: dagster_home/storage/report/ms.html\n", "ms: usable")


def test_the_tutorial_shows_a_plan_in_the_words_of_today() -> None:
    """The sentence of the page, taken apart and put together again by the code."""
    (page,) = [shown for command, shown in dialogue("tutorial.md").items() if command == "mmm plan ms"]
    sentence = " ".join(page.split())
    raised, cut, gain = re.fullmatch(r"Raise (.+); cut (.+?): gains (.+), and beats .*", sentence).groups()
    advice = [(name, "raise") for name in raised.split(", ")] + [(name, "cut") for name in cut.split(", ")]
    table = pd.DataFrame(advice, columns=["channel", "advice"]).assign(today=0.0, plan=1.0)
    assert moves_sentence(table, gain, 1.0) == sentence


def test_the_tutorial_changes_a_setting_that_a_model_takes(tmp_path: Path) -> None:
    """The line that a reader adds to `ms.yaml` is one of a client file, in a section that the file has."""
    (setting,) = re.findall(r"`(yearly_seasonality: \d)`", (DOCS / "tutorial.md").read_text())
    text = (ROOT / "data" / "ms.yaml").read_text()
    changed = re.sub(r"^  yearly_seasonality: null$", f"  {setting}", text, flags=re.MULTILINE)
    assert changed != text
    assert client_config_from_mapping(dict(parse_document(changed).values)).model.yearly_seasonality == 2


def export(path: Path) -> None:
    """The file of the page: its header and first rows, and as many weeks more as it takes."""
    text = (DOCS / "own-client.md").read_text()
    (head,) = [block for kind, block in FENCED.findall(text) if block.startswith("week;")]
    rng = np.random.default_rng(1)
    weeks = pd.date_range("2023-01-16", periods=158, freq="7D")
    lines = [
        f"{day:%d.%m.%Y};{sales:.0f},00;{tv:.0f};{search:.0f};{social:.0f};{price},90"
        for day, sales, tv, search, social, price in zip(
            weeks,
            rng.normal(42000, 2000, 158),
            *rng.gamma(4, 300, (3, 158)),
            rng.integers(8, 11, 158),
            strict=True,
        )
    ]
    path.write_text(head + "\n".join(lines) + "\n")


def test_an_own_client_is_added_as_the_page_shows(typed, tmp_path: Path) -> None:
    """The export of the page is taken with the command of the page, which prints what stands there."""
    export(tmp_path / "export.csv")
    (add,) = [command for command in dialogue("own-client.md") if command.startswith("mmm add")]
    printed = [line for line in typed(add).splitlines() if not line.lstrip().startswith(("warning", "note"))]
    assert printed == dialogue("own-client.md")[add].splitlines()
    typed("mmm check acme")


PRIORS = (DOCS / "choosing-priors.md").read_text()


@pytest.mark.parametrize("block", [block for kind, block in FENCED.findall(PRIORS) if kind == "yaml"])
def test_examples_of_priors_are_taken_by_the_model(block: str) -> None:
    """Each is read as a piece of a client file, and its priors belong to parameters that such a model has."""
    smallest = {"client": "acme", "data": "a.csv", "date": "week", "target": "sales", "channels": ["tv"]}
    config = client_config_from_mapping(smallest | dict(parse_document(block).values))
    assert config.model != client_config_from_mapping(smallest).model or config.channels[-1].column != "tv"
    model_specification(config, "week")


def test_the_page_on_priors_names_every_kind() -> None:
    """Curves, carry-overs, ways to tell a return, and every parameter with a prior that a model may have."""
    named = set(re.findall(r"`(\w+)", PRIORS))
    kinds = {*SATURATIONS, *ADSTOCKS, *typing.get_args(ReturnKind), *typing.get_args(LevelKind)}
    parameters = {
        f"{role}_{parameter.name}"
        for role, transforms in (("adstock", ADSTOCKS), ("saturation", SATURATIONS))
        for transform in transforms.values()
        for parameter in transform.parameters
    }
    assert (kinds | parameters | set(PROCESS_DEFAULTS)) - named == set()


def test_the_page_on_reports_names_sections_that_there_are() -> None:
    """By their headings in the recorded report, which has neither budget nor changes, or in the code of the page."""
    text = (DOCS / "reading-a-report.md").read_text()
    table = text[text.index("| section |") : text.index("![Return on spend")]
    cells = [line.split("|")[1].strip() for line in table.splitlines()[2:] if line]
    named = [heading for cell in cells for heading in re.split(", (?=[A-Z])", cell)]
    recorded = (ROOT / "tests" / "engine" / "report" / "report_content_ms.json").read_text()
    assert len(named) > 12
    code = "".join(path.read_text() for path in (ROOT / "mmm_engine" / "report").rglob("*.*[2y]"))
    assert [name for name in named if name.replace(" the target", "") not in recorded + code] == []
