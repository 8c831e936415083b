"""A notebook's model in one file: rows, settings, priors and, where it is fitted, the fit.

Here: `SavedModel`, what the file holds; writing and reading it as NetCDF, which ArviZ and xarray open too.
Not here: the model (pymc_model.py), what the platform stores of its fits.

The file carries the number of its form. Nothing in it is code: settings and priors are JSON, everything else is arrays.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import xarray as xr
from pydantic_core import to_jsonable_python

from mmm_engine.errors import DataError, Fault
from mmm_engine.files.atomic_write import replace_file
from mmm_engine.fleets.scored_window import ScoredWindow
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.rows.window import ScaledInputs
from mmm_engine.version import ENGINE_VERSION

# a version that changes the file counts one up, and goes on reading all earlier ones; in 2 channels may be mappings
FORM = 2
_MODEL, _CLIENT_ROWS, _FITTED_ROWS = "mmm_model", "client_rows", "fitted_rows"


@dataclass(frozen=True)
class SavedModel:
    """What a model's file holds.

    Attributes:
        settings: Settings of the client and the model, in the form that a client file has.
        priors: Overrides of priors by name, as mappings.
        preset: Name of the preset of priors.
        scaled: Whether columns are scaled.
        rows: The client's rows, original units, dates under `date`.
        fit: The fit; None before one.
        previous: Returns before the last refresh; None without one.
    """

    settings: dict[str, Any]
    priors: dict[str, Any]
    preset: str
    scaled: bool
    rows: pd.DataFrame
    fit: ScoredWindow | None
    previous: pd.DataFrame | None

    def write(self, path: Path) -> None:
        """Write the file in one step; missing folders are made."""
        about = {
            "form": FORM,
            "engine_version": ENGINE_VERSION,
            "settings": _plain(self.settings),
            "priors": _plain(self.priors),
            "preset": self.preset,
            "scaled": self.scaled,
            "previous": None if self.previous is None else self.previous.to_dict(orient="list"),
        }
        groups = {_CLIENT_ROWS: _row_group(self.rows)}
        attributes: dict[str, Any] = {}
        if self.fit is not None:
            stored = self.fit.stored_posterior()
            groups |= {name: group.to_dataset() for name, group in stored.children.items()}
            groups[_FITTED_ROWS] = _row_group(self.fit.inputs.frame().drop(columns="split"))
            attributes = {str(name): value for name, value in stored.attrs.items()}
            about["fit"] = self.fit.inputs.record()
        tree = xr.DataTree.from_dict(groups)
        tree.attrs = {**attributes, _MODEL: json.dumps(about)}
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, lambda fresh: tree.to_netcdf(str(fresh), engine="h5netcdf"))

    @classmethod
    def read(cls, path: Path) -> Self:
        """What a file holds.

        Raises:
            DataError: If there is no such file, it holds no model, or a later version wrote it.
            FitError: If its draws are not those of its model.
        """
        tree, about = _opened(path)
        fit = None
        if "fit" in about:
            frame = _frame(tree.children[_FITTED_ROWS]).assign(
                split="train"
            )  # a notebook's fit sees every row
            inputs = ScaledInputs.from_record(frame, about["fit"])
            names = [name for name in tree.children if name not in (_CLIENT_ROWS, _FITTED_ROWS)]
            posterior = xr.DataTree.from_dict({name: tree.children[name].to_dataset() for name in names})
            posterior.attrs = {name: value for name, value in tree.attrs.items() if name != _MODEL}
            fit = ScoredWindow.from_fitted(FittedWindow.of(inputs, posterior))
        previous = None if about["previous"] is None else pd.DataFrame(about["previous"])
        rows = _frame(tree.children[_CLIENT_ROWS])
        return cls(about["settings"], about["priors"], about["preset"], about["scaled"], rows, fit, previous)


def _opened(path: Path) -> tuple[xr.DataTree, dict[str, Any]]:
    """The file's arrays, and what it says of the model."""
    wanted, fix = "a file that PymcModel.save() wrote", "pass the path of such a file"
    if not path.is_file():
        raise DataError(f"PymcModel.load('{path}')", Fault("the file", "no such file", wanted, fix))
    try:
        with xr.open_datatree(str(path), engine="h5netcdf") as opened:
            tree = opened.load()
        about = json.loads(tree.attrs[_MODEL])
    except (OSError, ValueError, KeyError):
        fault = Fault("the file", "something else, or a damaged file", wanted, fix)
        raise DataError(f"PymcModel.load('{path}')", fault) from None
    if about["form"] > FORM:
        found = f"form {about['form']}, written by version {about['engine_version']} of the library"
        fault = Fault("the file", found, f"form {FORM} or earlier", "install that version or a later one")
        raise DataError(f"PymcModel.load('{path}')", fault)
    return tree, about


def _row_group(rows: pd.DataFrame) -> xr.Dataset:
    """A frame of dates and numbers as arrays; names of columns are labels, which may hold any character."""
    columns = [name for name in rows.columns if name != "date"]
    coords = {"date": rows["date"].to_numpy(), "column": np.array(columns, dtype=object)}
    return xr.Dataset({"value": (("date", "column"), rows[columns].to_numpy(dtype=float))}, coords=coords)


def _frame(group: xr.DataTree) -> pd.DataFrame:
    """The frame that `_row_group` took."""
    columns = [str(name) for name in group["column"].to_numpy()]
    frame = pd.DataFrame(group["value"].to_numpy(), columns=columns)
    frame.insert(0, "date", group["date"].to_numpy().astype("datetime64[ns]"))
    return frame


def _plain(value: Any) -> Any:
    """Settings as JSON has them."""
    return to_jsonable_python(value, fallback=np.generic.item)
