"""Commands on a disk that fails, in forks of one process in which failing_disk.c is preloaded.

Here: the library, what each attempt does, what came of it.
Not here: what may come of it (test_failing_disk.py).
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FOR_GOOD = 10**9
_SOURCE = Path(__file__).with_suffix(".c")


@dataclass(frozen=True)
class Attempt:
    """A command on a disk that fails.

    Attributes:
        words: The command.
        share: Which of its writes fails first, as a share of all writes that it makes on a sound disk.
        number: The error, as in `errno`.
        many: How many writes fail.
        code: Exit code of the command; None before.
        said: What it wrote.
        code_after: That of the same command on a sound disk.
        said_after: What that wrote.
    """

    words: tuple[str, ...]
    share: float
    number: int
    many: int = FOR_GOOD
    code: int | None = None
    said: str = ""
    code_after: int | None = None
    said_after: str = ""


def compiler() -> str | None:
    """The C compiler of this machine."""
    return shutil.which("cc")


def try_all(attempts: Sequence[Attempt], folder: Path) -> list[Attempt]:
    """What came of some attempts, each in a copy of ``home`` and ``data`` in a folder; copies are ``<number>/home``."""
    library = folder / "failing_disk.so"
    build = [str(compiler()), "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE), "-ldl"]
    subprocess.run(build, check=True)
    (folder / "attempts.json").write_text(json.dumps([asdict(one) for one in attempts]))
    environment = {**os.environ, "LD_PRELOAD": str(library)}
    subprocess.run([sys.executable, "-m", __name__, str(folder)], check=True, env=environment)
    answers = json.loads((folder / "answers.json").read_text())
    return [Attempt(**{**answer, "words": tuple(answer["words"])}) for answer in answers]


def main() -> None:
    """Try what a folder's ``attempts.json`` says."""
    folder = Path(sys.argv[1])
    library = ctypes.CDLL(str(folder / "failing_disk.so"))
    attempts = [Attempt(**one) for one in json.loads((folder / "attempts.json").read_text())]
    writes: dict[tuple[str, ...], int] = {}
    answers = []
    _import_everything()
    for number, attempt in enumerate(attempts):
        words = tuple(attempt.words)
        if words not in writes:
            _fork(
                folder / f"sound-{len(writes)}",
                folder,
                words,
                lambda home: library.faults_arm(home, FOR_GOOD, 1, 0),
            )
            writes[words] = int((folder / f"sound-{len(writes)}" / "writes").read_text())
        first = 1 + int(attempt.share * writes[words])
        place = folder / str(number)

        def arm(home: bytes, first: int = first, attempt: Attempt = attempt) -> None:
            library.faults_arm(home, ctypes.c_long(first), ctypes.c_long(attempt.many), attempt.number)

        code, said = _fork(place, folder, words, arm)
        code_after, said_after = _fork(place, folder, words, None)
        answers.append(
            {
                **asdict(attempt),
                "code": code,
                "said": said,
                "code_after": code_after,
                "said_after": said_after,
            }
        )
    (folder / "answers.json").write_text(json.dumps(answers))


def _import_everything() -> None:
    import tests.assets.refreshes.refresh_process  # noqa: F401


def _fork(
    place: Path, folder: Path, words: Sequence[str], arm: Callable[[bytes], object] | None
) -> tuple[int, str]:
    """Exit code and output of a command in a fork; homes are copied where there is none yet."""
    if not place.exists():
        for name in ("home", "data"):
            shutil.copytree(folder / name, place / name)
    child = os.fork()
    if not child:
        _run_command(place, words, arm)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), (place / "said").read_text(errors="replace")


def _run_command(place: Path, words: Sequence[str], arm: Callable[[bytes], object] | None) -> None:
    import pytest

    from mmm_assets.cli.app import main as mmm
    from tests.assets.conftest import install, plain_page
    from tests.assets.fake_engine import FakeSampler

    opened = os.open(place / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for descriptor in (1, 2):
        os.dup2(opened, descriptor)
    os.environ |= {"DAGSTER_HOME": str(place / "home"), "MMM_DATA_DIR": str(place / "data")}
    patch = pytest.MonkeyPatch()
    install(FakeSampler(), patch)
    patch.setattr("mmm_assets.pages.reporting.render", plain_page)
    sys.argv = ["mmm", *[word.replace("PLACE", str(place)) for word in words]]
    code = 0
    if arm is not None:
        arm(str(place / "home").encode())
    try:
        mmm()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 99
    finally:
        library = ctypes.CDLL(None)
        if hasattr(library, "faults_calls"):
            library.faults_calls.restype = ctypes.c_long
            (place / "writes").write_text(str(library.faults_calls()))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
