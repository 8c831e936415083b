"""How the default model fares on clients whose form its generator of worlds does not make.

Here: adding each as `mmm add --suggested` does, fitting, the verdict, and a row of a table beside the truth.
Not here: the clients (odd_worlds.py), the study on the generator's worlds (study.py).

    python -m tests.benchmarks.truth.odd_clients                     # all, one after another
    python -m tests.benchmarks.truth.odd_clients ordinary threshold
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from mmm_assets.cli.new_clients import add_client
from mmm_engine.client.windows import FULL, Window
from mmm_engine.errors import MMMError
from mmm_engine.fleets.scored_window import ScoredWindow, fit_window
from mmm_engine.fleets.stability import stability_scores
from mmm_engine.results.draw_evaluation import channel_totals
from mmm_engine.rows.client_data import ClientData
from mmm_engine.rows.window import scale_window
from mmm_engine.scores.client_verdicts import fleet_verdicts, whole_verdicts, window_verdicts
from mmm_engine.scores.gates import check_data
from mmm_engine.scores.verdict import by_check, judge
from tests.benchmarks.truth.odd_worlds import ODD, OddClient

WINDOWS = (FULL, Window.holding_out(8), Window.holding_out(12))
HEADINGS = (
    "client", "what is odd", "seconds", "R-hat", "draws", "all media ÷ truth", "total in 90%",
    "channels in 90%", "skill h08", "verdict", "failed checks", "findings",
)  # fmt: skip


def main() -> None:
    """Prints a table of Markdown, row by row as clients are done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clients", nargs="*", default=list(ODD), metavar="CLIENT", help=", ".join(ODD))
    print("|", " | ".join(HEADINGS), "|")
    print("|" + "---|" * len(HEADINGS))
    for name in parser.parse_args().clients:
        print("|", " | ".join(table_row(name)), "|", flush=True)


def table_row(name: str) -> list[str]:
    """Cells of `HEADINGS` of one client."""
    client, odd = ODD[name](), (ODD[name].__doc__ or "").rstrip(".")
    try:
        data = as_added(name, client)
        fits = [fit_window(scale_window(data, window)) for window in WINDOWS]
    except MMMError as error:
        return [name, odd, *[""] * 7, "refused", str(error).splitlines()[0], ""]
    full, h08 = fits[0], fits[1]
    attributes = full.posterior.attrs
    stability = stability_scores([fit.returns for fit in fits], None)
    verdicts = [
        check_data(data),
        *(verdict for fit in fits for verdict in window_verdicts(fit)),
        *whole_verdicts(fits, data.config.thresholds),
        *fleet_verdicts(None, stability, data.config.thresholds),
    ]
    failed = [result.check for result in by_check(verdicts) if result.outcome == "failed"]
    skill = h08.scores.query("split == 'test' and metric == 'skill'")["value"].iloc[0]
    return [
        name,
        odd,
        f"{attributes['sample_seconds']:.0f}",
        f"{full.health.set_index('metric')['value']['rhat_max']:.3f}",
        f"{attributes['chains']} × {attributes['draws']}",
        *beside_truth(full, client),
        f"{skill:.2f}",
        judge(verdicts),
        ", ".join(failed),
        ", ".join(dict.fromkeys(finding.code for finding in data.findings)),
    ]


def as_added(name: str, client: OddClient) -> ClientData:
    """The client's rows with the settings that `mmm add --suggested` writes."""
    settings = {
        "client": name,
        "date": "date",
        "target": {"column": "sales", "kind": client.kind},
        "channels": [{"column": column} for column in client.channels],
        "controls": [{"column": column, "effect": "any"} for column in client.controls],
        "model": {"adstock": {"kind": "geometric"}, "priors": "calibrated"},
    }
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.csv"
        client.frame.to_csv(rows, index=False)
        return add_client(settings, rows, Path(folder) / "data", choose=lambda offered: offered)[1]


def beside_truth(full: ScoredWindow, client: OddClient) -> tuple[str, str, str]:
    """Estimate over truth of all media, whether its 90% interval holds the truth, and for how many channels it does."""
    totals = channel_totals(full.draws, full.training_arrays, full.specification).contribution_scaled
    totals = totals * full.inputs.scales.target
    truth = client.contribution
    low, high = np.quantile(totals, [0.05, 0.95], axis=0)
    inside = int(((low <= truth) & (truth <= high)).sum())
    of_all = totals.sum(axis=1)
    least, middle, most = np.quantile(of_all, [0.05, 0.5, 0.95])
    ratio = f"{middle / truth.sum():.2f}" if truth.sum() else ""
    return ratio, "yes" if least <= truth.sum() <= most else "no", f"{inside} of {len(truth)}"


if __name__ == "__main__":
    main()
