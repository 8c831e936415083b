"""Dagster's records in Postgres are the same as its own storage writes, with fewer statements and connections."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import event

from tests.workers.services import Postgres, missing

pytestmark = pytest.mark.skipif(
    bool({"dagster_postgres", "initdb"} & set(missing())),
    reason="make workers and apt-get install postgresql",
)
WINDOWS = dg.MultiPartitionsDefinition(
    {
        "client": dg.StaticPartitionsDefinition(["app", "shop"]),
        "window": dg.StaticPartitionsDefinition(["full", "h04", "h08"]),
    }
)
RANGE = {"dagster/asset_partition_range_start": "shop|full", "dagster/asset_partition_range_end": "shop|h08"}


@dg.asset(partitions_def=WINDOWS, backfill_policy=dg.BackfillPolicy.single_run(), io_manager_key="nowhere")
def rows() -> dict[str, int]:
    """Made of nothing."""
    return {}


@dg.asset(partitions_def=WINDOWS, backfill_policy=dg.BackfillPolicy.single_run(), io_manager_key="nowhere")
def fit(rows: dict[str, int]) -> dict[str, int]:
    """Made of rows."""
    return rows


@dg.asset_check(asset=fit)
def finite() -> dg.AssetCheckResult:
    """Passes."""
    return dg.AssetCheckResult(passed=True)


class Nowhere(dg.IOManager):
    """Keeps nothing."""

    def handle_output(self, context, obj) -> None:
        """Nothing to do."""

    def load_input(self, context) -> dict[str, int]:
        """Nothing."""
        return {}


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    """A server of our own; not below pytest's folder, which each session closes to other users: it runs as one."""
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres(Path(folder) / "server")
        yield server
        server.stop("immediate")


@pytest.fixture
def open_instance(database: Postgres, tmp_path: Path):
    """An instance whose records are kept by the stock storage, or by ours."""

    def opened(storage: str) -> dg.DagsterInstance:
        home = tmp_path / storage.partition(":")[0]
        home.mkdir()
        (home / "dagster.yaml").write_text(f"storage:\n  {storage}\ntelemetry: {{enabled: false}}\n")
        return dg.DagsterInstance.from_config(str(home))

    return opened


@pytest.fixture
def pooled(database: Postgres) -> str:
    """The storage of deploy/workers."""
    config = f"{{postgres_url: '{database.url}'}}"
    return f"custom: {{module: mmm_assets.storage.postgres, class: PooledStorage, config: {config}}}"


@pytest.fixture
def stock(database: Postgres) -> str:
    """Dagster's own."""
    return f"postgres: {{postgres_url: '{database.url}'}}"


def execute(instance: dg.DagsterInstance) -> str:
    """Make both assets of one client in one run; its id."""
    job = dg.define_asset_job("job", selection="*")
    defs = dg.Definitions(
        assets=[rows, fit],
        asset_checks=[finite],
        jobs=[job],
        resources={"nowhere": Nowhere()},
        executor=dg.in_process_executor,
    )
    result = defs.resolve_job_def("job").execute_in_process(instance=instance, tags=RANGE)
    assert result.success
    return result.run_id


def told(instance: dg.DagsterInstance, run_id: str) -> list[tuple[str, str, str]]:
    """Kind, asset and partition of every event of a run."""
    events = [entry.dagster_event for entry in instance.all_logs(run_id) if entry.dagster_event]
    return sorted(
        (one.event_type_value, str(one.asset_key or ""), str(one.partition or ""))
        for one in events
        if one.event_type_value != "ENGINE_EVENT"
    )


def test_a_run_leaves_what_the_stock_storage_records_of_it(open_instance, stock, pooled, monkeypatch):
    """Events, states of assets by partition and checks, read by the stock storage."""
    monkeypatch.delenv("DAGSTER_EVENT_BATCH_SIZE", raising=False)
    with open_instance(stock) as plain:
        by_stock = told(plain, execute(plain))
        with open_instance(pooled) as ours:
            run_id = execute(ours)
        assert told(plain, run_id) == by_stock
        assert ("ASSET_MATERIALIZATION_PLANNED", "AssetKey(['fit'])", "shop|h04") in by_stock
        for asset in (rows.key, fit.key):
            assert plain.get_materialized_partitions(asset) == {"shop|full", "shop|h04", "shop|h08"}
            assert plain.get_latest_materialization_event(asset).run_id == run_id
        (record,) = plain.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(fit.key, "finite"), limit=1
        )
        assert (record.run_id, record.status.value) == (run_id, "SUCCEEDED")


def test_what_a_run_is_to_make_is_one_statement(open_instance, pooled, monkeypatch):
    """Three partitions of two assets and a check: the daemon makes the next run after this."""
    monkeypatch.delenv("DAGSTER_EVENT_BATCH_SIZE", raising=False)
    announcing: list[str] = []

    def note(_connection, _cursor, statement: str, values: object, *_rest: object) -> None:
        if statement.startswith("INSERT INTO event_logs") and "PLANNED" in str(values):
            announcing.append(str(values))

    with open_instance(pooled) as instance:
        event.listen(instance.event_log_storage._engine, "before_cursor_execute", note)
        run_id = execute(instance)
        announced = [
            entry for entry in instance.all_logs(run_id) if "PLANNED" in str(entry.dagster_event_type)
        ]
    assert len(announced) == 7
    assert len(announcing) == 1


def test_a_database_that_was_restarted_is_connected_to_again(open_instance, pooled, database):
    """Connections that stayed open are gone with it."""
    with open_instance(pooled) as instance:
        run_id = execute(instance)
        database.stop("immediate")
        database.start()
        assert instance.get_run_by_id(run_id).is_success
        execute(instance)


def test_connections_stay_few_and_open(open_instance, pooled):
    """A connection is a process of the database; the stock storage starts one for every query."""
    with open_instance(pooled) as instance:
        opened: list[object] = []
        event.listen(
            instance.event_log_storage._engine, "connect", lambda connection, _: opened.append(connection)
        )
        execute(instance)
        assert (
            instance.run_storage._engine
            is instance.schedule_storage._engine
            is instance.event_log_storage._engine
        )
    assert len(opened) <= 3


def test_the_catalogue_of_tables_is_asked_once(open_instance, pooled):
    """Dagster asks which columns there are before most queries; none goes away."""

    def work(instance: dg.DagsterInstance) -> None:
        run_id = execute(instance)
        instance.get_run_record_by_id(run_id)
        instance.all_instigator_state()

    asked: list[str] = []
    with open_instance(pooled) as instance:
        work(instance)
        event.listen(
            instance.event_log_storage._engine, "before_cursor_execute", lambda *given: asked.append(given[2])
        )
        work(instance)
    assert asked
    assert [statement for statement in asked if "pg_catalog" in statement] == []


def test_dagster_still_asks_these_questions(open_instance, pooled):
    """A name that it no longer has would be overridden in vain."""
    from mmm_assets.storage.postgres import SCHEMA_QUESTIONS

    with open_instance(pooled) as instance:
        storages = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
        for storage, questions in zip(storages, SCHEMA_QUESTIONS, strict=True):
            assert [name for name in questions if not hasattr(type(storage), name)] == []
