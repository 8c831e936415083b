"""The benchmark: our refresh (A) against the loop a user of pymc-marketing would write (B), and how A behaves alone.

    make bench                                  everything; about half an hour on two cores
    make bench ARGS="--only ms --pairs 1"       one pair
    make bench ARGS="--json figures.json"       all figures and all runs as JSON too

Here: the sections and their order.
Not here: what A and B do (ours.py, plain.py), starting and measuring processes (processes.py), tables (figures.py).

A and B take turns in one session, each a process of its own, so that a change of the machine's mood hits both; trust
the ratios, and look at the column `others`: cores that other programs used meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks import startup
from tests.benchmarks.figures import Figure, ess_per_second, exponent, pair_figures, short, spread, table
from tests.benchmarks.processes import Run, Runner

HEAD = ["figure", "A: ours", "B: plain", "gain of A"]
SHORT_CHAINS = ("--draws", "100", "--tune", "100")
CHANNELS = (5, 10, 20, 40)
ROWS = (104, 208, 520, 1040)
REFRESHES = 20
_RUN_HEAD = ["run", "wall s", "cpu s", "peak MB", "load before", "others, cores"]


class Bench:
    """Runs sections, prints their tables, and keeps every run."""

    def __init__(self, pairs: int, long_draws: int, runner: Runner) -> None:
        self.pairs = pairs
        self.long_draws = long_draws
        self.runner = runner
        self.found: dict[str, Any] = {}
        self._warm: set[tuple[str, str]] = set()
        self._plain: dict[str, list[Run]] = {}

    def ms(self) -> None:
        """The reference client in a new process, imports included."""
        self._pairs("ms")

    def small(self) -> None:
        """A small client in a new process: compiling is all there is to save."""
        self._pairs("small")

    def running(self) -> None:
        """A second refresh in a process that holds the specification, against the loop in a process with imports paid.

        B's runs of the sections ms and small serve again where they were made: the loop is timed apart from imports.
        """
        for case in ("ms", "small"):
            ours, plain = [], []
            self._warm_up("ours", case)
            for number in range(self.pairs):
                ours.append(self.runner.module("ours", case, "--rounds", "2"))
                known = self._plain.setdefault(case, [])
                if len(known) <= number:
                    self._warm_up("plain", case)
                    known.append(self.runner.module("plain", case))
                plain.append(known[number])
            seconds = [run.result["rounds"][1]["seconds"] for run in ours]
            loops = [run.result["rounds"][0]["seconds"] for run in plain]
            figures = [Figure("second refresh, s", seconds, loops)]
            self._show(f"running {case}: a process that has done it before", figures)
            self._keep(f"running {case}", figures, A=ours, B=plain)

    def ess(self) -> None:
        """Effective draws per second of sampling, full window of ms, in runs long enough that the ESS is stable."""
        long = ("ms", "--windows", "full", "--no-recovery", "--draws", str(self.long_draws))
        self._warm_up("ours", "ms")
        self._warm_up("plain", "ms")
        ours, plain = self.runner.module("ours", *long), self.runner.module("plain", *long)
        a, b = ours.result["rounds"][0], plain.result["rounds"][0]
        fit_a, fit_b = a["fits"][0], b["fits"][0]
        figures = [
            Figure("smallest ESS per second", [ess_per_second(a)], [ess_per_second(b)], True),
            Figure("smallest bulk ESS", [fit_a["ess_bulk"]], [fit_b["ess_bulk"]], True),
            Figure("smallest tail ESS", [fit_a["ess_tail"]], [fit_b["ess_tail"]], True),
            Figure("sampling, s", [fit_a["sample_seconds"]], [fit_b["sample_seconds"]]),
            Figure("largest R-hat", [fit_a["rhat"]], [fit_b["rhat"]]),
            Figure("divergences", [fit_a["divergences"]], [fit_b["divergences"]]),
        ]
        self._show(f"ess: full window of ms, 4 x (1000 + {self.long_draws})", figures)
        self._keep("ess", figures, A=[ours], B=[plain])

    def cold(self) -> None:
        """The kernel of ms with empty caches and with warm ones, then in a new process each time."""
        fast = ("ms", "--windows", "full", "--no-recovery", *SHORT_CHAINS)
        self._warm_up("ours", "ms")
        with tempfile.TemporaryDirectory() as empty:
            env = {"MMM_CACHE_DIR": f"{empty}/mmm", "PYTENSOR_FLAGS": f"base_compiledir={empty}/pytensor"}
            runs = {"cold": self.runner.module("ours", *fast, env=env)}
            runs["warm"] = self.runner.module("ours", *fast, env=env)
        rows = [
            [name, short(run.result["rounds"][0]["fits"][0]["compile_seconds"]), short(run.wall)]
            for name, run in runs.items()
        ]
        self._print(
            table("cold: kernel of ms, A alone", ["caches", "compile or load, s", "process, s"], rows)
        )
        self.found["cold"] = {name: run.to_json() for name, run in runs.items()}

    def startup(self) -> None:
        """Seconds until commands that fit nothing have done their work, and what they import."""
        found = startup.measure(self.runner)
        rows = [
            [name, spread(entry["seconds"]), ", ".join(entry["heavy"]) or "-"]
            for name, entry in found.items()
        ]
        self._print(table("startup: new processes, median of 5", ["what", "seconds", "heavy imports"], rows))
        self.found["startup"] = found

    def growth(self) -> None:
        """Cost against channels (161 rows) and rows (10 channels), time-varying media, chains as long as in `ess`."""
        for what, sizes in (("channels", CHANNELS), ("rows", ROWS)):
            runs = [
                self.runner.module("growth", f"{what}-{size}", "--draws", str(self.long_draws))
                for size in sizes
            ]
            results = [run.result for run in runs]
            columns = {
                "gradient, us": [r["gradient_us"] for r in results],
                "sampling, s": [r["sample_seconds"] for r in results],
                "steps a draw": [r["steps"] for r in results],
                "smallest ESS": [r["ess_min"] for r in results],
                "ms per smallest ESS": [1e3 * r["sample_seconds"] / r["ess_min"] for r in results],
                "ms per median ESS": [1e3 * r["sample_seconds"] / r["ess_median"] for r in results],
                "divergences": [r["divergences"] for r in results],
            }
            slopes = {
                name: exponent(sizes, columns[name])
                for name in ("gradient, us", "steps a draw", "ms per smallest ESS", "ms per median ESS")
            }
            rows = [[str(size), *(short(v[at]) for v in columns.values())] for at, size in enumerate(sizes)]
            rows.append(["exponent", *(f"{slopes[name]:.2f}" if name in slopes else "" for name in columns)])
            self._print(table(f"growth over {what}, 4 x (1000 + {self.long_draws})", [what, *columns], rows))
            self.found[f"growth {what}"] = {"exponents": slopes, "runs": [run.to_json() for run in runs]}

    def memory(self) -> None:
        """Peak memory over many refreshes of ms in one process, short chains."""
        run = self.runner.module("memory", "ms", "--rounds", str(REFRESHES), *SHORT_CHAINS)
        peaks, present = run.result["peak_mb"], run.result["present_mb"]
        rows = [
            [str(at + 1), short(peaks[at]), short(present[at]), f"{100 * (peaks[at] / peaks[0] - 1):.1f}%"]
            for at in (0, 1, 4, 9, len(peaks) - 1)
        ]
        head = ["refresh", "peak MB", "present MB", "growth of the peak"]
        self._print(table(f"memory: {REFRESHES} refreshes of ms in one process", head, rows))
        self.found["memory"] = run.to_json()

    def plan(self) -> None:
        """The budget of ms: our optimiser beside SciPy's SLSQP on the same draws, rows and bounds; processor time."""
        run = self.runner.module("plan")
        found = run.result
        rows = [
            [
                name,
                short(part["seconds"]),
                short(part["slsqp_seconds"]),
                f"{part['steps']} / {part['slsqp_steps']}",
                f"{part['spread']:.0e} / {part['slsqp_spread']:.0e}",
                f"{part['slsqp_value'] / part['value'] - 1.0:+.1e}",
            ]
            for name, part in ((name, found[name]) for name in ("totals", "amounts per week"))
        ]
        head = [
            "13 weeks, 13 channels, 4,000 draws",
            "ours, s",
            "SLSQP, s",
            "steps",
            "spread",
            "SLSQP's value",
        ]
        self._print(table("plan: the best budget of ms", head, rows))
        worse = found["worse"]
        self._print(
            f"frontier of 20 budgets {short(found['frontier_s'])} s; a window {short(found['window_s'])} s; over "
            f"{worse['problems']} random problems SLSQP's best of {worse['starts']} starts is better by at most "
            f"{worse['slsqp_better_by']:.1e}"
        )
        self.found["plan"] = run.to_json()
        self._beside_peer()

    def _beside_peer(self) -> None:
        """Our optimiser and pymc-marketing's on one model; first answers in processes of their own."""
        both = self.runner.module("plan_peer").result
        first = {side: self.runner.module("plan_peer", "--first", side).result for side in ("ours", "peer")}
        rows = [
            ["again, s", short(both["ours_s"]), short(both["peer_s"])],
            ["first answer of a process, s", *(short(first[side]["first_s"]) for side in ("ours", "peer"))],
            ["spread of marginals", f"{both['ours_spread']:.0e}", f"{both['peer_spread']:.0e}"],
            ["expected response, theirs over ours", "1", f"{both['peer_value'] / both['ours_value']:.6f}"],
        ]
        title = "plan: 13 totals, 13 weeks, 4,000 draws, beside pymc-marketing's BudgetOptimizer"
        self._print(table(title, ["processor time", "ours", "pymc-marketing"], rows))
        told = both["information"]
        whole = sum(told["formula"]) / sum(told["nested"])
        best = [max(range(len(told[name])), key=told[name].__getitem__) for name in ("formula", "nested")]
        self._print(
            f"what tests are worth: the formula says {whole:.0%} of nested Monte Carlo, the best channel is "
            f"{'the same' if best[0] == best[1] else 'another'}; {short(told['seconds'][0])} s and "
            f"{short(told['seconds'][1])} s"
        )
        self.found["plan_peer"] = {"both": both, "first": first}

    def advice(self) -> None:
        """Twenty simulated clients: what advice truly gains, beside what an oracle would."""
        from tests.benchmarks.advice import (
            summary,
        )  # of no concern to the memory of other sections' processes

        run = self.runner.module("advice")
        told = summary(run.result["clients"])
        rows = [
            ["told to move money", f"{told['acts']:.0f} of {told['clients']:.0f}"],
            ["of them better than today", f"{told['beats']:.0f} of {told['acts']:.0f}"],
            [
                "share of the possible gain, median (quartiles)",
                f"{told['share_median']:.0%} ({told['share_q25']:.0%}, {told['share_q75']:.0%})",
            ],
            ["share of all possible gains together", f"{told['share_of_all']:.0%}"],
            ["true gain, of what media bring", f"{told['gain_of_today']:.1%}"],
            ["true gains within the promised 90%", f"{told['inside_90']:.0%}"],
            ["promised over true gain", short(told["promised_over_true"])],
        ]
        self._print(table("advice: simulated clients, 4 weeks, today's budget, within 30%", ["", ""], rows))
        self.found["advice"] = run.to_json()

    def _pairs(self, case: str) -> None:
        ours: list[Run] = []
        plain: list[Run] = []
        self._warm_up("ours", case)
        self._warm_up("plain", case)
        for number in range(self.pairs):
            order = (("ours", ours), ("plain", plain))
            for name, runs in order if number % 2 == 0 else order[::-1]:
                runs.append(self.runner.module(name, case))
                self._print(f"  {case} {name}: {runs[-1].wall:.1f} s, others {runs[-1].others:.2f} cores")
        self._plain[case] = plain
        figures = pair_figures(list(zip(ours, plain, strict=True)))
        self._show(f"{case}: a refresh in a new process, {self.pairs} pairs", figures)
        self._show_runs(ours, plain)
        self._show_phases(ours, plain)
        self._keep(case, figures, A=ours, B=plain)

    def _warm_up(self, side: str, case: str) -> None:
        """Fill the caches of machine code and bytecode, once a session: what is compared is warm on both sides."""
        if (side, case) not in self._warm:
            self.runner.module(side, case, "--windows", "h04", *SHORT_CHAINS)
            self._warm.add((side, case))

    def _show(self, title: str, figures: Sequence[Figure]) -> None:
        self._print(table(title, HEAD, [figure.row() for figure in figures]))

    def _show_runs(self, ours: Sequence[Run], plain: Sequence[Run]) -> None:
        rows = [
            [
                f"{name}{number + 1}",
                *(short(v) for v in (run.wall, run.cpu, run.peak_mb, run.load, run.others)),
            ]
            for number, pair in enumerate(zip(ours, plain, strict=True))
            for name, run in zip("AB", pair, strict=True)
        ]
        self._print(table("runs", _RUN_HEAD, rows))

    def _show_phases(self, ours: Sequence[Run], plain: Sequence[Run]) -> None:
        for name, runs in (("A", ours), ("B", plain)):
            phases = [{"imports": run.result["imports"], **run.result["rounds"][0]["phases"]} for run in runs]
            rows = [[phase, spread([each[phase] for each in phases])] for phase in phases[0]]
            rows.append(
                [
                    "start and exit",
                    spread([r.wall - sum(p.values()) for r, p in zip(runs, phases, strict=True)]),
                ]
            )
            self._print(table(f"where the seconds of {name} go", ["phase", "s"], rows))

    def _keep(self, section: str, figures: Sequence[Figure], **runs: Sequence[Run]) -> None:
        self.found[section] = {
            "figures": {
                figure.name: {"A": figure.ours, "B": figure.plain, "gain": median(figure.gains())}
                for figure in figures
            },
            "runs": {name: [run.to_json() for run in own] for name, own in runs.items()},
        }

    def _print(self, text: str) -> None:
        print(text, flush=True)


SECTIONS: dict[str, Callable[[Bench], None]] = {
    name: getattr(Bench, name)
    for name in ("ms", "small", "running", "ess", "startup", "cold", "growth", "memory", "plan", "advice")
}


def main() -> None:
    """Run the chosen sections."""
    parser = argparse.ArgumentParser(
        prog="make bench", description="Measures a refresh against plain pymc-marketing."
    )
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"of {','.join(SECTIONS)}")
    parser.add_argument("--pairs", type=int, default=3, help="pairs of A and B")
    parser.add_argument(
        "--long-draws", type=int, default=4000, help="draws a chain in the sections ess and growth"
    )
    parser.add_argument(
        "--patience", type=float, default=60.0, help="seconds to wait for a quiet machine, each time"
    )
    parser.add_argument("--json", type=Path, help="write all figures and runs here")
    given = parser.parse_args()
    chosen = given.only.split(",")
    unknown = [name for name in chosen if name not in SECTIONS]
    if unknown:
        parser.error(f"no such section: {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    with tempfile.TemporaryDirectory() as bytecode:
        bench = Bench(given.pairs, given.long_draws, Runner(given.patience, Path(bytecode)))
        bench.found["machine"] = {"cores": os.cpu_count(), "python": platform.python_version()}
        for name in chosen:
            SECTIONS[name](bench)
            if given.json:
                given.json.write_text(json.dumps(bench.found, indent=1))


if __name__ == "__main__":
    main()
