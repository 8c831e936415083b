"""The latest evaluation of every check of a client, as Dagster has recorded it.

Here: reading evaluations back from an instance.
Not here: evaluating (gates.py), drawing (cli/tables.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import dagster as dg

from mmm_assets.dagster_private.instances import latest_execution
from mmm_assets.partitions import DELIMITER, WINDOW_NAMES, client_x_window, window_key

NOT_RUN = "not run"
_CHAIN = (
    "client_data",
    "scaled_inputs",
    "holdout_metrics",
    "recovery_scores",
    "stability_scores",
    "identification_scores",
    "sensitivity_scores",
    "metric_history",
)


@dataclass(frozen=True)
class LatestCheck:
    """How a check of one partition stands.

    Attributes:
        check: Name of the check.
        partition: Client, or client and window.
        outcome: "passed", "FAILED" (severity ERROR), "warning" or "not run" (its run ended before it).
        reason: In words.
    """

    check: str
    partition: str
    outcome: str
    reason: str

    @property
    def stops(self) -> bool:
        """Whether it speaks against using the client's model."""
        return self.outcome in ("FAILED", NOT_RUN)


def latest_checks(instance: dg.DagsterInstance, defs: dg.Definitions, client: str) -> list[LatestCheck]:
    """Every check of a client that was ever planned, windows in their order; empty for an unknown client."""
    graph = defs.resolve_asset_graph()
    found: list[LatestCheck] = []
    for key in sorted(graph.asset_check_keys, key=_chain_order):
        by_window = graph.get(key).partitions_def == client_x_window
        partitions = [window_key(client, window) for window in WINDOW_NAMES] if by_window else [client]
        found += [latest for partition in partitions for latest in _latest(instance, key, partition)]
    return found


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
    """How an evaluation ended, in one word.

    >>> outcome(dg.AssetCheckEvaluation(asset_key=dg.AssetKey("report"), check_name="c", passed=True))
    'passed'
    """
    if evaluation.passed:
        return "passed"
    return "FAILED" if evaluation.severity == dg.AssetCheckSeverity.ERROR else "warning"


def of_evaluations(evaluations: Iterable[dg.AssetCheckEvaluation]) -> list[LatestCheck]:
    """The last of each check and partition among evaluations at hand, in the order of the chain."""
    last = {(evaluation.asset_check_key, evaluation.partition): evaluation for evaluation in evaluations}
    ordered = sorted(
        last.values(), key=lambda e: (*_chain_order(e.asset_check_key), _window_order(e.partition))
    )
    return [_of(evaluation) for evaluation in ordered]


def _of(evaluation: dg.AssetCheckEvaluation) -> LatestCheck:
    reason = (evaluation.description or "").strip().splitlines()
    return LatestCheck(
        evaluation.check_name, evaluation.partition or "", outcome(evaluation), reason[0] if reason else ""
    )


def _chain_order(key: dg.AssetCheckKey) -> tuple[int, str]:
    """Checks in the order in which a refresh comes to them."""
    asset = key.asset_key.to_user_string()
    return (_CHAIN.index(asset) if asset in _CHAIN else len(_CHAIN), key.name)


def _window_order(partition: str | None) -> int:
    window = (partition or "").rpartition(DELIMITER)[2]
    return WINDOW_NAMES.index(window) if window in WINDOW_NAMES else -1
