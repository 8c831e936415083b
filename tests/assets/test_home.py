"""A home's settings: shipped once, brought up to date after an upgrade, left alone where somebody changed them."""

import hashlib
import json
from pathlib import Path

import dagster as dg
import pytest

from mmm_assets.home import LAYOUT, open_instance, prepare_home, refuse_newer, shipped_file
from mmm_engine.errors import ConfigError
from mmm_engine.files.atomic_write import PRIVATE_FOLDER
from mmm_engine.version import ENGINE_VERSION
from tests.assets.conftest import files_below

SHIPPED_BEFORE = sorted((Path(__file__).parent / "homes").glob("dagster-*.yaml"))
MOVED = "module: mmm_assets.storage "  # with a space behind it: as the file of 2026-11-23 named the storage


@pytest.fixture
def old_home(tmp_path, monkeypatch):
    """Makes a home with given settings."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))

    def make(settings: str) -> Path:
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "dagster.yaml").write_text(settings)
        return tmp_path / "home"

    return make


def test_a_home_elsewhere_gets_the_shipped_settings_once(tmp_path, monkeypatch):
    """Settings that someone has changed stay."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    home = prepare_home(tmp_path / "far" / "home")
    settings = home / "dagster.yaml"
    assert settings.read_text() == shipped_file("dagster.yaml").read_text()
    assert home.stat().st_mode & 0o777 == PRIVATE_FOLDER
    settings.write_text("telemetry: {enabled: false}\n")
    prepare_home(home)
    assert settings.read_text() == "telemetry: {enabled: false}\n"


def test_a_home_that_belongs_to_another_is_used_as_it_is(tmp_path, monkeypatch):
    """Volumes of Kubernetes are root's, open to the pod's group."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    tmp_path.chmod(0o777)

    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    with monkeypatch.context() as others:
        others.setattr(Path, "chmod", refuse)
        prepare_home(tmp_path)
    assert (tmp_path / "dagster.yaml").is_file()


@pytest.mark.parametrize("shipped_before", SHIPPED_BEFORE, ids=lambda path: path.stem)
def test_settings_of_an_earlier_version_are_brought_up_to_date(old_home, shipped_before):
    """A home that nobody has changed opens after an upgrade, with the settings of the present version."""
    home = old_home(shipped_before.read_text())
    with open_instance(home) as instance:
        assert type(instance.event_log_storage).__name__ == "KeptEventLog"
    assert (home / "dagster.yaml").read_text() == shipped_file("dagster.yaml").read_text()
    assert sorted(path.name for path in home.glob("dagster.yaml*")) == ["dagster.yaml"]


def test_runs_recorded_before_an_upgrade_are_still_there(old_home):
    """Settings are all that changes: the storage reads the files that it wrote."""
    stock = "\n".join(line for line in SHIPPED_BEFORE[0].read_text().splitlines() if line[:1] != "#")
    home = old_home(stock)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        run = dg.materialize([number], instance=instance).run_id
    (home / "dagster.yaml").write_bytes(SHIPPED_BEFORE[-1].read_bytes())
    with open_instance(home) as instance:
        assert [known.run_id for known in instance.get_runs()] == [run]


def test_changed_settings_that_name_the_moved_storage_are_told_and_left(old_home, mmm):
    """One message with file, setting and new name; exit code 2, and nothing is written over."""
    changed = SHIPPED_BEFORE[1].read_text().replace("max_retries: 1", "max_retries: 3")
    home = old_home(changed)
    with pytest.raises(ConfigError, match=r"mmm_assets\.storage\.sqlite"):
        prepare_home(home)
    code, _, err = mmm("portfolio")
    assert code == 2
    assert err.startswith(
        f"{home / 'dagster.yaml'}: setting 'storage.custom.module': found mmm_assets.storage;"
    )
    assert (home / "dagster.yaml").read_text() == changed


def test_changed_settings_with_the_present_storage_stay(old_home):
    """An operator's own limits are no concern of an upgrade."""
    changed = (
        shipped_file("dagster.yaml").read_text().replace("max_concurrent_runs: 4", "max_concurrent_runs: 8")
    )
    assert (prepare_home(old_home(changed)) / "dagster.yaml").read_text() == changed


def test_every_file_that_was_ever_shipped_is_known():
    """Whoever changes the shipped file keeps the one before it: its text in homes/, its hash in mmm_assets.home."""
    shipped = shipped_file("dagster.yaml").read_bytes()
    assert hashlib.sha256(shipped).hexdigest()[:8] == "8220791c"
    assert [path.stem for path in SHIPPED_BEFORE] == [
        "dagster-2026-11-22",
        "dagster-2026-11-23",
        "dagster-2026-11-26",
        "dagster-2026-11-27",
    ]
    assert any(MOVED in path.read_text() for path in SHIPPED_BEFORE)


@dg.asset
def number() -> None:
    """An asset to record."""


def test_a_home_of_a_later_version_is_not_touched(mmm, used_home, data_dir):
    """One clear message of every command, before anything is read or written that could mean something else by now."""
    note = used_home / "home.json"
    note.write_text('{"layout": 99, "version": "9.1"}')
    before = files_below(used_home)
    message = (
        f"home {used_home}: home.json: found layout 99, written by version 9.1 of the platform; wanted layout "
        f"{LAYOUT} or below, which this version ({ENGINE_VERSION}) reads; install that version or a later one; or "
        "restore a backup from before it into another home\n"
    )
    for words in (
        ("list",),
        ("show", "shop"),
        ("history",),
        ("refresh", "shop"),
        ("remove", "shop", "--yes"),
    ):
        assert mmm(*words) == (2, "", message)
    with pytest.raises(ConfigError, match="layout 99"):  # as the daemon and the runs that it launches open it
        open_instance(used_home)
    assert files_below(used_home) == before


@pytest.mark.parametrize("note", [None, "", "{}", '{"layout": 0, "version": "0.1"}', "[1]"])
def test_a_home_notes_the_layout_that_it_has(tmp_path, monkeypatch, note):
    """Also one of an earlier version, which had no note, and one whose note is damaged."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    if note is not None:
        (tmp_path / "home.json").write_text(note)
    prepare_home(tmp_path)
    assert json.loads((tmp_path / "home.json").read_text()) == {"layout": LAYOUT, "version": ENGINE_VERSION}
    assert refuse_newer(tmp_path) == LAYOUT


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ("new_section: {a: 1}", 'Received unexpected config entry "new_section" at the root'),
        (
            "telemetry: {enabled: [}",
            "text that breaks YAML in line 1 (expected the node content, but found '}')",
        ),
    ],
)
def test_settings_that_dagster_refuses_are_one_message(mmm, used_home, data_dir, settings, found):
    """As of a slip in the file, or of an older version's Dagster: it was a traceback."""
    (used_home / "dagster.yaml").write_text(settings)
    code, _, err = mmm("portfolio")
    assert (code, err) == (
        1,
        f"home {used_home}: dagster.yaml: found {found}; wanted settings that Dagster knows; correct the file; where "
        "there is none the shipped settings are put\n",
    )
