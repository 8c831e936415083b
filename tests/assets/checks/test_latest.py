"""How checks stand: the last evaluation of each, in one order everywhere."""

import random

import dagster as dg

from mmm_assets.checks.gates import CHECK_SPECS
from mmm_assets.checks.latest import of_evaluations
from mmm_assets.definitions import defs
from mmm_assets.partitions import client_x_window, window_key
from mmm_engine.client.windows import STANDARD_WINDOWS


def evaluation(spec: dg.AssetCheckSpec, partition: str, reason: str, *, passed: bool = True):
    """An evaluation of a check of one partition."""
    return dg.AssetCheckEvaluation(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=passed,
        description=reason,
        partition=partition,
    )


def test_every_check_of_the_definitions_has_its_place():
    """One that is missing in the order would be missing in `mmm gate`; the canary is nobody's client."""
    of_clients = {key for key in defs.resolve_asset_graph().asset_check_keys if key.name != "canary_found"}
    assert {spec.key for spec in CHECK_SPECS} == of_clients


def test_evaluations_are_shown_in_the_order_of_the_checks_and_windows():
    """However they come: the last of each check and partition, `full` before the windows that hold rows out."""
    windows = [window_key("shop", window) for window in STANDARD_WINDOWS]
    places = [
        (spec, partition)
        for spec in CHECK_SPECS
        for partition in (windows if spec.partitions_def == client_x_window else ["shop"])
    ]
    shuffled = random.Random(1).sample(places, len(places))
    evaluations = [evaluation(*place, "before", passed=False) for place in shuffled]
    evaluations += [evaluation(*place, "after\nand more") for place in reversed(shuffled)]
    shown = of_evaluations(evaluations)
    assert [(check.check, check.partition) for check in shown] == [(s.name, p) for s, p in places]
    assert {(check.outcome, check.reason) for check in shown} == {("passed", "after")}
