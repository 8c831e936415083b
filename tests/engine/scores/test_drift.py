"""Drift alarms: how often they are false, how soon they come, and what they never do.

The rates are measured on 1500 simulated clients, weekly refreshes, the way the rule runs: at every refresh anew,
with what was known then. All of a client's series count together.
"""

import numpy as np
import pandas as pd
import pytest

from mmm_engine.scores.drift import (
    WATCHED,
    DriftRule,
    alarmed,
    chart,
    crossing_probability,
    drift_score_frame,
    drift_scores,
    mix_distance,
    variance_stabilised,
)

RULE = DriftRule()
CLIENTS = 1500
ROWS = 4
WEEKLY = 52 / 12
FORECAST = ("crps", "bias", "coverage_90")


def independent_clients(rng, refreshes):
    """Stable scores of held-out rows that no two refreshes share: streams by name, shape (client, refresh)."""
    shape = (CLIENTS, refreshes)
    return {
        "crps": np.exp(rng.normal(-2, 0.3, size=shape)),
        "bias": rng.normal(0, 0.05, size=shape),
        "coverage_90": rng.binomial(ROWS, 0.9, size=shape) / ROWS,
        "mix": stable_shares(rng, refreshes),
    }


def overlapping_clients(rng, refreshes):
    """Stable scores as weekly refreshes really give them: the last four weeks, three of them seen before."""
    error = rng.normal(0, 0.1, size=(CLIENTS, refreshes + ROWS - 1))
    weeks = np.lib.stride_tricks.sliding_window_view(error, ROWS, axis=1)
    return {
        "crps": np.abs(weeks).mean(axis=2),
        "bias": weeks.mean(axis=2),
        "coverage_90": (np.abs(weeks) < 0.1645).mean(axis=2),
        "mix": stable_shares(rng, refreshes),
    }


def stable_shares(rng, refreshes, channels=8):
    """Shares that wobble by 8% of themselves around fixed ones, shape (client, refresh, channel)."""
    usual = rng.dirichlet(np.full(channels, 2.0), size=CLIENTS)[:, None, :]
    shares = usual * np.exp(rng.normal(0, 0.08, size=(CLIENTS, refreshes, channels)))
    return shares / shares.sum(axis=2, keepdims=True)


def shifted(clients, streams, size, start):
    """The clients with their streams moved to the bad side by ``size`` standard deviations from ``start`` on."""
    moved = {name: values.copy() for name, values in clients.items()}
    for name in streams:
        after = moved[name][:, start:]
        if name == "crps":
            after *= np.exp(0.3 * size)
        elif name == "bias":
            after += 0.05 * size
        else:
            after -= size * np.sqrt(0.9 * 0.1 / ROWS)
            np.clip(after, 0, 1, out=after)
    return moved


def alarms(clients, looks):
    """Whether each client is in a state of alarm at each look, shape (client, look)."""
    chance = crossing_probability(WEEKLY, sum(WATCHED[name].alpha_weight for name in clients), RULE)
    states = []
    for look in looks:
        raised = np.zeros(CLIENTS, dtype=bool)
        for name, values in clients.items():
            known = values[:, : look + 1]
            known = mix_distance(known, RULE) if name == "mix" else known
            state = chart(
                variance_stabilised(name, known, ROWS), RULE, 0.125 if name == "coverage_90" else 0.0
            )
            raised |= alarmed(state, WATCHED[name].direction, WATCHED[name].skew_factor * chance)[0]
        states.append(raised)
    return np.stack(states, axis=1)


def monthly_false_alarms(clients, start):
    """Share of clients that get a new alarm in a month, measured over half a year from ``start``."""
    state = alarms(clients, range(start, start + 27))
    return (state[:, 1:] & ~state[:, :-1]).mean() * WEEKLY


def detected(clients, streams, size, within, start):
    """Share of clients in alarm within so many refreshes of a shift, of those without an alarm before it."""
    state = alarms(shifted(clients, streams, size, start), range(start - 1, start + within))
    return state[~state[:, 0], 1:].any(axis=1).mean()


class TestFalseAlarms:
    """At most 5% of clients without drift get an alarm in a month."""

    @pytest.mark.parametrize("past", [26, 62, 114])
    @pytest.mark.parametrize("simulate", [independent_clients, overlapping_clients])
    def test_all_series_together(self, simulate, past):
        """Half a year, one year and two years of past; independent refreshes and overlapping ones."""
        clients = simulate(np.random.default_rng(past), past + 27)
        rate = monthly_false_alarms(clients, past)
        assert 0.005 < rate <= 0.05

    def test_one_series_alone(self):
        """A client with one series gets the whole allowance for it."""
        clients = {"crps": independent_clients(np.random.default_rng(1), 89)["crps"]}
        assert 0.02 < monthly_false_alarms(clients, 62) <= 0.05


class TestPower:
    """80% of shifts by 2 sd are seen within 3 refreshes, by 1 sd within 10, after a year of past."""

    @pytest.mark.parametrize(("size", "within"), [(2, 3), (1, 10)])
    def test_when_the_forecast_gets_worse(self, size, within):
        """All series watched; the three test scores shift."""
        clients = independent_clients(np.random.default_rng(2), 75)
        assert detected(clients, FORECAST, size, within, start=62) >= 0.8

    @pytest.mark.parametrize(("size", "within"), [(2, 3), (1, 10)])
    def test_when_one_series_is_watched(self, size, within):
        """The whole allowance for false alarms serves one series."""
        clients = {"crps": independent_clients(np.random.default_rng(3), 75)["crps"]}
        assert detected(clients, ["crps"], size, within, start=62) >= 0.8

    @pytest.mark.parametrize("stream", ["crps", "bias"])
    @pytest.mark.parametrize(("size", "within", "later"), [(2, 3, 5), (1, 10, 18)])
    def test_one_series_of_four_takes_longer(self, stream, size, within, later):
        """A fifth of the allowance each buys 55-70% in that time, and 80% in under twice the time."""
        clients = independent_clients(np.random.default_rng(4), 62 + 18)
        assert 0.5 < detected(clients, [stream], size, within, start=62) < 0.8
        assert detected(clients, [stream], size, later, start=62) >= 0.78


class TestOneNoisyRefresh:
    """An outlier is not a drift."""

    def test_never_raises_an_alarm_in_quiet_times(self):
        """A value 1000 sd off between values at their mean, when it comes and for nine refreshes after."""
        values = np.random.default_rng(5).normal(size=(CLIENTS, 80))
        values[:, 60:] = 0
        values[:, 70] = 1000
        for look in range(70, 80):
            assert not alarmed(chart(values[:, : look + 1], RULE), "both", 0.022)[0].any(), look

    def test_seldom_raises_one_among_ordinary_noise(self):
        """Where a neighbour is high by chance it can: one client in seven, whose other series are quiet."""
        clients = independent_clients(np.random.default_rng(12), 71)
        before = alarms(clients, [70]).mean()
        clients["crps"][:, 70] *= np.exp(0.3 * 1000)
        assert alarms(clients, [70]).mean() - before < 0.15

    def test_in_the_past_does_not_widen_the_usual_range(self):
        """Outliers among the values before are pulled in: the sd stays that of the rest."""
        values = np.random.default_rng(6).normal(size=(CLIENTS, 100))
        values[:, 20:25] = 1000
        assert np.median(chart(values, RULE).sd) == pytest.approx(1, abs=0.2)


class TestChart:
    """The statistic itself."""

    def test_hand_worked(self):
        """Past of mean 0, sd s; last value 2 s, nothing before: average 0.35 * 2."""
        past = np.tile([-1.0, 1.0], 10)
        values = np.concatenate([past, np.zeros(9), [2.0]])[None, :]
        state = chart(values, RULE)
        assert state.usual == pytest.approx([0.0])
        sd = np.sqrt(20 / 19) / 0.9887
        assert state.sd == pytest.approx([sd])
        assert state.z[0].tolist() == pytest.approx([0.0] * 9 + [2 / sd])
        variance = 0.35**2 * sum(0.65 ** (2 * age) for age in range(10)) + 1 / 20
        assert state.statistic == pytest.approx([0.35 * 2 / sd / np.sqrt(variance)])
        assert state.freedom == pytest.approx([19])

    def test_a_past_without_noise_does_not_divide_by_zero(self):
        """Always the same value, then another: finite, and an alarm once it has stayed."""
        values = np.ones((1, 40))
        assert chart(values, RULE).statistic == pytest.approx([0.0])
        values[:, -3:] = 1.1
        state = chart(values, RULE)
        assert np.isfinite(state.statistic).all()
        assert alarmed(state, "up", 0.004)[0].all()
        assert not alarmed(state, "down", 0.004)[0].any()

    def test_needs_a_past(self):
        """16 refreshes before the last ten."""
        with pytest.raises(ValueError, match="25 refreshes are fewer than 10 \\+ 16"):
            chart(np.zeros((1, 25)), RULE)

    def test_mix_distance_hand_worked(self):
        """A tenth of all contribution moves from one channel to the other."""
        shares = np.tile([0.5, 0.5], (30, 1))
        shares[-1] = [0.6, 0.4]
        distance = mix_distance(shares, RULE)
        assert distance[-1] == pytest.approx(0.1)
        assert distance[:-1] == pytest.approx(np.zeros(29))

    def test_mix_distance_is_alike_in_past_and_present(self):
        """Past values are held against the others only, so a stable mix does not seem to move away."""
        shares = stable_shares(np.random.default_rng(7), 26)
        distance = mix_distance(shares, RULE)
        assert distance[:, -10:].mean() == pytest.approx(distance[:, :16].mean(), rel=0.01)


def recorded(series, window="h04", split="test", metric="crps", channel="all", every="7D"):
    """History rows of one series, one refresh after the other."""
    cutoffs = pd.date_range("2024-01-01", periods=len(series), freq=every)
    return pd.DataFrame(
        {
            "cutoff": cutoffs,
            "recorded_at": cutoffs + pd.Timedelta(days=1),
            "window": window,
            "split": split,
            "channel": channel,
            "metric": metric,
            "value": series,
            "horizon": ROWS,
        }
    )


class TestClientHistory:
    """From recorded scores to a verdict in words."""

    def test_a_client_that_drifts(self):
        """Scores double for three weeks: an alarm for crps, none for the rest, with the numbers in words."""
        rng = np.random.default_rng(8)
        crps = 0.1 * np.exp(rng.normal(0, 0.1, size=60))
        crps[-3:] = 0.2
        bias = rng.normal(0, 0.02, size=60)
        history = pd.concat([recorded(crps), recorded(bias, metric="bias")])
        drift = drift_scores(history).set_index("stream")
        assert drift["alarm"].to_dict() == {"crps": True, "bias": False, "coverage_90": False, "mix": False}
        assert drift.loc["crps", "reason"].startswith("crps has left its usual range: now 0.2, usually 0.0")
        assert drift.loc["mix", "reason"] == "0 of the 26 refreshes needed are recorded"

    def test_the_mix_is_read_from_the_shares_of_the_full_window(self):
        """Two channels swap a quarter of all contribution."""
        rng = np.random.default_rng(9)
        tv = 0.6 + rng.normal(0, 0.01, size=40)
        tv[-3:] = 0.35
        parts = [("tv", tv), ("radio", 1 - tv)]
        history = pd.concat([recorded(v, "full", "train", "share", name) for name, v in parts])
        drift = drift_scores(history).set_index("stream").loc["mix"]
        assert drift["alarm"]
        assert drift["value"] == pytest.approx(0.25, abs=0.01)

    def test_a_refresh_that_was_repeated_counts_once(self):
        """The same cutoff again, ten times, is no new evidence; the last one counts."""
        history = recorded(np.tile([0.11, 0.1, 0.09, 0.1], 10))
        again = history.tail(1).assign(value=0.5)
        repeats = [
            again.assign(recorded_at=again["recorded_at"] + pd.Timedelta(hours=h)) for h in range(1, 11)
        ]
        drift = drift_scores(pd.concat([history, *repeats])).set_index("stream").loc["crps"]
        assert drift["value"] == 0.5
        assert not drift["alarm"]

    def test_monthly_refreshes_have_a_nearer_limit(self):
        """One look a month may cross as often as four weekly looks together."""
        values = np.random.default_rng(11).normal(0.1, 0.01, size=40)
        weekly = drift_scores(recorded(values)).set_index("stream").loc["crps", "limit"]
        monthly = drift_scores(recorded(values, every="MS")).set_index("stream").loc["crps", "limit"]
        assert 0 < monthly < weekly

    def test_undefined_scores_are_left_out(self):
        """NaN is no value, and no refresh."""
        values = np.full(40, 0.1)
        values[:20] = np.nan
        drift = drift_scores(recorded(values)).set_index("stream").loc["crps"]
        assert drift["reason"] == "20 of the 26 refreshes needed are recorded"

    def test_an_empty_history_is_not_an_error(self):
        """A new client has no past."""
        assert not drift_scores(recorded([])).alarm.any()

    def test_rows_for_the_history_are_one_and_above_in_alarm_only(self):
        """What the view ``open_alarms`` reads."""
        drift = pd.DataFrame(
            {
                "stream": ["crps", "bias", "mix"],
                "statistic": [6.0, -4.0, np.nan],
                "limit": [3.0, 3.0, np.nan],
                "alarm": [True, False, False],
            }
        )
        frame = drift_score_frame(drift).set_index("metric")["value"]
        assert frame["drift_crps"] == 2.0
        assert frame["drift_bias"] == 0.99
        assert np.isnan(frame["drift_mix"])
