"""Refresh diff: the parts of a move are the differences that each change makes, and they sum to the move."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.client.client_file import client_config_from_mapping
from mmm_engine.fleets.refresh_diff import PublishedState, intermediate_states, moved, refresh_diff
from mmm_engine.rows.client_data import ClientData, client_data_from_frame

VERSIONS = {"mmm_engine": "1", "nutpie": "1"}


def client(rows: int = 40, *, lag: int = 2, channels: tuple[str, ...] = ("tv", "radio")) -> ClientData:
    """Rows with a formula in the place of noise; settings differ by ``lag``."""
    weeks = pd.date_range("2024-01-01", periods=rows, freq="W-MON")
    at = np.arange(rows)
    frame = pd.DataFrame({"week": weeks, "sales": 1000.0 + 10 * (at % 7)})
    for place, name in enumerate(channels):
        frame[name] = 100.0 + 5.0 * ((at * (place + 2)) % 11)
    settings = {
        "client": "acme", "data": "acme.csv", "date": "week", "target": "sales", "channels": list(channels),
        "model": {"adstock": {"kind": "geometric", "max_lag": lag}},
    }  # fmt: skip
    return client_data_from_frame(client_config_from_mapping(settings), frame)


def returns_of(values: dict[str, float], *, width: float = 0.4) -> pd.DataFrame:
    """Channel returns with these ROAS; shares are a tenth of them."""
    rows = [
        {"channel": name, "metric": metric, "mean": value * scale, "q05": (value - width / 2) * scale,
         "q95": (value + width / 2) * scale}
        for name, value in values.items()
        for metric, scale in (("roas", 1.0), ("share", 0.1))
    ]  # fmt: skip
    return pd.DataFrame(rows)


class Recorder:
    """Returns as a formula of rows, settings and seed: each change adds a known amount."""

    def __init__(self, noise: dict[int, float] | None = None) -> None:
        self.noise = noise or {}
        self.asked: list[tuple[int, int, int]] = []

    def __call__(self, data: ClientData, step: int) -> pd.DataFrame:
        """tv: 0.01 a row, 0.5 a lag, the restated first spend as it is; radio is always 1."""
        self.asked.append((len(data), data.config.model.adstock.max_lag, step))
        return returns_of(self.value(data, step))

    def value(self, data: ClientData, step: int = 0) -> dict[str, float]:
        """ROAS by channel."""
        lag, first = data.config.model.adstock.max_lag, float(data.frame["tv"].iloc[0])
        return {"tv": 0.01 * len(data) + 0.5 * lag + (first - 100) + self.noise.get(step, 0.0), "radio": 1.0}


def restated(data: ClientData) -> ClientData:
    """The same rows with another first spend on tv."""
    frame = data.frame.copy()
    frame.loc[0, "tv"] = 103.0
    return replace(data, frame=frame)


def state(data: ClientData, measure: Recorder, versions: dict[str, str] = VERSIONS) -> PublishedState:
    """A published refresh of these rows and settings."""
    return PublishedState(data, returns_of(measure.value(data)), versions, ess=1000.0)


def parts(diff: pd.DataFrame, metric: str = "roas", channel: str = "tv") -> dict[str, float]:
    """Step to change of one channel."""
    own = diff[(diff["metric"] == metric) & (diff["channel"] == channel)]
    return dict(zip(own["step"], own["change"], strict=True))


def test_every_cause_gets_what_it_changed() -> None:
    """A restated spend (+3), 4 new rows (+0.04) and one lag more (+0.5), worked by hand; radio did not move."""
    measure = Recorder()
    before, after = state(client(40), measure), state(restated(client(44, lag=3)), measure)
    diff = refresh_diff(before, after, measure)
    assert parts(diff) == pytest.approx(
        {"restated periods": 3.0, "new periods": 0.04, "settings": 0.5, "sampler noise": 0.0}
    )
    assert parts(diff, channel="radio") == pytest.approx(dict.fromkeys(parts(diff), 0.0))
    assert parts(diff, "share")["restated periods"] == pytest.approx(0.3)
    assert measure.asked == [(40, 2, 1), (40, 2, 1), (40, 2, 0), (44, 2, 1), (44, 2, 0), (44, 3, 1)]


def test_a_weekly_refresh_costs_two_fits() -> None:
    """Only rows were added: one further seed before and one after."""
    measure = Recorder()
    diff = refresh_diff(state(client(40), measure), state(client(41), measure), measure)
    assert parts(diff) == pytest.approx({"new periods": 0.01, "sampler noise": 0.0})
    assert measure.asked == [(40, 2, 1), (41, 2, 1)]


def test_what_the_published_seeds_deviate_is_noise() -> None:
    """The published fit of this refresh lay 0.2 above its other seed: 0.1 above their mean, the noise part."""
    measure = Recorder(noise={1: -0.2})
    before = PublishedState(client(40), returns_of({"tv": 1.2, "radio": 1.0}), VERSIONS, 1000.0)
    diff = refresh_diff(before, state(client(44), measure), measure)
    # before: mean of 1.2 (published; without noise 1.4) and 1.2; after: mean of 1.44 (published) and 1.24
    assert parts(diff) == pytest.approx({"new periods": 0.14, "sampler noise": 0.1})


def test_other_libraries_are_a_cause_of_their_own() -> None:
    """The old rows and settings are fitted again by today's libraries; the old fit cannot be repeated."""
    measure = Recorder()
    old = PublishedState(
        client(40), returns_of({"tv": 1.1, "radio": 1.0}), {**VERSIONS, "nutpie": "0"}, 1000.0
    )
    diff = refresh_diff(old, state(client(40), measure), measure)
    assert parts(diff) == pytest.approx({"library versions": 0.3, "sampler noise": 0.0})
    assert measure.asked == [(40, 2, 1)]


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=3), st.booleans(), st.booleans(), st.booleans())
def test_parts_sum_to_the_whole(noise: list[float], rows: bool, lag: bool, versions: bool) -> None:
    """Whatever changed, and however noisy the fits: nothing is left over."""
    measure = Recorder(dict(enumerate(noise)))
    before = state(client(40), measure, {"mmm_engine": "0"} if versions else VERSIONS)
    after = state(restated(client(44 if rows else 40, lag=3 if lag else 2)), measure)
    diff = refresh_diff(before, after, measure)
    sums = diff.groupby(["channel", "metric"])["change"].sum()
    whole = diff.groupby(["channel", "metric"])[["before", "after"]].first()
    assert np.allclose(sums, whole["after"] - whole["before"])


def test_settings_that_name_new_columns_change_first() -> None:
    """A dropped channel: this refresh's rows lack it, so the earlier rows are fitted with the new settings."""
    steps = [(step, len(data), data.config.channel_names) for step, data in
             intermediate_states(client(40), client(44, channels=("tv",)))]  # fmt: skip
    assert steps == [
        ("library versions", 40, ("tv", "radio")),
        ("settings", 40, ("tv",)),
        ("new periods", 44, ("tv",)),
    ]


def test_settings_that_fit_neither_rows_change_together_with_them() -> None:
    """One channel went and another came: rows and settings cannot be told apart."""
    after = client(44, channels=("tv", "tiktok"))
    assert [step for step, _ in intermediate_states(client(40), after)] == [
        "library versions",
        "new rows and settings",
    ]


def test_withdrawn_rows_count_as_restated() -> None:
    """The oldest rows are gone and no new ones came."""
    whole = client(40)
    later = replace(whole, frame=whole.frame.iloc[5:].reset_index(drop=True))
    assert [step for step, _ in intermediate_states(whole, later)] == ["library versions", "restated periods"]


def test_only_moves_beyond_noise_and_five_percent_count() -> None:
    """With a posterior sd of 0.12 and 1000 effective samples the error of a difference is 0.0054."""
    before = PublishedState(client(), returns_of({"tv": 1.0, "radio": 1.0, "mail": 0.1}), VERSIONS, 1000.0)
    now = returns_of({"tv": 1.1, "radio": 1.04, "mail": 0.109})
    found = moved(before, replace(before, returns=now))
    roas = found[found["metric"] == "roas"]
    assert list(roas["channel"]) == ["tv"]  # radio moved by 4%, mail by 9% but within its noise
    assert roas["change"].iloc[0] == pytest.approx(0.1)
    assert moved(before, before).empty
