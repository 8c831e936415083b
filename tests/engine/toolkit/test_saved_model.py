"""A model in a file: everything comes back, in another process too; other files are refused in words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from mmm_engine import PymcModel
from mmm_engine.client.model_config import HolidaysConfig
from mmm_engine.client.windows import FULL
from mmm_engine.errors import DataError
from mmm_engine.toolkit import saved_model
from tests.engine.toolkit.test_pymc_model import LIFTS
from tests.engine.toolkit.toolkit_cases import shop_frame, shop_model

FIRST_FORM = Path(__file__).parent / "data" / "model_form_1.nc"  # written once, never again


@pytest.fixture(scope="module")
def saved(fitted_model: PymcModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fitted model's file, in a folder that was not there."""
    return fitted_model.save(tmp_path_factory.mktemp("models") / "shop" / "model.nc")


def test_a_saved_model_comes_back_whole(fitted_model: PymcModel, saved: Path) -> None:
    """Rows, settings, draws and everything that follows from them are the same numbers."""
    loaded = PymcModel.load(saved)
    assert repr(loaded) == repr(fitted_model)
    pd.testing.assert_frame_equal(loaded.get_data(), fitted_model.get_data())
    assert loaded.inputs.config == fitted_model.inputs.config
    assert loaded.inputs.data_version == fitted_model.inputs.data_version
    assert loaded.posterior["posterior"].equals(fitted_model.posterior["posterior"])
    assert np.array_equal(loaded.predict(), fitted_model.predict())
    pd.testing.assert_frame_equal(loaded.returns(), fitted_model.returns())
    assert loaded.summarize_variable("intercept") == fitted_model.summarize_variable("intercept")


def test_a_loaded_model_goes_on_where_the_saved_one_was(fitted_model: PymcModel, saved: Path) -> None:
    """Fleets take its fit instead of fitting again, with the settings of the last fit."""
    loaded = PymcModel.load(saved)
    assert loaded._runner(None).fits[FULL] is loaded._fit
    assert loaded.inputs.config.sampler == fitted_model.inputs.config.sampler
    assert loaded.inputs.config.sampler.draws == 120


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (
            {"sigma": np.float64(0.5), "n": np.int64(3), "on": np.bool_(True)},
            {"sigma": 0.5, "n": 3, "on": True},
        ),
        ({"columns": ("tv", np.str_("radio")), 1: None}, {"columns": ["tv", "radio"], "1": None}),
        (
            {"holidays": HolidaysConfig(country="DE", days={"may": ["2024-05-01"]})},
            {
                "holidays": {
                    "country": "DE",
                    "subdivision": None,
                    "days": [{"name": "may", "days": [{"start": "2024-05-01", "end": "2024-05-01"}]}],
                }
            },
        ),
    ],
)
def test_settings_are_stored_as_json_has_them(value, stored) -> None:
    """Numbers of numpy, tuples and settings of the library become plain values of their own type."""
    plain = saved_model._plain(value)
    assert plain == stored
    assert json.loads(json.dumps(plain)) == stored


def test_another_process_reads_the_file(fitted_model: PymcModel, saved: Path) -> None:
    """A fresh Python says the same of the intercept."""
    code = (
        "import sys, json; from mmm_engine import PymcModel; "
        "print(json.dumps(PymcModel.load(sys.argv[1]).summarize_variable('intercept')))"
    )
    out = subprocess.run([sys.executable, "-c", code, str(saved)], capture_output=True, text=True, check=True)
    assert json.loads(out.stdout) == fitted_model.summarize_variable("intercept")


def test_arviz_opens_the_file(saved: Path) -> None:
    """As any NetCDF of draws."""
    import arviz as az

    assert "intercept" in az.from_netcdf(saved)["posterior"]


def test_every_setting_survives(tmp_path: Path) -> None:
    """Priors in every form, events, holidays, lift tests, no scaling; before a fit too."""
    from pymc_extras.prior import Prior
    from pymc_marketing.hsgp_kwargs import HSGPKwargs

    model = shop_model(
        priors={
            "intercept": Prior("HalfNormal", sigma=3),
            "media_tvp_config": HSGPKwargs(m=20, eta_lam=2.0),
            "saturation_alpha": Prior("Gamma", mu=[1, 2, 3], sigma=1, dims="channel"),
        },
        calibrations=LIFTS,
        events={"launch": "2022-03-01", "sale": {"start": "2022-07-04", "end": "2022-07-12"}},
        holidays={"country": "DE", "days": {"new year": ["2022-01-01", "2023-01-01"]}},
        trend=2,
        yearly_seasonality=1,
        likelihood="student_t",
        scale_data=False,
    )
    model.model_priors["gamma_control"] = Prior("Normal", mu=0, sigma=2, dims="control")
    loaded = PymcModel.load(model.save(tmp_path / "model.nc"))
    assert loaded.inputs.config == model.inputs.config
    assert loaded.inputs.config.model.priors["gamma_control"]["distribution"] == "Normal"
    assert loaded.inputs.scales.target == 1.0
    assert "not fitted" in repr(loaded)


def test_priors_set_after_the_fit_do_not_change_the_fit(saved: Path, tmp_path: Path) -> None:
    """The fit keeps the settings it was made with, and fleets do not take it for one with the new prior."""
    model = PymcModel.load(saved)
    model.model_priors["intercept"] = {"distribution": "HalfNormal", "sigma": 9}
    loaded = PymcModel.load(model.save(tmp_path / "model.nc"))
    assert loaded.inputs.config.model.priors["intercept"]["sigma"] == 9
    assert loaded._fitted("this").inputs.config.model.priors == {}
    assert FULL not in loaded._runner(None).fits


def test_the_file_of_the_first_form_is_read() -> None:
    """Written by version 0.1.0; what it says of its twenty draws stands beside it."""
    model = PymcModel.load(FIRST_FORM)
    said = json.loads(FIRST_FORM.with_suffix(".json").read_text())
    assert model.posterior["posterior"].sizes["draw"] == 20
    assert model.summarize_variable("intercept")["coef"] == pytest.approx(said["intercept"])
    assert model.get_data()["sales"].sum() == pytest.approx(said["sales"])
    assert model.predict(shop_frame().iloc[[5]]).shape == (20, 1)


def test_other_files_are_refused(tmp_path: Path) -> None:
    """No file, something else, another NetCDF, and the file of a later version."""
    with pytest.raises(DataError, match="no such file"):
        PymcModel.load(tmp_path / "none.nc")
    (tmp_path / "text.nc").write_text("hello")
    with pytest.raises(DataError, match=r"wanted a file that PymcModel.save\(\) wrote"):
        PymcModel.load(tmp_path / "text.nc")
    xr.DataTree.from_dict({"posterior": xr.Dataset({"a": 1.0})}).to_netcdf(
        tmp_path / "other.nc", engine="h5netcdf"
    )
    with pytest.raises(DataError, match=r"wanted a file that PymcModel.save\(\) wrote"):
        PymcModel.load(tmp_path / "other.nc")
    later = xr.open_datatree(FIRST_FORM, engine="h5netcdf").load()
    about = json.loads(later.attrs["mmm_model"])
    later.attrs["mmm_model"] = json.dumps({**about, "form": 99, "engine_version": "9.0"})
    later.to_netcdf(tmp_path / "later.nc", engine="h5netcdf")
    with pytest.raises(DataError, match=r"form 99, written by version 9\.0"):
        PymcModel.load(tmp_path / "later.nc")
