"""`mmm` where a standard stream is closed or full, and in a terminal that is too narrow."""

import subprocess
import sys

import pytest

MMM = f'"{sys.executable}" -P -c "from mmm_assets.cli.app import main; main()"'


def call(words: str) -> tuple[int, str]:
    """Exit code of a line for the shell, and what it wrote to standard error."""
    done = subprocess.run(["sh", "-c", words], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("redirection", "code"), [("<&- >&- 2>&-", 0), ("<&-", 0), (">&- 2>/dev/null", 0), ("2>&- nosuch", 2)]
)
def test_closed_streams_are_no_error(home, data_dir, redirection, code):
    """They were a traceback; and a file that took the number of a closed stream got what was printed."""
    assert call(f"{MMM} check shop {redirection}")[0] == code


def test_output_that_takes_nothing_is_told_as_such(home, data_dir):
    """Not as a full disk under the home."""
    code, err = call(f"{MMM} check shop > /dev/full")
    assert (code, err) == (
        1,
        "mmm: standard output: found No space left on device; wanted a file or terminal that takes it; send it "
        "elsewhere\n",
    )


@pytest.mark.parametrize(
    ("command", "code"), [("check shop", 0), ("check shop nosuch", 2), ("check nosuch 2>&1", 2), ("list", 0)]
)
def test_a_reader_who_leaves_changes_no_exit_code(home, data_dir, command, code):
    """As ``head -1`` does: it was 1 without a word, and what was to be done after that line was not done."""
    words = f"{{ {MMM} {command}; echo $? > {home}/code; }} | true"
    assert call(words)[0] == 0
    assert (home / "code").read_text().strip() == str(code)


def test_what_is_done_after_a_reader_left_is_done(home, data_dir):
    """A stream whose reader has left takes whatever is written, on a copy of it that steps write to too."""
    code = (
        "import os, sys, time; from mmm_assets.cli import terminal as t; t.outlive_readers()\n"
        "copy = t.step_proof_console()\n"
        "for _ in range(1000): print('x' * 1000); copy.print('y' * 1000)\n"
        f"open('{home}/done', 'w').write('done')"
    )
    assert call(f'"{sys.executable}" -c "{code}" | head -1') == (0, "")
    assert (home / "done").read_text() == "done"


def test_tables_keep_their_words_in_a_narrow_terminal(mmm, home, data_dir, monkeypatch):
    """A terminal of twenty columns breaks lines; the table broke words into letters."""
    monkeypatch.setenv("COLUMNS", "20")
    code, out, _ = mmm("list")
    assert code == 0
    assert "shop    never refreshed" in out


def test_client_files_that_nobody_looks_at_are_named(mmm, home, data_dir):
    """A name in capitals, with a space, or that ends in .yml: `mmm check` of all clients ended well without a word."""
    for name in ("Acme.yaml", "mein kunde.yaml", "order.yml", ".hidden.yaml"):
        (data_dir / name).write_text((data_dir / "shop.yaml").read_text())
    words = (
        f"passed over in {data_dir}: Acme.yaml, mein kunde.yaml, order.yml (client files are called <id>.yaml, "
        "their ids of a-z, 0-9, '_' and '-')\n"
    )
    for command in ("list", "check"):
        assert words in mmm(command)[2]
    assert mmm("check", "shop") == (0, mmm("check", "shop")[1], "")
    assert "passed over" not in mmm("-q", "check")[2]
