"""Messages have four parts and lose none of the faults."""

import pytest

from mmm_engine.errors import ConfigError, DataError, Fault, FitError, MMMError

ONE = Fault("column 'tv', row 9", "-5", "0 or more", "write 0")
TWO = Fault("all rows", "20 rows", "at least 28", "add history")


def test_one_fault_is_one_line_with_all_four_parts():
    """A single fault is told in one line."""
    error = DataError("client 'ms', ms.csv", ONE)
    assert str(error) == "client 'ms', ms.csv: column 'tv', row 9: found -5; wanted 0 or more; write 0"
    assert error.faults == (ONE,)


def test_several_faults_are_numbered_under_their_owner():
    """Every fault of a file stands in one message."""
    error = ConfigError("client 'ms', ms.yaml", [ONE, TWO])
    assert str(error).splitlines() == [
        "client 'ms', ms.yaml: 2 faults",
        "  1. column 'tv', row 9: found -5; wanted 0 or more; write 0",
        "  2. all rows: found 20 rows; wanted at least 28; add history",
    ]


def test_very_many_faults_are_cut_off_and_counted():
    """A file with thousands of faults is not mended by reading thousands of lines; none is lost to the program."""
    error = DataError("client 'ms', ms.csv", [ONE] * 1250)
    lines = str(error).splitlines()
    assert lines[0] == "client 'ms', ms.csv: 1250 faults"
    assert len(lines) == 102
    assert lines[-1] == "  … and 1,150 more"
    assert len(error.faults) == 1250


@pytest.mark.parametrize("kind", [ConfigError, DataError, FitError])
def test_one_base_catches_everything_raised_on_purpose(kind):
    """Whoever drives the engine needs one except clause."""
    assert issubclass(kind, MMMError)
