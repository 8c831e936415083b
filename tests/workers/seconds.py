"""Where the seconds of refreshes by workers go: waiting, by stage; processor time, by process.

Here: tables from Dagster's own records and from /proc.
Not here: running anything (demo.py).
"""

from __future__ import annotations

import os
import statistics
from collections import defaultdict
from pathlib import Path

import dagster as dg

STAGES = {  # what a run of the stage makes, among other things
    "client_data": "rows",
    "fitted_posterior": "windows",
    "recovery_scores": "fleets",
    "report": "publication",
}
_TICKS = os.sysconf("SC_CLK_TCK")


def by_stage(instance: dg.DagsterInstance, arrived: float) -> dict[str, dict[str, float]]:
    """Median seconds of each stage's runs, one after the other.

    "asked": from the end of the client's stage before (the arrival of its file) until its run is made; "queued": until
    it leaves Dagster's queue; "waits": until a worker begins it; "begins": until its first step; "steps"; "ends".

    Args:
        instance: Has the records.
        arrived: When the files were there, seconds since 1970.
    """
    from mmm_assets.runs import client_of

    seconds: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    ended: dict[str, float] = {}
    for record in instance.get_run_records(ascending=True):
        run = record.dagster_run
        client, stage = client_of(run.tags), _stage(run)
        if client is None or stage is None or record.end_time is None or record.start_time is None:
            continue
        at = _times(instance, run.run_id)
        made = record.create_timestamp.timestamp()
        left_queue = at.get("PIPELINE_STARTING", made)
        first, last = at.get("STEP_START", record.start_time), at.get("last step", record.end_time)
        taken = at.get("ENGINE_EVENT", record.start_time)
        parts = {
            "asked": made - ended.get(client, arrived),
            "queued": left_queue - made,
            "waits": taken - left_queue,
            "begins": first - taken,
            "steps": last - first,
            "ends": record.end_time - last,
        }
        ended[client] = record.end_time
        for part, value in parts.items():
            seconds[stage][part].append(value)
    return {
        stage: {"runs": len(seconds[stage]["asked"])}
        | {part: round(statistics.median(values), 2) for part, values in seconds[stage].items()}
        for stage in STAGES.values()
        if stage in seconds
    }


def _stage(run: dg.DagsterRun) -> str | None:
    made = {key.to_user_string() for key in run.asset_selection or ()}
    jobs = {"client_data_job": "rows"}
    return next((stage for asset, stage in STAGES.items() if asset in made), jobs.get(run.job_name))


def _times(instance: dg.DagsterInstance, run_id: str) -> dict[str, float]:
    """When the first event of each kind was recorded; of engine events, that of the worker that took the run."""
    at: dict[str, float] = {}
    for entry in instance.all_logs(run_id):
        event = entry.dagster_event
        if event is None:
            continue
        kind = event.event_type_value
        if kind == "ENGINE_EVENT" and "Started process for run" not in (event.message or ""):
            continue
        if kind in ("STEP_SUCCESS", "STEP_FAILURE"):
            at["last step"] = entry.timestamp
        at.setdefault(kind, entry.timestamp)
    return at


def processor_seconds(roots: dict[str, int]) -> dict[str, float]:
    """Processor seconds by kind of process, those of children that have ended included.

    A busy machine changes them little. Fields 14 to 17 of /proc/PID/stat
    (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).

    Args:
        roots: Kind to the process id below which its processes are; what they call themselves goes before that.
    """
    children: dict[int, list[int]] = defaultdict(list)
    used: dict[int, float] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        children[int(fields[1])].append(int(folder.name))
        used[int(folder.name)] = sum(map(int, fields[11:15])) / _TICKS
    spent: dict[str, float] = defaultdict(float)
    for kind, root in roots.items():
        pending = [root]
        while pending:
            pid = pending.pop()
            pending += children[pid]
            spent[_name(pid) or kind] += used.get(pid, 0.0)
    return dict(spent)


def _name(pid: int) -> str | None:
    try:
        command = (Path("/proc") / str(pid) / "cmdline").read_text().replace("\0", " ")
    except OSError:
        return None
    kinds = {"dagster._daemon": "daemon", "webserver": "web server", " api grpc": "code server"}
    return next((kind for mark, kind in kinds.items() if mark in command), None)


def lines(stages: dict[str, dict[str, float]]) -> list[str]:
    r"""The table as text.

    >>> print("\n".join(lines({"rows": {"runs": 2, "asked": 1.5}})))
    stage         runs  asked
    rows             2    1.5
    """
    columns = list(next(iter(stages.values()), {}))
    table = [["stage", *columns], *([stage, *map(_number, row.values())] for stage, row in stages.items())]
    return [f"{row[0]:<11}" + "".join(f"{cell:>7}" for cell in row[1:]).rstrip() for row in table]


def _number(value: float) -> str:
    return f"{value:g}" if isinstance(value, int) else f"{value:.1f}"
