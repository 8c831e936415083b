"""A fitted model as a run of MLflow: its settings, scores, report and draws.

Here: what is logged, under which names, and the message where MLflow is not installed.
Not here: the model (pymc_model.py), the file that it is saved in (saved_model.py), the page (mmm_engine.report).

MLflow is imported only when something is logged.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mmm_engine.errors import Fault, MMMError
from mmm_engine.fleets.scored_window import ScoredWindow
from mmm_engine.version import ENGINE_VERSION

MODEL_FILE, REPORT_FILE, SETTINGS_FILE = "model.nc", "report.html", "settings.json"

_LONGEST_PARAMETER = 500  # characters, as the strictest of MLflow's servers takes them
_NOT_IN_NAMES = re.compile(r"[^\w\-. /]", re.ASCII)


def log_run(
    fit: ScoredWindow,
    save_model: Callable[[Path], object],
    write_report: Callable[[Path], object],
    *,
    experiment: str | None,
    run_name: str | None,
) -> str:
    """Log a fit into the active run of MLflow, or into a new one.

    Args:
        fit: The fit.
        save_model: Writes the model with its draws into a file.
        write_report: Writes the report into a file.
        experiment: Name of the experiment of a new run; MLflow's own choice when None.
        run_name: Name of a new run; the client's when None.

    Returns:
        The id of the run.

    Raises:
        MMMError: If MLflow is not installed.
    """
    mlflow = _mlflow(fit.inputs.config.client)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        model, report, settings = (Path(folder) / name for name in (MODEL_FILE, REPORT_FILE, SETTINGS_FILE))
        save_model(model)
        write_report(report)
        settings.write_text(fit.inputs.config.model_dump_json(indent=1), encoding="utf-8")
        run = mlflow.active_run()
        if run is None:
            place = None if experiment is None else _experiment_id(mlflow, experiment)
            name = run_name or fit.inputs.config.client
            run = stack.enter_context(mlflow.start_run(experiment_id=place, run_name=name))
        mlflow.log_params(parameters(fit))
        mlflow.log_metrics(metrics(fit))
        for path in (model, report, settings):
            mlflow.log_artifact(str(path))
        return str(run.info.run_id)


def _experiment_id(mlflow: Any, name: str) -> str:
    """The experiment of that name, made where there is none; the caller's own runs stay where they go."""
    experiment = mlflow.get_experiment_by_name(name)
    return str(mlflow.create_experiment(name) if experiment is None else experiment.experiment_id)


def parameters(fit: ScoredWindow) -> dict[str, str]:
    """Settings of the fit as MLflow's parameters, by dotted names, and what ties them to rows and code."""
    config = fit.inputs.config
    settings = json.loads(
        config.model_dump_json(include={"client", "date", "target", "currency", "model", "sampler"})
    )
    facts = {
        "channels": ", ".join(config.channel_names),
        "controls": ", ".join(config.control_names),
        "lift_tests": len(config.lift_tests),
        "rows": fit.inputs.train_rows,
        "first_row": f"{fit.inputs.dates[0]:%Y-%m-%d}",
        "last_row": f"{fit.inputs.cutoff:%Y-%m-%d}",
        "data_version": fit.inputs.data_version,
        "config_version": config.config_version,
        "engine_version": ENGINE_VERSION,
    }
    named = {**dict(_flat(settings)), **facts}
    return {_name(name): str(value)[:_LONGEST_PARAMETER] for name, value in named.items()}


def metrics(fit: ScoredWindow) -> dict[str, float]:
    """Scores, sampler health and returns as MLflow's metrics ("train.mape", "roas.tv"), as far as they are defined."""
    values: dict[str, float] = {}
    for row in fit.metrics.to_dict("records"):
        place = [str(row["split"]), str(row["metric"])] + (
            [] if row["channel"] == "all" else [str(row["channel"])]
        )
        values[".".join(place)] = float(row["value"])
    for row in fit.returns.to_dict("records"):
        values[f"{row['metric']}.{row['channel']}"] = float(row["mean"])
    return {_name(name): value for name, value in values.items() if math.isfinite(value)}


def _flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Single values of nested settings by dotted name; lists as JSON; what is empty is left out."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        elif isinstance(value, list):
            if value:
                yield f"{above}{name}", json.dumps(value)
        elif value is not None and value != "":
            yield f"{above}{name}", value


def _name(text: str) -> str:
    """A name that MLflow takes."""
    return _NOT_IN_NAMES.sub("_", text)[:250]


def _mlflow(client: str) -> Any:
    try:
        import mlflow
    except ImportError:
        fix = "install the extra 'mlflow' of mmm-platform, or: pip install mlflow-skinny"
        fault = Fault("log_to_mlflow()", "no MLflow", "the package mlflow or mlflow-skinny", fix)
        raise MMMError(f"PymcModel '{client}'", fault) from None
    return mlflow
