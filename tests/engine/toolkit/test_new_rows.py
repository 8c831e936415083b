"""Rows that come after the fit: predictions for them, refreshes with them, where they must stand."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mmm_engine import PymcModel
from mmm_engine.errors import DataError, FitError
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.predictive import predict
from tests.engine.toolkit.toolkit_cases import CHANNELS, SHORT, shop_frame, shop_model


def test_prediction_of_fitted_rows(fitted_model: PymcModel) -> None:
    """Draws by row in original units; rows asked for by date are the same rows, in the order asked for."""
    whole = np.asarray(fitted_model.predict())
    assert whole.shape == (240, 60)
    assert np.corrcoef(whole.mean(axis=0), shop_frame()["sales"])[0, 1] > 0.9
    picked = shop_frame().iloc[[30, 10, 59]].drop(columns="sales")
    assert np.array_equal(fitted_model.predict(picked), whole[:, [30, 10, 59]])


def test_predictions_carry_their_labels(fitted_model: PymcModel) -> None:
    """Each number says its date, chain and draw, and how many of them there are."""
    picked = fitted_model.predict(shop_frame().iloc[[30, 10]])
    assert picked.dims == ("sample", "date")
    assert picked["date"].dt.strftime("%Y-%m-%d").to_numpy().tolist() == ["2022-08-01", "2022-03-14"]
    by_chain = picked.unstack("sample")
    chains = fitted_model.posterior["posterior"].sizes
    assert by_chain.sizes == {"date": 2, "chain": chains["chain"], "draw": chains["draw"]}
    second_chain = by_chain.sel(chain=1, draw=0, date="2022-08-01")
    assert float(second_chain) == np.asarray(picked)[chains["draw"], 0]


def test_new_values_of_fitted_rows_count(fitted_model: PymcModel) -> None:
    """Media switched off in one row lowers that row."""
    silent = shop_frame().iloc[[40]].copy()
    silent[CHANNELS] = 0.0
    assert fitted_model.predict(silent).mean() < fitted_model.predict()[:, 40].mean()


def test_prediction_of_rows_that_follow() -> None:
    """Carry-over crosses the last fitted row: the same as predicting a window that holds these rows out."""
    model = shop_model(shop_frame(52))
    model.fit(**SHORT)
    new = shop_frame().iloc[52:].drop(columns="sales")
    drawn = model.predict(new)
    assert drawn.shape == (240, 8)
    fitted, longer = model.inputs, shop_model().inputs
    window = replace(
        longer,
        scales=fitted.scales,
        train_rows=52,
        target_scaled=longer.target / fitted.scales.target,
        media_scaled=_rescaled(longer.media_scaled, longer.scales.media_array(), fitted.scales.media_array()),
        controls_scaled=_rescaled(
            longer.controls_scaled, longer.scales.control_array(), fitted.scales.control_array()
        ),
    )
    whole = predict(FittedWindow.of(window, model.posterior))
    assert np.asarray(drawn) == pytest.approx(whole.draws[:, 52:], rel=1e-9)
    both = model.predict(pd.concat([new.iloc[::-1], shop_frame().iloc[[3, 51]]]))
    assert np.asarray(both) == pytest.approx(whole.draws[:, [*range(59, 51, -1), 3, 51]], rel=1e-9)
    silent = shop_frame().iloc[51:].copy()
    silent.loc[51, CHANNELS] = 0.0  # what the last fitted row does not spend does not work on in the next row
    carried = model.predict(silent)
    assert float(carried[:, 1].mean()) < float(drawn[:, 0].mean())


def _rescaled(rows: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    return rows * old / new


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([51, 53], "no row for 2023-01-02, the first row after 2022-12-26.*add the rows"),
        (slice(53, 60), "no row for 2023-01-02, the first row after 2022-12-26.*add the rows"),
        ([52, 54], "no row for 2023-01-09, the second row after"),
    ],
)
def test_rows_at_a_wrong_place_are_refused(rows: slice | list[int], message: str) -> None:
    """An overlap and a gap say what to do about them."""
    from mmm_engine.toolkit.new_rows import place_rows

    with pytest.raises(DataError, match=message):
        place_rows(shop_model(shop_frame(52)).inputs, shop_frame().iloc[rows])


def test_all_faults_of_new_rows_at_once() -> None:
    """A column that is missing comes with the nearest one; then cells, each with its row."""
    from mmm_engine.toolkit.new_rows import place_rows

    inputs = shop_model().inputs
    with pytest.raises(
        DataError, match=r"2 faults(?s:.)*column 'tv'(?s:.)*did you mean 'tvs'(?s:.)*column 'promo'"
    ):
        place_rows(inputs, shop_frame().rename(columns={"tv": "tvs"}).drop(columns="promo"))
    broken = shop_frame().astype(object)
    broken.loc[3, "tv"], broken.loc[5, "radio"] = "much", -1.0
    with pytest.raises(DataError, match=r"column 'tv', row 4(?s:.)*column 'radio', row 6(?s:.)*0 or more"):
        place_rows(inputs, broken)
    with pytest.raises(DataError, match="a date that comes twice"):
        place_rows(inputs, shop_frame().iloc[[1, 1]])
    with pytest.raises(DataError, match=r"2021-12-27, which is no fitted row.*leave those rows out"):
        place_rows(inputs, shop_frame().iloc[[0]].assign(week="2021-12-27"))


def test_refresh_appends_and_reports_what_was_restated(caplog: pytest.LogCaptureFixture) -> None:
    """New weeks join, a restated old one is told and used, the last fit's settings stay."""
    model = shop_model(shop_frame(56))
    with pytest.raises(FitError, match=r"call fit\(\) first"):
        model.refresh(shop_frame().iloc[56:])
    model.fit(**SHORT)
    new = shop_frame().iloc[54:].copy()
    new.loc[55, "tv"] += 5.0
    with caplog.at_level(logging.INFO, "mmm_engine.toolkit"):
        restated = model.refresh(new, progressbar=False)
    assert restated["column"].tolist() == ["tv"]
    assert restated["after"].iloc[0] - restated["before"].iloc[0] == pytest.approx(5.0)
    assert restated["date"].iloc[0] == pd.Timestamp("2023-01-23")
    assert any("Restated: tv of 2023-01-23" in record.getMessage() for record in caplog.records)
    assert any("Added 4 new periods" in record.getMessage() for record in caplog.records)
    assert len(model.get_data()) == 60
    assert model.posterior["posterior"].sizes["draw"] == SHORT["draws"]
    scores = model.stability_fleet(checks=["seeds"], seeds=2, progressbar=False)
    assert list(scores.members) == ["full", "seeds", "seeds 2"]
    assert {"refresh", "seeds"} == set(scores.summary()["stability"])
    with pytest.raises(DataError, match="no row for"):
        model.refresh(shop_frame().iloc[[0]].assign(week="2023-05-01"))
