"""Memory of a process that refreshes again and again. Run by bench.py."""

from __future__ import annotations

import resource
from pathlib import Path

from tests.benchmarks.ours import refresh
from tests.benchmarks.worker import answer, arguments, sampler_values


def main() -> None:
    """Refresh a case `--rounds` times and answer with peak and present memory after each."""
    given = arguments(main.__doc__ or "").parse_args()
    from mmm_engine.client.config import SamplerConfig

    settings = SamplerConfig(**sampler_values(given), ess_target=None)
    peaks, present = [], []
    for _ in range(given.rounds):
        refresh(given, settings)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        present.append(_resident_mb())
    answer(given.out, {"peak_mb": peaks, "present_mb": present})


def _resident_mb() -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
