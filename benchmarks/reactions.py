"""Whether the server times bots rightly: bots with known delays, less the floor of one without, in the same run.

`python -m benchmarks.reactions PORT KIND` is one such bot: a blocking socket, nothing else in its process. It prints
how long it took for each order by its own clock, which the machine may have made longer than it meant.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from websockets.frames import Frame, Opcode

from benchmarks import processes, streams
from benchmarks.drain import connect
from benchmarks.report import Figure, beside, within
from feedsim.lab.latency.fetching import fetch
from feedsim.lab.latency.histogram import Latencies
from feedsim.lab.latency.orders import Timed, timed

PER_SECOND = 90
SECONDS = 8.0  # of a round
ROUNDS = 5  # the median of which is told: what else the machine does spoils some
SETTLE_S = 1.0
SPIN_S = 0.0005  # before the time at which a bot sends it does not sleep
QUANTILES = (50.0, 99.0, 100.0)
STALL_AT = 300

Delays = Callable[[int], float]
"""Seconds that a bot takes for its i-th order."""

BOTS: dict[str, Delays] = {
    "none": lambda _: 0.0,
    "constant": lambda _: 0.002,
    "rare": lambda at: 0.05 if at % 70 == 35 else 0.002,
    "stall": lambda at: 3.0 if at == STALL_AT else 0.002,
}
SYMBOLS = ("ES", "NQ", "MES", "MNQ")
"""Each bot has one for itself, whose trades lie between those of the others: no two bots are at work at once."""
CLIENTS = {kind: number for number, kind in enumerate(BOTS, 1)}
"""The server numbers them by their first orders."""
ABOUT = {"constant": "2 ms always", "rare": "2 ms, one of 70 50 ms", "stall": "2 ms, once 3 s"}


def run() -> list[Figure]:
    with TemporaryDirectory() as folder:
        even = Path(folder) / "even.csv"
        per_second = PER_SECOND * len(BOTS)
        stream = streams.bursts(even, seconds=SECONDS + 30, per_second=per_second, size=1, symbols=SYMBOLS)
        rounds = [_round(stream) for _ in range(ROUNDS)]
    told = zip(*(_told(each["none"].measured) for each in rounds), strict=True)
    floor = ", ".join(f"{median(values):.3f} ms" for values in told)
    return [
        *(figure for kind in ABOUT for figure in _figures(kind, rounds)),
        beside("the floor, a bot without a delay: p50, p99, max", floor),
    ]


def _hurry(pid: int) -> None:
    """Before all others, where the system allows it: what else this machine does is not to be measured."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, pid, -20)
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(10))


class Outcome:
    """Of one bot in one round."""

    def __init__(self, orders: list[Timed], taken: dict[int, float]) -> None:
        """`taken` is what the bot says that it took, in seconds, by seq."""
        self.known = [taken[each.row.seq] for each in orders if each.row.seq in taken]
        self.measured, self.corrected = Latencies(), Latencies()
        for each in orders:
            self.measured.add(each.row.bot_ns)
            each.record(self.corrected)


def _round(stream: Path) -> dict[str, Outcome]:
    with processes.feedsim(str(stream), "--bar-tf-s", "60", "--features-every-s", "0") as server:
        _hurry(server.pid)
        url = f"ws://127.0.0.1:{server.port}"
        with _bots(server.port) as bots:
            time.sleep(SETTLE_S + SECONDS)
            _, rows = fetch(url)
        printed = [bot.communicate()[0] for bot in bots]
    found: dict[str, Outcome] = {}
    from_ns = max(next(row.arrived_ns for row in rows if row.client == number) for number in CLIENTS.values())
    for (kind, number), lines in zip(CLIENTS.items(), printed, strict=True):
        own = [row for row in rows if row.client == number and row.written_ns > from_ns + SETTLE_S * 1e9]
        found[kind] = Outcome(timed(own, rate=PER_SECOND), dict(map(_pair, lines.splitlines())))
    return found


def _pair(line: str) -> tuple[int, float]:
    seq, seconds = line.split()
    return int(seq), float(seconds)


@contextmanager
def _bots(port: int) -> Iterator[list[subprocess.Popen[str]]]:
    """One of each kind, killed at the end; each has sent its first order before the next begins."""
    running: list[subprocess.Popen[str]] = []
    try:
        for kind in BOTS:
            command = [sys.executable, "-m", "benchmarks.reactions", str(port), kind]
            bot = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=processes.ENVIRONMENT)
            running.append(bot)
            assert bot.stdout is not None
            bot.stdout.readline()
        yield running
    finally:
        for bot in running:
            bot.kill()


def _figures(kind: str, rounds: list[dict[str, Outcome]]) -> Iterator[Figure]:
    for at, name in enumerate(("p50", "p99", "max")):
        got = [_told(each[kind].measured)[at] - _told(each["none"].measured)[at] for each in rounds]
        wanted = [_quantiles(each[kind].known)[at] for each in rounds]
        yield _near(f"{ABOUT[kind]}: {name} less the floor", median(got), median(wanted))
    if kind == "stall":
        got = [each[kind].corrected.percentiles([99.0])[0] / 1e6 for each in rounds]
        ramp = _ramp(BOTS[kind](STALL_AT))
        wanted = [_quantiles([*each[kind].known, *ramp])[1] for each in rounds]
        yield _near(f"{ABOUT[kind]}: p99, corrected for {PER_SECOND} orders a second", median(got), median(wanted))


def _near(name: str, value: float, wanted: float) -> Figure:
    return within(name, value, round(wanted * 0.95, 3), round(wanted * 1.05, 3), unit=" ms", digits=3)


def _ramp(seconds: float) -> list[float]:
    """What was due during a stall and did not come."""
    return [seconds - at / PER_SECOND for at in range(1, int(seconds * PER_SECOND) + 1)]


def _quantiles(known: list[float]) -> list[float]:
    """In ms, by the rank that HdrHistogram uses."""
    ranked = sorted(known)
    return [ranked[max(int(q / 100 * len(ranked) + 0.5), 1) - 1] * 1e3 for q in QUANTILES]


def _told(latencies: Latencies) -> list[float]:
    return [value / 1e6 for value in latencies.percentiles(QUANTILES)]


# ---------------------------------------------------------------------------------------------------------- the bots


def _bot(port: int, delays: Delays) -> None:
    """React with a ping that names the event; what comes during a long delay is left unanswered."""
    _hurry(0)
    feed = connect(port, ["trade"])
    feed.setblocking(True)  # connect leaves it otherwise
    feed.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    others = [symbol for symbol, each in zip(SYMBOLS, BOTS.values(), strict=True) if each is not delays]
    feed.sendall(_frame({"op": "unsubscribe", "id": 2, "symbols": others}))
    frames = _frames(feed)
    for at, (seq, came) in enumerate(frames):
        delay = delays(at)
        if delay:
            _sleep_until(came + delay)
        taken = time.monotonic() - came
        feed.sendall(_frame({"op": "ping", "seen_seq": seq}))
        print(seq, taken, flush=True)
        if delay > 1 / PER_SECOND:
            _pass_over(feed, frames)


def _frame(request: dict[str, object]) -> bytes:
    return Frame(Opcode.TEXT, json.dumps(request).encode()).serialize(mask=True, extensions=[])


def _sleep_until(moment: float) -> None:
    if (left := moment - time.monotonic() - SPIN_S) > 0:
        time.sleep(left)
    while time.monotonic() < moment:
        pass


def _pass_over(feed: socket.socket, frames: Iterator[tuple[int, float]]) -> None:
    """Take what is here already."""
    feed.setblocking(False)
    try:
        for _ in frames:
            pass
    except BlockingIOError:
        pass
    finally:
        feed.setblocking(True)


class _frames:  # noqa: N801 # an iterator that goes on after an error, as a generator does not
    """(seq of the last event, when it came) of each frame of events."""

    def __init__(self, feed: socket.socket) -> None:
        self._feed, self._data = feed, b""

    def __iter__(self) -> _frames:
        return self

    def __next__(self) -> tuple[int, float]:
        while True:
            payload = self._whole()
            if payload is None:
                more = self._feed.recv(65536)
                if not more:
                    raise StopIteration
                self._data += more
            elif b'"type":"events"' in payload:
                return json.loads(payload)["events"][-1]["seq"], time.monotonic()

    def _whole(self) -> bytes | None:
        """The payload of the next frame, if all of it is here."""
        data = self._data
        if len(data) < 2:
            return None
        start, length = 2, data[1] & 127
        if length >= 126:
            start += 2 if length == 126 else 8
            length = int.from_bytes(data[2:start], "big") if len(data) >= start else len(data)
        if len(data) < start + length:
            return None
        self._data = data[start + length :]
        return data[start : start + length]


if __name__ == "__main__":
    _bot(int(sys.argv[1]), BOTS[sys.argv[2]])
