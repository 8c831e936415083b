"""Fitting: the posterior of one window, drawn with NUTS on compiled code, and the health of the sampler.

Here: `fit`, its live progress, and R-hat, effective sample size, divergences, tree depth and energy of a posterior.
Not here: compilation (kernel.py), what the parameters mean in original units (predict.py, returns.py).
"""

from __future__ import annotations

import ctypes
import importlib.machinery
import importlib.util
import json
import logging
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from mmm_engine import ENGINE_VERSION
from mmm_engine.client.config import ClientConfig, SamplerConfig
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.compiler.code_cache import data_buffer
from mmm_engine.errors import Fault, FitError
from mmm_engine.model.mean import ModelData, model_data, training_data
from mmm_engine.model.specification import ModelStructure, model_structure
from mmm_engine.posterior.convergence import convergence
from mmm_engine.posterior.log_density import Kernel, compile_kernel
from mmm_engine.posterior.time_budget import wait_for_chains
from mmm_engine.rows.window import ScaledInputs, constant_in_training

Floats = NDArray[np.float64]
logger = logging.getLogger(__name__)

MAX_TREE_DEPTH = 10
RHAT_TARGET = 1.01  # with an ESS target, chains that disagree by more are drawn again too
_PROGRESS_SECONDS = 0.25
_STATS = {
    "diverging": "diverging",
    "depth": "tree_depth",
    "maxdepth_reached": "reached_max_treedepth",
    "energy": "energy",
    "n_steps": "n_steps",
    "step_size": "step_size",
    "logp": "lp",
    "mean_tree_accept": "acceptance_rate",
}


@dataclass(frozen=True)
class ChainProgress:
    """Where one chain stands.

    Attributes:
        chain: Its number, from 0.
        draw: Draws made so far, tuning included.
        total: Draws to make, tuning included.
        tuning: Whether it still adapts.
        divergences: Divergent draws so far.
        step_size: Current step size.
    """

    chain: int
    draw: int
    total: int
    tuning: bool
    divergences: int
    step_size: float


@dataclass(frozen=True)
class FitProgress:
    """Where one fit stands.

    Attributes:
        label: What is fitted ("ms h04").
        chains: One entry per chain.
        finished: Whether this is the last message.
        seconds: Since sampling began.
    """

    label: str
    chains: tuple[ChainProgress, ...]
    finished: bool
    seconds: float

    @property
    def share(self) -> float:
        """Share of all draws that is done, in [0, 1]."""
        total = sum(chain.total for chain in self.chains)
        return sum(chain.draw for chain in self.chains) / total if total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the time left, None while nothing is known."""
        return self.seconds * (1.0 - self.share) / self.share if self.share > 0.02 else None


ProgressListener = Callable[[FitProgress], None]


def fit(
    inputs: ScaledInputs,
    *,
    sampler: SamplerConfig | None = None,
    label: str = "",
    progress: ProgressListener | None = None,
    coordinates: str = "round",
) -> xr.DataTree:
    """The posterior of a window's training rows.

    Args:
        inputs: The window; only its training rows are looked at.
        sampler: Draws, tuning, chains, seed; the client's own settings when None.
        label: Shown with the progress.
        progress: Called a few times a second, from another thread.
        coordinates: "round" or "plain" (coordinates.py); the posterior is the same.

    Returns:
        Groups `posterior` (model space; dims chain, draw and channel, control, ... by name) and `sample_stats`;
        the root attributes say what was fitted with what.

    Raises:
        FitError: If no chain finds a finite log density, the draws are not finite, or the time budget is spent.
    """
    settings = sampler or inputs.config.sampler
    structure = model_structure(inputs.config)
    kernel = compile_kernel(structure, coordinates)
    train = training_data(model_data(inputs, structure), inputs.train_rows)
    name = label or f"{inputs.config.client} {inputs.window}"
    logger.info(
        "Sampling %s with %d chains, %d draws and %d tuning steps.",
        name,
        settings.chains,
        settings.draws,
        settings.tune,
    )
    start = time.perf_counter()
    while True:
        draws, stats = _sample(kernel, train, settings, name, progress)
        parameters = kernel.coordinates.parameters(draws, train, numpy_functions())
        more = _more_draws(parameters, settings)
        if more is None:
            break
        logger.info("Effective samples of %s miss the target: drawing %d per chain.", name, more)
        settings = settings.model_copy(update={"draws": more})
    seconds = time.perf_counter() - start
    tree = _tree(parameters, stats, inputs, structure)
    tree.attrs = _attributes(inputs, settings, kernel, seconds, name)
    logger.info("Sampling of %s took %.1f s, %d divergences.", name, seconds, int(stats["diverging"].sum()))
    return tree


def _more_draws(parameters: dict[str, Floats], settings: SamplerConfig) -> int | None:
    """Draws per chain for another attempt, None when the target is met, absent or out of reach.

    Chains cannot be prolonged: the same seed with more draws begins with the same draws.
    """
    if settings.ess_target is None or settings.draws >= settings.max_draws:
        return None
    elements = np.concatenate([value.reshape(*value.shape[:2], -1) for value in parameters.values()], axis=-1)
    found = convergence(elements)
    smallest = float(np.nanmin([found.ess_bulk, found.ess_tail]))
    if smallest >= settings.ess_target and float(np.nanmax(found.rhat)) <= RHAT_TARGET:
        return None
    wanted = 1.2 * settings.draws * settings.ess_target / max(smallest, 1.0)
    return min(settings.max_draws, max(2 * settings.draws, math.ceil(wanted / 100.0) * 100))


def _sample(
    kernel: Kernel, train: ModelData, settings: SamplerConfig, name: str, progress: ProgressListener | None
) -> tuple[Floats, dict[str, NDArray[Any]]]:
    core = _nutpie_core()
    options = core.PyNutsSettings.Diag(settings.seed)
    options.update(
        {
            "num_tune": settings.tune,
            "num_draws": settings.draws,
            "num_chains": settings.chains,
            "maxdepth": MAX_TREE_DEPTH,
            "target_accept": settings.target_accept,
        }
    )
    buffer = data_buffer(train)
    size = kernel.coordinates.size
    sizes = {"position": size}
    model = core.PyMcModel(
        core.LogpFunc(kernel.log_density_address, buffer.ctypes.data, (kernel, buffer)),
        core.ExpandFunc(size, size, kernel.copy_address, buffer.ctypes.data, (kernel, buffer)),
        core.PyVariable.new_variables(["flat"], ["float64"], [[size]], sizes, {"flat": ["position"]}),
        size,
        sizes,
        {},
        _starting_point(kernel, train),
        None,
    )
    listen = None if progress is None else _listener(name, progress, time.perf_counter())
    run = core.PySampler.from_pymc(
        options,
        cores_for(settings),
        model,
        core.ProgressType.none(),
        listen,
        int(_PROGRESS_SECONDS * 1000),
        core.PyStorage.arrow(),
    )
    wait_for_chains(run, settings.time_budget, name)
    collected = _collect(run.take_results(), settings, name)
    _give_back_memory()
    return collected


def _give_back_memory() -> None:
    """Hands freed memory of the chains' threads back to the system, which glibc keeps: refreshes would grow by it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if trim is not None:
        trim(0)


def cores_for(settings: SamplerConfig) -> int:
    """How many chains run side by side: the client's `cores`, at most the chains and the cores of the machine."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return max(1, min(settings.cores or available, settings.chains, available))


def _starting_point(kernel: Kernel, train: ModelData) -> Callable[[int | None], Floats]:
    """A random start per chain: every coordinate is centred and scaled so that [-1, 1] is a sensible place."""

    def start(seed: int | None) -> Floats:
        rng = np.random.default_rng(seed)
        return rng.uniform(-1.0, 1.0, kernel.coordinates.size)

    return start


def _listener(name: str, progress: ProgressListener, start: float) -> Callable[[list[Any]], None]:
    def listen(chains: list[Any]) -> None:
        states = tuple(_chain_progress(number, chain) for number, chain in enumerate(chains))
        done = all(state.draw >= state.total for state in states)
        progress(FitProgress(name, states, done, time.perf_counter() - start))

    return listen


def _chain_progress(number: int, chain: Any) -> ChainProgress:
    counts = (chain.finished_draws, chain.total_draws, chain.tuning, chain.divergences)
    return ChainProgress(number, *counts, chain.step_size)


def _collect(results: Any, settings: SamplerConfig, name: str) -> tuple[Floats, dict[str, NDArray[Any]]]:
    """Draws (chain, draw, size) and statistics (chain, draw) after tuning."""
    draw_batches, stat_batches = results.get_arrow_trace()
    draws, stats = [], []
    for draw_batch, stat_batch in zip(draw_batches, stat_batches, strict=True):
        keep = ~np.asarray(stat_batch.column("tuning"))
        flat = _column(draw_batch, "flat").reshape(draw_batch.num_rows, -1)
        draws.append(flat[keep])
        stats.append({ours: np.asarray(stat_batch.column(theirs))[keep] for theirs, ours in _STATS.items()})
    values = np.stack(draws)
    if values.shape[1] != settings.draws or not np.isfinite(values).all():
        fault = Fault(
            "draws", "draws that are missing or not finite", f"{settings.draws} per chain", "report this"
        )
        raise FitError(name, fault)
    return values, {key: np.stack([chain[key] for chain in stats]) for key in _STATS.values()}


def _column(batch: Any, name: str) -> Floats:
    import pyarrow

    column = pyarrow.array(batch.column(name))
    return np.asarray(column.flatten().to_numpy(zero_copy_only=False), dtype=float)


def _tree(
    parameters: dict[str, Floats],
    stats: dict[str, NDArray[Any]],
    inputs: ScaledInputs,
    structure: ModelStructure,
) -> xr.DataTree:
    coordinates = dimension_labels(inputs.config, structure)
    variables, used = {}, {}
    for spec in structure.parameters:
        dims = ("chain", "draw") if spec.dim is None else ("chain", "draw", spec.dim)
        variables[spec.name] = (dims, parameters[spec.name])
        if spec.dim is not None:
            used[spec.dim] = coordinates[spec.dim]
    posterior = xr.Dataset(variables, coords=used)
    sample_stats = xr.Dataset({name: (("chain", "draw"), value) for name, value in stats.items()})
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": sample_stats})


def dimension_labels(config: ClientConfig, structure: ModelStructure) -> dict[str, list[Any]]:
    """Labels of every dimension a parameter of the client's model can have."""
    labels: dict[str, list[Any]] = {
        "channel": list(config.channel_names),
        "control": list(config.control_names),
        "event": [event.name for event in config.model.events],
    }
    for spec in structure.parameters:
        if spec.dim is not None and spec.dim not in labels:
            labels[spec.dim] = list(range(spec.size))
    for role, groups in (("adstock", structure.adstocks), ("saturation", structure.saturations)):
        for group in groups:
            for spec in structure.parameters:
                if (
                    spec.dim
                    and spec.dim.startswith(f"channel_{role}")
                    and spec.name in dict(group.parameters).values()
                ):
                    labels[spec.dim] = [config.channel_names[position] for position in group.channels]
    return labels


def _attributes(
    inputs: ScaledInputs, settings: SamplerConfig, kernel: Kernel, seconds: float, label: str
) -> dict[str, Any]:
    return {
        "client": inputs.config.client,
        "window": inputs.window,
        "label": label,
        "cutoff": inputs.cutoff.isoformat(),
        "train_rows": inputs.train_rows,
        "data_version": inputs.data_version,
        "config_version": inputs.config.config_version,
        "engine_version": ENGINE_VERSION,
        "draws": settings.draws,
        "tune": settings.tune,
        "chains": settings.chains,
        "target_accept": settings.target_accept,
        "seed": settings.seed,
        "cores": cores_for(settings),
        "compile_seconds": round(kernel.compile_seconds, 3),
        "sample_seconds": round(seconds, 3),
        "constant_in_training": json.dumps(constant_in_training(inputs)),
    }


def _nutpie_core() -> ModuleType:
    """nutpie's compiled sampler without its Python layer, whose imports (plots, JAX hooks) take eight seconds."""
    if "nutpie._lib" in sys.modules:
        return sys.modules["nutpie._lib"]
    package = importlib.util.find_spec("nutpie")
    if package is None or not package.submodule_search_locations:
        raise FitError(
            "sampler", Fault("nutpie", "not installed", "the pinned version", "run `make install`")
        )
    folder = Path(package.submodule_search_locations[0])
    path = next(
        folder / f"_lib{suffix}"
        for suffix in importlib.machinery.EXTENSION_SUFFIXES
        if (folder / f"_lib{suffix}").exists()
    )
    spec = importlib.util.spec_from_file_location("nutpie._lib", path)
    assert spec is not None  # noqa: S101  (the file was just seen)
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    sys.modules["nutpie._lib"] = module
    spec.loader.exec_module(module)
    return module


# --- health ---------------------------------------------------------------------------------------


def sampler_health(posterior: xr.DataTree) -> pd.DataFrame:
    """Sampler health as a score frame: split, channel, metric, value, unit."""
    summary = parameter_summary(posterior)
    stats = posterior["sample_stats"].dataset
    diverging = stats["diverging"].to_numpy()
    values = {
        "divergences": (float(diverging.sum()), "count"),
        "divergence_rate": (float(diverging.mean()), "fraction"),
        "max_tree_depth": (float(stats["tree_depth"].max()), "count"),
        "tree_depth_hits": (float(stats["reached_max_treedepth"].sum()), "count"),
        "rhat_max": (float(summary["rhat"].max()), "score"),
        "ess_bulk_min": (float(summary["ess_bulk"].min()), "count"),
        "ess_tail_min": (float(summary["ess_tail"].min()), "count"),
        "bfmi_min": (float(_bfmi(stats["energy"].to_numpy()).min()), "score"),
        "sample_seconds": (float(posterior.attrs.get("sample_seconds", np.nan)), "seconds"),
    }
    return pd.DataFrame(
        [("all", "all", metric, value, unit) for metric, (value, unit) in values.items()],
        columns=["split", "channel", "metric", "value", "unit"],
    )


def parameter_summary(posterior: xr.DataTree) -> pd.DataFrame:
    """One row per parameter element: mean, sd, quantiles, R-hat (rank-normalised, split) and effective sample sizes.

    Returns:
        Columns parameter ("saturation_lam[tv]"), mean, sd, q05, q50, q95, rhat, ess_bulk, ess_tail; model space.
    """
    names, draws = element_draws(posterior)
    quantiles = np.quantile(draws, [0.05, 0.5, 0.95], axis=(0, 1))
    found = convergence(draws)
    return pd.DataFrame(
        {
            "parameter": names,
            "mean": draws.mean(axis=(0, 1)),
            "sd": draws.std(axis=(0, 1), ddof=1),
            "q05": quantiles[0],
            "q50": quantiles[1],
            "q95": quantiles[2],
            "rhat": found.rhat,
            "ess_bulk": found.ess_bulk,
            "ess_tail": found.ess_tail,
        }
    )


def element_draws(posterior: xr.DataTree) -> tuple[list[str], Floats]:
    """Names and draws (chain, draw, element) of every parameter element ("saturation_lam[tv]")."""
    names, columns = [], []
    for name, array in posterior["posterior"].data_vars.items():
        values = array.to_numpy()
        if values.ndim == 2:
            names.append(str(name))
            columns.append(values[..., None])
        else:
            names += [f"{name}[{label}]" for label in array[array.dims[-1]].to_numpy()]
            columns.append(values)
    return names, np.concatenate(columns, axis=-1)


def _bfmi(energy: Floats) -> Floats:
    """Energy Bayesian fraction of missing information per chain (Betancourt 2016, arXiv:1604.00695)."""
    return np.asarray(np.mean(np.diff(energy, axis=1) ** 2, axis=1) / np.var(energy, axis=1, ddof=1))
