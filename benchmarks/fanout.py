"""What one event to one client costs the whole server process, against the least that can be done and against rivals.

At work: 16 events a wake-up, and as many wake-ups as make a loop in C spend a good part of a core. At market pace most
wake-ups carry one event. At max everything leaves in frames as full as may be. All send the same bytes, but for
`broadcast()`, which sends each event by itself.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import processes, streams
from benchmarks.measuring import Cost, Way, feedsim, in_turn, median_us, ratio, spent
from benchmarks.native import program
from benchmarks.records import records
from benchmarks.report import Figure, against, beside

BURST = 16  # events at one time
BURSTS = {1: 1000, 10: 1000, 100: 400, 1000: 40}  # such times a second, by clients
MARKET = 400  # events a second
SECONDS, LENGTH_S = 2.5, 7.0
VS_C = {100: 1.4, 1000: 1.6}
VS_BROADCAST, VS_NODE = 0.10, 0.9
NODE_FOLDER = processes.ROOT / "clients" / "node"


def run() -> list[Figure]:
    with TemporaryDirectory() as folder:
        return [
            *_at_work(Path(folder), 100, rounds=5),
            *_at_work(Path(folder), 1000, rounds=3),
            *_beside_c(Path(folder)),
        ]


def _at_work(folder: Path, clients: int, *, rounds: int) -> Iterator[Figure]:
    """Against everybody, with many clients."""
    per_second = BURSTS[clients]
    source = streams.bursts(folder / f"{clients}.csv", seconds=LENGTH_S, per_second=per_second, size=BURST)
    ways = _ways(source, clients, everybody=True)
    costs = in_turn(ways, clients=clients, seconds=SECONDS, rounds=rounds)
    ours = costs["feedsim"]
    versus = {name: ratio(ours, theirs) for name, theirs in costs.items() if name != "feedsim"}
    title = f"{clients:,} clients, {BURST} events {per_second} times a second: CPU an event, of "
    yield _vs_c(title, clients, versus["C"], ours)
    key = f"fanout_{clients}_vs_"
    yield against(f"{title}broadcast()'s", versus["broadcast"], VS_BROADCAST, digits=3, key=f"{key}broadcast")
    if "node" in versus:
        yield against(f"{title}Node ws's, joined", versus["node"], VS_NODE, key=f"{key}node")
    if "picows" in versus:
        yield beside(f"{title}picows', joined", f"{versus['picows']:.2f}")
    for name, each in costs.items():
        yield beside(f"  {name}", f"{median_us(each):.3f} µs", spent=spent(each))


def _vs_c(title: str, clients: int, value: float, ours: list[Cost]) -> Figure:
    name = f"{title}a C send loop's (load {os.getloadavg()[0]:.1f})"
    return against(name, value, VS_C[clients], key=f"fanout_{clients}_vs_c", spent=spent(ours))


def _beside_c(folder: Path) -> Iterator[Figure]:
    """From 1 to 1,000 clients: few at work, all at market pace and at max."""
    market = streams.random_times(folder / "market.csv", seconds=LENGTH_S, per_second=MARKET)
    busy = streams.bursts(folder / "busy.csv", seconds=LENGTH_S, per_second=BURSTS[1], size=BURST)
    for title, source, counts in (
        (f"{BURST} events {BURSTS[1]:,} times a second", busy, (1, 10)),
        (f"market pace, {MARKET} events a second", market, (1, 10, 100, 1000)),
    ):
        for clients in counts:
            yield _compared(title, _ways(source, clients), clients)
    recording = streams.recorded(busy, folder / "max")
    frames = records(recording, folder / "max.frames", channel="trade", joined=True)
    for clients in (1, 10, 100, 1000):
        ways = {
            "feedsim": feedsim(
                str(recording), "--speed", "max", "--loop", "--wait-clients", str(clients), channels=["trade"]
            ),
            "C": Way(partial(processes.serving, [program("sender"), str(frames), str(clients), "max"])),
        }
        yield _compared("at max", ways, clients)


def _compared(title: str, ways: dict[str, Way], clients: int) -> Figure:
    costs = in_turn(ways, clients=clients, seconds=SECONDS, rounds=2)
    ours, least = costs["feedsim"], costs["C"]
    shown = f"{ratio(ours, least):.2f} ({median_us(ours):.3f}, {median_us(least):.3f} µs)"
    return beside(f"{title}, {clients:,} clients: of C's", shown, spent=spent(ours))


def _ways(source: Path, clients: int, *, everybody: bool = False) -> dict[str, Way]:
    """The servers for a CSV of trades."""
    recording, frames = source.with_suffix(".recording"), source.with_suffix(".frames")
    if not frames.exists():
        streams.recorded(source, recording)
        records(recording, frames, channel="trade")
    ways = {
        "feedsim": feedsim(str(recording), "--wait-clients", str(clients), channels=["trade"]),
        "C": _rival(program("sender"), str(frames), str(clients), "paced"),
    }
    if everybody:
        ways["broadcast"] = _python("broadcast", str(source), str(clients))
        if _has_picows():
            ways["picows"] = _python("picows_server", str(frames), str(clients))
        if node := _node():
            script = Path(__file__).parent / "rivals" / "node_ws.mjs"
            ways["node"] = _rival(node, str(script), str(frames), str(clients))
    return ways


def _python(module: str, *arguments: str) -> Way:
    return _rival(sys.executable, "-m", f"benchmarks.rivals.{module}", *arguments)


def _rival(*command: str) -> Way:
    environment = {**processes.ENVIRONMENT, "NODE_MODULES_OF": str(NODE_FOLDER)}
    return Way(partial(processes.serving, list(command), environment=environment))


def _node() -> str | None:
    """Node, where it and its `ws` are here."""
    return shutil.which("node") if (NODE_FOLDER / "node_modules" / "ws").is_dir() else None


def _has_picows() -> bool:
    try:
        import picows  # noqa: F401 # only whether it is here
    except ImportError:
        return False
    return True
