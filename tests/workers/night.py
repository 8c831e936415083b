"""A night of many clients on many workers, simulated from measured parts: how long it takes and what holds it up.

Here: the stations that a client's refresh passes, their queues, the table of docs/scale.md.
Not here: measuring the parts (`make workers-demo`, the log of `mmm ui`; docs/scale.md says which is from where).

    python -m tests.workers.night --fit 5
"""

from __future__ import annotations

import argparse
import heapq
import math
from collections import defaultdict
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Parts:
    """Seconds of one client's refresh at each place it passes.

    Attributes:
        sensor: The sensor asks for the run of rows; one process.
        submit: The daemon makes and queues one of the three later runs; one process.
        rows: Worker, run of rows.
        windows: Worker, run of the windows beside sampling.
        fleets: Worker, run of the fleets beside sampling.
        publish: Worker, run of history and report.
        tick: Time between two evaluations of automation, for 5,000 clients; grows with clients.
        fit: Sampling of one fit; a refresh has five.
    """

    sensor: float = 0.2
    submit: float = 0.25
    rows: float = 0.1
    windows: float = 1.6
    fleets: float = 0.6
    publish: float = 2.7
    tick: float = 11.0
    fit: float = 5.0

    def on_workers(self) -> tuple[float, float, float, float]:
        """Seconds of a worker for each of the four runs."""
        return self.rows, self.windows + 4 * self.fit, self.fleets + self.fit, self.publish


@dataclass(frozen=True)
class Night:
    """How it went.

    Attributes:
        hours: From the first file to the last report.
        bottleneck: The station that was busy for the largest part of it.
        busy: Station to the part of the night in which it was.
    """

    hours: float
    bottleneck: str
    busy: dict[str, float]


def simulate(clients: int, workers: int, parts: Parts, instances: int = 1) -> Night:
    """Send clients through the stations, first come first served.

    Args:
        clients: All of whose files are there at the beginning.
        workers: Machines that fit, one client at a time each.
        parts: Seconds at each station.
        instances: Dagster instances (daemon and database) among which clients and workers are divided evenly.
    """
    clients, workers = math.ceil(clients / instances), max(1, workers // instances)
    tick = max(10.0, parts.tick * clients / 5_000)
    capacity = {"sensor": 1, "daemon": 1, "workers": workers}
    free = {station: [0.0] * servers for station, servers in capacity.items()}
    spent: dict[str, float] = defaultdict(float)
    path: list[tuple[str, float]] = [("sensor", parts.sensor), ("workers", parts.on_workers()[0])]
    for seconds in parts.on_workers()[1:]:
        path += [("wait", tick), ("daemon", parts.submit), ("workers", seconds)]
    events = [(0.0, client, 0) for client in range(clients)]
    end = 0.0
    while events:
        now, client, step = heapq.heappop(events)
        if step == len(path):
            end = max(end, now)
            continue
        station, seconds = path[step]
        if station == "wait":  # until the next look
            done = math.floor(now / seconds + 1) * seconds
        else:
            begin = max(now, heapq.heappop(free[station]))
            done = begin + seconds
            heapq.heappush(free[station], done)
            spent[station] += seconds / capacity[station]
        heapq.heappush(events, (done, client, step + 1))
    busy = {station: seconds / end for station, seconds in spent.items()}
    return Night(end / 3600, max(busy, key=lambda station: busy[station]), busy)


def table(parts: Parts) -> str:
    """The table of the page, as Markdown."""
    lines = [
        "| clients | workers | instances | hours | held up by | workers busy |",
        "|---|---|---|---|---|---|",
    ]
    plans = [(5_000, 4, 1), (5_000, 8, 1), (5_000, 16, 1), (5_000, 64, 1), (5_000, 64, 4)]
    plans += [(20_000, 64, 4), (100_000, 320, 20)]
    for clients, workers, instances in plans:
        night = simulate(clients, workers, parts, instances)
        words = {
            "workers": "workers",
            "daemon": "the daemon, which makes runs one by one",
            "sensor": "the sensor",
        }
        lines.append(
            f"| {clients:,} | {workers} | {instances} | {night.hours:.1f} | {words[night.bottleneck]} | "
            f"{night.busy['workers']:.0%} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", type=float, default=Parts.fit, help="Seconds of sampling of one fit.")
    print(table(replace(Parts(), fit=parser.parse_args().fit)))


if __name__ == "__main__":
    main()
