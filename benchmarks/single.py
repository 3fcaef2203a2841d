"""One client at speed max: quotes on the wire by the second, beside a loop that sends the same bytes from a file."""

from __future__ import annotations

import statistics
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import processes, streams
from benchmarks.measuring import Way, feedsim, in_turn, spent
from benchmarks.native import program
from benchmarks.records import frames_alone, records
from benchmarks.report import Figure, at_least, beside
from feedsim.wire.codec import Encoding

MINUTES = 15
SECONDS, ROUNDS = 2.5, 5
PER_S: dict[Encoding, float] = {"msgpack": 1.0, "json": 0.6}
OF_FILE = 0.5


def run() -> list[Figure]:
    with TemporaryDirectory() as folder:
        recording = streams.quotes(Path(folder) / "quotes", minutes=MINUTES)
        return [figure for encoding in PER_S for figure in _with(encoding, recording, Path(folder))]


def _with(encoding: Encoding, recording: Path, folder: Path) -> list[Figure]:
    framed = records(recording, folder / f"{encoding}.records", channel="l1", encoding=encoding, joined=True)
    alone = frames_alone(framed, folder / f"{encoding}.frames")
    ways = {
        "feedsim": feedsim(
            str(recording), "--speed", "max", "--loop", "--wait-clients", "1", channels=["l1"], encoding=encoding
        ),
        "frames": Way(partial(processes.serving, [program("sender"), str(framed), "1", "max"])),
        "file": Way(partial(processes.serving, [program("sender"), str(alone), "1", "stream"])),
    }
    costs = in_turn(ways, clients=1, seconds=SECONDS, rounds=ROUNDS)
    ours = costs["feedsim"]
    per_s = statistics.median(cost.per_s for cost in ours)
    share, framewise = (
        statistics.median(one.per_s / other.per_s for one, other in zip(ours, costs[name], strict=True))
        for name in ("file", "frames")
    )
    key = "single_vs_file_to_socket" if encoding == "msgpack" else f"single_{encoding}_vs_file_to_socket"
    size = ours[0].taken.bytes / max(ours[0].events, 1)
    return [
        at_least(
            f"L1 in {encoding} to one client, events a second on the wire",
            per_s,
            PER_S[encoding] * 1e6,
            digits=0,
            key=f"single_{encoding}_events_per_s",
            spent=spent(ours),
        ),
        beside(
            "  in a second of the server's CPU; bytes an event",
            f"{statistics.median(cost.per_cpu_s for cost in ours) / 1e6:.2f} M, {size:.0f}",
        ),
        at_least("  of a loop from a file to the socket", share, OF_FILE, digits=3, key=key),
        beside("  of a loop that sends frame by frame from memory", f"{framewise:.3f}"),
    ]
