"""The same work done by several servers in turn: what each event delivered costs them, and how many came."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from benchmarks import processes
from benchmarks.processes import Server
from benchmarks.sink import Sink, Taken, sinking
from feedsim.wire.codec import Encoding

SETTLE_S = 0.7
Serve = Callable[[], AbstractContextManager[Server]]


@dataclass(frozen=True, slots=True)
class Way:
    """One server and what its clients say; `channels` None: they ask for nothing."""

    serve: Serve
    channels: Sequence[str] | None = None
    encoding: Encoding = "json"

    @contextmanager
    def running(self, clients: int) -> Iterator[tuple[Server, Sink]]:
        with (
            self.serve() as server,
            sinking(server.port, clients, self.channels, encoding=self.encoding, plain=self.channels is None) as sink,
        ):
            yield server, sink


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a stretch of work."""

    cpu_s: float
    seconds: float
    taken: Taken

    @property
    def events(self) -> int:
        return self.taken.events or self.taken.messages

    @property
    def us(self) -> float:
        """CPU an event and client."""
        return self.cpu_s * 1e6 / max(self.events, 1)

    @property
    def per_s(self) -> float:
        """Events to all clients together in a second by the clock."""
        return self.events / self.seconds

    @property
    def per_cpu_s(self) -> float:
        """Events to all clients together in a second of the server's processor time."""
        return self.events / self.cpu_s


def measure(way: Way, *, clients: int, seconds: float) -> Cost:
    with way.running(clients) as (server, sink):
        time.sleep(SETTLE_S)
        sink.forget()
        cpu, started = server.cpu_s(), time.monotonic()
        time.sleep(seconds)
        used, took = server.cpu_s() - cpu, time.monotonic() - started
        return Cost(used, took, sink.taken())


def in_turn(ways: Mapping[str, Way], *, clients: int, seconds: float, rounds: int) -> dict[str, list[Cost]]:
    """Each way once a round; every other round the other way about."""
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    for turn in range(rounds):
        for name in list(ways)[:: -1 if turn % 2 else 1]:
            costs[name].append(measure(ways[name], clients=clients, seconds=seconds))
    return costs


def ratio(ours: Sequence[Cost], theirs: Sequence[Cost]) -> float:
    """The median over rounds of what an event costs us, over what it costs them."""
    return statistics.median(one.us / other.us for one, other in zip(ours, theirs, strict=True))


def median_us(costs: Sequence[Cost]) -> float:
    return statistics.median(cost.us for cost in costs)


def spent(costs: Sequence[Cost]) -> str:
    """CPU seconds in seconds by the clock, of all rounds."""
    return f"{sum(cost.cpu_s for cost in costs):.2f} in {sum(cost.seconds for cost in costs):.1f}"


def feedsim(*arguments: str, channels: Sequence[str], encoding: Encoding = "json") -> Way:
    """`feedsim serve` with these arguments."""
    return Way(lambda: processes.feedsim(*arguments), channels, encoding)
