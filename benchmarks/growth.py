"""How cost grows with work: clients ×10, speed ×10, session ×10. An exponent of 1 is in proportion, 0 is not at all."""

from __future__ import annotations

import math
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import processes, streams
from benchmarks.measuring import Cost, Way, feedsim, in_turn, spent
from benchmarks.report import Figure, against, beside, told
from benchmarks.sink import sinking

SECONDS, ROUNDS = 2.5, 3
BURST, BURSTS = 16, 50
CLIENTS = (100, 1000)
SPEEDS = (20, 200)  # below that, waking up is most of the cost
HOURS = 10


def run() -> list[Figure]:
    with TemporaryDirectory() as folder:
        recording = Path(folder) / "recording"
        processes.run_feedsim("generate", "--minutes", "40", "--out", str(recording))
        return [*_clients(Path(folder)), *_speed(recording), *_session()]


def _clients(folder: Path) -> list[Figure]:
    """What clients add to a server with one: being awake costs it something whatever they are."""
    source = streams.bursts(folder / "bursts.csv", seconds=SECONDS + 4, per_second=BURSTS, size=BURST)
    recording = str(streams.recorded(source, folder / "bursts"))
    rows: dict[float, list[Cost]] = {clients: [] for clients in (1, *CLIENTS)}
    for _ in range(ROUNDS):
        for clients, costs in rows.items():
            way = feedsim(recording, "--wait-clients", str(clients), channels=["trade"])
            costs += in_turn({"": way}, clients=int(clients), seconds=SECONDS, rounds=1)[""]
    shares = {clients: [cost.cpu_s / cost.seconds for cost in costs] for clients, costs in rows.items()}
    alone = statistics.median(shares[1])
    less, more = (statistics.median(shares[clients]) - alone for clients in CLIENTS)
    return [
        against(
            f"clients {CLIENTS[0]} to {CLIENTS[1]:,}: exponent of the CPU that they add",
            math.log10(more / less) / math.log10(CLIENTS[1] / CLIENTS[0]),
            1.1,
            key="growth_clients_exponent",
            spent=spent([cost for costs in rows.values() for cost in costs]),
        ),
        beside("  share of a core, by clients", _medians(shares)),
    ]


def _speed(recording: Path) -> list[Figure]:
    ways = {
        str(speed): Way(
            lambda speed=speed: processes.feedsim(  # type: ignore[misc]
                str(recording), "--speed", str(speed), "--wait-clients", "10", "--start", "09:31"
            ),
            ["trade", "l1", "bar"],
        )
        for speed in SPEEDS
    }
    costs = in_turn(ways, clients=10, seconds=SECONDS, rounds=ROUNDS)
    # The market is not even in time: events are counted, not seconds of session.
    per_event = {float(speed): [cost.us for cost in costs[str(speed)]] for speed in SPEEDS}
    rates = [statistics.median(cost.per_s for cost in costs[str(speed)]) for speed in SPEEDS]
    pairs = zip(per_event[SPEEDS[0]], per_event[SPEEDS[1]], strict=True)
    exponent = 1 + statistics.median(math.log(fast / slow) for slow, fast in pairs) / math.log(rates[1] / rates[0])
    return [
        against(
            f"speed {SPEEDS[0]}× to {SPEEDS[1]}×, 10 clients: exponent of the server's CPU",
            exponent,
            1.0,
            key="growth_speed_exponent",
            spent=spent([cost for each in costs.values() for cost in each]),
        ),
        beside("  µs an event and client", _medians(per_event)),
    ]


def _session() -> list[Figure]:
    """Memory of a server at speed max, when a tenth of a session is over and when all is."""
    hours, mib = _watched()
    early = max(held for at, held in zip(hours, mib, strict=True) if at <= HOURS / 10)
    second = [(at, held) for at, held in zip(hours, mib, strict=True) if at > HOURS / 2]
    slope = statistics.linear_regression(*zip(*second, strict=True)).slope
    return [
        against(
            f"session of {HOURS / 10:g} to {HOURS:g} h of ES at speed max: exponent of memory",
            max(math.log10(max(mib) / early), 0),
            0.1,
            digits=3,
            key="growth_session_exponent",
        ),
        told(
            "  memory an hour of session, in its second half",
            max(slope, 0),
            key="growth_memory_mib_per_session_hour",
            better="lower",
            unit=" MiB",
        ),
        beside("  after a tenth, most", f"{early:.0f}, {max(mib):.0f} MiB"),
    ]


def _watched() -> tuple[list[float], list[float]]:
    """Hours of session that were told, and the MiB that the server held then."""
    arguments = ("synthetic:", "--minutes", str(HOURS * 60), "--symbols", "ES", "--speed", "max", "--wait-clients", "1")
    seqs, mib = [0.0], [0.0]
    with processes.feedsim(*arguments) as server, sinking(server.port, 1, ["bar"]):
        since = time.monotonic()
        while time.monotonic() - since < 2:
            time.sleep(0.2)
            head = server.metrics()["feedsim_session_seq"]
            if head != seqs[-1]:
                seqs.append(head)
                mib.append(server.rss_mib())
                since = time.monotonic()
    return [HOURS * seq / seqs[-1] for seq in seqs], mib


def _medians(costs: dict[float, list[float]]) -> str:
    return ", ".join(f"{size:g}: {statistics.median(values):.3g}" for size, values in costs.items())
