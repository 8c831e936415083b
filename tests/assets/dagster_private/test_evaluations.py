"""What automation conditions came to takes a tenth of the room, and Dagster's pages read it as ever."""

import sqlite3
from contextlib import closing

import dagster as dg
from dagster._serdes import serialize_value


@dg.asset(automation_condition=dg.AutomationCondition.eager())
def first() -> None:
    """An asset whose condition is evaluated."""


@dg.asset(deps=[first], automation_condition=dg.AutomationCondition.eager())
def second() -> None:
    """One behind it."""


def test_evaluations_are_stored_packed_and_read_as_they_were(home, open_home):
    """Those that Dagster itself stored before are read beside them."""
    instance = open_home(home)
    results = dg.evaluate_automation_conditions(defs=[first, second], instance=instance).results
    written = [result.serializable_evaluation.with_run_ids(set()) for result in results]
    instance.schedule_storage.add_auto_materialize_asset_evaluations(1, written)
    file = home / "schedules" / "schedules.db"
    plain = [serialize_value(evaluation) for evaluation in written]
    with closing(sqlite3.connect(file)) as database, database:
        (stored,) = database.execute(
            "SELECT sum(length(asset_evaluation_body)) FROM asset_daemon_asset_evaluations"
        ).fetchone()
        assert stored < sum(map(len, plain)) / 5
        database.execute(
            "UPDATE asset_daemon_asset_evaluations SET asset_evaluation_body = ? WHERE asset_key = ?",
            (plain[0], written[0].key.to_db_string()),
        )
    for evaluation, text in zip(written, plain, strict=True):
        (record,) = instance.schedule_storage.get_auto_materialize_asset_evaluations(evaluation.key, limit=9)
        assert record.serialized_evaluation_body == text
