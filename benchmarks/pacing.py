"""How late wake-ups are at random times, and what being on time costs: the server with one client, in one process.

Beside it the player alone, and plain `asyncio.sleep` to the same deadlines.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import msgspec

from benchmarks import processes, streams
from benchmarks.report import Figure, against, beside
from benchmarks.sink import sinking
from feedsim.app.opening import make_player, open_tape
from feedsim.app.service import Service
from feedsim.config import PaceSettings, ServeSettings
from feedsim.lab.lateness import quantile
from feedsim.playback.loop import run as run_loop

SECONDS, ROUNDS = 4, 5
WARM_S = 1.0
RATES = (100, 1000, 10_000)
P99_US, CPU_SHARE = 150, 0.15
Way = Literal["served", "player", "sleep"]


class Outcome(msgspec.Struct):
    """Of one run: how late wake-ups were, and the CPU that was used."""

    late_s: list[float]
    cpu_s: float
    seconds: float
    waited_s: list[float] = []
    """Since the wake-up before, for a core: the process could run, and others did."""

    def us(self, share: float) -> float:
        return quantile(self.late_s, share) * 1e6

    def own_us(self, share: float) -> float:
        """Lateness without the wait for a core."""
        pairs = zip(self.late_s, self.waited_s, strict=True)
        return quantile([max(late - waited, 0.0) for late, waited in pairs], share) * 1e6

    @property
    def cpu(self) -> float:
        """Share of a core."""
        return self.cpu_s / self.seconds


def run() -> list[Figure]:
    with TemporaryDirectory() as folder:
        return [figure for rate in RATES for figure in _at(rate, Path(folder))]


def _at(rate: int, folder: Path) -> list[Figure]:
    source = streams.random_times(folder / f"{rate}.csv", seconds=SECONDS + 4, per_second=rate)
    recording = streams.recorded(source, folder / f"{rate}")
    ways: tuple[Way, ...] = ("served", "player", "sleep")
    found: dict[Way, list[Outcome]] = {way: [] for way in ways}
    for _ in range(ROUNDS if rate == 1000 else 1):
        for way in ways:
            found[way].append(_child(way, recording))
    served = found["served"]
    p99, cpu = _middle(served, lambda one: one.us(0.99)), _middle(served, lambda one: one.cpu)
    spent = f"{sum(one.cpu_s for one in served):.2f} in {sum(one.seconds for one in served):.1f}"
    title = f"{rate:,} events a second at random times, served to one client: "
    rows = [
        _row(name, outcomes) for name, outcomes in (("the player alone", found["player"]), ("sleep", found["sleep"]))
    ]
    if rate != 1000:
        return [beside(f"{title}p99 lateness, share of a core", f"{p99:.0f} µs, {cpu:.1%}", spent=spent), *rows]
    p50, p999 = (_middle(served, lambda one, share=share: one.us(share)) for share in (0.5, 0.999))  # type: ignore[misc]
    own = _middle(served, lambda one: one.own_us(0.99))
    return [
        against(f"{title}p99 lateness", p99, P99_US, unit=" µs", digits=0, key="pacing_p99_us_1000", spent=spent),
        beside("  p50, p99.9", f"{p50:.1f} µs, {p999:.0f} µs"),
        against(
            "  p99 without the wait for a core that others had",
            own,
            P99_US,
            unit=" µs",
            digits=0,
            key="pacing_own_p99_us_1000",
        ),
        against("  share of a core", cpu, CPU_SHARE, digits=3, key="pacing_cpu_share_1000"),
        *rows,
    ]


def _row(name: str, outcomes: list[Outcome]) -> Figure:
    p50, p99 = (_middle(outcomes, lambda one, share=share: one.us(share)) for share in (0.5, 0.99))  # type: ignore[misc]
    cpu = _middle(outcomes, lambda one: one.cpu)
    return beside(f"  {name}: p50, p99, share of a core", f"{p50:.0f} µs, {p99:.0f} µs, {cpu:.1%}")


def _middle(outcomes: list[Outcome], of: Callable[[Outcome], float]) -> float:
    return statistics.median(map(of, outcomes))


# ------------------------------------------------------------------------------------------- in a process of its own


def _child(way: Way, recording: Path) -> Outcome:
    command = [sys.executable, "-m", "benchmarks.pacing", way, str(recording)]
    printed = subprocess.run(command, capture_output=True, check=True, env=processes.ENVIRONMENT).stdout
    return msgspec.json.decode(printed, type=Outcome)


async def _served(recording: Path) -> Outcome:
    service = Service(ServeSettings(source=str(recording), wait_clients=1, port=0))
    late: list[float] = []
    waited: list[float] = []
    waiting = waits_for_a_core()

    def note(seconds: float) -> None:
        late.append(seconds)
        waited.append(next(waiting))

    service.sessions.live.player.on_late = note
    await service.start()
    running = asyncio.get_running_loop().create_task(service.run())
    clients = sinking(service.port, 1, ["trade"])
    await asyncio.to_thread(clients.__enter__)
    try:
        outcome = await _outcome(late)
        outcome.waited_s = waited[len(waited) - len(outcome.late_s) :]
        return outcome
    finally:
        await asyncio.to_thread(clients.__exit__, None, None, None)
        service.stop()
        await running
        await service.close()


def waits_for_a_core() -> Iterator[float]:
    """Seconds that this thread was ready to run and did not, since it was last asked; 0 where nobody tells."""
    try:
        file = os.open("/proc/self/schedstat", os.O_RDONLY)
    except OSError:
        yield from itertools.repeat(0.0)
        return
    before = 0
    while True:
        total = int(os.pread(file, 64, 0).split()[1])
        yield (total - before) / 1e9
        before = total


async def _outcome(late: list[float]) -> Outcome:
    """Of some seconds, once the first wake-ups are over."""
    await asyncio.sleep(WARM_S)
    assert late
    skipped, cpu, started = len(late), time.process_time(), time.monotonic()
    await asyncio.sleep(SECONDS)
    return Outcome(late[skipped:], time.process_time() - cpu, time.monotonic() - started)


async def _player(recording: Path) -> Outcome:
    settings = PaceSettings(source=str(recording))
    player = make_player(open_tape(settings), settings)
    late: list[float] = []
    player.on_late = late.append

    async def play() -> None:
        async for _ in player.play():
            pass

    playing = asyncio.get_running_loop().create_task(play())
    try:
        return await _outcome(late)
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)


async def _sleep(recording: Path) -> Outcome:
    tape = open_tape(PaceSettings(source=str(recording)))
    times: list[float] = []
    while (chunk := tape.advance(8192)) is not None:
        times += (chunk.avail / 1e9).tolist()
    late: list[float] = []
    cpu, started = time.process_time(), time.monotonic()
    for at in itertools.takewhile(lambda at: at < times[0] + SECONDS, times):
        due = started + at - times[0]
        await asyncio.sleep(max(due - time.monotonic(), 0))
        late.append(time.monotonic() - due)
    return Outcome(late, time.process_time() - cpu, time.monotonic() - started)


WAYS: dict[str, Callable[[Path], Awaitable[Outcome]]] = {"served": _served, "player": _player, "sleep": _sleep}


async def _main(way: str, recording: Path) -> Outcome:
    return await WAYS[way](recording)


if __name__ == "__main__":
    outcome = run_loop(_main(sys.argv[1], Path(sys.argv[2])))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
