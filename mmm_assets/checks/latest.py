"""The latest evaluation of every check of a client, as Dagster has recorded it.

Here: reading evaluations back from an instance.
Not here: evaluating (gates.py), drawing (cli/tables.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import dagster as dg

from mmm_assets.checks import evaluations
from mmm_assets.checks.gates import CHECK_SPECS
from mmm_assets.dagster_private.instances import latest_execution
from mmm_assets.partitions import client_x_window, partition_order, window_key
from mmm_assets.verdicts import BESIDE_THE_MODEL
from mmm_engine.client.windows import STANDARD_WINDOWS

NOT_RUN = "not run"
NOT_JUDGED = "not judged"
_CHECK_ORDER = {spec.key: place for place, spec in enumerate(CHECK_SPECS)}


@dataclass(frozen=True)
class LatestCheck:
    """How a check of one partition stands.

    Attributes:
        check: Name of the check.
        partition: Client, or client and window.
        outcome: "passed", "FAILED" (severity ERROR), "warning", "not judged" (there was nothing to judge) or "not run"
            (its run ended before it).
        reason: In words.
    """

    check: str
    partition: str
    outcome: str
    reason: str

    @property
    def client(self) -> str:
        """Whose it is."""
        return self.partition.partition("|")[0]

    @property
    def window(self) -> str:
        """The window judged, the client where it is judged as a whole."""
        return self.partition.rpartition("|")[2]

    @property
    def is_of_model(self) -> bool:
        """Whether it is of data and model, so that the verdict follows from it; not of plan, history and page."""
        return self.check not in BESIDE_THE_MODEL

    @property
    def has_failed(self) -> bool:
        """Whether its numbers are outside their limits."""
        return self.outcome in ("FAILED", "warning")

    @property
    def stops(self) -> bool:
        """Whether it speaks against using the client's model."""
        return self.outcome in ("FAILED", NOT_RUN)


def latest_checks(instance: dg.DagsterInstance, client: str) -> list[LatestCheck]:
    """Every check of a client that was ever planned, windows in their order; empty for an unknown client."""
    windows = [window_key(client, window) for window in STANDARD_WINDOWS]
    return [
        latest
        for spec in CHECK_SPECS
        for partition in (windows if spec.partitions_def == client_x_window else [client])
        for latest in _latest(instance, spec.key, partition)
    ]


def _latest(instance: dg.DagsterInstance, key: dg.AssetCheckKey, partition: str) -> Iterator[LatestCheck]:
    """The last evaluation of one check of one partition; nothing when it was never planned."""
    execution = latest_execution(instance, key, partition)
    if execution is None:
        return
    evaluation = execution.evaluation
    if not isinstance(evaluation, dg.AssetCheckEvaluation):  # it was planned, then its run ended
        yield LatestCheck(key.name, partition, NOT_RUN, "its run ended before the check")
    else:
        yield _of(evaluation)


def outcome(evaluation: dg.AssetCheckEvaluation) -> str:
    """How an evaluation ended, in a word or two.

    >>> outcome(dg.AssetCheckEvaluation(asset_key=dg.AssetKey("report"), check_name="c", passed=True))
    'passed'
    """
    if evaluation.passed:
        return "passed"
    if not evaluations.was_judged(evaluation):
        return NOT_JUDGED
    return "FAILED" if evaluation.severity == dg.AssetCheckSeverity.ERROR else "warning"


def of_evaluations(judged: Iterable[dg.AssetCheckEvaluation]) -> list[LatestCheck]:
    """The last of each check and partition among evaluations at hand, in the order of the checks."""
    last = {(evaluation.asset_check_key, evaluation.partition or ""): evaluation for evaluation in judged}
    ordered = sorted(last, key=lambda place: (_CHECK_ORDER[place[0]], partition_order(place[1])))
    return [_of(last[place]) for place in ordered]


def _of(evaluation: dg.AssetCheckEvaluation) -> LatestCheck:
    first, *_ = (evaluation.description or "").strip().splitlines() or [""]
    reason = first.removeprefix(f"{NOT_JUDGED}: ")
    return LatestCheck(evaluation.check_name, evaluation.partition or "", outcome(evaluation), reason)
