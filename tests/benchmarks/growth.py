"""Cost of one size of model: a gradient evaluation, and sampling per effective draw. Run by bench.py."""

from __future__ import annotations

import ctypes
import time
from typing import TYPE_CHECKING

from tests.benchmarks.worker import answer, arguments, sampler_values

if TYPE_CHECKING:
    from mmm_engine.rows.window import ScaledInputs

_EVALUATIONS = 300
_REPEATS = 15


def main() -> None:
    """Measure a case."""
    given = arguments(main.__doc__ or "").parse_args()
    from mmm_engine.client.config import SamplerConfig
    from mmm_engine.posterior.fit import fit
    from tests.benchmarks.cases import windows

    inputs = windows(given.case, ["full"])[0]
    window = fit(inputs, sampler=SamplerConfig(**sampler_values(given), ess_target=None))
    posterior, summary = window.posterior, window.parameter_summary
    result = {
        "rows": inputs.train_rows,
        "channels": len(inputs.config.channels),
        "parameters": len(summary),
        "gradient_us": gradient_seconds(inputs) * 1e6,
        "sample_seconds": float(posterior.attrs["sample_seconds"]),
        "compile_seconds": float(posterior.attrs["compile_seconds"]),
        "ess_min": float(summary[["ess_bulk", "ess_tail"]].min().min()),
        "ess_median": float(summary["ess_bulk"].median()),
        "steps": float(posterior["sample_stats"]["n_steps"].mean()),
        "divergences": int(posterior["sample_stats"]["diverging"].sum()),
        "rhat": float(summary["rhat"].max()),
    }
    answer(given.out, result)


def gradient_seconds(inputs: ScaledInputs) -> float:
    """Seconds of one evaluation of log density and gradient: the fastest of some rounds, as others use the machine."""
    import numpy as np

    from mmm_engine.model.specification import model_specification
    from mmm_engine.posterior.geometry import training_data
    from mmm_engine.posterior.log_density import compile_log_density

    specification = model_specification(inputs.config, inputs.calendar.period)
    density = compile_log_density(specification)
    data = training_data(inputs, specification)
    buffer, size = density.data_buffer(data), density.coordinates.size
    point = np.random.default_rng(0).uniform(-1.0, 1.0, size)
    gradient, value = np.empty(size), np.empty(1)
    doubles = ctypes.POINTER(ctypes.c_double)
    pointers = [array.ctypes.data_as(doubles) for array in (point, gradient, value, buffer)]
    shape = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[doubles] * 4)
    function = shape(density.addresses[0])
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        for _ in range(_EVALUATIONS):
            function(size, *pointers)
        times.append((time.perf_counter() - start) / _EVALUATIONS)
    return min(times)


if __name__ == "__main__":
    main()
