"""Where things are: Dagster's home, the stored results, and the folder of client files.

Here: resolving $DAGSTER_HOME, $MMM_STORAGE and $MMM_DATA_DIR, preparing a home, keeping its settings current,
opening its instance.
Not here: the layout below storage/ (storage/io_managers.py), the content of client files (mmm_engine.client.config).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mmm_engine.errors import ConfigError, Fault
from mmm_engine.files.atomic_write import PRIVATE_FOLDER, make_folder, replace_file, write_text
from mmm_engine.version import ENGINE_VERSION

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from mmm_assets.types import History

STORAGE_VARIABLE, DATA_VARIABLE = "MMM_STORAGE", "MMM_DATA_DIR"
TRIALS = "trials"  # the home of refreshes that publish nothing, inside the home

LAYOUT = 1
"""How files lie in a home and what they hold: one more where an earlier version would misread them."""

_LAYOUT_NOTE = "home.json"
_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent
_OTHERS = 0o007

# SHA-256 of every dagster.yaml that was shipped before the present one, by the day from which it was.
_SUPERSEDED = {
    "67097dbd8d40e7b2b975748b79d122b9686342a39f8168e308f4e078bf8e8106": "2026-11-22",
    "092e49b98ccbccd5a181f7f8e224c95413dde304a22ba5eb75ad04d7ae0080f2": "2026-11-23",
    "2eb2db26a62a5cb3654062af773db42a3f5ffd9cbc52537d7c53b9bcfdd43ba7": "2026-11-26",
    "e538fc6dd5a810bec0f057cca13625ccc3e5cf1f24a2aaf66f3741d890f3a118": "2026-11-27",
}
_MOVED_STORAGE = re.compile(rb"""^\s*module:\s*["']?mmm_assets\.storage["']?\s*(#.*)?$""", re.MULTILINE)


def home_dir() -> Path:
    """Dagster's home: $DAGSTER_HOME, or ``dagster_home`` of the checkout; always absolute."""
    named = os.environ.get("DAGSTER_HOME")
    return _absolute(named, "DAGSTER_HOME") if named else project_dir() / "dagster_home"


def _absolute(text: str, variable: str) -> Path:
    """A path of the environment, links followed.

    Raises:
        ConfigError: If it leads nowhere: links in a circle, the home of a user who does not exist.
    """
    try:
        return Path(text).expanduser().resolve()
    except RuntimeError as error:
        fault = Fault(text, str(error), "the path of a folder", f"correct ${variable}")
        raise ConfigError(f"${variable}", fault) from None


def data_dir() -> Path:
    """The folder of client files: $MMM_DATA_DIR, or ``data`` of the checkout; always absolute.

    Of an address (``s3://bucket/clients``) the copy of this machine, below its home, as current as the last look.

    Raises:
        ConfigError: If an address cannot be read and there is no copy.
    """
    named = os.environ.get(DATA_VARIABLE)
    if not named:
        return project_dir() / "data"
    if (root := root_at(named, DATA_VARIABLE)) and isinstance(root, Path):
        return root
    from mmm_assets.mirror import current_copy

    return current_copy(root, home_dir() / "client_files")


def data_dir_to_write() -> Path:
    """The folder of client files, for a command that writes into it.

    Raises:
        ConfigError: If it is the copy of an address: what is written there would be lost.
    """
    if "://" in (named := os.environ.get(DATA_VARIABLE, "")) and not isinstance(
        root_at(named, DATA_VARIABLE), Path
    ):
        fix = "write into a folder ($MMM_DATA_DIR), then copy its files there"
        raise ConfigError(f"${DATA_VARIABLE}", Fault(named, "an object store", "a folder", fix))
    return data_dir()


def results_root() -> Path:
    """Root of results, pages and facts: $MMM_STORAGE, a folder or an address (``s3://bucket/mmm``); else the home.

    Several machines that share it see each other's results.
    """
    named = os.environ.get(STORAGE_VARIABLE)
    return root_at(named) if named else home_dir()


def shared_root(home: Path) -> Path | None:
    """Root of results and facts where that is not the home, None where it is."""
    root = results_root()
    return None if root == home else root


def root_at(text: str, variable: str = STORAGE_VARIABLE) -> Path:
    """The root that an environment variable names; of an address, a `upath.UPath`, which has the methods of a path.

    Raises:
        ConfigError: If what the address needs is not installed.
    """
    if "://" not in text:
        return _absolute(text, variable)
    from upath import UPath

    try:
        path = UPath(text, use_listings_cache=False)  # other machines write there too
        _ = path.fs  # made now, so that a missing package is said by name
    except (ImportError, ValueError) as error:
        fix = "install the package that it names (make workers: s3fs), or name a folder"
        raise ConfigError(f"${variable}", Fault(text, str(error), "a storage in reach", fix)) from error
    return Path(path.path) if path.protocol in ("file", "local") else cast("Path", path)


def project_dir() -> Path:
    """The checkout this package runs from, or the working directory when it was installed from a wheel."""
    return _CHECKOUT if (_CHECKOUT / "pyproject.toml").is_file() else Path.cwd()


def storage_dir(root: Path) -> Path:
    """Folder of the stored assets below a root."""
    return root / "storage"


def history_path(home: Path) -> Path:
    """File of the metric history."""
    return home / "metric_history.duckdb"


def open_history() -> History:
    """The metric history of the home, and what other machines have recorded where results are stored elsewhere."""
    from mmm_engine.history.store import History

    folder = home_dir()
    return History(history_path(folder), shared=shared_root(folder))


def shipped_file(name: str) -> Path:
    """A file that ships with the platform (``dagster.yaml``, ``workspace.yaml``), from checkout or wheel.

    Raises:
        FileNotFoundError: If the installation is incomplete.
    """
    places = (_CHECKOUT / name, _CHECKOUT / "dagster_home" / name, _PACKAGE / "shipped" / name)
    for place in places:
        if place.is_file():
            return place
    raise FileNotFoundError(f"{name}: not found in {_CHECKOUT} nor in {_PACKAGE}; install the platform again")


def refuse_newer(home: Path) -> int:
    """The layout that a home has; 0 of one without a note, as earlier versions left it.

    Raises:
        ConfigError: If a later version of the platform has written it: this one would misread it.
    """
    try:
        note = json.loads((home / _LAYOUT_NOTE).read_text(encoding="utf-8"))
        layout, written_by = int(note["layout"]), str(note["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    if layout > LAYOUT:
        found = f"layout {layout}, written by version {written_by} of the platform"
        wanted = f"layout {LAYOUT} or below, which this version ({ENGINE_VERSION}) reads"
        fix = "install that version or a later one; or restore a backup from before it into another home"
        raise ConfigError(f"home {home}", Fault(_LAYOUT_NOTE, found, wanted, fix))
    return layout


def prepare_home(home: Path) -> Path:
    """Make the home ready for Dagster: the folder, its settings, and the environment variable that names it.

    Settings as an earlier version shipped them are brought up to date.

    Raises:
        ConfigError: If settings that somebody has changed cannot be used with this version, or a later version has
            written the home.
    """
    layout = refuse_newer(home)
    if not home.exists():
        make_folder(home, PRIVATE_FOLDER)  # it holds clients' revenue: nobody else on the machine reads it
    elif home.stat().st_mode & _OTHERS:
        try:
            home.chmod(home.stat().st_mode & 0o7777 & ~_OTHERS)
        except PermissionError:
            if not os.access(home, os.W_OK):  # volumes of Kubernetes are another's, and may be written
                raise
    storage_dir(home).mkdir(exist_ok=True, mode=PRIVATE_FOLDER)
    _prepare_settings(home / "dagster.yaml")
    if layout < LAYOUT:
        with suppress(OSError):  # of another user, and read-only: whoever writes notes it
            write_text(home / _LAYOUT_NOTE, json.dumps({"layout": LAYOUT, "version": ENGINE_VERSION}))
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def _prepare_settings(settings: Path) -> None:
    """Put the shipped settings in place; a file that somebody has changed stays as it is.

    Raises:
        ConfigError: If a changed file names a module that an earlier version had.
    """
    if not settings.exists():
        shutil.copyfile(shipped_file("dagster.yaml"), settings)
        return
    content = settings.read_bytes()
    if hashlib.sha256(content).hexdigest() in _SUPERSEDED:
        replace_file(settings, lambda fresh: shutil.copyfile(shipped_file("dagster.yaml"), fresh))
    elif _MOVED_STORAGE.search(content):
        where, now = "setting 'storage.custom.module'", "mmm_assets.storage.sqlite"
        fix = "the module has moved: write the new name into the file (it was changed by hand and is left as it is)"
        raise ConfigError(str(settings), Fault(where, "mmm_assets.storage", now, fix))


def open_instance(home: Path) -> DagsterInstance:
    """The Dagster instance that lives in a home, which is prepared first.

    What this process prints is not captured step by step: Dagster would start four processes for each of the sixteen
    steps of a refresh. It goes to the terminal.
    """
    return open_quietly(prepare_home(home))


def open_quietly(home: Path) -> DagsterInstance:
    """The instance of a home for a process that executes runs: no capture of output, SQLite files that stay open.

    The shipped settings name the storage that keeps them open; settings that somebody has changed may name none. The
    files are Dagster's own either way. Dagster's storage opens and syncs one for each of the thousand queries of a
    refresh: 3 s of processor time for client ms (docs/decisions).
    """
    import yaml

    from mmm_assets.dagster_private.instances import NO_CAPTURE, open_with

    settings = (
        yaml.safe_load((home / "dagster.yaml").read_text()) if (home / "dagster.yaml").exists() else None
    )
    overrides: dict[str, Any] = {"compute_logs": NO_CAPTURE}
    if "storage" not in (settings or {}):
        kept = {
            "module": "mmm_assets.storage.sqlite",
            "class": "KeptStorage",
            "config": {"base_dir": str(home)},
        }
        overrides["storage"] = {"custom": kept}
    return open_with(home, overrides)
