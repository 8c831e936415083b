"""The settings of the notebook face, checked like those of a client file.

Here: from the arguments of `PymcModel` to a `ClientConfig`, and the words that say what was set.
Not here: ranges and names (mmm_engine.client.config), priors in their many forms (prior_arguments.py).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pandas as pd

from mmm_engine.client.client_file import client_config_from_mapping
from mmm_engine.client.config import ClientConfig, columns_as_mappings
from mmm_engine.client.lift_test_config import LiftTest
from mmm_engine.client.lift_tests import read_lift_tests
from mmm_engine.errors import ConfigError, Fault
from mmm_engine.files.table import table_from_frame
from mmm_engine.model.media_transforms import ADSTOCKS, SATURATIONS, TransformParameter
from mmm_engine.model.specification import model_specification
from mmm_engine.report.wording import count as counted
from mmm_engine.rows.client_data import ClientData
from mmm_engine.toolkit.frames import frame_of
from mmm_engine.toolkit.prior_arguments import prior_mappings

logger = logging.getLogger("mmm_engine.toolkit")

_ARGUMENTS = {  # setting of a client file: the argument of PymcModel or of its fit() that sets it
    "client": "client_name",
    "target": "target_name",
    "date": "date_column",
    "channels": "channel_names",
    "controls": "control_names",
    "model.adstock.kind": "adstock",
    "model.adstock.max_lag": "lag_max",
    "model.trend.changepoints": "trend",
    "model.n_basis": "number_of_basis",
    "model": "",
    "sampler": "",
}

Columns = Sequence[str | Mapping[str, Any]] | Mapping[str, Any] | str | None
"""Columns as a client file has them: names, mappings with settings of their own, or one mapping by name."""


def column_entries(columns: Columns, who: str) -> list[Any]:
    """Columns as a list of names and, where they have settings of their own, mappings of plain values.

    Args:
        columns: One name may come without its brackets; priors in any form that `prior_mappings` takes.
        who: Whose columns these are, for messages.

    Raises:
        ConfigError: With every prior that is not understood.
    """
    named = [columns] if isinstance(columns, str) else () if columns is None else columns
    entries = columns_as_mappings(named if isinstance(named, Mapping) else list(named))
    return [_plain_entry(entry, who) for entry in cast("tuple[object, ...]", entries)]


def _plain_entry(entry: object, who: str) -> object:
    if not isinstance(entry, Mapping):
        return entry
    if entry.keys() == {"column"}:
        return entry["column"]
    priors = entry.get("priors")
    if not isinstance(priors, Mapping):
        return dict(entry)
    return {**entry, "priors": prior_mappings(priors, [str(entry.get("column"))], who)[0]}


def named_entries(value: Mapping[str, Any] | None, who: str, argument: str) -> dict[str, Any]:
    """What an argument says by name.

    Raises:
        ConfigError: If it is no mapping.
    """
    if value is None or isinstance(value, Mapping):
        return dict(value or {})
    found = f"a value of type {type(value).__name__}"
    fault = Fault(
        f"argument '{argument}'", found, "a mapping (name: value)", f"write {argument}={{name: value}}"
    )
    raise ConfigError(who, fault)


def plain_numbers(value: Any) -> Any:
    """Settings with Python's numbers in place of NumPy's, which notebooks are full of; arrays stay as they are."""
    if isinstance(value, Mapping):
        return {name: plain_numbers(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain_numbers(entry) for entry in value]
    return value.item() if isinstance(value, np.number | np.bool_) else value


def lift_tests(frame: pd.DataFrame, client: str) -> list[LiftTest]:
    """The rows of a frame as lift tests.

    Raises:
        ConfigError: With every fault of the frame.
        DataError: If it is no frame.
    """
    who = f"PymcModel '{client}', calibrations"
    tests, faults = read_lift_tests(table_from_frame(frame_of(frame, who)))
    if faults:
        raise ConfigError(who, faults)
    return list(tests)


def checked_config(settings: Mapping[str, Any], priors: Mapping[str, Any], preset: str) -> ClientConfig:
    """The client's settings with a preset and priors in place of its own, checked.

    Raises:
        ConfigError: With every setting that is wrong, under the name of the argument that sets it.
    """
    who = f"PymcModel '{settings['client']}'"
    channels = [
        dict(entry) if isinstance(entry, Mapping) else entry
        for entry in cast("tuple[object, ...]", columns_as_mappings(settings["channels"]))
    ]
    names = [str(channel.get("column")) if isinstance(channel, dict) else "" for channel in channels]
    common, by_channel = prior_mappings(priors, names, who)
    for name, channel in zip(names, channels, strict=True):
        if isinstance(channel, dict):  # what is neither a name nor a mapping is refused below
            channel["priors"] = {**channel.get("priors", {}), **by_channel.get(name, {})}
    model = {**settings["model"], "priors": {**common, "preset": preset}}
    try:
        config = client_config_from_mapping({**settings, "channels": channels, "model": model}, who)
    except ConfigError as error:
        faults = [replace(fault, where=_argument(fault.where)) for fault in error.faults]
        raise ConfigError(error.who, faults) from None
    model_specification(config, "week")  # refuses priors of parameters that no model of any spacing has
    return config


def _argument(where: str) -> str:
    """The place of a fault, under the name of the argument where it is a setting of a client file.

    >>> _argument("setting 'model.adstock.max_lag'"), _argument("setting 'channels[2].unit'")
    ("argument 'lag_max'", "argument 'channel_names[2].unit'")
    >>> _argument("setting 'model.saturation'")
    "argument 'saturation'"
    """
    setting = where.removeprefix("setting '").removesuffix("'")
    if where != f"setting '{setting}'":
        return where
    for name, argument in _ARGUMENTS.items():
        rest = setting.removeprefix(name)
        if rest != setting and (not rest or rest[0] in ".["):
            return f"argument '{(argument + rest).removeprefix('.')}'"
    return f"argument '{setting}'"


def log_data(data: ClientData, scaled: bool) -> None:
    """Say what was read: scaling, rows, and what a reader should know about them."""
    for what in ("Target variable", "Channel variables", "Control variables") if scaled else ():
        logger.info("%s scaled using MaxAbsScaler.", what)
    logger.info("Client data loaded for '%s' with %d rows.", data.config.client, len(data))
    for finding in data.findings:
        level = logging.WARNING if finding.severity == "warning" else logging.INFO
        logger.log(level, "%s: %s; %s.", finding.column or "All rows", finding.message, finding.fix)


def log_settings(config: ClientConfig) -> None:
    """Say which model was set up."""
    model = config.model
    logger.info("Creating default priors for intercept and model's scale (y_sigma).")
    if config.controls:
        logger.info("Creating default priors for gamma control.")
    logger.info("Using %s adstock over %d periods.", model.adstock.kind, model.adstock.max_lag)
    _log_priors("adstock", ADSTOCKS[model.adstock.kind].parameters)
    logger.info("Using %s saturation.", model.saturation)
    _log_priors("saturation", SATURATIONS[model.saturation].parameters)
    varying = {"media": model.time_varying_media, "intercept": model.time_varying_intercept}
    for what in (name for name, does in varying.items() if does):
        logger.info("Time-varying %s MMM.", what)
        logger.info("Creating default priors for Kernel's eta and length-scale.")
    if model.yearly_seasonality is not None:
        logger.info("Yearly seasonality of order %d.", model.yearly_seasonality)
    if model.weekly_seasonality:
        logger.info("An effect of each day of the week.")
    if model.holidays is not None:
        logger.info("%d public holidays of %s.", len(model.holidays.days), model.holidays.country)
    if model.baseline is not None:
        logger.info("Baseline that may wander, with %d knots.", model.baseline.knots)
    if model.trend is not None:
        logger.info("Linear trend with %d changepoints.", model.trend.changepoints)
    if model.events:
        logger.info("Events: %s.", ", ".join(event.name for event in model.events))
    if config.lift_tests:
        logger.info("Calibrating with %d lift tests.", len(config.lift_tests))
    own = sorted({*model.priors, *(name for channel in config.channels for name in channel.priors)})
    if own:
        logger.info("Using your own priors for %s.", ", ".join(own))


def model_terms(config: ClientConfig) -> list[str]:
    """The parts of the model in words, for who looks at it."""
    model = config.model
    terms = [counted(len(config.channels), "channel"), counted(len(config.controls), "control")]
    terms += [f"{model.adstock.kind} adstock over {model.adstock.max_lag}", f"{model.saturation} saturation"]
    terms += ["time-varying media"] if model.time_varying_media else []
    terms += ["time-varying intercept"] if model.time_varying_intercept else []
    terms += ["yearly seasonality"] if model.yearly_seasonality else []
    terms += ["days of the week"] if model.weekly_seasonality else []
    terms += ["wandering baseline"] if model.baseline else []
    terms += ["trend"] if model.trend else []
    terms += ["holidays"] if model.holidays else []
    terms += [counted(len(model.events), "event")] if model.events else []
    terms += [counted(len(config.lift_tests), "lift test")] if config.lift_tests else []
    return terms


def _log_priors(what: str, parameters: Sequence[TransformParameter]) -> None:
    if parameters:
        names = [spec.name for spec in parameters]
        logger.info("Creating default priors for %s %s.", what, " and ".join(names))
