"""The command that asks how narrow intervals of returns could be, and what makes those of the platform wider.

    make floor                                                   # 40 worlds of seed 8, every observer
    make floor ARGS="--seed 9 --worlds 94 --observers oracle_baseline,oracle_forms,calibrated --page docs/truth.md"

Observers of the same worlds are an oracle (`oracle.py`), the platform's model told some of the truth (`informed.py`),
and schemes of the study. Each fit becomes a line of ``<results>/<observer>.jsonl``, the same as those of the study, and
a stopped run goes on where it was. Stored worlds do not tell their workings, so that there are none here.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from pathlib import Path

import pandas as pd

from mmm_engine.client.config import SamplerConfig
from mmm_engine.client.windows import standard_window
from mmm_engine.errors import MMMError
from tests.benchmarks.truth import study
from tests.benchmarks.truth.fits import fit_client
from tests.benchmarks.truth.informed import Told, informed_client
from tests.benchmarks.truth.oracle import Knowledge, oracle_fit
from tests.benchmarks.truth.schemes import SCHEMES
from tests.benchmarks.truth.scoring import score_fit
from tests.benchmarks.truth.study import Task, code_state, kept_fits, make_name, run_all, with_tables
from tests.benchmarks.truth.tables import (
    CHANNEL_SIZES,
    Record,
    bins,
    channels_frame,
    fits_frame,
    markdown,
    share_cell,
)

BEGIN, END = "<!-- floor -->", "<!-- end of floor -->"
ORACLES = {
    "oracle_baseline_spread": Knowledge(baseline=True, spread=True),
    "oracle_baseline": Knowledge(baseline=True),
    "oracle_forms": Knowledge(baseline=False),
    "oracle_forms_half": Knowledge(baseline=False, power=0.5),
}
INFORMED = {
    "told_all": Told(carry_over=True, curves=True, baseline=True),
    "told_all_in_full": Told(carry_over=True, curves=True, baseline=True, power=1.0),
    "told_curves": Told(carry_over=True, curves=True),
    "told_carry_over": Told(carry_over=True),
    "told_baseline": Told(baseline=True),
    "told_nothing_in_full": Told(power=1.0),
}
WORDS = {
    "oracle_baseline_spread": "oracle that knows curves, carry-over, noise, baseline, and how far returns lie apart",
    "oracle_baseline": "oracle that learns how far returns lie apart",
    "oracle_forms": "oracle that learns that, and knows the baseline's forms only",
    "oracle_forms_half": "the same, rows by half",
    "told_all": "model told baseline, carry-over and curves",
    "told_all_in_full": "the same, rows in full",
    "told_curves": "model told carry-over and curves",
    "told_carry_over": "model told the carry-over",
    "told_baseline": "model told the baseline",
    "calibrated": "the default: told nothing",
    "told_nothing_in_full": "the same, rows in full",
}


def run(task: Task) -> Record:
    """The record of one observer's fit; an error of the engine is recorded as such."""
    if task.scheme in SCHEMES:
        return study.run(task)
    start = time.perf_counter()
    world = task.load()
    record: Record = {"world": task.world, "scheme": task.scheme, **task.settings, "tags": world.tags}
    try:
        if task.scheme in ORACLES:
            fit = oracle_fit(world, ORACLES[task.scheme])
        else:
            data = informed_client(world, INFORMED[task.scheme])
            fit = fit_client(data, data.config, standard_window("full"), task.sampler)
        record |= score_fit(world, fit)
    except MMMError as error:
        record["error"] = str(error)
    return {**record, "seconds": round(time.perf_counter() - start, 2)}


def summary(records: list[Record]) -> str:
    """One row per observer; widths by the channels' share of sales.

    Args:
        records: Fits of several observers of the same worlds.
    """
    fits, channels = fits_frame(records), channels_frame(records)
    effective = channels[~channels["null"]]
    sizes = bins(effective["share"], CHANNEL_SIZES, "{:.1%}")
    rows = []
    for observer, those in fits.groupby("scheme", sort=False):
        parts = effective[effective["scheme"] == observer]
        by_size = parts["width"].groupby(sizes[parts.index]).median()
        rows.append(
            {
                "observer": WORDS.get(str(observer), str(observer)),
                "in 90%": share_cell(parts["in_90"], parts["world"]),
                "in 50%": share_cell(parts["in_50"], parts["world"]),
                "median width ÷ truth": f"{parts['width'].median():.2f}",
                **{f"channels {size} of sales": f"{width:.2f}" for size, width in by_size.items()},
                "shortest interval: width, in 90%": _shortest(parts),
                "median CRPS of log": f"{parts['crps_log'].median():.2f}",
                "all media in 90%": share_cell(those["media_in_90"], those["world"]),
                "all media: width ÷ truth": f"{those['media_width'].median():.2f}",
            }
        )
    return markdown(pd.DataFrame(rows))


def _shortest(parts: pd.DataFrame) -> str:
    if "in_shortest_90" not in parts or not parts["in_shortest_90"].notna().any():
        return "–"  # fits that were kept before it was scored
    return f"{parts['width_shortest_90'].median():.2f}, {parts['in_shortest_90'].mean():.1%}"


def code() -> str:
    """12 hex digits of the sources that an observer's fit and its scores depend on."""
    here = [Path(__file__).with_name(f"{name}.py").read_bytes() for name in ("oracle", "informed")]
    return hashlib.sha256(b"\0".join([code_state().encode(), *here])).hexdigest()[:12]


def main() -> None:
    """Fit what is not kept yet, then write and print the table."""
    options = _options()
    sampler = SamplerConfig(seed=1, cores=max(1, (os.cpu_count() or 1) // options.processes))
    tasks = [
        Task(make_name(number, options.seed), number, options.seed, None, observer, "full", sampler)
        for observer in options.observers
        for number in range(options.worlds)
    ]
    state = code()
    records = kept_fits(options.results, tasks, None if options.keep else state)
    missing = [task for task in tasks if task not in records]
    print(f"{len(tasks)} fits, {len(records)} of them kept in {options.results} already", flush=True)
    for done, (task, record) in enumerate(
        run_all(missing, options.results, options.processes, state, run), start=1
    ):
        records[task] = record
        if done % 10 == 0 or "error" in record:
            print(
                f"{done:4d}/{len(missing)} {task.world} {task.scheme} {record.get('error', '')}", flush=True
            )
    heading = f"{options.worlds} worlds of seed {options.seed}; ± is one standard error."
    text = f"{heading}\n\n{summary([records[task] for task in tasks])}\n"
    print(f"\n{text}")
    if options.page:
        options.page.write_text(with_tables(options.page.read_text(), text, BEGIN, END))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make floor", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    every = [*ORACLES, *INFORMED, "calibrated"]
    parser.add_argument("--worlds", type=int, default=40, help="how many, from the first of the seed on")
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument(
        "--observers", default=",".join(every), help=f"of {', '.join([*ORACLES, *INFORMED, *SCHEMES])}"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="worlds fitted at once")
    parser.add_argument("--results", type=Path, default=Path("/tmp/mmm-truth"), help="where fits are kept")
    parser.add_argument("--page", type=Path, help="a page whose table is replaced (docs/truth.md)")
    parser.add_argument("--keep", action="store_true", help="fits of an earlier state of the code count too")
    options = parser.parse_args()
    options.observers = options.observers.split(",")
    unknown = set(options.observers) - {*ORACLES, *INFORMED, *SCHEMES}
    if unknown:
        parser.error(f"no observer {', '.join(sorted(unknown))}: there are {', '.join([*every, *SCHEMES])}")
    return options


if __name__ == "__main__":
    main()
