"""The simulated night adds up: one client by hand, many by the station that is busiest."""

from pathlib import Path

import pytest

from tests.workers.night import Parts, simulate, table

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"

PARTS = Parts(sensor=1, submit=2, rows=1, windows=4, fleets=3, publish=5, tick=10, fit=2)


def test_one_client_passes_every_station_in_turn():
    """Rows end at 2; each later stage waits for a tick, then two seconds for its run.

    Windows 10 + 2 + 4 + 8 = 24; fleets after the tick at 30: 32 + 5 = 37; publication after that at 40: 42 + 5 = 47.
    """
    assert simulate(1, 1, PARTS).hours * 3600 == pytest.approx(47)


@pytest.mark.parametrize(
    ("workers", "bottleneck", "seconds"),
    [(1, "workers", 1000 * (1 + 12 + 5 + 5)), (1000, "daemon", 1000 * 6)],
)
def test_many_clients_take_as_long_as_the_busiest_station_needs(workers, bottleneck, seconds):
    """One worker: 23 s a client; workers without end: three runs of two seconds from the daemon."""
    night = simulate(1000, workers, PARTS)
    assert night.bottleneck == bottleneck
    assert night.hours * 3600 == pytest.approx(seconds, rel=0.05)
    assert night.busy[bottleneck] == pytest.approx(1, abs=0.05)


def test_a_second_instance_halves_what_the_daemon_holds_up():
    """Each has a daemon of its own."""
    one, two = simulate(2000, 4000, PARTS), simulate(2000, 4000, PARTS, instances=2)
    assert two.hours == pytest.approx(one.hours / 2, rel=0.05)


def test_the_page_shows_what_is_simulated():
    """`make night` prints the table of docs/scale.md."""
    assert table(Parts()) in PAGE.read_text()
