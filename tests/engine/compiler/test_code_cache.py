"""Machine code on disk: keyed by what was compiled, refused where it is not that, compared with numpy, private."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmm_engine.compiler import code_cache
from mmm_engine.compiler.compile_process import CompilerFailure, compiled_apart
from mmm_engine.compiler.functions import CompiledDensity, CompiledResults, compiled_density, compiled_results
from mmm_engine.compiler.graph import Graph
from mmm_engine.compiler.inputs import InputLayout, Signature
from mmm_engine.compiler.object_code import object_code
from mmm_engine.errors import FitError

SIGNATURE = Signature(2, (InputLayout("line", ("rows",)),), ("rows",))
POINT, DATA = np.array([1.5, -2.0]), SIGNATURE.data_buffer(type("Rows", (), {"line": np.arange(4.0)}))


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache of its own for each test; where its files are."""
    monkeypatch.setenv("MMM_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "machine_code"


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The efforts of all compilations; done in this process, which is faster."""
    efforts: list[str] = []

    def compiled(text: str, effort: str) -> bytes:
        efforts.append(effort)
        return object_code(text, effort)

    monkeypatch.setattr(code_cache, "compiled_apart", compiled)
    return efforts


def _density(
    factor: float = 1.0, name: str = "density", formula_factor: float | None = None
) -> CompiledDensity:
    """factor * sum(line) * f0 + f1^2, and its gradient; the numpy formula may have another factor."""
    graph = Graph()
    flat, line = graph.input("flat", (2,)), graph.input("line", ("rows",))
    outputs = [
        graph.store(factor * line.sum() * flat[0] + flat[1] * flat[1], "value", 0, ()),
        graph.store(factor * line.sum(), "gradient", 0, ()),
        graph.store(2.0 * flat[1], "gradient", 1, ()),
    ]
    checked = factor if formula_factor is None else formula_factor
    return compiled_density(
        name, outputs, SIGNATURE, lambda f, i: checked * i["line"].sum() * f[0] + f[1] * f[1]
    )


def _results() -> CompiledResults:
    graph = Graph()
    flat, line = graph.input("flat", (2,)), graph.input("line", ("rows",))
    stores = [graph.store(flat[1], "result", 0, ()), graph.store(line * flat[0], "result", 1, ("rows",))]
    return compiled_results("results", stores, SIGNATURE, lambda f, i: [f[1], i["line"] * f[0]])


def _value(density: CompiledDensity) -> float:
    return density(POINT, DATA)[0]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def _resealed(stored: bytes) -> bytes:
    """With a digest that is right again."""
    return hashlib.sha256(stored[32:]).digest() + stored[32:]


# --- the key --------------------------------------------------------------------------------------


def test_code_is_compiled_once_and_found_again(folder: Path, compilations: list[str]) -> None:
    """The second call loads the first one's file and computes the same."""
    first, second = _density(), _density()
    assert (first.code.from_disk, second.code.from_disk) == (False, True)
    assert _value(first) == _value(second) == 6.0 * 1.5 + 4.0
    assert compilations == ["full"]
    assert len(_files(folder)) == 1
    results = _results()
    assert results(POINT[None], DATA, 5).tolist() == [[-2.0, 0.0, 1.5, 3.0, 4.5]]
    assert _results().code.from_disk


def test_the_key_is_what_was_compiled(folder: Path, compilations: list[str]) -> None:
    """Another number in a formula is another file, whatever the formula is called."""
    assert _value(_density(1.0)) == 13.0
    assert _value(_density(2.0)) == 22.0
    assert len(_files(folder)) == 2
    assert _value(_density(1.0)) == 13.0
    assert compilations == ["full", "full"]


def test_the_key_holds_the_processor(
    monkeypatch: pytest.MonkeyPatch, folder: Path, compilations: list[str]
) -> None:
    """A folder that two kinds of machine share has code for each."""
    _density()
    monkeypatch.setattr(code_cache, "processor", lambda: "another processor")
    assert not _density().code.from_disk
    assert len(_files(folder)) == 2


def test_sources_edited_after_import_change_nothing(
    monkeypatch: pytest.MonkeyPatch, folder: Path, compilations: list[str]
) -> None:
    """What runs is what was imported: the key asks the text, never the files that it was imported from."""
    _density()
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"edited")
    monkeypatch.setattr(Path, "read_text", lambda path: "edited")
    assert _density().code.from_disk
    assert not _density(3.0).code.from_disk


# --- files that are not what they should be -------------------------------------------------------


def test_a_file_of_another_formula_is_refused(
    folder: Path, compilations: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Renamed, a file still carries its own key: it is not loaded, though it is whole."""
    _density(1.0)
    (one,) = _files(folder)
    _density(2.0)
    (other,) = (path for path in _files(folder) if path != one)
    one.write_bytes(other.read_bytes())
    assert _value(_density(1.0)) == 13.0
    assert "is that of another formula" in caplog.text
    assert compilations == ["full"] * 3


@pytest.mark.parametrize(
    "change",
    [
        lambda header: {**header, "sizes": {**header["sizes"], "flat": 3}},
        lambda header: {**header, "sizes": {**header["sizes"], "dynamic": ["tests"]}},
        lambda header: {**header, "sizes": {**header["sizes"], "inputs": {"line": ["rows", 2]}}},
        lambda header: {**header, "key": header["key"][::-1]},
    ],
)
def test_a_file_of_other_sizes_is_refused(
    change: Callable[[Any], Any], folder: Path, compilations: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Key and axis sizes stand in the file, and are compared before anything of it is loaded."""
    _density()
    (path,) = _files(folder)
    magic, header, code = path.read_bytes()[32:].split(b"\n", 2)
    changed = json.dumps(change(json.loads(header)), sort_keys=True).encode()
    path.write_bytes(_resealed(bytes(32) + b"\n".join([magic, changed, code])))
    assert _value(_density()) == 13.0
    assert "is that of another formula" in caplog.text
    assert compilations == ["full", "full"]
    assert _density().code.from_disk


@pytest.mark.parametrize(
    "damage",
    [
        lambda stored: stored[: len(stored) // 2],
        lambda stored: stored[:-1] + bytes([stored[-1] ^ 1]),
        lambda stored: bytes([stored[0] ^ 128]) + stored[1:],
        lambda stored: stored[:7],
        lambda stored: b"",
    ],
)
def test_a_damaged_file_is_refused(
    damage: Callable[[bytes], bytes],
    folder: Path,
    compilations: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Cut short or a bit turned: it is noticed, compiled again, and whole afterwards."""
    _density()
    (path,) = _files(folder)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert _value(_density()) == 13.0
    assert "is damaged" in caplog.text
    assert path.read_bytes() == whole


# --- the comparison with numpy --------------------------------------------------------------------


def test_stored_code_that_is_not_the_formula_is_compiled_again(
    folder: Path, compilations: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A whole file with the right key and other code in it is found out at one point, replaced, and logged."""
    _density(1.0)
    (path,) = _files(folder)
    stored = path.read_bytes()
    _density(2.0)
    (other,) = (file for file in _files(folder) if file != path)
    forged = stored[32:].split(b"\n", 2)[:2] + other.read_bytes()[32:].split(b"\n", 2)[2:]
    path.write_bytes(_resealed(bytes(32) + b"\n".join(forged)))
    density = _density(1.0)
    assert not density.code.from_disk
    assert _value(density) == 13.0
    assert "is not its formula" in caplog.text
    assert "instead of" in caplog.text
    assert path.read_bytes() == stored
    assert compilations == ["full"] * 3


def test_compiled_code_that_is_not_the_formula_is_an_error(folder: Path, compilations: list[str]) -> None:
    """Where code differs from numpy with and without optimisation no fit begins, and nothing is kept."""
    with pytest.raises(
        FitError, match=r"with full effort: value 0 is .* with least effort: value 0 is"
    ) as error:
        _density(1.0, formula_factor=1.001)
    assert "make install" in error.value.faults[0].fix
    assert compilations == ["full", "least"]
    assert not folder.exists()


def test_a_wrong_gradient_is_found(compilations: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Derivatives are compared too, with the graph that numpy computes."""
    from mmm_engine.compiler import entry_points

    text_of = entry_points.density_text

    def wrong(*arguments: Any) -> str:
        return text_of(*arguments).replace("double 0x4000000000000000", "double 0x4008000000000000")  # 2 -> 3

    monkeypatch.setattr(entry_points, "density_text", wrong)
    with pytest.raises(FitError, match=r"gradient 1 is .* instead of"):
        _density()


# --- effort ---------------------------------------------------------------------------------------


@pytest.fixture
def no_optimiser(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """LLVM fails on everything but the least effort."""
    efforts: list[str] = []

    def compiled(text: str, effort: str) -> bytes:
        efforts.append(effort)
        if effort == "full":
            raise CompilerFailure("exit code -6: assertion failed")
        return object_code(text, effort)

    monkeypatch.setattr(code_cache, "compiled_apart", compiled)
    return efforts


def test_code_of_least_effort_is_told_and_never_kept(
    folder: Path, no_optimiser: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """It works and is slow: the user is told, and the next start tries again."""
    for _ in range(2):
        caplog.clear()
        density = _density()
        assert _value(density) == 13.0
        assert not density.code.from_disk
        assert "assertion failed" in caplog.text
        assert "fits will be several times slower" in caplog.text
        told = [record for record in caplog.records if "several times slower" in record.getMessage()]
        assert [record.levelno for record in told] == [logging.WARNING]
        assert not folder.exists()
    assert no_optimiser == ["full", "least"] * 2


# --- files ----------------------------------------------------------------------------------------


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_and_folder_belong_to_the_user_alone(
    folder: Path, compilations: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """0600 and 0700 whatever the umask, also where the folder was made by an earlier version."""
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    before = os.umask(0)
    try:
        _density()
    finally:
        os.umask(before)
    assert _mode(folder) == 0o700
    assert [_mode(path) for path in _files(folder)] == [0o600]


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_can_write_is_not_loaded(
    mode: int, folder: Path, compilations: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Code that somebody else may have put there is compiled again, and private afterwards."""
    _density()
    (path,) = _files(folder)
    path.chmod(mode)
    assert not _density().code.from_disk
    assert "can be written by others" in caplog.text
    assert _mode(path) == 0o600
    assert _density().code.from_disk


def test_a_file_of_another_user_is_not_loaded(
    folder: Path,
    compilations: list[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor is anything written into a folder of theirs: they could take it away or hold it; one message names it."""
    _density()
    before = [path.read_bytes() for path in _files(folder)]
    somebody_else = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: somebody_else)
    for _ in range(2):
        caplog.clear()
        density = _density()
        assert _value(density) == 13.0
        assert not density.code.from_disk
        assert f"{folder} belongs to another user (id {folder.stat().st_uid})" in caplog.text
        assert "Set MMM_CACHE_DIR to a folder of your own" in caplog.text
    assert [path.read_bytes() for path in _files(folder)] == before


def _aged(path: Path, days: float) -> Path:
    then = time.time() - days * 86_400.0
    os.utime(path, (then, then))
    return path


def test_files_that_nobody_uses_are_removed(folder: Path, compilations: list[str]) -> None:
    """After 90 days without use, when another is stored; a use within them starts the time again."""
    _density(1.0)
    (used,) = _files(folder)
    _density(2.0)
    (forgotten,) = (path for path in _files(folder) if path != used)
    _aged(used, code_cache.KEPT_DAYS - 1)
    _aged(forgotten, code_cache.KEPT_DAYS + 1)
    half_written = folder / "abc.tmp"
    half_written.write_bytes(b"")
    _aged(half_written, 0.1)
    other = folder / "notes.txt"
    other.write_text("not ours")
    _aged(other, 1000.0)
    assert _density(1.0).code.from_disk
    assert time.time() - used.stat().st_mtime < 3600.0
    assert forgotten.exists()  # loading removes nothing
    _density(3.0)
    assert used.exists()
    assert not forgotten.exists()
    assert not half_written.exists()
    assert other.exists()


def test_of_many_files_the_last_used_are_kept(
    folder: Path, compilations: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond 1,000 files those go that were used longest ago (here: beyond 3)."""
    monkeypatch.setattr(code_cache, "KEPT_FILES", 3)
    folder.mkdir(parents=True)
    old = [_aged(_written(folder / f"density_{days}.o"), days) for days in (1, 2, 3, 4)]
    _density()
    assert [path.exists() for path in old] == [True, True, False, False]
    assert len(_files(folder)) == 3


def _written(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def test_a_file_that_was_not_stored_leaves_no_rest(
    folder: Path,
    compilations: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A disk that fails at the last step costs a warning; the code works, and no half file stays behind."""

    def full_disk(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    assert _value(_density()) == 13.0
    assert "is not kept" in caplog.text
    assert _files(folder) == []


def test_the_real_compiler_gives_what_is_kept(folder: Path) -> None:
    """Without any stand-in: a process compiles, the file holds its output, the next call loads it."""
    assert _value(_density()) == 13.0
    (path,) = _files(folder)
    assert len(path.read_bytes()) > 1000
    assert _density().code.from_disk
    with pytest.raises(CompilerFailure, match="exit code 1"):
        compiled_apart("no LLVM text", "full")
