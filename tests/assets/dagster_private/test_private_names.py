"""Dagster's private names stand in one package, and its SQLite classes still call what is overridden of them."""

import ast
import inspect
from pathlib import Path

import pytest

import mmm_assets
from mmm_assets.dagster_private.sqlite import (
    ConfigurableClassData,
    DagsterSqliteStorage,
    SqlEventLogStorageMetadata,
    SqliteEventLogStorage,
    SqliteRunStorage,
    SqliteScheduleStorage,
    create_engine,
    event_logs_directory,
    runs_directory,
    schedule_directory,
)

PACKAGE = Path(mmm_assets.__file__).parent


def private_imports(path: Path) -> list[str]:
    """Names of Dagster's private modules that a file imports."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return [
        name for name in modules if name.startswith("dagster") and any(p[:1] == "_" for p in name.split("."))
    ]


@pytest.mark.parametrize("folder", [PACKAGE, PACKAGE.parent / "tests"], ids=lambda folder: folder.name)
def test_private_names_stand_in_one_package(folder):
    """An upgrade of Dagster is looked at there."""
    outside = {
        str(path.relative_to(folder)): names
        for path in folder.rglob("*.py")
        if "dagster_private" not in path.parts and (names := private_imports(path))
    }
    assert outside == {}


@pytest.mark.parametrize(
    ("storage", "names"),
    [
        (
            SqliteEventLogStorage,
            {"_connect", "_initdb", "_initialized_dbs", "_db_lock", "conn_string_for_shard"},
        ),
        (SqliteRunStorage, {"connect", "_conn_string"}),
        (DagsterSqliteStorage, {"_run_storage", "_event_log_storage", "_schedule_storage", "_inst_data"}),
    ],
)
def test_dagster_still_calls_what_is_overridden(storage, names):
    """A name that its own code no longer uses would be overridden in vain."""
    source = inspect.getsource(storage)
    assert {name for name in names if f"self.{name}" not in source and f"def {name}" not in source} == set()


def test_the_folders_of_a_home_are_where_existing_homes_have_them():
    """Runs, events and schedules of homes that exist stay in reach."""
    assert runs_directory("/home") == "/home/history/"
    assert event_logs_directory("/home") == "/home/history/runs/"
    assert schedule_directory("/home") == "/home/schedules"


def test_a_stock_storage_is_made_as_ours_is(tmp_path):
    """Constructors and arguments of the stock classes."""
    data = ConfigurableClassData("module", "class", "{}")
    storage = DagsterSqliteStorage(str(tmp_path), data)
    try:
        assert storage.inst_data is data
        assert isinstance(storage.schedule_storage, SqliteScheduleStorage)
        engine = create_engine(f"sqlite:///{tmp_path / 'one.db'}")
        SqlEventLogStorageMetadata.create_all(engine)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM event_logs").scalar() == 0
        engine.dispose()
    finally:
        storage.dispose()
