"""The odd clients are what they say, and one of them goes the whole way."""

import numpy as np
import pytest

from tests.benchmarks.truth.odd_clients import HEADINGS, as_added, table_row
from tests.benchmarks.truth.odd_worlds import ODD


def test_every_client_has_rows_a_truth_and_a_word_on_what_is_odd() -> None:
    """Contributions are finite, one for each channel; two clients never are the same one."""
    made = {name: make() for name, make in ODD.items()}
    for name, client in made.items():
        assert client.contribution.shape == (len(client.channels),)
        assert np.isfinite(client.contribution).all()
        assert np.isfinite(client.frame.drop(columns="date").to_numpy(dtype=float)).all()
        assert ODD[name].__doc__
    assert len({client.frame.to_csv() for client in made.values()}) == len(made)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("stock", "still-target"),
        ("counts_rare", "rare-target"),
        ("always_on", "constant-channel"),
        ("single_burst", "single-stretch"),
        ("new_channel", "single-stretch"),
        ("cents", "spend-looks-like-count"),
        ("invoices", "booked-by-invoice"),
        ("twins", "correlated-channels"),
        ("black_friday", "recurring-outlier"),
    ],
)
def test_what_is_odd_is_told_before_a_fit(name: str, code: str) -> None:
    """`mmm add` names it."""
    assert code in {finding.code for finding in as_added(name, ODD[name]()).findings}


def test_a_campaign_of_three_weeks_is_fitted_like_any_other_client() -> None:
    """Chains of such a channel were lost; a fit took minutes and left chains out."""
    row = dict(zip(HEADINGS, table_row("single_burst"), strict=True))
    assert float(row["R-hat"]) <= 1.01
    assert row["draws"] == "4 × 1000"
    assert row["verdict"] != "refused"
