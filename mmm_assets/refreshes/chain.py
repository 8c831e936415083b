"""One refresh, or one audit: a client's chain of runs, in order, in this process.

Here: which run follows which, what a failed run stops and what it does not, the outcome.
Not here: what a run holds (jobs.py), who asks for it (cli/), keeping others out (locks.py), runs that Dagster launches
(assets/conditions.py).

One run cannot mix partition definitions, so a refresh is several: data, windows, fleets, publication, and at the end
the portfolio. They are the runs that Dagster launches when a sensor or a button starts a refresh, in the same order; a
command executes them itself because somebody is waiting: nothing is queued, no process is started, fits show live.
"""

from __future__ import annotations

import shlex
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from mmm_assets.checks.standing import say_refused
from mmm_assets.dagster_private.execution import ExecutionResult, execute_here
from mmm_assets.dagster_private.tags import MAX_RETRIES_TAG, PARTITION_NAME_TAG
from mmm_assets.dagster_private.waiting import told_of_waits
from mmm_assets.launching.processes import end_dead_runs, process_identity
from mmm_assets.pages.publication import Publication
from mmm_assets.partitions import clients, range_tags, split_key, window_ranges
from mmm_assets.refreshes import jobs
from mmm_assets.refreshes.locks import client_lock, wait_for_others
from mmm_assets.runs import (
    ACCEPT_RESTATED_TAG,
    CLIENT_TAG,
    COMMAND_TAG,
    PROCESS_TAG,
    REFRESH_TAG,
    STARTED_TAG,
    Refresh,
    step_failures,
)
from mmm_assets.storage.results import ResultStore
from mmm_engine.client.config import check_client_id
from mmm_engine.client.windows import FULL, STANDARD_WINDOWS, Window

FindJob = Callable[[str], dg.JobDefinition]
Announce = Callable[[str], object]  # told what begins ("ms: fitting full to h12")

CONTRACT = "data_contract"
INTERRUPTED = {dg.DagsterExecutionInterruptedError.__name__, KeyboardInterrupt.__name__}


@dataclass(frozen=True)
class RefreshOptions:
    """How a refresh differs from what the client files say.

    Attributes:
        windows: Windows to fit.
        sampler: Overrides of the sampler's settings (draws, tune, chains, seed).
        log_level: Lowest level of Dagster's own log lines on the console.
        accept_restated: Take rows that take back what those of the last refresh said.
    """

    windows: tuple[Window, ...] = STANDARD_WINDOWS
    sampler: Mapping[str, int] = field(default_factory=dict)
    log_level: str = "INFO"
    accept_restated: bool = False

    def command(self, client: str, verb: str = "refresh") -> str:
        """The command line that repeats the refresh, or the audit."""
        words = ["mmm", verb, client]
        if self.windows != STANDARD_WINDOWS:
            words += ["--windows", ",".join(window.name for window in self.windows)]
        for name, value in self.sampler.items():
            words += [f"--{name}", str(value)]
        return shlex.join(words)


@dataclass(frozen=True)
class RefreshOutcome:
    """How a refresh ended.

    Attributes:
        client: Id of the client.
        refresh: Id that all its runs carry, and its rows in the metric history.
        failures: What failed, one message each; empty when every run succeeded.
        evaluations: Every check that was evaluated.
        left_out: What was not run, and why.
        seconds: Wall time.
    """

    client: str
    refresh: str
    failures: tuple[str, ...]
    evaluations: tuple[dg.AssetCheckEvaluation, ...]
    left_out: tuple[str, ...]
    seconds: float

    @property
    def failed_checks(self) -> tuple[dg.AssetCheckEvaluation, ...]:
        """Checks that failed with severity ERROR."""
        return tuple(
            e for e in self.evaluations if not e.passed and e.severity == dg.AssetCheckSeverity.ERROR
        )

    @property
    def has_verdict(self) -> bool:
        """Whether it came so far that the client as a whole was judged."""
        return any(e.asset_key == dg.AssetKey("metric_history") for e in self.evaluations)

    @property
    def succeeded(self) -> bool:
        """Whether every run succeeded and no ERROR check failed."""
        return not self.failures and not self.failed_checks


def refresh_client(
    client: str,
    *,
    instance: dg.DagsterInstance,
    find_job: FindJob,
    results: ResultStore,
    options: RefreshOptions,
    announce: Announce = str,
) -> RefreshOutcome:
    """Run the whole chain of one client and say how it ended.

    What stops what: refused rows stop the chain. A window that cannot be fitted costs the others nothing. A full fit
    that fails a hard gate skips the fleets (they would judge a model that nobody may read); its scores are still
    recorded, and the report keeps its last good page.

    Args:
        client: Id of a client whose file exists; its partition is added.
        instance: The Dagster instance that records the runs.
        find_job: Job by name, bound to the resources to use.
        results: Reads back what the runs stored.
        options: Windows and sampler settings.
        announce: Told about every run before it begins.
    """
    check_client_id(client)
    chain = _Chain(client, instance, find_job, options, announce)
    with client_lock(instance, client, announce):
        end_dead_runs(instance)
        instance.add_dynamic_partitions(str(clients.name), [client])
        if chain.run(jobs.DATA.name, "reading rows"):
            _run_windows(chain)
            if results.read(client).refusals:
                chain.skip("recovery, stability and forecast: the full fit failed a hard gate")
            else:
                chain.run(jobs.FLEETS.name, "recovery, stability, forecast", sampler=True)
            chain.run(jobs.PUBLISH.name, "recording and reporting")
        if not chain.has_judged:  # a run broke off before anybody could say so on the client's page
            Publication(root=results.root).refuse(client, chain.outcome().failures, chain.refresh())
            say_refused(instance, client, chain.outcome().failures, chain.last_run)
    return chain.outcome()


def audit_client(
    client: str,
    *,
    instance: dg.DagsterInstance,
    find_job: FindJob,
    results: ResultStore,
    options: RefreshOptions,
    announce: Announce = str,
) -> RefreshOutcome:
    """Look deep into a client's fitted model, then record and report what was found.

    Rolling origins, which channels are identified, what moves under another seed, noise on spend and a placebo channel:
    as much of each as the client file's `audit` says. Nothing that a refresh stored is fitted again.

    Args:
        client: Id of a client that was refreshed.
        instance: The Dagster instance that records the runs.
        find_job: Job by name, bound to the resources to use.
        results: Reads back what the runs stored.
        options: Sampler settings; windows are not looked at.
        announce: Told about every run before it begins.
    """
    check_client_id(client)
    chain = _Chain(client, instance, find_job, options, announce, verb="audit")
    with client_lock(instance, client, announce):
        end_dead_runs(instance)
        if not results.has_data(client) or FULL not in results.read(client).windows:
            chain.fail(
                f"client '{client}': no fit of its present rows and settings; run: mmm refresh {client}"
            )
        else:
            chain.run(jobs.AUDIT.name, "rolling origins, identified channels, sensitivity", sampler=True)
            chain.run(jobs.PUBLISH.name, "recording and reporting")
    return chain.outcome()


def refresh_portfolio(instance: dg.DagsterInstance, find_job: FindJob, log_level: str = "INFO") -> bool:
    """Render the page of all clients again; whether it succeeded."""
    tags = {PROCESS_TAG: process_identity()}
    job = find_job(jobs.PORTFOLIO.name)
    result = execute_here(job, instance, tags=tags, run_config=_quiet(log_level))
    return bool(result.success)


def rerun(
    instance: dg.DagsterInstance,
    job: dg.JobDefinition,
    asset: str,
    tags: Mapping[str, str],
    config: Mapping[str, Any] | None = None,
) -> list[str]:
    """Materialise one asset of a job again, with its checks; what failed, in words."""
    result = execute_here(
        job,
        instance,
        tags={PROCESS_TAG: process_identity(), **tags},
        run_config={**_quiet("CRITICAL"), **(config or {})},
        only=[dg.AssetKey(asset)],
    )
    return list(step_failures(result.all_events))


def _run_windows(chain: _Chain) -> None:
    """Fit the windows, as few runs as their order allows; read results also where another window failed."""
    for first, last in window_ranges(chain.options.windows):
        title = f"fitting {first}" if first == last else f"fitting {first} to {last}"
        result = chain.execute(jobs.WINDOWS.name, title, range_tags(chain.client, first, last), sampler=True)
        if result.success or _has_finished(result, "window_results"):
            continue
        fitted = [split_key(key)[1] for key in _materialised(result, "fitted_posterior")]
        for start, end in window_ranges(fitted):
            chain.execute(jobs.RESULTS.name, "reading results", range_tags(chain.client, start, end))


class _Chain:
    """The runs of one refresh as they happen."""

    def __init__(
        self,
        client: str,
        instance: dg.DagsterInstance,
        find_job: FindJob,
        options: RefreshOptions,
        announce: Announce,
        verb: str = "refresh",
    ) -> None:
        self.client = client
        self.options = options
        self._instance = instance
        self._find_job = find_job
        self._announce = announce
        self._verb = verb
        self._refresh = uuid.uuid4().hex[:12]
        self._began = time.time()
        self._failures: list[str] = []
        self._left_out: list[str] = []
        self._evaluations: list[dg.AssetCheckEvaluation] = []
        self._ended: set[str] = set()
        self.last_run = ""

    def run(self, job: str, title: str, *, sampler: bool = False) -> bool:
        """Execute a job for the client; whether it succeeded."""
        return bool(self.execute(job, title, {PARTITION_NAME_TAG: self.client}, sampler=sampler).success)

    def execute(
        self,
        job: str,
        title: str,
        where: Mapping[str, str],
        *,
        sampler: bool = False,
    ) -> ExecutionResult:
        """Execute a job for the partitions that the tags ``where`` name; keep what failed and what was judged."""
        wait_for_others(self._instance, self.client, self._announce)
        self._announce(f"{self.client}: {title}")
        config = _quiet(self.options.log_level)
        if sampler and self.options.sampler:
            config["resources"] = {"sampler": {"config": dict(self.options.sampler)}}
        tags = {**self._tags(), **where}
        with told_of_waits(lambda reason: self._announce(f"{self.client}: {reason or title}")):
            result = execute_here(self._find_job(job), self._instance, tags=tags, run_config=config)
        self.last_run = result.run_id
        if _was_interrupted(result):  # Dagster ends the run and returns; the chain must not go on
            raise KeyboardInterrupt
        self._evaluations += result.get_asset_check_evaluations()
        self._ended |= {str(e.step_key) for e in result.all_events if e.is_step_success or e.is_step_failure}
        self._failures += step_failures(result.all_events)
        return result

    def skip(self, what: str) -> None:
        """Keep what was left out, and why."""
        self._left_out.append(what)

    @property
    def has_judged(self) -> bool:
        """Whether somebody has decided what the client's page says: the report, or the contract that refused rows."""
        return "report" in self._ended or any(
            not e.passed for e in self._evaluations if e.check_name == CONTRACT
        )

    def refresh(self) -> Refresh:
        """The refresh so far, as its runs' tags say it."""
        began, now = datetime.fromtimestamp(self._began, UTC), datetime.now(UTC)
        return Refresh(self._refresh, began, now, self.options.command(self.client, self._verb))

    def fail(self, reason: str) -> None:
        """Keep why the chain could not go on."""
        self._failures.append(reason)

    def outcome(self) -> RefreshOutcome:
        """How it ended."""
        return RefreshOutcome(
            client=self.client,
            refresh=self._refresh,
            failures=tuple(self._failures),
            evaluations=tuple(self._evaluations),
            left_out=tuple(self._left_out),
            seconds=time.time() - self._began,
        )

    def _tags(self) -> dict[str, str]:
        return {
            REFRESH_TAG: self._refresh,
            CLIENT_TAG: self.client,
            STARTED_TAG: f"{self._began:.3f}",
            COMMAND_TAG: self.options.command(self.client, self._verb),
            PROCESS_TAG: process_identity(),
            **({ACCEPT_RESTATED_TAG: "true"} if self.options.accept_restated else {}),
            MAX_RETRIES_TAG: "0",  # whoever walks the chain decides; the daemon must not launch a link by itself
        }


def _quiet(log_level: str) -> dict[str, Any]:
    return {"loggers": {"console": {"config": {"log_level": log_level}}}}


def _was_interrupted(result: ExecutionResult) -> bool:
    """Whether somebody, or the system, asked this process to stop while the run was executing."""
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    return any(data.error and data.error.cls_name in INTERRUPTED for data in failures)


def _materialised(result: ExecutionResult, asset: str) -> Sequence[str]:
    """Partitions of an asset that a run stored."""
    events = result.get_asset_materialization_events()
    return [str(e.partition) for e in events if e.asset_key == dg.AssetKey(asset) and e.partition is not None]


def _has_finished(result: ExecutionResult, step: str) -> bool:
    return any(event.is_step_success and event.step_key == step for event in result.all_events)
