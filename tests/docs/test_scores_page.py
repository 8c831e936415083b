"""docs/scores.md explains every score, check, limit and view that there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from mmm_assets.checks.gates import ALL_CHECKS, DATA_CONTRACT
from mmm_engine.client.thresholds import ThresholdConfig
from mmm_engine.fleets.stability import compare_returns
from mmm_engine.history.tables import METRIC_HISTORY, definitions
from mmm_engine.posterior.diagnostics import sampler_health
from mmm_engine.results.plausibility import plausibility_scores
from mmm_engine.scores.advice import ADVICE
from mmm_engine.scores.drift import WATCHED
from mmm_engine.scores.forecast_scores import score_split

PAGE = (Path(__file__).parents[2] / "docs" / "scores.md").read_text()
NAMED = set(re.findall(r"`(\w+)`", PAGE))


def table_rows(heading: str) -> list[list[str]]:
    """Cells of the table of a section."""
    (part,) = re.findall(rf"^## {heading}.*?\n(.*?)(?=^## |\Z)", PAGE, flags=re.DOTALL | re.MULTILINE)
    return [line.strip("|").split("|") for line in part.splitlines() if line.startswith("| `")]


def scores() -> Iterator[pd.DataFrame]:
    """Score frames of arrays that mean nothing: only the names of their scores are looked at."""
    draws = np.arange(12.0).reshape(4, 3)
    yield score_split(draws[0], draws, draws, draws[0], split="test", naive_draws=draws)
    stats = dict.fromkeys(
        ("diverging", "tree_depth", "reached_max_treedepth", "energy"), (("chain", "draw"), draws)
    )
    posterior = xr.DataTree.from_dict({"sample_stats": xr.Dataset(stats)})
    yield sampler_health(posterior, pd.DataFrame({"rhat": [1.0], "ess_bulk": [9.0], "ess_tail": [9.0]}))
    quantiles = {"mean": 1.0, "q05": 0.0, "q25": 0.5, "q75": 1.5, "q95": 2.0}
    returns = pd.DataFrame([{"channel": "tv", "metric": name, **quantiles} for name in ("share", "roas")])
    yield compare_returns([(returns, returns)], "windows")


@pytest.mark.parametrize("frame", list(scores()), ids=["forecast", "sampler", "stability"])
def test_every_score_is_explained(frame: pd.DataFrame) -> None:
    """Scores of forecasts, of the sampler's health and of stability are on the page."""
    assert set(frame["metric"]) - NAMED == set()


def test_every_watched_series_is_explained() -> None:
    """Drift scores are on the page."""
    assert {f"drift_{name}" for name in WATCHED} - NAMED == set()


def test_every_check_is_explained() -> None:
    """The table of checks has every asset check, and `window_fitted`, which the report asks."""
    checks = {spec.name for check in ALL_CHECKS for spec in check.check_specs} | {DATA_CONTRACT.name}
    assert {row[0].strip(" `") for row in table_rows("Checks")} == checks | {"window_fitted"}


def test_every_limit_belongs_to_a_check() -> None:
    """Each threshold stands in the line of a check that looks at it."""
    limits = {name for row in table_rows("Checks") for name in re.findall(r"`(\w+)`", row[2])}
    assert limits == set(ThresholdConfig.model_fields)


def test_history_is_described_as_it_is() -> None:
    """The columns of a row, and the views on the database."""
    assert ", ".join(METRIC_HISTORY.columns) in PAGE.replace("\n", " ")
    views = {name for statement in definitions() for name in re.findall(r"CREATE VIEW (\w+)", statement)}
    assert {row[0].strip(" `") for row in table_rows("Where scores are kept")} == views


def test_advice_is_that_of_the_code() -> None:
    """What a failure means and what to do stands on the page as the command line and the report say it."""
    written = {
        row[0].strip(" `"): tuple(cell.strip() for cell in row[1:3]) for row in table_rows("What to do when")
    }
    assert written == {check: (advice.meaning, advice.remedy) for check, advice in ADVICE.items()}


def test_every_check_has_advice() -> None:
    """A check that fails without a word on what to do leaves its reader alone."""
    checks = {spec.name for check in ALL_CHECKS for spec in check.check_specs} | {DATA_CONTRACT.name}
    assert set(ADVICE) == checks | {"window_fitted"}


def test_every_plausibility_score_is_explained() -> None:
    """Numbers of the fit of all rows are on the page, by the names in the docstring that defines them."""
    names = set(re.findall(r"^ {8}(\w+) {2,}", plausibility_scores.__doc__ or "", flags=re.MULTILINE))
    assert {"media_share", "media_support", "kept_at_tenth"} <= names
    assert names - NAMED == set()
