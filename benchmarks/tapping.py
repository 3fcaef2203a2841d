"""What recording costs: rows a second into a recording and out of it, and what the tap adds to a feed at its pace."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import processes
from benchmarks.measuring import Way, in_turn, spent
from benchmarks.report import Figure, beside, told
from benchmarks.sink import sinking
from feedsim.app.opening import open_tape
from feedsim.config import SourceSettings

MINUTES = 20
ROUNDS = 3
SPEED = "10"  # the market's own pace would be too little to measure
SECONDS = 3.0


def run() -> list[Figure]:
    with TemporaryDirectory() as folder:
        recording = Path(folder) / "recording"
        made = [_tapped(Path(folder) / f"tap{turn}") for turn in range(ROUNDS)]
        processes.run_feedsim("generate", "--minutes", str(MINUTES), "--out", str(recording))
        back = [_read(recording) for _ in range(ROUNDS)]
        share, cpu = _share(recording, Path(folder))
    return [
        told(
            "rows a second through the tap, the market made on the way",
            statistics.median(rows / seconds for rows, seconds, _ in made),
            key="tap_rows_per_s",
            better="higher",
            digits=0,
            spent=f"{sum(each[2] for each in made):.2f} in {sum(each[1] for each in made):.1f}",
        ),
        beside("  read back, rows a second", f"{statistics.median(back):,.0f}"),
        told(
            f"what the tap adds to the CPU of a feed at {SPEED}× with one client",
            share,
            key="tap_cost_share",
            better="lower",
            spent=cpu,
        ),
    ]


def _tapped(out: Path) -> tuple[int, float, float]:
    """Rows, seconds and CPU seconds of a server at speed max that has nobody to serve but its tap."""
    arguments = ("synthetic:", "--minutes", str(MINUTES), "--speed", "max", "--wait-clients", "1")
    with (
        processes.feedsim(*arguments, "--tap", str(out)) as server,
        sinking(server.port, 1, ["status"]),
    ):
        started, cpu = time.monotonic(), server.cpu_s()
        rows, since = 0, started
        while time.monotonic() - since < 1:
            time.sleep(0.1)
            if (now := int(server.metrics()["feedsim_tap_rows_total"])) != rows:
                rows, since, used = now, time.monotonic(), server.cpu_s()
        return rows, since - started, used - cpu


def _read(recording: Path) -> float:
    """Rows a second of the tape of a recording."""
    rows, started = 0, time.perf_counter()
    tape = open_tape(SourceSettings(source=str(recording)))
    while (chunk := tape.advance(8192)) is not None:
        rows += len(chunk)
    tape.close()
    return rows / (time.perf_counter() - started)


def _share(recording: Path, folder: Path) -> tuple[float, str]:
    """CPU of the feed with a tap over that without, less 1."""
    taps = iter(range(1000))
    plain = ("--speed", SPEED, "--wait-clients", "1")
    ways = {
        "plain": Way(lambda: processes.feedsim(str(recording), *plain), ["*"]),
        "tapped": Way(
            lambda: processes.feedsim(str(recording), *plain, "--tap", str(folder / f"feed{next(taps)}")), ["*"]
        ),
    }
    costs = in_turn(ways, clients=1, seconds=SECONDS, rounds=ROUNDS)
    pairs = zip(costs["tapped"], costs["plain"], strict=True)
    share = statistics.median(tapped.cpu_s / alone.cpu_s for tapped, alone in pairs) - 1
    return share, spent(costs["tapped"])
