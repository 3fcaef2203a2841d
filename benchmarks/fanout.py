"""What one event to one client costs the whole server process, against `websockets.broadcast()` for each event."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import processes, streams
from benchmarks.drain import draining
from benchmarks.report import Figure, against, beside

CLIENTS = 100
SECONDS = 5.0
ROUNDS = 3  # of each, in turn
BURST, BURSTS = 16, 60  # events at one time, such times a second


def run() -> list[Figure]:
    with TemporaryDirectory() as folder:
        length = SECONDS * 2 + 5
        bursts = streams.bursts(Path(folder) / "bursts.csv", seconds=length, per_second=BURSTS, size=BURST)
        market = streams.random_times(Path(folder) / "market.csv", seconds=length, per_second=400)
        ours, naive = _compare(bursts, BURST * BURSTS)
        ours_market, naive_market = _compare(market, 400)
    return [
        against(
            f"{BURST} events a wake-up, {CLIENTS} clients: CPU an event and client, of broadcast()'s",
            ours / naive,
            0.2,
            digits=3,
        ),
        beside("  feedsim, broadcast()", f"{ours * 1e6:.2f} µs, {naive * 1e6:.2f} µs"),
        beside("400 events a second at random times, of broadcast()'s", f"{ours_market / naive_market:.3f}"),
        beside("  feedsim, broadcast()", f"{ours_market * 1e6:.2f} µs, {naive_market * 1e6:.2f} µs"),
    ]


def _compare(stream: Path, per_second: int) -> tuple[float, float]:
    """CPU seconds an event and client: feedsim's and the naive server's, of rounds in turn."""
    ours = naive = 0.0
    for _ in range(ROUNDS):
        with processes.feedsim(str(stream), "--wait-clients", str(CLIENTS), "--bar-tf-s", "60") as server:
            ours += _cost(server)
        with processes.serving([sys.executable, "-m", "benchmarks.naive", str(stream)]) as server:
            naive += _cost(server)
    events = SECONDS * per_second * CLIENTS * ROUNDS
    return ours / events, naive / events


def _cost(server: processes.Server) -> float:
    """CPU seconds of the process during SECONDS of the stream."""
    with draining(server.port, CLIENTS, ["trade"]):
        time.sleep(1)
        before, started = server.cpu_s(), time.monotonic()
        time.sleep(SECONDS)
        return (server.cpu_s() - before) * SECONDS / (time.monotonic() - started)
