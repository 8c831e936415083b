"""The command that holds other tools against the platform: same worlds, same rows, same scores, one table.

    make peers                                                  # six stored worlds; minutes a fit for other tools
    make peers ARGS="--schemes calibrated,pymc_marketing"       # without Meridian
    make peers ARGS="--seed 9 --worlds s9w000,s9w003"           # worlds that the study makes itself

Each fit becomes a line of ``<results>/<scheme>.jsonl``, the same as those of the study, so that its tables show other
tools beside presets and a stopped run goes on where it was. pymc-marketing comes with the development environment.
Meridian needs an environment of its own, because its dependencies exclude ours:

    python3 -m venv /tmp/mmm-meridian && /tmp/mmm-meridian/bin/pip install google-meridian
    MERIDIAN_BACKEND=jax make peers ARGS="--meridian /tmp/mmm-meridian/bin/python"  # on a CPU faster than TensorFlow
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mmm_engine.client.config import SamplerConfig
from mmm_engine.errors import MMMError
from tests.benchmarks.truth.clients import careful_client
from tests.benchmarks.truth.peer_exchange import read_answer, write_request
from tests.benchmarks.truth.schemes import SCHEMES
from tests.benchmarks.truth.scoring import score_fit
from tests.benchmarks.truth.study import Task, code_state, kept_fits, run_all, with_tables
from tests.benchmarks.truth.tables import Record, channels_frame, fits_frame, markdown, share_with_error

WORLDS = "w01,w13,w21,w33,w41,w57"
DEFAULT_SCHEMES = "calibrated,pymc_marketing,pymc_marketing_advice,meridian,meridian_advice"
BEGIN, END = "<!-- peers -->", "<!-- end of peers -->"
_FOLDER = Path(__file__).parents[4] / "shared" / "worlds"
_MERIDIAN = Path("/tmp/mmm-meridian/bin/python")
_HERE = Path(__file__).parent
_SOURCES = ("media", "recipes", "baseline", "worlds", "stored", "clients", "scoring")
_CHANNEL_SCORES = ["scheme", "world", "in_90", "in_50", "width", "crps_log", "ratio"]
_LONGEST_FIT = 3600.0  # seconds


@dataclass(frozen=True)
class Peer:
    """A way to fit a client with another tool.

    Attributes:
        script: The program that knows the tool, beside this module.
        package: What its environment must have.
        advice: With the settings that its guide advises, instead of those it comes with.
        words: What the page calls it.
    """

    script: str
    package: str
    advice: bool
    words: str

    @property
    def code(self) -> str:
        """12 hex digits of the sources that its fits and their scores depend on."""
        names = (*_SOURCES, "peer_exchange", self.script)
        texts = [(_HERE / f"{name}.py").read_bytes() for name in names]
        return hashlib.sha256(b"\0".join(texts)).hexdigest()[:12]


PEERS = {
    "pymc_marketing": Peer("peer_pymc", "pymc_marketing", False, "its default priors"),
    "pymc_marketing_advice": Peer("peer_pymc", "pymc_marketing", True, "priors by share of spend"),
    "meridian": Peer("peer_meridian", "meridian", False, "national model, defaults (one knot)"),
    "meridian_advice": Peer("peer_meridian", "meridian", True, "national model, automatic knots"),
}


def run_peer(task: Task, python: Path) -> Record:
    """The record of one fit by another tool; what goes wrong there is recorded as its error.

    Args:
        task: World, scheme (a name of `PEERS`) and sampler.
        python: Interpreter of an environment that has the tool.
    """
    start, peer = time.perf_counter(), PEERS[task.scheme]
    world = task.load()
    record: Record = {"world": task.world, "scheme": task.scheme, **task.settings, "tags": world.tags}
    try:
        data = careful_client(world.rows)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_request(data, task.sampler, peer.advice, folder)
            command = [str(python), "-P", str(_HERE / f"{peer.script}.py"), str(folder)]
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_LONGEST_FIT)
            fit, record["tool"] = read_answer(data, folder)
        record |= score_fit(world, fit)
    except MMMError as error:
        record["error"] = str(error)
    except subprocess.TimeoutExpired:
        record["error"] = f"not done after {_LONGEST_FIT:g} s"
    except subprocess.CalledProcessError as error:
        record["error"] = (error.stderr.strip().splitlines() or [str(error)])[-1]
    return {**record, "seconds": round(time.perf_counter() - start, 2), "code": peer.code}


def interpreter(peer: Peer, meridian: Path) -> Path:
    """The interpreter that has a peer's tool.

    Raises:
        FileNotFoundError: If there is none, with what to do.
    """
    python = meridian if peer.package == "meridian" else Path(sys.executable)
    lookup = f"import importlib.util, sys; sys.exit(importlib.util.find_spec('{peer.package}') is None)"
    if python.exists() and subprocess.run([python, "-P", "-c", lookup], check=False).returncode == 0:
        return python
    raise FileNotFoundError(
        f"{python} has no package {peer.package}: make an environment that has it (python3 -m venv ENV && "
        f"ENV/bin/pip install google-meridian) and name it with --meridian ENV/bin/python, or leave it out by "
        "--schemes"
    )


def summary(records: list[Record]) -> str:
    """Two tables: each scheme over all worlds, and each world by itself.

    Args:
        records: Fits of several schemes over the same worlds.
    """
    fits, channels = fits_frame(records), channels_frame(records)
    effective = channels[~channels["null"]] if len(channels) else pd.DataFrame(columns=_CHANNEL_SCORES)
    tools = {record["scheme"]: record.get("tool", "this platform") for record in records}
    fits["cpu_seconds"] = [record.get("health", {}).get("cpu_seconds") for record in records]
    overall = pd.DataFrame(
        _scheme_row(scheme, tool, fits[fits["scheme"] == scheme], effective[effective["scheme"] == scheme])
        for scheme, tool in tools.items()
    )
    return f"{markdown(overall)}\n\n{markdown(_by_world(fits, effective))}"


def _scheme_row(scheme: str, tool: str, fits: pd.DataFrame, channels: pd.DataFrame) -> dict[str, str]:
    words = PEERS[scheme].words if scheme in PEERS else f"preset `{scheme}`"
    done = fits[~fits["failed"]]
    return {
        "tool": f"{tool}, {words}",
        "fits": f"{len(done)} of {len(fits)}",
        "channels": f"{len(channels)}",
        "in 90%": _percent(channels["in_90"], channels["world"]),
        "in 50%": _percent(channels["in_50"], channels["world"]),
        "median width ÷ truth": f"{channels['width'].median():.2f}",
        "median CRPS of log": f"{channels['crps_log'].median():.2f}",
        "median estimate ÷ truth": f"{channels['ratio'].median():.2f}",
        "all media in 90%": f"{int(done['media_in_90'].sum())} of {len(done)}",
        "all media: estimate ÷ truth": f"{done['media_ratio'].median():.2f}",
        "all media: width ÷ truth": f"{done['media_width'].median():.2f}",
        "R-hat: median, largest": f"{done['rhat_max'].median():.3f}, {done['rhat_max'].max():.2f}",
        "smallest ESS, median": f"{done['ess_min'].median():.0f}",
        "processor seconds a fit": f"{done['cpu_seconds'].median():.0f}",
    }


def _percent(hits: pd.Series, worlds: pd.Series) -> str:
    """A share with its standard error; a dash without anything to count."""
    if not len(hits):
        return "–"
    share, error = share_with_error(hits, worlds)
    return f"{share:.0%} ± {100 * error:.0f}"


def _by_world(fits: pd.DataFrame, channels: pd.DataFrame) -> pd.DataFrame:
    """One row per world; per scheme the channels inside their 90% intervals, and the total of media over its truth."""
    rows = []
    for world, those in fits.groupby("world", sort=False):
        row = {"world": str(world)}
        for scheme, fit in those.set_index("scheme").iterrows():
            inside = channels.loc[(channels["world"] == world) & (channels["scheme"] == scheme), "in_90"]
            total = (
                "failed" if fit["failed"] else f"{inside.sum()} of {len(inside)}, {fit['media_ratio']:.2f}"
            )
            row[str(scheme)] = total
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    """Fit what is not kept yet, then write and print the tables."""
    options = _options()
    try:
        pythons = {
            name: interpreter(PEERS[name], options.meridian) for name in options.schemes if name in PEERS
        }
    except FileNotFoundError as error:
        sys.exit(f"make peers: {error}")
    records: list[Record] = []
    for scheme in options.schemes:
        tasks = _tasks(options, scheme)
        code = PEERS[scheme].code if scheme in PEERS else code_state()
        kept = kept_fits(options.results, tasks, None if options.keep else code)
        for task in tasks:
            if task not in kept:
                kept[task] = fit_and_keep(task, pythons.get(scheme), options.results, code)
                rhat = kept[task].get("health", {}).get("rhat_max")
                outcome = kept[task].get("error") or f"R-hat {rhat}, {kept[task]['seconds']:.0f} s"
                print(f"{task.world} {scheme}: {outcome}", flush=True)
        records += [kept[task] for task in tasks]
    text = f"{options.chains} chains × ({options.tune} + {options.draws}).\n\n{summary(records)}\n"
    print(f"\n{text}")
    if options.page:
        options.page.write_text(with_tables(options.page.read_text(), text, BEGIN, END))


def fit_and_keep(task: Task, python: Path | None, results: Path, code: str) -> Record:
    """The record of a fit, kept in its scheme's file.

    Another tool's failure is told and not kept: it may be the machine's (memory, time), and the next run tries again.

    Args:
        task: What is fitted.
        python: Interpreter that has the tool; None for a preset of the platform.
        results: Where fits are kept.
        code: State of the platform's code.
    """
    if python is None:
        return next(record for _, record in run_all([task], results, 1, code))
    record = run_peer(task, python)
    if "error" in record:
        return record
    results.mkdir(parents=True, exist_ok=True)
    with (results / f"{task.scheme}.jsonl").open("a") as file:
        file.write(json.dumps(record) + "\n")
    return record


def _tasks(options: argparse.Namespace, scheme: str) -> list[Task]:
    sampler = SamplerConfig(
        draws=options.draws, tune=options.tune, chains=options.chains, seed=1, cores=os.cpu_count() or 1
    )
    return [
        Task(
            world=world,
            number=0 if options.seed is None else int(world.rpartition("w")[2]),
            seed=1 if options.seed is None else options.seed,
            stored=options.folder if options.seed is None else None,
            scheme=scheme,
            window="full",
            sampler=sampler,
        )
        for world in options.worlds
    ]


def _options() -> argparse.Namespace:
    usual = SamplerConfig()
    parser = argparse.ArgumentParser(
        prog="make peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--worlds", default=WORLDS, help=f"names, by commas (default: {WORLDS})")
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="the folder of stored worlds")
    parser.add_argument(
        "--seed", type=int, help="worlds that the study makes from this seed, named s<seed>w<number>"
    )
    parser.add_argument(
        "--schemes",
        default=DEFAULT_SCHEMES,
        help=f"of {', '.join(PEERS)} and the study's {', '.join(SCHEMES)}",
    )
    parser.add_argument(
        "--meridian", type=Path, default=_MERIDIAN, help="python of an environment with Meridian"
    )
    parser.add_argument("--draws", type=int, default=usual.draws)
    parser.add_argument("--tune", type=int, default=usual.tune)
    parser.add_argument("--chains", type=int, default=usual.chains)
    parser.add_argument("--results", type=Path, default=Path("/tmp/mmm-truth"), help="where fits are kept")
    parser.add_argument("--page", type=Path, help="a page whose table of peers is replaced (docs/truth.md)")
    parser.add_argument("--keep", action="store_true", help="fits of an earlier state of the code count too")
    options = parser.parse_args()
    options.schemes, options.worlds = options.schemes.split(","), options.worlds.split(",")
    unknown = set(options.schemes) - set(PEERS) - set(SCHEMES)
    if unknown:
        parser.error(f"no scheme {', '.join(sorted(unknown))}: there are {', '.join([*PEERS, *SCHEMES])}")
    return options


if __name__ == "__main__":
    main()
