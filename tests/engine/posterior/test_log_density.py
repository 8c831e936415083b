"""Compiled log densities: machine code kept on disk and checked when read, data in one buffer, many threads."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.compiler.inputs import Signature
from mmm_engine.model.arrays import DYNAMIC_AXES, ModelData
from mmm_engine.model.specification import ModelSpecification, model_specification
from mmm_engine.posterior import log_density as log_density_module
from mmm_engine.posterior.geometry import TrainingData, axis_sizes, training_data
from mmm_engine.posterior.log_density import (
    CompiledLogDensity,
    compile_log_density,
    compiled_count,
    log_density,
)
from mmm_engine.posterior.nuts import sample
from tests.engine.model_cases import EVENTS, LIFTS, small_config, small_inputs

XP = numpy_functions()
SMALL: dict[str, Any] = {"controls": [], "saturation": "none", "adstock": {"kind": "none"}}


def _specification(**model: Any) -> ModelSpecification:
    return model_specification(small_config(**{**SMALL, **model}), "week")


def _window(rows: int = 30, seed: int = 0, **model: Any) -> tuple[ModelSpecification, ModelData]:
    """A specification and the training rows of a window."""
    inputs = small_inputs(rows=rows, held_out=4, seed=seed, **model)
    specification = model_specification(inputs.config, inputs.calendar.period)
    return specification, training_data(inputs, specification)


def _point(density: CompiledLogDensity, seed: int = 0) -> Any:
    return 0.3 * np.random.default_rng(seed).normal(size=density.coordinates.size)


def _buffer(specification: ModelSpecification, data: ModelData) -> Any:
    return Signature.of(TrainingData, axis_sizes(specification), DYNAMIC_AXES, 1).data_buffer(data)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], Path]:
    """Makes this process forget its densities; machine code is kept in a folder of its own, which is returned."""
    monkeypatch.setenv("MMM_CACHE_DIR", str(tmp_path / "code"))

    def forget() -> Path:
        monkeypatch.setattr(log_density_module, "_compiled", {})
        return tmp_path / "code" / "machine_code"

    forget()
    return forget


def _only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


# --- on disk --------------------------------------------------------------------------------------


def _truncated(stored: bytes) -> bytes:
    return stored[: len(stored) // 2]


def _flipped(stored: bytes) -> bytes:
    at = len(stored) * 2 // 3
    return stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :]


def _flipped_digest(stored: bytes) -> bytes:
    return bytes([stored[0] ^ 128]) + stored[1:]


def _empty(stored: bytes) -> bytes:
    return b""


def _short(stored: bytes) -> bytes:
    return stored[:7]


def test_machine_code_is_found_again(fresh: Callable[[], Path]) -> None:
    """What one density compiled the next reads: one file, the same numbers to the last digit, no compilation."""
    specification = _specification()
    first = compile_log_density(specification)
    folder = fresh()
    before = _only_file(folder).read_bytes()
    second = compile_log_density(specification)
    assert (first.from_disk, second.from_disk) == (False, True)
    assert _only_file(folder).read_bytes() == before
    assert hashlib.sha256(before[32:]).digest() == before[:32]
    _, data = _window(**SMALL)
    (one, one_slopes), (two, two_slopes) = (k.evaluate(_point(k), data) for k in (first, second))
    assert one == two
    assert np.array_equal(one_slopes, two_slopes)
    assert second.addresses != first.addresses


def test_damaged_machine_code_is_never_run(
    fresh: Callable[[], Path], caplog: pytest.LogCaptureFixture
) -> None:
    """Cut short, a bit turned, or nothing left: it is noticed, compiled anew, and what is on disk is whole again."""
    specification, data = _window(**SMALL)
    density = compile_log_density(specification)
    wanted, wanted_slopes = density.evaluate(_point(density), data)
    path = _only_file(fresh())
    whole = path.read_bytes()
    for damage in (_truncated, _flipped, _flipped_digest, _empty, _short):
        caplog.clear()
        path.write_bytes(damage(whole))
        fresh()
        with caplog.at_level(logging.WARNING):
            again = compile_log_density(specification)
        assert "is damaged" in caplog.text, damage
        assert not again.from_disk
        value, slopes = again.evaluate(_point(again), data)
        assert value == wanted
        assert np.array_equal(slopes, wanted_slopes)
        stored = _only_file(path.parent).read_bytes()
        assert hashlib.sha256(stored[32:]).digest() == stored[:32]
        assert len(stored) == len(whole)
        fresh()
        assert compile_log_density(specification).from_disk


def test_a_folder_that_cannot_be_written_costs_a_warning(
    fresh: Callable[[], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With a file where the folder should be the density is compiled, works, and is not kept."""
    (tmp_path / "code").write_text("not a folder")
    specification, data = _window(**SMALL)
    with caplog.at_level(logging.WARNING):
        density = compile_log_density(specification)
    assert "not kept" in caplog.text
    assert not density.from_disk
    assert np.isfinite(density.evaluate(_point(density), data)[0])
    assert (tmp_path / "code").read_text() == "not a folder"


def test_machine_code_that_cannot_be_read_is_compiled(
    fresh: Callable[[], Path], caplog: pytest.LogCaptureFixture
) -> None:
    """With a folder where the file should be (or a file of another user) the density is compiled all the same."""
    specification, data = _window(**SMALL)
    compile_log_density(specification)
    path = _only_file(fresh())
    path.unlink()
    path.mkdir()
    with caplog.at_level(logging.WARNING):
        density = compile_log_density(specification)
    assert not density.from_disk
    assert np.isfinite(density.evaluate(_point(density), data)[0])


def test_another_process_finds_the_code_and_loads_nothing_heavy(fresh: Callable[[], Path]) -> None:
    """It compiles nothing, gets the same number, and imports neither PyMC nor what PyMC stands on."""
    specification, data = _window(**SMALL)
    density = compile_log_density(specification)
    wanted, _ = density.evaluate(np.full(density.coordinates.size, 0.1), data)
    path = _only_file(fresh())
    before = path.stat().st_mtime_ns
    code = (
        "import sys\n"
        "import numpy as np\n"
        "from tests.engine.posterior.test_log_density import SMALL, _window\n"
        "from mmm_engine.posterior.log_density import compile_log_density\n"
        "specification, data = _window(**SMALL)\n"
        "density = compile_log_density(specification)\n"
        "print(density.from_disk, repr(density.evaluate(np.full(density.coordinates.size, 0.1), data)[0]))\n"
        "print(sorted({'pymc', 'pytensor', 'numba', 'pymc_marketing'} & set(sys.modules)))\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=root, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"True {wanted!r}", "[]"]
    assert path.stat().st_mtime_ns == before


def test_structures_and_coordinates_have_code_of_their_own(fresh: Callable[[], Path]) -> None:
    """Another prior, or other coordinates, is another file and another density; other names are not."""
    wide = {"priors": {"intercept": {"distribution": "HalfNormal", "sigma": 7}}}
    specifications = [_specification(), _specification(**wide)]
    folder = fresh()
    found = [compile_log_density(specification) for specification in specifications]
    assert len(list(folder.iterdir())) == 2
    _, data = _window(**SMALL)
    values = [density.evaluate(_point(density), data)[0] for density in found]
    assert values[0] != values[1]
    compile_log_density(specifications[0], "plain")
    assert len(list(folder.iterdir())) == 3
    assert compile_log_density(_specification(channels=["a", "b", "c"])) is found[0]
    assert compiled_count() == 3


def test_a_density_is_compiled_once_however_many_ask(fresh: Callable[[], Path]) -> None:
    """Four threads that want a density at the same time get the same one."""
    specification = _specification()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(compile_log_density, [specification] * 4))
    assert all(density is found[0] for density in found)
    assert compiled_count() == 1
    assert len(list(fresh().iterdir())) == 1


# --- data -----------------------------------------------------------------------------------------


def test_buffer_by_hand() -> None:
    """Its length, the sizes of run time, then media with the zeros before them, column by column."""
    specification, data = _window(rows=9, controls=[], adstock={"kind": "geometric", "max_lag": 3})
    buffer = _buffer(specification, data)
    rows, channels = data.media_lagged.shape[1:]
    assert (rows, channels, specification.max_lag) == (5, 3, 3)
    assert buffer[0] == len(buffer)
    # rows, occurrences of events, lift tests, rows of lift tests
    assert buffer[1 : 1 + len(DYNAMIC_AXES)].tolist() == [5.0, 0.0, 0.0, 0.0]
    start = 1 + len(DYNAMIC_AXES)
    for channel in range(channels):
        column = buffer[start + 7 * channel : start + 7 * (channel + 1)]
        assert column.tolist() == [0.0, 0.0, *data.media_lagged[0][:, channel]]
        for lag in range(3):
            assert np.array_equal(column[2 - lag : 7 - lag], data.media_lagged[lag][:, channel])
    # power of the likelihood, priors on returns, half-spread points, eight quantiles of each channel, map and mode
    positions = len(data.mode)
    behind = 1 + 3 * channels + 1 + 9 * channels + positions**2 + positions
    assert buffer[-5 - behind : -behind].tolist() == data.target_scaled.tolist()


def test_buffer_holds_every_array_once() -> None:
    """Nothing is left out and nothing is there twice: its length is that of all arrays, lags apart."""
    model = {"lift_tests": LIFTS, "events": EVENTS, "yearly_seasonality": 2, "time_varying_media": True}
    specification, data = _window(**model)
    sizes = {name: np.size(array) for name, array in data.arrays().items()}
    lags, rows, channels = data.media_lagged.shape
    sizes["media_lagged"] = (rows + lags - 1) * channels
    assert len(_buffer(specification, data)) == 1 + len(DYNAMIC_AXES) + sum(sizes.values())


MODELS: list[dict[str, Any]] = [
    {"adstock": {"kind": "geometric", "max_lag": 6}},
    {"adstock": {"kind": "none"}, "controls": [], "saturation": "none"},
    {
        "channels": [
            {"column": "tv", "adstock": {"kind": "delayed", "max_lag": 6}},
            {"column": "radio", "adstock": {"kind": "none"}, "saturation": "root"},
            {"column": "search", "saturation": "tanh"},
        ],
        "likelihood": "student_t",
    },
    {
        "time_varying_media": True,
        "time_varying_intercept": True,
        "yearly_seasonality": 2,
        "trend": {"changepoints": 3},
        "events": EVENTS,
        "lift_tests": LIFTS,
        "likelihood": "truncated_normal",
    },
    {
        "priors": {
            "intercept": {
                "distribution": "Normal",
                "mu": 0,
                "sigma": {"distribution": "HalfNormal", "sigma": 2},
            }
        },
        "controls": [{"column": "price", "effect": "negative"}, "promo"],
    },
]


@pytest.mark.parametrize("kind", ["decorrelating", "plain"])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: " ".join(model))
def test_machine_code_is_the_formula(model: dict[str, Any], kind: str) -> None:
    """On windows of several lengths value and gradient are those of the formula on numpy arrays."""
    density = compile_log_density(model_specification(small_config(**dict(model)), "week"), kind)
    for rows, seed in ((30, 0), (20, 1), (61, 2)):
        specification, data = _window(rows, seed, **dict(model))
        assert specification == density.specification
        flat = _point(density, seed)

        def value(at: Any, data: ModelData = data) -> float:
            return float(log_density(density.coordinates, at, data, XP))

        found, slopes = density.evaluate(flat, data)
        assert found == pytest.approx(value(flat), rel=1e-11)
        steps = 1e-5 * np.eye(len(flat))
        wanted = np.array([(value(flat + step) - value(flat - step)) / 2e-5 for step in steps])
        assert slopes == pytest.approx(wanted, rel=1e-5, abs=1e-6 * max(1.0, np.abs(wanted).max()))


@pytest.mark.parametrize("kind", ["decorrelating", "plain"])
def test_gradient_at_the_origin(kind: str) -> None:
    """At the point whose coordinates are all 0 the gradient is that of differences too."""
    model = {"adstock": {"kind": "geometric", "max_lag": 6}}
    density = compile_log_density(model_specification(small_config(**dict(model)), "week"), kind)
    _, data = _window(30, 0, **dict(model))
    origin = np.zeros(density.coordinates.size)
    _, slopes = density.evaluate(origin, data)
    steps = 1e-5 * np.eye(len(origin))
    wanted = [(density.evaluate(step, data)[0] - density.evaluate(-step, data)[0]) / 2e-5 for step in steps]
    assert slopes == pytest.approx(np.array(wanted), rel=1e-4, abs=1e-4)


def test_points_and_data_are_left_as_they_are() -> None:
    """An evaluation writes into no array of its caller."""
    specification, data = _window(**SMALL)
    density = compile_log_density(specification)
    flat = _point(density)
    before, arrays = flat.copy(), {name: np.copy(array) for name, array in data.arrays().items()}
    density.evaluate(flat, data)
    assert np.array_equal(flat, before)
    assert all(np.array_equal(array, arrays[name]) for name, array in data.arrays().items())


def test_what_is_not_finite_is_nan() -> None:
    """A missing target, or a point far out, has neither a density nor slopes."""
    specification, data = _window(**SMALL)
    density = compile_log_density(specification)
    target = np.where(np.arange(len(data.target_scaled)) == 3, np.nan, data.target_scaled)
    broken = replace(data, target_scaled=target)
    far = np.full(density.coordinates.size, 1e4)
    endless_noise = _point(density)
    endless_noise[-1] = 800.0  # log of the noise: density -inf, most slopes finite
    for flat, rows in ((_point(density), broken), (far, data), (endless_noise, data)):
        value, slopes = density.evaluate(flat, rows)
        assert np.isnan(value)
        assert np.isnan(slopes).all()


def test_threads_do_not_mix_their_data() -> None:
    """Two threads that evaluate one density at once, each on rows of its own, get what each gets alone."""
    model = {"time_varying_media": True}
    density = compile_log_density(model_specification(small_config(**model), "week"))
    windows = [_window(rows, seed, **dict(model))[1] for rows, seed in ((60, 0), (25, 1))]
    points = [_point(density, seed) for seed in range(20)]
    alone = [[density.evaluate(point, window) for point in points] for window in windows]

    def many(window: ModelData) -> list[list[tuple[float, Any]]]:
        return [[density.evaluate(point, window) for point in points] for _ in range(20)]

    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(many, windows))
    for rounds, wanted in zip(together, alone, strict=True):
        for found in rounds:
            assert [value for value, _ in found] == [value for value, _ in wanted]
            assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(found, wanted, strict=True))


def test_data_of_another_specification_are_refused() -> None:
    """A channel more, or rows that differ between arrays: an error with both shapes, from evaluations and from fits."""
    specification, data = _window(**SMALL)
    density = compile_log_density(specification)
    _, wider = _window(**{**SMALL, "channels": ["tv", "radio", "search", "video"]})
    with pytest.raises(
        ValueError, match=r"'media_lagged' has shape \(1, 26, 4\), and \(1, 26, 3\) is needed"
    ):
        density.evaluate(_point(density), wider)
    uneven = replace(data, target_scaled=data.target_scaled[:-1])
    with pytest.raises(ValueError, match=r"'target_scaled' has shape \(25,\), and \(26,\) is needed"):
        density.evaluate(_point(density), uneven)
    with pytest.raises(ValueError, match="the flat vector has 2 numbers, and"):
        density.evaluate(_point(density)[:2], data)
    with pytest.raises(ValueError, match="'media_lagged' has shape"):
        sample(density, wider, small_config(**SMALL).sampler, "toy", None)


def test_a_buffer_that_lies_ends_a_fit_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled density itself refuses it, with both numbers, before chains are started."""
    specification, data = _window(**SMALL)
    density = compile_log_density(specification)
    longer = np.append(density.data_buffer(data), 0.0)
    longer[0] = len(longer)
    monkeypatch.setattr(type(density), "data_buffer", lambda density, data: longer)
    with pytest.raises(
        ValueError, match=f"the data have {len(longer)} numbers, and {len(longer) - 1} are needed"
    ):
        sample(density, data, small_config(**SMALL).sampler, "toy", None)
