"""NUTS on a compiled log density: nutpie's core, fed with machine code, listened to while it runs.

Here: draws and statistics of all chains, the time budget, how many chains run side by side.
Not here: what is drawn (log_density.py), what the draws are good for (diagnostics.py).
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmm_engine.array_types import Floats
from mmm_engine.client.config import SamplerConfig
from mmm_engine.errors import Fault, FitError
from mmm_engine.posterior.geometry import TrainingData
from mmm_engine.posterior.log_density import CompiledLogDensity
from mmm_engine.posterior.progress import ChainProgress, FitProgress, ProgressListener
from mmm_engine.posterior.time_budget import wait_for_chains

MAX_TREE_DEPTH = 10


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


def sample(
    density: CompiledLogDensity,
    train: TrainingData,
    settings: SamplerConfig,
    name: str,
    progress: ProgressListener | None,
    spread: float = 1.0,
) -> tuple[Floats, dict[str, NDArray[Any]]]:
    """Draws of the flat vector after tuning, shape (chain, draw, size), and statistics by name, shape (chain, draw).

    Args:
        density: The compiled log density.
        train: The training rows.
        settings: Draws, tuning, chains, seed.
        name: What is fitted, for progress and errors.
        progress: Called a few times a second, from another thread.
        spread: How far from the centre of the coordinates chains may start.

    Raises:
        ValueError: If the training rows are not those of the density's specification.
        FitError: If draws are missing or not finite, or the time budget is spent.
    """
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
    buffer, (log_density, copy_draw) = density.data_buffer(train), density.addresses
    size = density.coordinates.size
    density.density(np.zeros(size), buffer)  # raises where the data do not fit: a sampler would only give up
    sizes = {"position": size}
    model = core.PyMcModel(
        core.LogpFunc(log_density, buffer.ctypes.data, (density, buffer)),
        core.ExpandFunc(size, size, copy_draw, buffer.ctypes.data, (density, buffer)),
        core.PyVariable.new_variables(["flat"], ["float64"], [[size]], sizes, {"flat": ["position"]}),
        size,
        sizes,
        {},
        _starting_point(size, train, spread),
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


def _starting_point(size: int, train: TrainingData, spread: float) -> Callable[[int | None], Floats]:
    """A random start per chain: every coordinate is centred and scaled so that [-1, 1] is a sensible place.

    Wherever the mode is: chains that all start there would not show that there is another.
    """
    mode, back = np.asarray(train.mode), np.linalg.inv(train.mode_map)

    def start(seed: int | None) -> Floats:
        coordinates = spread * np.random.default_rng(seed).uniform(-1.0, 1.0, size)
        if not len(mode):
            return coordinates
        # no linear algebra here: the sampler's threads have stacks that are too small for LAPACK
        return np.asarray((back * (coordinates - mode)).sum(axis=1))

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
