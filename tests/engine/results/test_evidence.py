"""How well a channel is known: widths by hand, rows that err together, channels out of line, on a fitted window."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from mmm_engine.model.likelihood import row_log_likelihood
from mmm_engine.model.specification import model_specification
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.draw_evaluation import channel_totals
from mmm_engine.results.evidence import CHANNEL_SPREAD, channel_evidence, out_of_line, robust_sd
from tests.engine.model_cases import small_inputs

ROWS = 200


def posterior_of_a_mean(errors: np.ndarray, draws: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Draws of a mean under y_t ~ Normal(mean, 1) and a flat prior, and the log likelihood of each row."""
    rng = np.random.default_rng(3)
    mean = errors.mean() + rng.standard_normal(draws) / np.sqrt(len(errors))
    return mean[:, None], norm.logpdf(errors, loc=mean[:, None])


def variance_factor(samples: list[np.ndarray]) -> float:
    """Robust variance of the mean over the one the model believes, 1/rows, averaged over samples of errors."""
    variances = [robust_sd(*posterior_of_a_mean(errors))[0] ** 2 for errors in samples]
    return float(np.mean(variances)) * ROWS


def test_independent_errors_leave_the_width_of_the_posterior() -> None:
    """sd(mean) = 1/sqrt(rows), and the errors have the sd that the model believes.

    Leaving out their mean costs L/rows = 15/200 of the variance, about.
    """
    rng = np.random.default_rng(1)
    assert 0.8 < variance_factor([rng.standard_normal(ROWS) for _ in range(40)]) < 1.1


def test_errors_that_come_in_runs_widen_it() -> None:
    """Runs of ten equal errors: as if there were a tenth of the rows; Bartlett weights see most of it.

    With L = ceil(sqrt(200)) = 15 and the autocorrelation 1 - k/10 of such runs, the factor of the variance is
    1 + 2 sum_{k<10} (1 - k/16)(1 - k/10) = 7.94, less what leaving out the mean costs.
    """
    rng = np.random.default_rng(7)
    runs = [np.repeat(rng.standard_normal(ROWS // 10), 10) for _ in range(40)]
    assert 6.0 < variance_factor(runs) < 9.0


def test_a_width_that_rows_have_no_part_in_stays() -> None:
    """A function that the rows say nothing of keeps its posterior sd, as a prior or a lift test gave it."""
    rng = np.random.default_rng(2)
    errors = rng.standard_normal(ROWS)
    _, row_likelihood = posterior_of_a_mean(errors)
    unrelated = rng.normal(0, 0.7, (len(row_likelihood), 1))
    assert robust_sd(unrelated, row_likelihood)[0] == pytest.approx(0.7, rel=0.02)


def test_out_of_line_is_worked_by_hand() -> None:
    """Three channels known for sure return 1, 1 and e^3: the third lies 3 above the mean of the others.

    Its standard deviation is tau sqrt(1 + 1/2), so that the statistic is 3 / (0.7 * 1.2247) = 3.50.
    """
    logs = np.tile(np.array([0.0, 0.0, 3.0]), (10, 1))
    spend = np.ones(3)
    expected = 3 / (CHANNEL_SPREAD * np.sqrt(1.5))
    assert out_of_line(logs, spend)[2] == pytest.approx(expected)
    assert out_of_line(logs, spend)[0] == pytest.approx(-1.5 / (CHANNEL_SPREAD * np.sqrt(1.5)))
    assert out_of_line(logs + np.log(7.0), 7 * spend)[2] == pytest.approx(expected)
    assert np.isnan(out_of_line(logs, np.array([1.0, 1.0, 0.0]))).all()


def test_row_likelihoods_are_the_distributions_own() -> None:
    """Normal, heavy tails, and a normal that ends at 0."""
    inputs = small_inputs()
    target, location, sigma = np.array([0.2, 0.9]), np.array([[0.3, 0.8], [0.1, 1.1]]), np.array([0.2, 0.5])
    column = sigma[:, None]
    for likelihood, expected in {
        "normal": norm.logpdf(target, location, column),
        "student_t": t.logpdf(target, 4.0, location, column),
        "truncated_normal": norm.logpdf(target, location, column) - norm.logcdf(location / column),
    }.items():
        model = inputs.config.model.model_copy(update={"likelihood": likelihood})
        specification = model_specification(inputs.config.model_copy(update={"model": model}), inputs.period)
        values = {"y_sigma": sigma, "y_nu": np.full(2, 4.0)}
        told = row_log_likelihood(target, location, values, specification)
        assert told == pytest.approx(expected, rel=1e-9)


def test_evidence_of_a_fitted_window(fitted_window: FittedWindow) -> None:
    """Each channel has its numbers; width and upper end are those of its draws."""
    evidence = channel_evidence(fitted_window)
    assert set(evidence["split"]) == {"train"}
    table = evidence.pivot(index="channel", columns="metric", values="value")
    names = fitted_window.inputs.config.channel_names
    draws = channel_totals(
        fitted_window.draws, fitted_window.training_arrays, fitted_window.specification
    ).contribution_scaled
    assert table.loc[list(names), "log_sd"].to_numpy() == pytest.approx(np.log(draws).std(axis=0), rel=1e-6)
    total = fitted_window.inputs.target_scaled[: fitted_window.inputs.train_rows].sum()
    upper = np.quantile(draws, 0.95, axis=0) / total
    assert table.loc[list(names), "upper_share"].to_numpy() == pytest.approx(upper)
    assert (table.loc[list(names), "robust_log_sd"] > 0).all()
    assert (table.loc[list(names), "log_contraction"] < 1).all()
    partner = table.loc[list(names), "partner"].astype(int).to_numpy()
    assert (partner != np.arange(len(names))).all()
    correlation = np.corrcoef(draws.T)[np.arange(len(names)), partner]
    assert table.loc[list(names), "partner_correlation"].to_numpy() == pytest.approx(correlation)
    assert -1 < table.loc["all", "residual_autocorrelation"] < 1
