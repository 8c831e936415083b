"""The forecast ledger: frozen when made, scored when the weeks arrive, honest about how it went."""

from datetime import UTC, datetime

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from mmm_engine.history.ledger import FORECAST_COLUMNS, HORIZON, VINTAGE, accuracy, judge
from mmm_engine.history.store import History

CUTOFF = pd.Timestamp("2026-01-05")
WEEKS = pd.date_range("2026-01-12", periods=3, freq="7D")
ISSUED = datetime(2026, 1, 6, 9, tzinfo=UTC)
LATER = datetime(2026, 1, 27, 9, tzinfo=UTC)


def forecast(center=100.0, dates=WEEKS):
    """A forecast with quantiles 20, 10 and 0 either side of its centre."""
    offsets = {"q05": -20.0, "q25": -10.0, "q50": 0.0, "q75": 10.0, "q95": 20.0, "mean": 0.0}
    return pd.DataFrame({"date": dates, **{name: center + offset for name, offset in offsets.items()}})


def freeze(history, frame=None, **changes):
    """Freeze a forecast of client ms with the stamps of this file."""
    stamps = {"cutoff": CUTOFF, "issued_at": ISSUED, "run_id": "run-1", "data_version": "data1"} | changes
    return history.freeze_forecast("ms", forecast() if frame is None else frame, **stamps)


@pytest.fixture
def history(tmp_path):
    """A history that does not exist yet."""
    return History(tmp_path / "metric_history.duckdb", patience=10)


class TestFreezing:
    """A forecast cannot be changed afterwards."""

    def test_rows_carry_their_vintage_and_horizon(self, history):
        """1, 2, 3 periods ahead of the cutoff, in whatever order the frame has them."""
        assert freeze(history, forecast().iloc[::-1]) == 3
        ledger = history.ledger("ms")
        assert ledger["date"].tolist() == WEEKS.tolist()
        assert ledger["horizon"].tolist() == [1, 2, 3]
        assert set(ledger["cutoff"]) == {CUTOFF}
        assert set(ledger["issued_at"]) == {pd.Timestamp("2026-01-06 09:00")}
        assert ledger["actual"].isna().all()
        assert ledger["scored_at"].isna().all()
        with duckdb.connect(history.path, read_only=True) as database:
            query = "SELECT count(*) FROM forecast_ledger WHERE actual IS NULL AND scored_at IS NULL"
            assert database.execute(query).fetchall() == [(3,)]

    def test_the_first_forecast_of_a_vintage_stays(self, history):
        """A refresh that is run again, with other numbers, does not rewrite what was said."""
        freeze(history)
        assert freeze(history, forecast(center=500.0), run_id="run-2") == 0
        ledger = history.ledger("ms")
        assert set(ledger["q50"]) == {100.0}
        assert set(ledger["run_id"]) == {"run-1"}

    def test_new_data_is_a_new_vintage(self, history):
        """A later cutoff, or restated data at the same cutoff."""
        freeze(history)
        assert freeze(history, data_version="data1-restated") == 3
        assert freeze(history, forecast(dates=WEEKS[1:]), cutoff=WEEKS[0], data_version="data2") == 2
        assert len(history.ledger("ms")) == 8

    @pytest.mark.parametrize(
        ("frame", "words"),
        [
            (forecast().drop(columns="q25"), "lacks the columns"),
            (forecast(dates=[CUTOFF, *WEEKS[1:]]), "after the cutoff"),
            (forecast(dates=[WEEKS[0]] * 3), "different"),
            (forecast().assign(q50=np.nan), "missing"),
            (forecast().assign(q25=115.0), "cross"),
        ],
    )
    def test_what_would_be_wrong_for_ever_is_refused(self, history, frame, words):
        """Missing columns, known dates, dates twice, missing numbers, crossing quantiles."""
        with pytest.raises(ValueError, match=words):
            freeze(history, frame)
        assert not history.path.exists()


class TestScoring:
    """What happened is filled in when it is known."""

    def test_actuals_are_filled_in_by_date(self, history):
        """Two of three weeks have arrived; dates that were never forecast do no harm."""
        freeze(history)
        actuals = pd.Series([95.0, 130.0, 7.0], index=[WEEKS[0], WEEKS[1], CUTOFF])
        assert history.score_forecasts("ms", actuals, scored_at=LATER) == 2
        ledger = history.ledger("ms")
        assert ledger["actual"].tolist()[:2] == [95.0, 130.0]
        assert ledger["scored_at"].tolist()[:2] == [pd.Timestamp("2026-01-27 09:00")] * 2
        assert ledger["actual"].isna().tolist() == [False, False, True]

    def test_every_vintage_of_a_week_is_scored(self, history):
        """One week, forecast twice: 2 weeks ahead and 1 week ahead."""
        freeze(history)
        freeze(history, forecast(dates=WEEKS[1:]), cutoff=WEEKS[0], data_version="data2")
        assert history.score_forecasts("ms", pd.Series([100.0], index=[WEEKS[1]])) == 2

    def test_scoring_again_changes_nothing(self, history):
        """The time of the first scoring stays."""
        freeze(history)
        actuals = pd.Series([95.0], index=WEEKS[:1])
        history.score_forecasts("ms", actuals, scored_at=LATER)
        before = history.ledger("ms")
        assert history.score_forecasts("ms", actuals, scored_at=datetime(2027, 1, 1, tzinfo=UTC)) == 0
        pd.testing.assert_frame_equal(history.ledger("ms"), before)

    def test_a_restated_week_is_scored_anew(self, history):
        """The forecast is frozen; it is held to the best known truth. A missing value takes nothing away."""
        freeze(history)
        history.score_forecasts("ms", pd.Series([95.0], index=WEEKS[:1]), scored_at=LATER)
        assert history.score_forecasts("ms", pd.Series([99.0], index=WEEKS[:1])) == 1
        assert history.score_forecasts("ms", pd.Series([np.nan], index=WEEKS[:1])) == 0
        assert history.ledger("ms")["actual"].iloc[0] == 99.0

    def test_a_client_without_forecasts_has_nothing_to_score(self, history):
        """No error, no file."""
        assert history.score_forecasts("ms", pd.Series([1.0], index=WEEKS[:1])) == 0
        assert not history.path.exists()

    def test_clients_do_not_mix(self, history):
        """Each client has its own ledger."""
        freeze(history)
        history.score_forecasts("other", pd.Series([1.0], index=WEEKS[:1]))
        assert history.ledger("other").empty
        assert history.ledger(["ms", "other"])["actual"].isna().all()

    def test_a_rebuilt_database_holds_the_same_ledger(self, history):
        """Forecasts and what happened are facts too."""
        freeze(history)
        history.score_forecasts("ms", pd.Series([95.0], index=WEEKS[:1]), scored_at=LATER)
        before = history.ledger()
        history.path.unlink()
        assert history.rebuild() == 3
        pd.testing.assert_frame_equal(history.ledger(), before)


class TestJudging:
    """How each forecast turned out."""

    def test_hand_worked(self, history):
        """Actual 95 is inside both intervals, 85 in the wide one only, 130 in neither."""
        freeze(history)
        history.score_forecasts("ms", pd.Series([95.0, 85.0, 130.0], index=WEEKS))
        ledger = history.ledger("ms")
        assert ledger["inside_50"].tolist() == [True, False, False]
        assert ledger["inside_90"].tolist() == [True, True, False]
        assert ledger["error"].tolist() == [5.0, 15.0, -30.0]
        # Actual 95 is above q05 and q25 by 15 and 5, below q50, q75 and q95 by 5, 15 and 25.
        losses = [0.15 * 0.05 * 15, 0.225 * 0.25 * 5, 0.25 * 0.5 * 5, 0.225 * 0.25 * 15, 0.15 * 0.05 * 25]
        assert ledger["crps"].iloc[0] == pytest.approx(2 * sum(losses))

    def test_what_is_not_known_is_missing(self, history):
        """Not False, and not 0."""
        freeze(history)
        ledger = history.ledger("ms")
        for column in ("inside_50", "inside_90", "error", "crps"):
            assert ledger[column].isna().all(), column

    def test_crps_is_near_that_of_the_whole_distribution(self):
        """Five quantiles of a normal forecast: 3% low on average when it is right, 1% when it is far off."""
        quantiles = norm.ppf([0.05, 0.25, 0.5, 0.75, 0.95])
        actual = np.concatenate([np.random.default_rng(1).normal(size=20_000), [5.0]])
        frame = pd.DataFrame(
            dict(zip(FORECAST_COLUMNS[1:-1], quantiles, strict=True)), index=range(len(actual))
        )
        ours = judge(frame.assign(mean=0.0, actual=actual))["crps"].to_numpy()
        exact = actual * (2 * norm.cdf(actual) - 1) + 2 * norm.pdf(actual) - 1 / np.sqrt(np.pi)
        assert ours[:-1].mean() / exact[:-1].mean() == pytest.approx(0.97, abs=0.005)
        assert ours[-1] / exact[-1] == pytest.approx(0.993, abs=0.002)

    def test_the_view_agrees_with_the_frame(self, history):
        """``forecast_accuracy`` in SQL and ``judge`` in pandas are one definition."""
        for week in range(3):
            dates = WEEKS + pd.Timedelta(weeks=week)
            freeze(
                history,
                forecast(dates=dates),
                cutoff=CUTOFF + pd.Timedelta(weeks=week),
                data_version=f"d{week}",
            )
        actuals = pd.Series([95.0, 85.0, 130.0, 101.0], index=pd.date_range(WEEKS[0], periods=4, freq="7D"))
        history.score_forecasts("ms", actuals)
        scored = history.ledger("ms").dropna(subset="actual")
        with duckdb.connect(history.path, read_only=True) as database:
            view = (
                database.execute("SELECT * FROM forecast_accuracy ORDER BY horizon").df().set_index("horizon")
            )
        ours = accuracy(scored, HORIZON).set_index("horizon").drop(columns="client")
        pd.testing.assert_frame_equal(
            ours, view[list(ours.columns)], check_dtype=False, check_index_type=False
        )
        for horizon, rows in scored.groupby("horizon"):
            row = view.loc[horizon]
            assert row["forecasts"] == len(rows)
            assert row["coverage_50"] == pytest.approx(rows["inside_50"].mean())
            assert row["coverage_90"] == pytest.approx(rows["inside_90"].mean())
            assert row["bias"] == pytest.approx(rows["error"].sum() / rows["actual"].sum())
            assert row["wape"] == pytest.approx(rows["error"].abs().sum() / rows["actual"].sum())
            assert row["crps"] == pytest.approx(rows["crps"].mean())

    def test_by_vintage(self, history):
        """Each vintage is judged on what has come of it; one that is all ahead has no row."""
        freeze(history)
        later = CUTOFF + pd.Timedelta(weeks=3)
        freeze(history, forecast(dates=WEEKS + pd.Timedelta(weeks=3)), cutoff=later, data_version="d1")
        history.score_forecasts("ms", pd.Series([95.0, 130.0], index=WEEKS[[0, 2]]))
        (vintage,) = accuracy(history.ledger("ms"), VINTAGE).to_dict("records")
        assert (vintage["cutoff"], vintage["forecasts"], vintage["coverage_90"]) == (CUTOFF, 2, 0.5)
        assert vintage["bias"] == pytest.approx((5.0 - 30.0) / (95.0 + 130.0))
