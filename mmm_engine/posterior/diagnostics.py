"""The health of a posterior's chains: R-hat, effective sample sizes, divergences, tree depth, energy.

Not here: the formulas of R-hat and effective sample size (convergence.py), what is too bad (scores/gates.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from mmm_engine.array_types import Floats
from mmm_engine.posterior.convergence import convergence
from mmm_engine.posterior.explanations import places_scores

_SUMMARY_GROUP = "parameter_summary"  # of a posterior that carries its own summary
_SUMMARY_NUMBERS = ("mean", "sd", "q05", "q50", "q95", "rhat", "ess_bulk", "ess_tail")


def sampler_health(posterior: xr.DataTree, summary: pd.DataFrame) -> pd.DataFrame:
    """Sampler health as a score frame: split, channel, metric, value, unit.

    A number is NaN where that of any element is: one of which nothing is known may be the worst.

    Args:
        posterior: Output of `fit`.
        summary: Its `parameter_summary`.
    """
    stats = posterior["sample_stats"].dataset
    diverging = stats["diverging"].to_numpy()
    values = {
        "divergences": (float(diverging.sum()), "count"),
        "divergence_rate": (float(diverging.mean()), "fraction"),
        "max_tree_depth": (float(stats["tree_depth"].max()), "count"),
        "tree_depth_hits": (float(stats["reached_max_treedepth"].sum()), "count"),
        "rhat_max": (float(summary["rhat"].max(skipna=False)), "score"),
        "ess_bulk_min": (float(summary["ess_bulk"].min(skipna=False)), "count"),
        "ess_tail_min": (float(summary["ess_tail"].min(skipna=False)), "count"),
        "bfmi_min": (float(_bfmi(stats["energy"].to_numpy()).min()), "score"),
        "sample_seconds": (float(posterior.attrs.get("sample_seconds", np.nan)), "seconds"),
    }
    rows = [("all", "all", metric, value, unit) for metric, (value, unit) in values.items()]
    return pd.DataFrame(
        rows + places_scores(posterior.attrs, len(diverging)),
        columns=["split", "channel", "metric", "value", "unit"],
    )


def parameter_summary(posterior: xr.DataTree) -> pd.DataFrame:
    """One row per parameter element: mean, sd, quantiles, R-hat (rank-normalised, split) and effective sample sizes.

    Returns:
        Columns parameter ("saturation_lam[tv]"), mean, sd, q05, q50, q95, rhat, ess_bulk, ess_tail; model space.
    """
    names, draws = element_draws(posterior)
    quantiles = np.quantile(draws, [0.05, 0.5, 0.95], axis=(0, 1))
    diagnostics = convergence(draws)
    return pd.DataFrame(
        {
            "parameter": names,
            "mean": draws.mean(axis=(0, 1)),
            "sd": draws.std(axis=(0, 1), ddof=1),
            "q05": quantiles[0],
            "q50": quantiles[1],
            "q95": quantiles[2],
            "rhat": diagnostics.rhat,
            "ess_bulk": diagnostics.ess_bulk,
            "ess_tail": diagnostics.ess_tail,
        }
    )


def attach_summary(posterior: xr.DataTree, summary: pd.DataFrame) -> xr.DataTree:
    """The posterior with its `parameter_summary` as a group of its own, dim "element"."""
    numbers = {name: ("element", summary[name].to_numpy()) for name in _SUMMARY_NUMBERS}
    names = ("element", summary["parameter"].to_numpy(dtype=object))
    carrying = posterior.copy()
    carrying[_SUMMARY_GROUP] = xr.DataTree(xr.Dataset({"parameter": names, **numbers}))
    return carrying


def attached_summary(posterior: xr.DataTree) -> pd.DataFrame | None:
    """The `parameter_summary` that the posterior carries; None where it carries none (stored by an earlier version)."""
    if _SUMMARY_GROUP not in posterior.children:
        return None
    stored = posterior[_SUMMARY_GROUP].dataset
    numbers = {name: stored[name].to_numpy() for name in _SUMMARY_NUMBERS}
    return pd.DataFrame({"parameter": [str(name) for name in stored["parameter"].to_numpy()], **numbers})


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
