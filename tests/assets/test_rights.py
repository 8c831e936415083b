"""Rights: other users see nothing of a client, whatever the umask; a home of another user is told in one message."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.assets.conftest import append_weeks
from tests.assets.rights_process import NOBODY, command
from tests.processes import PATIENCE_SECONDS, start

_OTHERS = 0o077


def said(words: tuple[str, ...], folder: Path, **settings) -> tuple[int, str]:
    """Exit code of a command and what it said."""
    started = start(
        command, words, folder, settings.get("umask"), settings.get("user"), complaints=folder / "stderr"
    )
    started.process.join(PATIENCE_SECONDS)
    return started.process.exitcode, (folder / "said").read_text()


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_no_umask_opens_a_client_to_others(used_home, data_dir, tmp_path, umask):
    """The home keeps them out; what a refresh makes in it has the rights that the umask leaves."""
    append_weeks(data_dir, "shop")
    before = set(used_home.rglob("*"))
    code, text = said(("refresh", "shop", "--windows", "full,h04"), tmp_path, umask=umask)
    assert code == 0, text
    assert not used_home.stat().st_mode & 0o007
    made = [path for path in used_home.rglob("*") if path.is_file() and path not in before]
    assert len(made) > 5  # files of runs, scores of this one
    assert {path.name for path in made if path.stat().st_mode & umask} == set()
    history = [path for path in (used_home / "metric_history").rglob("*.parquet") if path not in before]
    assert history
    assert {path.name for path in history if path.stat().st_mode & _OTHERS} == set()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(
    ("words", "rights"),
    [
        (("list",), 0o700),
        (("history", "shop"), 0o700),
        (("history", "shop"), 0o755),
        (("gate", "shop"), 0o755),
        (("refresh", "shop", "--windows", "full"), 0o755),
    ],
)
def test_a_home_of_another_user_is_told_in_one_message(used_home, data_dir, tmp_path, words, rights):
    """It names the place and what to do; nothing is written, exit code 1."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder != Path("/") and "pytest" in str(folder):
            folder.chmod(0o755)  # the way there is open
    used_home.chmod(rights)
    code, text = said(words, tmp_path, user=NOBODY)
    assert "Traceback" not in text
    assert code == 1, text
    assert text.count("found ") == 1, text
    assert str(used_home) in text.replace("\n", "")
    assert "give this user the right" in text.replace("\n", " ")
