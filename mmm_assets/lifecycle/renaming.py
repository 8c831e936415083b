"""Another id for a client: its file and what is recorded of it; its results are made anew.

Here: `rename_client`.
Not here: the history's part (mmm_engine.history.clients), removal of the old results (removal.py).

Stored results and Dagster's runs carry the id within them. They go with the old id; recorded scores, forecasts and
advice, which no refresh could make again, go on under the new one. A rename that was ended half way is finished by the
same command.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from mmm_assets import home
from mmm_assets.lifecycle.removal import is_known, remove_results
from mmm_assets.refreshes.locks import client_at_rest
from mmm_engine.client.client_file import read_client_config
from mmm_engine.client.config import check_client_id
from mmm_engine.errors import ConfigError, Fault
from mmm_engine.files.atomic_write import write_text
from mmm_engine.files.yaml_document import text_value
from mmm_engine.history.clients import ClientHistory

_COPIED = "copied"  # beside the new id in the note of a rename under way: all is recorded under both ids
_NAME_LINE = re.compile(r"^client:.*$", re.MULTILINE)


def rename_client(folder: Path, data: Path, client: str, new: str, say: Callable[[str], object] = str) -> int:
    """Give a client another id, once nothing is under way for it: a refresh would go on recording under the old one.

    Args:
        folder: Dagster's home.
        data: Folder of client files; tables keep their names.
        client: Its id.
        new: The id it shall have.
        say: Told what it waits for.

    Returns:
        Number of recorded rows that go on under the new id.

    Raises:
        ConfigError: If there is no such client, its file cannot be read, or the new id is taken.
        HistoryError: If something is recorded under the new id.
    """
    check_client_id(client)
    old_file, new_file = data / f"{client}.yaml", data / f"{check_client_id(new)}.yaml"
    read_client_config(old_file)
    broken_off = (
        folder / "locks" / f"{client}.renaming"
    )  # a rename to what it says that did not come to its end
    state = broken_off.read_text(encoding="utf-8").split() if broken_off.is_file() else []
    resumes = state[:1] == [new]
    if new_file.exists() or (folder.exists() and not resumes and is_known(folder, new)):
        found = "a client of this id, or what is stored of one"
        raise ConfigError(
            f"client '{new}'", Fault("client id", found, "an id that is free", "choose another one")
        )
    text = old_file.read_text(encoding="utf-8-sig")
    renamed, count = _NAME_LINE.subn(f"client: {text_value(new)}", text, count=1)
    if not count:
        found, fix = "no line that begins with 'client:'", f"write a line 'client: {client}' at its beginning"
        raise ConfigError(f"client '{client}'", Fault(old_file.name, found, "the client's id on a line", fix))
    if not folder.exists():
        _write_anew(old_file, new_file, renamed)
        return 0
    with home.open_instance(folder) as instance, client_at_rest(instance, client, say):
        history = ClientHistory(home.history_path(folder), shared=home.shared_root(folder))
        rows = 0
        if not resumes or state[1:] != [_COPIED]:
            if resumes:
                history.forget(new)  # a part of the copies
            write_text(broken_off, new)
            rows = history.copy(client, new)
            write_text(broken_off, f"{new} {_COPIED}")
        history.forget(client)
        _write_anew(old_file, new_file, renamed)
        remove_results(folder, client, instance)
        broken_off.unlink()
    return rows


def _write_anew(old_file: Path, new_file: Path, text: str) -> None:
    write_text(new_file, text)
    old_file.unlink()
