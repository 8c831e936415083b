"""New rows that take back what the last ones said are refused until somebody accepts them; growth never is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.errors import DataError
from mmm_engine.rows.client_data import client_data_from_frame
from mmm_engine.rows.restatement import refuse_restated, restated_share
from tests.engine.client_cases import shop_config, shop_rows


def data(frame, **changes):
    """Checked rows of the client."""
    return client_data_from_frame(shop_config(**changes), frame)


def faults(before, now, **changes):
    """The faults of a second file, as text."""
    try:
        refuse_restated(data(before), data(now, **changes))
    except DataError as error:
        return [str(fault) for fault in error.faults]
    return []


def test_a_truncated_export_is_refused_with_the_rows_that_are_gone():
    """Twelve of sixty weeks are missing at the end: the message says which, and how to accept it."""
    assert faults(shop_rows(60), shop_rows(60).iloc[:48]) == [
        "all rows: found 12 rows are gone that the file had at the last refresh (2022-12-05 to 2023-02-20); it now "
        "ends on 2022-11-28; wanted the rows it had, and newer ones; hand in the whole file again; if the new one is "
        "right: mmm refresh shop --accept-restated"
    ]


@pytest.mark.parametrize(
    ("leaving", "coming", "refused"), [(0, 4, False), (4, 4, False), (2, 4, False), (5, 4, True)]
)
def test_an_export_of_the_last_years_moves_on(leaving, coming, refused):
    """As many of the oldest rows may leave as new ones come; more are lost."""
    long = shop_rows(70)
    found = faults(long.iloc[:60], long.iloc[leaving : 60 + coming])
    assert bool(found) == refused
    assert not refused or "5 rows are gone" in found[0]


def test_a_restatement_is_told_with_its_size_and_its_largest_row():
    """A fifth more everywhere in one column; the four last weeks may change as they like."""
    before = shop_rows()
    now = before.copy()
    now["tv"] = now["tv"] * 1.2
    (fault,) = faults(before, now)
    assert fault.startswith("column 'tv': found restated by 20% since the last refresh, most on 20")
    assert "wanted at most 10% (thresholds.restated_max) in rows older than four weeks" in fault
    assert faults(before, now, thresholds={"restated_max": 0.21}) == []
    late = before.copy()
    late.loc[56:, "revenue"] = late.loc[56:, "revenue"] * 3
    assert faults(before, late) == []
    late.loc[30:, "revenue"] = late.loc[30:, "revenue"] * 3
    assert "column 'revenue': found restated" in faults(before, late)[0]


def test_other_columns_and_settings_are_no_restatement():
    """A control that is new or gone was never said before."""
    assert faults(shop_rows().assign(rain=shop_rows()["price"]), shop_rows()) == []
    refuse_restated(data(shop_rows(), controls=[]), data(shop_rows()))


def test_rows_of_another_period_are_refused():
    """Weeks that became days are other rows altogether."""
    days = shop_rows(200, dates=[str(np.datetime64("2022-01-03") + day) for day in range(200)])
    assert faults(shop_rows(), days)[0].startswith(
        "all rows: found rows by day, at the last refresh rows by week"
    )


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=20),
    st.floats(0, 3),
    st.floats(0.001, 1000),
)
def test_the_share_does_not_depend_on_the_unit(values, factor, unit):
    """A column that is factor times what it was is restated by |factor - 1|, in any unit."""
    old = np.array(values, dtype=float)
    expected = abs(factor - 1) if old.any() else 0.0
    assert restated_share(old * unit, old * factor * unit) == pytest.approx(expected, abs=1e-9)
