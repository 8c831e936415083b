"""`make demo` leads on: what it prints last are commands that exist and pages that are there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.docs.test_pages import ROOT, wrong_commands


def demo(folder: Path, code: int) -> subprocess.CompletedProcess[str]:
    """The demo with a refresh that only says its name and ends with a code."""
    command = folder / "mmm"
    command.write_text(f'#!/bin/sh\necho "ran mmm $*"\nexit {code}\n')
    command.chmod(0o755)
    words = ["make", "--silent", "--old-file=install", "demo", f"BIN={folder}"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_demo_ends_with_what_to_do_next(tmp_path: Path) -> None:
    """The report, a plan, a client of one's own, the interface: each a command as it is typed, each page there."""
    done = demo(tmp_path, 0)
    first, after = done.stdout.split("What next:")
    assert (done.returncode, first.strip()) == (0, "ran mmm refresh ms")
    commands = re.findall(rf"{tmp_path}/(mmm \S+.*?)(?:  |$)", after, flags=re.MULTILINE)
    assert [command.split()[1] for command in commands] == ["open", "plan", "add", "refresh", "ui"]
    assert list(wrong_commands("".join(f"`{command}`\n" for command in commands))) == []
    pages = re.findall(r"\S+\.md", after)
    assert pages
    assert all((ROOT / page).is_file() for page in pages)


def test_a_demo_that_fails_says_no_more(tmp_path: Path) -> None:
    """The last words on the screen are those of the refresh that failed."""
    done = demo(tmp_path, 1)
    assert done.returncode != 0
    assert "What next" not in done.stdout
