"""The compiler's process: starts wherever the engine is imported, takes no module from elsewhere, ends in time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import llvmlite
import pytest

import mmm_engine
from mmm_engine.compiler import code_cache, compile_process
from mmm_engine.compiler.compile_process import CompilerFailure, compiled_apart
from mmm_engine.errors import FitError
from mmm_engine.model.specification import model_specification
from mmm_engine.posterior import log_density as log_density_module
from mmm_engine.posterior.log_density import compile_log_density
from tests.engine.model_cases import small_config

ROOT = Path(mmm_engine.__file__).resolve().parents[1]
PACKAGES = Path(llvmlite.__file__).resolve().parents[1]
TEXT = "define double @one() {\n  ret double 1.0\n}"
PLANTED = (
    "llvmlite",
    "http",
    "numpy",
    "ctypes",
    "functools",
    "typing",
    "sitecustomize",
    "usercustomize",
    "enum",
)


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A folder of modules that leave a mark where they are imported."""
    for name in PLANTED:
        mark = tmp_path / f"{name}.imported"
        (tmp_path / f"{name}.py").write_text(
            f"open({str(mark)!r}, 'w').close()\nraise RuntimeError('planted')\n"
        )
    return tmp_path


def test_modules_of_the_current_folder_are_not_imported(
    planted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor those that environment variables offer."""
    monkeypatch.chdir(planted)
    monkeypatch.setenv("PYTHONPATH", str(planted))
    assert len(compiled_apart(TEXT, "full")) > 100
    assert list(planted.glob("*.imported")) == []


def test_an_engine_on_the_path_alone_compiles_at_full_effort(tmp_path: Path) -> None:
    """An interpreter that knows neither the engine nor llvmlite, but for `sys.path`: as fast as an installed one."""
    shutil.copytree(ROOT / "mmm_engine", tmp_path / "code" / "mmm_engine")
    script = (
        "import sys, logging\n"
        "logging.basicConfig(level=logging.WARNING)\n"
        f"sys.path[:0] = [{str(tmp_path / 'code')!r}, {str(PACKAGES)!r}]\n"
        "import mmm_engine\n"
        f"assert mmm_engine.__file__.startswith({str(tmp_path)!r})\n"
        "from mmm_engine.compiler.functions import compiled_density\n"
        "from mmm_engine.compiler.graph import Graph\n"
        "from mmm_engine.compiler.inputs import Signature\n"
        "graph = Graph()\n"
        "flat = graph.input('flat', (1,))\n"
        "outputs = [graph.store(flat[0] * flat[0], 'value', 0, ()), graph.store(2.0 * flat, 'gradient', 0, (1,))]\n"
        "compile = lambda: compiled_density('square', outputs, Signature(1, (), ()), lambda f, i: f[0] ** 2)\n"
        "compile()\n"
        "print(compile().code.from_disk)\n"
    )
    done = subprocess.run(
        [getattr(sys, "_base_executable", sys.executable), "-I", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "MMM_CACHE_DIR": str(tmp_path / "cache")},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True"]  # kept, so of full effort
    assert done.stderr == ""


def test_a_compiler_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """After its time it is a failure, which says so."""
    hanging = tmp_path / "hanging.py"
    hanging.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(compile_process.object_code, "__file__", str(hanging))
    monkeypatch.setattr(compile_process, "COMPILE_SECONDS", 0.4)
    with pytest.raises(CompilerFailure, match="not done after 0 s"):
        compiled_apart(TEXT, "full")


@pytest.mark.parametrize("interpreter", ["", "/no/such/python"])
def test_no_interpreter_is_a_failure(interpreter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program without one, or with one that is gone, is told so."""
    monkeypatch.setattr(sys, "executable", interpreter)
    with pytest.raises(CompilerFailure, match=r"no Python interpreter|cannot be started"):
        compiled_apart(TEXT, "full")


def test_a_compiler_that_cannot_run_is_a_fit_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error says what failed and what to do; LLVM never compiles in the caller's process."""
    broken = tmp_path / "broken.py"
    broken.write_text("import sys\nsys.exit('out of order')\n")
    monkeypatch.setenv("MMM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(log_density_module, "_compiled", {})
    monkeypatch.setattr(compile_process.object_code, "__file__", str(broken))
    monkeypatch.setattr(compile_process.object_code, "object_code", _never)
    assert code_cache.compiled_apart is compiled_apart
    config = small_config(controls=[], saturation="none", adstock={"kind": "none"})
    with pytest.raises(FitError, match="out of order") as error:
        compile_log_density(model_specification(config, "week"))
    (fault,) = error.value.faults
    assert "import llvmlite" in fault.fix
    assert not (tmp_path / "cache" / "machine_code").exists()


def _never(*arguments: object) -> bytes:
    raise AssertionError("LLVM ran in the caller's process")
