"""The command of the study: fit worlds under schemes, keep every fit, write the tables.

Each fit becomes a line of ``<results>/<scheme>.jsonl``, so that a run that is stopped goes on where it was. Lines of an
earlier state of the code, or of other sampler settings, do not count (``--keep`` lets the code differ). Two worlds are
fitted at once, one core each.

    python -m tests.benchmarks.truth.study --worlds 40 --schemes toolkit,spend_share --results /tmp/truth
    python -m tests.benchmarks.truth.study --folder ../shared/worlds
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mmm_engine
from mmm_engine.client.config import SamplerConfig
from mmm_engine.client.windows import standard_window
from mmm_engine.errors import MMMError
from tests.benchmarks.truth.clients import careful_client
from tests.benchmarks.truth.fits import fit_client
from tests.benchmarks.truth.schemes import SCHEMES
from tests.benchmarks.truth.scoring import score_fit
from tests.benchmarks.truth.stored import read_world, read_worlds
from tests.benchmarks.truth.tables import Record, report
from tests.benchmarks.truth.worlds import World, make_world

BEGIN, END = "<!-- tables -->", "<!-- end of tables -->"
WORLDS, DEFAULT_SCHEMES = 24, "calibrated,toolkit"
_BESIDE_THE_FIT = (
    "report",
    "toolkit",
    "history",
    "decisions",
)  # wings of the engine that no fit passes through
_OWN_FILES = (
    "media",
    "recipes",
    "baseline",
    "worlds",
    "stored",
    "clients",
    "schemes",
    "fits",
    "verdicts",
    "scoring",
)
_SECONDS_BETWEEN_LINES = 5.0


@dataclass(frozen=True)
class Task:
    """One fit: a world (by number and seed, or by name in a folder), a scheme and a window."""

    world: str
    number: int
    seed: int
    stored: Path | None
    scheme: str
    window: str
    sampler: SamplerConfig

    def load(self) -> World:
        """The world."""
        return read_world(self.stored, self.world) if self.stored else make_world(self.number, self.seed)

    @property
    def settings(self) -> dict[str, Any]:
        """What a kept fit must agree in to count, the code aside."""
        names = ("draws", "tune", "chains", "target_accept", "seed")
        return {"window": self.window, **{name: getattr(self.sampler, name) for name in names}}


def run(task: Task) -> Record:
    """The record of one fit; an error of the engine is recorded as such."""
    start = time.perf_counter()
    world = task.load()
    record: Record = {"world": task.world, "scheme": task.scheme, **task.settings, "tags": world.tags}
    try:
        data = careful_client(world.rows)
        window, config = standard_window(task.window), SCHEMES[task.scheme](data)
        record |= score_fit(world, fit_client(data, config, window, task.sampler))
    except MMMError as error:
        record["error"] = str(error)
    return {**record, "seconds": round(time.perf_counter() - start, 2)}


def kept_fits(folder: Path, tasks: list[Task], code: str | None) -> dict[Task, Record]:
    """Fits of earlier runs that answer a task.

    Args:
        folder: Where they are kept.
        tasks: What is asked for.
        code: State of the code they must come from, None for any.
    """
    lines: dict[tuple[str, str, str], Record] = {}
    for scheme in {task.scheme for task in tasks}:
        path = folder / f"{scheme}.jsonl"
        for line in path.read_text().splitlines() if path.exists() else ():
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue  # the last line of a run that was killed
            if code in (None, record["code"]):
                lines[record["world"], scheme, _text(record, tasks[0].settings)] = record
    answers = (
        (task, lines.get((task.world, task.scheme, _text(task.settings, task.settings)))) for task in tasks
    )
    return {task: record for task, record in answers if record is not None}


def _text(values: dict[str, Any], names: dict[str, Any]) -> str:
    return json.dumps({name: values[name] for name in names}, sort_keys=True)


def run_all(
    tasks: list[Task], folder: Path, processes: int, code: str, run_one: Callable[[Task], Record] = run
) -> Iterator[tuple[Task, Record]]:
    """Every task with its record as it is done; each is appended to its scheme's file first."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(run_one, task): task for task in tasks}
        try:
            for future in as_completed(futures):
                task, record = futures[future], {**future.result(), "code": code}
                with (folder / f"{task.scheme}.jsonl").open("a") as file:
                    file.write(json.dumps(record) + "\n")
                yield task, record
        finally:
            pool.shutdown(cancel_futures=True)


def code_state() -> str:
    """12 hex digits of the sources that a fit and its scores depend on."""
    engine = Path(mmm_engine.__file__).parent
    sources = [
        path
        for path in sorted(engine.rglob("*.py"))
        if path.relative_to(engine).parts[0] not in _BESIDE_THE_FIT
    ]
    sources += [Path(__file__).with_name(f"{name}.py") for name in _OWN_FILES]
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def tasks_of(options: argparse.Namespace) -> list[Task]:
    """All fits that the options ask for, world by world, so that a stopped run has compared its schemes."""
    if options.folder:
        names = [(world.rows.name, 0) for world in read_worlds(options.folder)][: options.worlds]
    else:
        first = options.first
        names = [(make_name(number, options.seed), number) for number in range(first, first + options.worlds)]
    sampler = SamplerConfig(
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        seed=1,
        cores=max(1, (os.cpu_count() or 1) // options.processes),
    )
    return [
        Task(name, number, options.seed, options.folder, scheme, window, sampler)
        for name, number in names
        for scheme in options.schemes
        for window in options.windows
    ]


def make_name(number: int, seed: int) -> str:
    """Name of a world that the study makes.

    >>> make_name(7, 1)
    's1w007'
    """
    return f"s{seed}w{number:03d}"


def main() -> None:
    """Fit what is not kept yet, then write and print the tables."""
    options = _options()
    tasks, code = tasks_of(options), code_state()
    records = kept_fits(options.results, tasks, None if options.keep else code)
    missing = [task for task in tasks if task not in records]
    print(f"{len(tasks)} fits, {len(records)} of them kept in {options.results} already", flush=True)
    start = shown = time.perf_counter()
    for done, (task, record) in enumerate(
        run_all(missing, options.results, options.processes, code), start=1
    ):
        records[task] = record
        now = time.perf_counter()
        if now - shown >= _SECONDS_BETWEEN_LINES or done == len(missing):
            shown = now
            minutes_left = (now - start) / done * (len(missing) - done) / 60
            outcome = record.get("error") or f"R-hat {record['health']['rhat_max']:.3f}"
            print(
                f"{done:4d}/{len(missing)} {task.world} {task.scheme}: {outcome} · {minutes_left:.1f} min left",
                flush=True,
            )
    text = heading(options, tasks) + "\n\n" + report([records[task] for task in tasks])
    table = options.results / "truth.md"
    table.write_text(text)
    if options.page:
        options.page.write_text(with_tables(options.page.read_text(), text))
    print(f"\n{text}\nwritten to {options.page or table} after {time.perf_counter() - start:.0f} s")


def with_tables(page: str, tables: str, begin_mark: str = BEGIN, end_mark: str = END) -> str:
    """A page with the tables in the place of those between its two marks.

    Raises:
        ValueError: If the page lacks one of the marks.
    """
    before, begin, rest = page.partition(begin_mark)
    _, end, after = rest.partition(end_mark)
    if not begin or not end:
        raise ValueError(f"the page lacks the line '{begin_mark}' or '{end_mark}'")
    return f"{before}{begin}\n\n{tables.strip()}\n\n{end}{after}"


def heading(options: argparse.Namespace, tasks: list[Task]) -> str:
    """One sentence on what was fitted."""
    where = f"stored in {options.folder.name}" if options.folder else f"of seed {options.seed}"
    worlds = len({task.world for task in tasks})
    return (
        f"{worlds} worlds {where}, {options.chains} chains × ({options.tune} + {options.draws}), windows "
        f"{', '.join(options.windows)}; ± is one standard error (worlds are the independent units)."
    )


def _options() -> argparse.Namespace:
    usual = SamplerConfig()
    parser = argparse.ArgumentParser(
        prog="make truth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--worlds", type=int, default=WORLDS, help="how many (the published table: 200)")
    parser.add_argument("--first", type=int, default=0, help="number of the first world")
    parser.add_argument("--seed", type=int, default=1, help="another seed has other worlds")
    parser.add_argument("--schemes", default=DEFAULT_SCHEMES, help=f"of {', '.join(SCHEMES)}")
    parser.add_argument("--windows", default="full", help="full, and h04, h08, h12 for forecasts")
    parser.add_argument("--folder", type=Path, help="a folder of stored worlds instead")
    parser.add_argument("--draws", type=int, default=usual.draws)
    parser.add_argument("--tune", type=int, default=usual.tune)
    parser.add_argument("--chains", type=int, default=usual.chains)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="worlds fitted at once")
    parser.add_argument("--results", type=Path, default=Path("/tmp/mmm-truth"), help="where fits are kept")
    parser.add_argument("--page", type=Path, help="a page whose tables are replaced (docs/truth.md)")
    parser.add_argument("--keep", action="store_true", help="fits of an earlier state of the code count too")
    options = parser.parse_args()
    options.schemes, options.windows = options.schemes.split(","), options.windows.split(",")
    unknown = set(options.schemes) - set(SCHEMES)
    if unknown:
        parser.error(f"no scheme {', '.join(sorted(unknown))}: there are {', '.join(SCHEMES)}")
    return options


if __name__ == "__main__":
    main()
