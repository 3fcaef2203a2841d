"""How long an event is on its way from the server to another process, and a request to its answer; the least in C."""

from __future__ import annotations

import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import processes, streams
from benchmarks.measuring import Cost, Way, feedsim, in_turn, spent
from benchmarks.native import program
from benchmarks.records import records
from benchmarks.report import Figure, against, beside

PER_SECOND = 1000
SECONDS, LENGTH_S, ROUNDS = 3.0, 8.0, 5
ONE_WAY_US, HUNDRED_US = 250, 1500
CONNECTIONS = 10
VS_BARE = 2.0


def run() -> list[Figure]:
    with TemporaryDirectory() as folder:
        source = streams.random_times(Path(folder) / "even.csv", seconds=LENGTH_S, per_second=PER_SECOND)
        recording = streams.recorded(source, Path(folder) / "recording")
        frames = records(recording, Path(folder) / "frames", channel="trade")
        return [*_one_way(recording, frames), *_hundred(recording), *_round_trip(recording)]


def _one_way(recording: Path, frames: Path) -> list[Figure]:
    ways = {
        "feedsim": feedsim(str(recording), "--wait-clients", "1", channels=["trade"]),
        "C": Way(partial(processes.serving, [program("sender"), str(frames), "1", "paced"])),
    }
    costs = in_turn(ways, clients=1, seconds=SECONDS, rounds=ROUNDS)
    ours, theirs = costs["feedsim"], costs["C"]
    return [
        against(
            f"one way at {PER_SECOND:,} events a second, one client, window 0: p99",
            _median(ours, 0.99),
            ONE_WAY_US,
            unit=" µs",
            digits=0,
            key="oneway_p99_us",
            spent=spent(ours),
        ),
        beside("  p50, p99.9", f"{_median(ours, 0.5):.0f}, {_median(ours, 0.999):.0f} µs"),
        beside(
            "  from a C sender: p50, p99, p99.9",
            ", ".join(f"{_median(theirs, q):.0f}" for q in (0.5, 0.99, 0.999)) + " µs",
            spent=spent(theirs),
        ),
    ]


def _hundred(recording: Path) -> list[Figure]:
    way = feedsim(str(recording), "--wait-clients", "100", "--coalesce", "1", channels=["trade"])
    costs = in_turn({"feedsim": way}, clients=100, seconds=SECONDS, rounds=ROUNDS)["feedsim"]
    name = "one way to the last of 100 clients, window of 1 ms: p99 over all clients"
    return [
        against(
            name,
            _median(costs, 0.99),
            HUNDRED_US,
            unit=" µs",
            digits=0,
            key="oneway_100_p99_us",
            spent=spent(costs),
        ),
        beside("  p50", f"{_median(costs, 0.5):.0f} µs"),
    ]


def _median(costs: list[Cost], share: float) -> float:
    found = {0.5: "p50_us", 0.99: "p99_us", 0.999: "p999_us"}[share]
    return float(statistics.median(getattr(cost.taken, found) for cost in costs))


def _round_trip(recording: Path) -> list[Figure]:
    """A ping and its pong, beside the same bytes sent back by a bare server of the same library."""
    bare = [sys.executable, "-m", "benchmarks.rivals.echo"]
    ratios, ours, theirs = [], [], []
    for _ in range(ROUNDS):
        with processes.feedsim(str(recording), "--wait-clients", "1") as server:
            ours.append(_asked(server.port))
        with processes.serving(bare) as server:
            theirs.append(_asked(server.port))
        ratios.append(ours[-1][0] / theirs[-1][0])
    p50, p99 = (statistics.median(each[at] for each in ours) for at in (0, 1))
    bare50, bare99 = (statistics.median(each[at] for each in theirs) for at in (0, 1))
    return [
        against(
            "request to answer (ping), of a bare `websockets` echo: p50",
            statistics.median(ratios),
            VS_BARE,
            key="request_reply_vs_bare",
        ),
        beside("  p50, p99; of the echo", f"{p50:.0f}, {p99:.0f} µs; {bare50:.0f}, {bare99:.0f} µs"),
    ]


def _asked(port: int) -> tuple[float, float]:
    """p50 and p99 of round trips, in µs."""
    command = [program("asker"), str(port), str(CONNECTIONS)]
    p50, p99 = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
    return float(p50), float(p99)
