"""Memory of the server process over days of session at speed max, with a client that takes everything."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks import processes
from benchmarks.report import Figure, against, beside
from benchmarks.sink import sinking

HOURS = 72  # so many that the work goes on well after its first minute
TAPPED_HOURS = 24
LIMIT_MIB = 400
GROWTH = 0.05  # what "flat" allows after the first minute: allocators breathe
WARM_S = 60.0
SAMPLE_S = 0.25
LONGEST_S = 1800


class Watched(NamedTuple):
    """(seconds of work, MiB) samples, and what was done."""

    samples: list[tuple[float, float]]
    seconds: float
    events: int

    @property
    def most_mib(self) -> float:
        return max(mib for _, mib in self.samples)

    @property
    def growth(self) -> float:
        """Of the peak, after the first minute of work (or half of it, where it took less than two)."""
        warm_s = min(WARM_S, self.seconds / 2)
        warm = max(mib for at, mib in self.samples if at <= warm_s)
        return max(max(mib for at, mib in self.samples if at > warm_s) / warm - 1, 0.0)


def run() -> list[Figure]:
    plain = _session(HOURS)
    with TemporaryDirectory() as folder:
        tapped = _session(TAPPED_HOURS, "--tap", str(Path(folder) / "tap"))
    return [
        against(f"{HOURS} h at speed max: most memory", plain.most_mib, LIMIT_MIB, unit=" MiB", digits=0),
        against("  growth after the first minute of work", plain.growth * 100, GROWTH * 100, unit=" %", digits=1),
        beside("  events, seconds, events a second", _rate(plain)),
        against(f"{TAPPED_HOURS} h recorded: most memory", tapped.most_mib, LIMIT_MIB, unit=" MiB", digits=0),
        against("  growth after the first minute of work", tapped.growth * 100, GROWTH * 100, unit=" %", digits=1),
        beside("  events, seconds, events a second", _rate(tapped)),
    ]


def _rate(watched: Watched) -> str:
    return f"{watched.events:,}, {watched.seconds:.0f}, {watched.events / watched.seconds:,.0f}"


def _session(hours: int, *options: str) -> Watched:
    arguments = ("synthetic:", "--start", "2025-08-18T18:00", "--minutes", str(hours * 60), "--speed", "max", *options)
    with (
        processes.feedsim(*arguments, "--wait-clients", "1") as server,
        sinking(server.port, 1, ["*"], encoding="msgpack"),
    ):
        return _watch(server)


def _watch(server: processes.Server) -> Watched:
    """Sample until the session is over."""
    samples: list[tuple[float, float]] = []
    started = time.monotonic()
    seq, since = -1.0, started
    while time.monotonic() - started < LONGEST_S:
        time.sleep(SAMPLE_S)
        now = time.monotonic()
        samples.append((now - started, server.rss_mib()))
        if (head := server.metrics()["feedsim_session_seq"]) != seq:
            seq, since = head, now
        elif now - since > 5:
            return Watched(samples, since - started, int(seq))
    raise RuntimeError(f"not over after {LONGEST_S} s")
