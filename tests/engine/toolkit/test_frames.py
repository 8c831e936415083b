"""Rows and settings as notebooks have them: taken where they are clear, else refused with the line that mends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmm_engine import PymcModel
from mmm_engine.errors import ConfigError, DataError
from tests.engine.toolkit.toolkit_cases import SHORT, shop_frame, shop_model


class OtherFrame:
    """A frame of another library."""

    def to_pandas(self) -> pd.DataFrame:
        """The same as pandas has it."""
        return shop_frame()


@pytest.mark.parametrize(
    ("rows", "advice"),
    [
        ("data/shop.csv", "pass pandas.read_csv('data/shop.csv')"),
        (Path("shop.parquet"), "pass pandas.read_parquet('shop.parquet')"),
        (OtherFrame(), "pass frame.to_pandas()"),
        ({"sales": [1, 2]}, "pass pandas.DataFrame(columns)"),
        (np.zeros((3, 2)), "pass pandas.DataFrame(rows, columns=[...])"),
    ],
    ids=["path", "parquet", "other frame", "mapping", "array"],
)
def test_what_is_no_frame_is_refused_with_the_line_that_makes_one(
    fitted_model: PymcModel, rows: Any, advice: str
) -> None:
    """For a model, its predictions and its refreshes; these were AttributeErrors."""
    for takes in (
        shop_model,
        fitted_model.predict,
        lambda rows: fitted_model.refresh(rows, progressbar=False),
    ):
        with pytest.raises(DataError, match="wanted a pandas DataFrame") as refused:
            takes(rows)
        assert advice in str(refused.value)


def test_dates_may_be_the_index_where_it_has_their_name(fitted_model: PymcModel) -> None:
    """As pandas' own readers leave them; another name could be another date."""
    indexed = shop_frame().set_index(fitted_model.get_data().columns[0])
    assert shop_model(indexed).get_data().equals(shop_model().get_data())
    assert np.array_equal(fitted_model.predict(indexed), fitted_model.predict(shop_frame()))
    with pytest.raises(DataError, match=r"dates in an index named 'when'.*reset_index"):
        shop_model(indexed.set_axis(pd.DatetimeIndex(indexed.index, name="when")))


def test_numbers_of_numpy_are_numbers() -> None:
    """A notebook computes them."""
    model = shop_model(lag_max=np.int64(3), trend=np.int32(2))
    assert model.inputs.config.model.adstock.max_lag == 3
    assert model.inputs.config.model.trend.changepoints == 2
    model.fit(**SHORT | {"draws": np.int64(20), "target_accept": np.float64(0.9)})
    assert model.posterior["posterior"].sizes["draw"] == 20


@pytest.mark.parametrize("argument", ["priors", "events"])
def test_a_list_where_names_are_needed_is_refused(argument: str) -> None:
    """It was a ValueError about sequences."""
    with pytest.raises(
        ConfigError, match=f"argument '{argument}': found a value of type list; wanted a mapping"
    ):
        shop_model(**{argument: ["intercept"]})


@pytest.mark.parametrize(
    ("settings", "argument"),
    [
        ({"lag_max": 0}, "lag_max"),
        ({"adstock": "geom"}, "adstock"),
        ({"trend": True}, "trend"),
        ({"number_of_basis": "many"}, "number_of_basis"),
        ({"saturation": "hil"}, "saturation"),
        ({"channel_names": []}, "channel_names"),
        ({"client_name": "My Shop"}, "client_name"),
        ({"priors": {"intercept": {"distribution": "Norml"}}}, "priors.intercept"),
    ],
)
def test_a_wrong_setting_is_told_under_the_name_of_its_argument(
    settings: dict[str, Any], argument: str
) -> None:
    """Nobody who calls `PymcModel` has written 'model.adstock.max_lag'."""
    with pytest.raises(ConfigError, match=f"argument '{argument}': "):
        shop_model(**settings)


def test_settings_of_a_fit_that_was_refused_are_forgotten(fitted_model: PymcModel) -> None:
    """They made every later call fail, on a model that was fitted."""
    with pytest.raises(ConfigError, match="argument 'draws': found the number 0"):
        fitted_model.fit(draws=0)
    assert fitted_model.inputs.config.sampler.draws == SHORT["draws"]


@pytest.mark.parametrize(("holdouts", "found"), [(4, "found 4"), ("4", r"found \['4'\]")])
def test_holdouts_that_are_no_list_are_refused(fitted_model: PymcModel, holdouts: Any, found: str) -> None:
    """One number was a TypeError about iterables."""
    with pytest.raises(DataError, match=f"holdouts: {found}; wanted a list of different whole numbers"):
        fitted_model.holdout_fleet(holdouts=holdouts, progressbar=False)
