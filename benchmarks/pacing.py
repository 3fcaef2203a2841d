"""How late wake-ups are at a thousand events a second, and what being on time costs; beside plain `asyncio.sleep`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import uvloop

from benchmarks import processes, streams
from benchmarks.drain import draining
from benchmarks.report import Figure, against, beside
from feedsim.app.opening import make_player, open_tape
from feedsim.config import PaceSettings

SECONDS = 10
PER_SECOND = 1000


class Outcome(msgspec.Struct):
    """Of one run: how late wake-ups were, and the share of a core that was used."""

    late_s: list[float]
    cpu: float

    def quantile_us(self, q: float) -> float:
        return sorted(self.late_s)[int(q * (len(self.late_s) - 1))] * 1e6


def run() -> list[Figure]:
    with TemporaryDirectory() as folder:
        stream = streams.bursts(Path(folder) / "even.csv", seconds=SECONDS + 5, per_second=PER_SECOND, size=1)
        player, plain = _child("player", stream), _child("plain", stream)
        served_cpu, served_late = _served(stream)
    return [
        against(f"{PER_SECOND:,} events/s at 1×: p99 lateness", player.quantile_us(0.99), 300, unit=" µs", digits=0),
        against("  share of a core", player.cpu * 100, 15, unit=" %", digits=1),
        beside("  p50, p99.9", f"{player.quantile_us(0.5):.1f} µs, {player.quantile_us(0.999):.0f} µs"),
        beside(
            "plain asyncio.sleep: p50, p99, share of a core",
            f"{plain.quantile_us(0.5):.0f} µs, {plain.quantile_us(0.99):.0f} µs, {plain.cpu:.1%}",
        ),
        beside("p99 lateness, of asyncio.sleep's", f"{player.quantile_us(0.99) / plain.quantile_us(0.99):.3f}"),
        beside(
            "the server with one client: wake-ups within 300 µs, share of a core",
            f"{served_late:.2%}, {served_cpu:.1%}",
        ),
    ]


def _child(way: str, stream: Path) -> Outcome:
    """A run in a process that does nothing else."""
    command = [sys.executable, "-m", "benchmarks.pacing", way, str(stream)]
    printed = subprocess.run(command, capture_output=True, check=True, env=processes.ENVIRONMENT).stdout
    return msgspec.json.decode(printed, type=Outcome)


def _served(stream: Path) -> tuple[float, float]:
    """Share of a core, and of wake-ups that were at most 300 µs late, for the server with one client."""
    with processes.feedsim(str(stream), "--wait-clients", "1") as server, draining(server.port, 1, ["trade"]):
        time.sleep(1)
        before, cpu, started = server.metrics(), server.cpu_s(), time.monotonic()
        time.sleep(SECONDS)
        share = (server.cpu_s() - cpu) / (time.monotonic() - started)
        after = server.metrics()
    within, total = (
        after[name] - before[name]
        for name in (
            'feedsim_pacing_error_seconds_bucket{le="0.0003"}',
            'feedsim_pacing_error_seconds_bucket{le="+Inf"}',
        )
    )
    return share, within / total


async def _play(stream: Path) -> Outcome:
    settings = PaceSettings(source=str(stream), bar_tf_s=(60,))
    player = make_player(open_tape(settings), settings)
    late: list[float] = []
    player.on_late = late.append
    cpu, started = _cpu_s(), time.monotonic()
    async for _ in player.play():
        if len(late) >= SECONDS * PER_SECOND:
            break
    return Outcome(late, (_cpu_s() - cpu) / (time.monotonic() - started))


async def _sleep(_: Path) -> Outcome:
    late: list[float] = []
    cpu, started = _cpu_s(), time.monotonic()
    for index in range(SECONDS * PER_SECOND):
        due = started + index / PER_SECOND
        await asyncio.sleep(max(due - time.monotonic(), 0))
        late.append(time.monotonic() - due)
    return Outcome(late, (_cpu_s() - cpu) / (time.monotonic() - started))


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system


if __name__ == "__main__":
    outcome = (
        uvloop.run(_play(Path(sys.argv[2]))) if sys.argv[1] == "player" else asyncio.run(_sleep(Path(sys.argv[2])))
    )
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
