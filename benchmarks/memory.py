"""Memory of the server process over 24 hours of session at speed max, with a client that takes everything."""

from __future__ import annotations

import time

from benchmarks import processes
from benchmarks.drain import draining
from benchmarks.report import Figure, against, beside

HOURS = 24
LIMIT_MIB = 400
GROWTH = 0.05  # what "flat" allows after the first minute: allocators breathe
SAMPLE_S = 0.25
LONGEST_S = 1800


def run() -> list[Figure]:
    arguments = ("synthetic:", "--start", "2025-08-20T18:00", "--minutes", str(HOURS * 60), "--speed", "max")
    with processes.feedsim(*arguments, "--wait-clients", "1") as server:
        idle_mib = server.rss_mib()
        with draining(server.port, 1, ["*"]):
            samples, seconds, events = _watch(server)
    warm = [mib for at, mib in samples if at <= 60]
    later = [mib for at, mib in samples if at > 60] or warm[-1:]
    growth = max(max(later) / max(warm) - 1, 0.0)
    return [
        against(
            f"{HOURS} h at speed max: most memory", max(mib for _, mib in samples), LIMIT_MIB, unit=" MiB", digits=0
        ),
        against("  growth after the first minute of work", growth * 100, GROWTH * 100, unit=" %", digits=1),
        beside("  before the first event", f"{idle_mib:.0f} MiB"),
        beside("  events, seconds, events a second", f"{events:,}, {seconds:.0f}, {events / seconds:,.0f}"),
    ]


def _watch(server: processes.Server) -> tuple[list[tuple[float, float]], float, int]:
    """(seconds, MiB) samples until the session is over, how long that took, and the events that were published."""
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
            return samples, since - started, int(seq)
    raise RuntimeError(f"not over after {LONGEST_S} s")
