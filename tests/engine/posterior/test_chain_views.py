"""Claims about what is kept of the chains, on draws whose ranks and divergences are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from mmm_engine.posterior.chain_views import CHAIN_COLUMNS, RANK_BINS, chain_frame


def tree(draws: dict[str, np.ndarray], diverging: np.ndarray | None = None) -> xr.DataTree:
    """A posterior of these draws (chain, draw)."""
    shape = next(iter(draws.values())).shape[:2]
    stats = {
        "diverging": np.zeros(shape, dtype=bool) if diverging is None else diverging,
        "energy": np.random.default_rng(0).normal(50, 3, shape),
    }
    groups = {"posterior": draws, "sample_stats": stats}
    return xr.DataTree.from_dict(
        {
            group: xr.Dataset({name: (("chain", "draw"), value) for name, value in values.items()})
            for group, values in groups.items()
        }
    )


def summary(**rhat: float) -> pd.DataFrame:
    """The columns of a parameter summary that choose what is kept."""
    return pd.DataFrame({"parameter": list(rhat), "rhat": list(rhat.values())})


def test_chains_that_agree_have_flat_ranks() -> None:
    """Two chains that take turns: each has its share of every bin."""
    values = np.arange(400.0).reshape(200, 2).T
    frame = chain_frame(tree({"a": values}), summary(a=1.0))
    ranks = frame[frame["view"] == "rank"]
    assert len(ranks) == 2 * RANK_BINS
    assert ranks["value"].tolist() == [1.0] * len(ranks)
    assert tuple(frame.columns) == CHAIN_COLUMNS


def test_chains_apart_fill_half_of_the_ranks_each() -> None:
    """A chain below the other has twice its share in the lower bins and none in the upper."""
    values = np.arange(400.0).reshape(2, 200)
    ranks = chain_frame(tree({"a": values}), summary(a=2.0)).query("view == 'rank' and chain == 0")
    assert ranks["value"].tolist() == [2.0] * 10 + [0.0] * 10


def test_worst_parameters_come_first() -> None:
    """By R-hat; one whose R-hat is not defined comes last."""
    rng = np.random.default_rng(1)
    draws = {name: rng.normal(size=(2, 50)) for name in ("a", "b", "c")}
    frame = chain_frame(tree(draws), summary(a=1.001, b=1.2, c=float("nan")))
    assert list(frame.loc[frame["view"] == "rank", "parameter"].drop_duplicates()) == ["b", "a", "c"]


def test_densities_of_energy_integrate_to_one() -> None:
    """Both views share a grid, which cuts off half a percent of the values."""
    frame = chain_frame(tree({"a": np.random.default_rng(2).normal(size=(4, 500))}), summary(a=1.0))
    for view in ("energy", "transition"):
        own = frame[frame["view"] == view]
        width = np.diff(own["position"]).mean()
        assert own["value"].sum() * width == pytest.approx(1.0, abs=0.02)


def test_divergences_are_found_where_they_are() -> None:
    """Divergent draws have high values of b only: b comes first, all of them are kept."""
    rng = np.random.default_rng(3)
    draws = {name: rng.normal(size=(2, 600)) for name in ("a", "b", "c")}
    diverging = np.zeros((2, 600), dtype=bool)
    diverging[0, :30] = True
    draws["b"][0, :30] += 6
    own = chain_frame(tree(draws, diverging), summary(a=1.1, b=1.0, c=1.0)).query("view == 'draw'")
    assert own["parameter"].iloc[0] == "b"
    first = own[own["parameter"] == "b"]
    assert first["diverging"].sum() == 30
    assert (~first["diverging"]).sum() == 400
    assert first.loc[first["diverging"], "value"].min() > 2


def test_without_divergences_nothing_is_marked() -> None:
    """The two parameters that agree least stand for the rest."""
    draws = {name: np.random.default_rng(4).normal(size=(2, 60)) for name in ("a", "b", "c")}
    own = chain_frame(tree(draws), summary(a=1.0, b=1.3, c=1.1)).query("view == 'draw'")
    assert set(own["parameter"]) == {"b", "c"}
    assert not own["diverging"].any()
