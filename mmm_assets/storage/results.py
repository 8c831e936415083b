"""Everything that is stored about one client and belongs together, read in one go.

Here: the stored results of a client whose rows and settings are the present ones, and the verdicts on them.
Not here: how a file is read (io_managers.py), single verdicts (verdicts.py), drawing a report (mmm_engine.report).

Report, history and forecast need most of a client's assets and must cope with windows that were never fitted or are
left from older rows, so they name the assets as `deps` and read them here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from mmm_assets import verdicts
from mmm_assets.partitions import window_key
from mmm_assets.storage import objects
from mmm_assets.storage.io_managers import (
    ROOT,
    ClientDataFiles,
    FrameFiles,
    JsonFiles,
    PosteriorFiles,
    ScaledInputsFiles,
    StoredFileError,
)
from mmm_assets.storage.recent_reads import RecentValues, file_state
from mmm_assets.types import ClientData, DataFrame, DataTree, ScaledInputs, ScoredWindow, Verdict
from mmm_engine.client.natural_order import natural_order
from mmm_engine.client.windows import FULL, STANDARD_WINDOWS, Window

FIT_FAULTS = "fit_faults"  # why a window could not be fitted, stored beside the assets
logger = logging.getLogger(__name__)

_recent_verdicts: RecentValues[tuple[Verdict, ...]] = RecentValues(8)  # clients, each by its first file


@dataclass(frozen=True, eq=False)
class WindowResults:
    """One fitted window: its rows and every frame that was read from its posterior.

    The fields are those of the engine's `ScoredWindow`, from which they were stored; ``metrics`` holds scores, sampler
    health and the plausibility of the baseline.
    """

    inputs: ScaledInputs
    metrics: DataFrame
    predictions: DataFrame
    returns: DataFrame
    curves: DataFrame
    decomposition: DataFrame
    adstock: DataFrame
    parameters: DataFrame
    chains: DataFrame
    multiplier: DataFrame
    period_returns: DataFrame | None = None

    @property
    def scores(self) -> DataFrame:
        """Scores of the training and the held-out rows."""
        return self.metrics[self.metrics["split"] != "all"].reset_index(drop=True)

    @property
    def health(self) -> DataFrame:
        """Scores of the fit as a whole: sampler health, plausibility of the baseline."""
        return self.metrics[self.metrics["split"] == "all"].reset_index(drop=True)

    @property
    def attrs(self) -> Mapping[Any, Any]:
        """Client, window, cutoff, versions, seed and fit that all frames of the window come from."""
        return self.metrics.attrs


# Field of WindowResults, and of the engine's ScoredWindow, to the asset it is stored as; all come from one posterior.
WINDOW_FRAMES = {
    "metrics": "holdout_metrics",
    "predictions": "predictions",
    "returns": "channel_returns",
    "curves": "response_curves",
    "decomposition": "decomposition",
    "adstock": "adstock_weights",
    "parameters": "parameters",
    "chains": "chain_views",
    "multiplier": "media_multiplier",
    "period_returns": "period_returns",
}
# Earlier versions did not store these: such a home is read without them until its next refresh.
_LATER = frozenset({"period_returns"})


# Field of AuditResults to the asset it is stored as.
_AUDIT = {
    "origins": "origin_scores",
    "identification": "identification_scores",
    "sensitivity": "sensitivity_scores",
}


@dataclass(frozen=True, eq=False)
class AuditResults:
    """What the last audits with the present settings found, maybe on older rows; parts that were not run are None."""

    origins: DataFrame | None = None
    identification: DataFrame | None = None
    sensitivity: DataFrame | None = None

    @property
    def frames(self) -> tuple[DataFrame, ...]:
        """Those that hold scores."""
        parts = (self.origins, self.identification, self.sensitivity)
        return tuple(frame for frame in parts if frame is not None and len(frame))


@dataclass(frozen=True, eq=False)
class ClientResults:
    """What is stored about a client for its present rows and settings; fleets that were not run are None.

    ``fit_fault`` says why the full window could not be fitted, if that was tried; ``state`` in which state the files
    were that verdicts are read from, None where they may have been any.
    """

    data: ClientData
    windows: dict[Window, WindowResults]
    recovery: DataFrame | None
    stability: DataFrame | None
    forecast: DataFrame | None
    diff: DataFrame | None = None
    fit_fault: str = ""
    audit: AuditResults = AuditResults()
    advice: Mapping[str, Any] | None = None
    state: tuple[object, ...] | None = None

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Every verdict that can be read from what is stored, the data contract first.

        Seven steps of a refresh ask for them: while the files stay as they are, they are judged once.
        """
        if self.state is None:
            return self._judged()
        judged = _recent_verdicts.get(self.state[0], self.state)
        if judged is None:
            judged = self._judged()
            _recent_verdicts.keep(self.state[0], self.state, judged)
        return judged

    def _judged(self) -> tuple[Verdict, ...]:
        from mmm_engine.scores import client_verdicts, gates

        on_windows: list[Verdict] = []
        for window in self.windows.values():
            on_windows.append(verdicts.of_cutoff(window.inputs, self.data))
            on_windows.append(verdicts.of_fitted_rows(window.inputs, window.attrs))
            on_windows += client_verdicts.window_verdicts(window)
        missing = () if FULL in self.windows else (verdicts.of_missing(FULL, self.fit_fault),)
        limits = self.data.config.thresholds
        on_fleets = client_verdicts.fleet_verdicts(self.recovery, self.stability, limits)
        on_audit = verdicts.of_audit(self.audit.identification, self.audit.sensitivity, limits)
        return (gates.check_data(self.data), *missing, *on_windows, *self.whole, *on_fleets, *on_audit)

    @cached_property
    def whole(self) -> tuple[Verdict, ...]:
        """Verdicts on the client as a whole: forecasts over all windows, and what the fit of all rows says."""
        from mmm_engine.scores.client_verdicts import whole_verdicts

        return whole_verdicts(self.windows.values(), self.data.config.thresholds)

    @property
    def made_by(self) -> Mapping[Any, Any]:
        """What is known of the refresh that fitted the full window; empty when there is none."""
        return self.windows[FULL].attrs if FULL in self.windows else {}

    @property
    def refusals(self) -> tuple[Verdict, ...]:
        """The failed verdicts that keep these results from being published."""
        return verdicts.refused(self.verdicts)


class ResultStore(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Reads stored assets by name, for whoever needs many of them."""

    root: str = Field(default="", description=ROOT)

    def has_data(self, client: str) -> bool:
        """Whether rows of the client were ever stored."""
        return ClientDataFiles(root=self.root).has("client_data", client)

    def clients(self) -> list[str]:
        """Ids of the clients whose rows were ever stored, in natural order."""
        folder = ClientDataFiles(root=self.root).path("client_data").parent
        return sorted((path.stem for path in folder.glob("*.parquet")), key=natural_order)

    def data(self, client: str) -> ClientData:
        """The stored rows of a client."""
        data: ClientData = ClientDataFiles(root=self.root).read("client_data", client)
        return data

    def inputs(self, client: str, window: Window) -> ScaledInputs:
        """One stored window of a client in model space."""
        inputs: ScaledInputs = ScaledInputsFiles(root=self.root).read(
            "scaled_inputs", window_key(client, window)
        )
        return inputs

    def posterior(self, client: str, window: Window) -> DataTree:
        """The stored posterior of a window."""
        posterior: DataTree = PosteriorFiles(root=self.root).read(
            "fitted_posterior", window_key(client, window)
        )
        return posterior

    def fitted(self, client: str, window: Window) -> ScoredWindow | None:
        """A window with its posterior; None unless both are stored and of the client's stored rows and settings."""
        from mmm_engine.fleets.scored_window import ScoredWindow

        key, data = window_key(client, window), self.data(client)
        inputs, posteriors = ScaledInputsFiles(root=self.root), PosteriorFiles(root=self.root)
        if not (inputs.has("scaled_inputs", key) and posteriors.has("fitted_posterior", key)):
            return None
        fitted = ScoredWindow.of(self.inputs(client, window), self.posterior(client, window))
        from_present = fitted.inputs.data_version == data.data_version and _is_from(
            fitted.posterior.attrs, data
        )
        return fitted if from_present else None

    def read(self, client: str) -> ClientResults:
        """Everything stored about a client that was made from its present rows and settings."""
        state = self._state(client)  # before anything is read: what comes later is judged later
        data = self.data(client)
        windows = {window: self._window(client, window, data) for window in STANDARD_WINDOWS}
        frames = FrameFiles(root=self.root)
        fleets = {
            name: frames.read_or_none(name, client)
            for name in ("recovery_scores", "stability_scores", "forecast", "refresh_diff")
        }
        current = {
            name: frame for name, frame in fleets.items() if frame is not None and _is_from(frame.attrs, data)
        }
        return ClientResults(
            data=data,
            windows={window: results for window, results in windows.items() if results is not None},
            recovery=current.get("recovery_scores"),
            stability=current.get("stability_scores"),
            forecast=current.get("forecast"),
            diff=current.get("refresh_diff"),
            fit_fault=self._fit_fault(client, data),
            audit=self._audit(client, data),
            advice=self._advice(client, data),
            state=state,
        )

    def _state(self, client: str) -> tuple[object, ...] | None:
        """Which files the verdicts on a client are read from, and as what; None where no file system tells."""
        frames, keys = FrameFiles(root=self.root), [window_key(client, window) for window in STANDARD_WINDOWS]
        inputs, notes = ScaledInputsFiles(root=self.root), JsonFiles(root=self.root)
        paths = [
            ClientDataFiles(root=self.root).path("client_data", client),
            notes.path(FIT_FAULTS, window_key(client, FULL)),
            *(
                frames.path(asset, client)
                for asset in ("recovery_scores", "stability_scores", *_AUDIT.values())
            ),
            *(inputs.path("scaled_inputs", key) for key in keys),
            *(frames.path(asset, key) for asset in WINDOW_FRAMES.values() for key in keys),
        ]
        if not objects.is_local(paths[0]):
            return None
        return (str(paths[0]), *(_state_or_none(path) for path in paths))

    def _advice(self, client: str, data: ClientData) -> Mapping[str, Any] | None:
        """What the last refresh said of the budget, as far as it was made from the present rows and settings."""
        record = JsonFiles(root=self.root).read_or_none("budget_plan", client)
        return record if isinstance(record, dict) and _is_from(record, data) else None

    def _audit(self, client: str, data: ClientData) -> AuditResults:
        """What the last audits found, as far as the client's settings have not changed since."""
        frames, version = FrameFiles(root=self.root), data.config.config_version
        stored = {field: frames.read_or_none(asset, client) for field, asset in _AUDIT.items()}
        return AuditResults(
            **{
                field: frame
                for field, frame in stored.items()
                if frame is not None and frame.attrs.get("config_version") == version
            }
        )

    def _fit_fault(self, client: str, data: ClientData) -> str:
        """Why the full window of the present rows and settings could not be fitted; "" when that is not known."""
        note = JsonFiles(root=self.root).read_or_none(FIT_FAULTS, window_key(client, FULL))
        return str(note["reason"]) if note and _is_from(note, data) else ""

    def _window(self, client: str, window: Window, data: ClientData) -> WindowResults | None:
        """A window's results, or None unless all of them are stored, of one fit and of the present rows."""
        key, frames, inputs = (
            window_key(client, window),
            FrameFiles(root=self.root),
            ScaledInputsFiles(root=self.root),
        )
        if not (
            inputs.has("scaled_inputs", key)
            and all(frames.has(asset, key) for field, asset in WINDOW_FRAMES.items() if field not in _LATER)
        ):
            return None
        try:
            read = {
                field: frames.read(asset, key)
                for field, asset in WINDOW_FRAMES.items()
                if field not in _LATER or frames.has(asset, key)
            }
            scaled = inputs.read("scaled_inputs", key)
        except StoredFileError as error:  # moved to the quarantine: the window has to be fitted again
            logger.warning("%s", error)
            return None
        fits = {frame.attrs.get("fit_id") for frame in read.values()}
        if len(fits) != 1 or not _is_from(read["metrics"].attrs, data):
            return None
        return WindowResults(inputs=scaled, **read)


def versions_of(rows: ClientData | ScaledInputs) -> dict[str, str]:
    """What ties a stored value to the rows and settings it was made from."""
    return {"data_version": rows.data_version, "config_version": rows.config.config_version}


def _state_or_none(path: Path) -> object:
    try:
        return file_state(path)
    except FileNotFoundError:
        return None


def _is_from(attrs: Mapping[Any, Any], data: ClientData) -> bool:
    """Whether a stored frame was made from exactly these rows and settings."""
    return versions_of(data).items() <= attrs.items()
