"""The upgrade check tells chance from change."""

from __future__ import annotations

import numpy as np

from tests.benchmarks.upgrade import moved


def test_equal_posteriors_pass_and_a_moved_parameter_is_found() -> None:
    """Two hundred means with noise of their size stay inside; one that moved by six errors does not."""
    rng = np.random.default_rng(1)
    errors = rng.uniform(0.01, 0.1, 200)
    truth = rng.normal(size=200)

    def fits(seed: int) -> dict[str, dict[str, tuple[float, float]]]:
        noise = np.random.default_rng(seed).standard_normal(200)
        return {"ms": {f"p{n}": (truth[n] + errors[n] * noise[n], errors[n]) for n in range(200)}}

    here, there = fits(2), fits(3)
    distances, limit = moved(here, there)
    assert 3.9 < limit < 4.2  # two-sided 1% over 200 comparisons
    assert all(distance < limit for *_, distance in distances)
    mean, error = there["ms"]["p7"]
    there["ms"]["p7"] = (mean + 8.5 * error, error)
    (client, name, distance), *others = moved(here, there)[0]
    assert (client, name) == ("ms", "p7")
    assert distance > limit > others[0][2]
