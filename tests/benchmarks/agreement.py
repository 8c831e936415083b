"""Whether the engine's posterior is plain pymc-marketing's: long runs of both, mean and sd of every parameter.

    python -m tests.benchmarks.agreement small --draws 4000 --tune 1500
    python -m tests.benchmarks.agreement ms --draws 8000 --tune 2000

The distance of a pair is the difference over the Monte Carlo standard error of the difference; 4 is the limit. A
parameter whose effective sample size is small in the plain run (last columns) has not converged there, and its
standard error is too small. That both sides have the same density is tested to 1e-8 elsewhere
(tests/engine/model/test_pymc_reference.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tests.benchmarks.figures import table
from tests.benchmarks.worker import answer, arguments, sampler_values

if TYPE_CHECKING:
    import pandas as pd

LIMIT = 4.0
SHOWN = 8


def main() -> None:
    """Fit the full window of a case on both sides and print the largest distances."""
    given = arguments(main.__doc__ or "").parse_args()
    from mmm_engine.client.config import SamplerConfig
    from mmm_engine.model.pymc_reference import INTERCEPT_NAMES, build_pymc_mmm, training_frame
    from mmm_engine.posterior.fit import fit
    from tests.benchmarks.cases import windows

    inputs = windows(given.case, ["full"])[0]
    values = sampler_values(given)
    ours = fit(inputs, sampler=SamplerConfig(**values, ess_target=None))
    mmm = build_pymc_mmm(inputs)
    plain = mmm.fit(*training_frame(inputs), progressbar=False, random_seed=1, **values)
    intercept = INTERCEPT_NAMES[inputs.config.model.time_varying_intercept]
    pairs = {}
    for name, array in ours.posterior["posterior"].data_vars.items():
        theirs = plain["posterior"][intercept if name == "intercept" else name].transpose(
            "chain", "draw", ...
        )
        pairs[str(name)] = (_elements(array), _elements(theirs))
    frame = distances(pairs)
    head = ["parameter", "mean, ours", "mean, plain", "sd, ours", "sd, plain", "distance of means", "of sds"]
    worst = frame.assign(worst=frame[["of means", "of sds"]].abs().max(axis=1)).sort_values(
        "worst", ascending=False
    )
    rows = [
        [row.parameter, *(f"{value:.4g}" for value in (row.mean_a, row.mean_b, row.sd_a, row.sd_b)),
         f"{row._5:.1f}", f"{row._6:.1f}", f"{row.ess_a:.0f}", f"{row.ess_b:.0f}"]
        for row in worst.head(SHOWN).itertuples(index=False)
    ]  # fmt: skip
    print(table(f"{given.case}: largest of {len(frame)} distances", [*head, "ESS, ours", "ESS, plain"], rows))
    outside = int((worst["worst"] > LIMIT).sum())
    print(f"{outside} of {len(frame)} parameters beyond {LIMIT:g} Monte Carlo standard errors")
    divergences = {
        "ours": int(ours["sample_stats"]["diverging"].sum()),
        "plain": int(plain["sample_stats"]["diverging"].sum()),
    }
    print(f"divergences: {divergences['ours']} and {divergences['plain']}")
    answer(given.out, {"frame": frame.to_dict("list"), "outside": outside, "divergences": divergences})


def distances(pairs: dict[str, tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """One row per parameter element.

    Args:
        pairs: Draws of both sides by parameter, each of shape (chain, draw, element).

    Returns:
        Columns parameter, mean_a, mean_b, sd_a, sd_b, `of means` and `of sds` (differences in standard errors), ess_a,
        ess_b.
    """
    import pandas as pd

    frames = []
    for name, (a, b) in pairs.items():
        (mean_a, sd_a, error_a, spread_a, ess_a), (mean_b, sd_b, error_b, spread_b, ess_b) = (
            _moments(a),
            _moments(b),
        )
        frames.append(
            pd.DataFrame(
                {
                    "parameter": [f"{name}[{number}]" for number in range(a.shape[-1])],
                    "mean_a": mean_a,
                    "mean_b": mean_b,
                    "sd_a": sd_a,
                    "sd_b": sd_b,
                    "of means": (mean_a - mean_b) / np.hypot(error_a, error_b),
                    "of sds": (sd_a - sd_b) / np.hypot(spread_a, spread_b),
                    "ess_a": ess_a,
                    "ess_b": ess_b,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _moments(draws: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mean, sd, their Monte Carlo standard errors and the bulk ESS, each of shape (element,)."""
    from arviz_stats.base import array_stats

    axes = {"chain_axis": 0, "draw_axis": 1}
    return (
        draws.mean(axis=(0, 1)),
        draws.std(axis=(0, 1), ddof=1),
        array_stats.mcse(draws, method="mean", **axes),
        array_stats.mcse(draws, method="sd", **axes),
        array_stats.ess(draws, method="bulk", **axes),
    )


def _elements(array: Any) -> np.ndarray:
    values = array.to_numpy()
    return np.asarray(values.reshape(*values.shape[:2], -1))


if __name__ == "__main__":
    main()
