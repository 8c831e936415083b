"""Where things are: Dagster's home, the stored results in it, and the folder of client files.

Here: resolving $DAGSTER_HOME and $MMM_DATA_DIR, preparing a home, opening its instance.
Not here: the layout below storage/ (io_managers.py), the content of client files (mmm_engine.client.config).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent
_OTHERS = 0o007
PRIVATE = 0o700  # a home holds clients' revenue: nobody else on the machine reads it


def home_dir() -> Path:
    """Dagster's home: $DAGSTER_HOME, or ``dagster_home`` of the checkout; always absolute."""
    named = os.environ.get("DAGSTER_HOME")
    return Path(named).expanduser().resolve() if named else project_dir() / "dagster_home"


def data_dir() -> Path:
    """The folder of client files: $MMM_DATA_DIR, or ``data`` of the checkout; always absolute."""
    named = os.environ.get("MMM_DATA_DIR")
    return Path(named).expanduser().resolve() if named else project_dir() / "data"


def project_dir() -> Path:
    """The checkout this package runs from, or the working directory when it was installed from a wheel."""
    return _CHECKOUT if (_CHECKOUT / "pyproject.toml").is_file() else Path.cwd()


def storage_dir(home: Path) -> Path:
    """Folder of the stored assets."""
    return home / "storage"


def history_path(home: Path) -> Path:
    """File of the metric history."""
    return home / "metric_history.duckdb"


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


def prepare_home(home: Path) -> Path:
    """Make the home ready for Dagster: the folder, its settings, and the environment variable that names it."""
    if not home.exists():
        home.mkdir(parents=True, mode=PRIVATE)
    elif home.stat().st_mode & _OTHERS:
        home.chmod(home.stat().st_mode & 0o7777 & ~_OTHERS)
    storage_dir(home).mkdir(exist_ok=True, mode=PRIVATE)
    settings = home / "dagster.yaml"
    if not settings.exists():
        shutil.copyfile(shipped_file("dagster.yaml"), settings)
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def make_private(folder: Path) -> None:
    """Make a folder, and those above it, that only their owner can open; what exists is left as it is."""
    from mmm_engine.history.files import make_private_folder

    make_private_folder(folder)


def open_instance(home: Path) -> DagsterInstance:
    """The Dagster instance that lives in a home, which is prepared first.

    What this process prints is not captured step by step: Dagster would start four processes for each of the sixteen
    steps of a refresh. It goes to the terminal, or, from the child of a batch, into the log of the batch's run.
    """
    from mmm_assets.dagster_private.instances import open_without_capture

    return open_without_capture(prepare_home(home))
