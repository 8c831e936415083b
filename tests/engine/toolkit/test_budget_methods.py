"""Budgets in a notebook: plans, their tables, figures and files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmm_engine.errors import DataError, FitError
from mmm_engine.toolkit.budget_result import BudgetResult
from mmm_engine.toolkit.pymc_model import PymcModel
from tests.engine.toolkit.toolkit_cases import shop_model


@pytest.fixture(scope="module")
def result(fitted_model: PymcModel) -> BudgetResult:
    """The best plan of the next four weeks."""
    return fitted_model.optimize_budget(margin=0.5)


def test_a_plan_comes_with_table_figures_and_sentence(result: BudgetResult) -> None:
    """One row per channel, a sentence, two figures, and HTML for the notebook."""
    channels = result.chosen.window.channels
    assert list(result.table["channel"]) == list(channels)
    assert set(result.table["advice"]) <= {"raise", "hold", "cut", "test first"}
    assert set(result.figures) == {"moves", "frontier"}
    assert result.summary() in repr(result)
    assert "<table" in result._repr_html_()
    assert len(result.frontier) == 20
    assert result.certificate.is_tight
    assert set(result.tests["unit"]) == {"money"}


def test_the_plan_can_be_forecast_and_written(
    fitted_model: PymcModel, result: BudgetResult, tmp_path: Path
) -> None:
    """Its media are a plan for `forecast_fleet`; its money is a CSV of dates and channels."""
    forecast = fitted_model.forecast_fleet(plan=result.media, progressbar=False)
    assert len(forecast.tables["forecast"]) >= 4
    written = pd.read_csv(result.to_csv(tmp_path / "plan.csv"))
    assert list(written.columns) == ["date", *result.chosen.window.channels]
    np.testing.assert_allclose(written[list(result.chosen.window.channels)], result.chosen.spend, rtol=1e-9)


def test_responses_of_plans_are_paired(fitted_model: PymcModel, result: BudgetResult) -> None:
    """The response of the plan is the one that was optimised; more of everything brings more in every draw."""
    brought = fitted_model.response(result.plan)
    assert brought.table["mean"].iloc[-1] == pytest.approx(result.chosen.optimum.end.value, rel=1e-9)
    more = fitted_model.response(result.chosen.spend * 1.1)
    assert (more.draws >= brought.draws - 1e-9).all()
    assert "90%" in repr(brought)
    assert fitted_model.response(dict.fromkeys(result.chosen.window.channels, 0.0)).draws.max() == 0.0


def test_words_that_are_no_settings_are_refused_together(fitted_model: PymcModel) -> None:
    """Budget, objective and what is decided on, each with the words that there are."""
    with pytest.raises(DataError, match="3 faults"):
        fitted_model.optimize_budget(budget="lots", objective="max", by="day")


def test_an_unfitted_model_has_no_plan() -> None:
    """It is told to be fitted first."""
    with pytest.raises(FitError, match="call fit"):
        shop_model().optimize_budget()
