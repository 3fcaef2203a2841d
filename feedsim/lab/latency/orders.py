"""What a server's rows of orders tell: tick to order by channel, load and window, and what a stall hid.

A bot that stands still sends no orders, so what it missed is not in the rows (coordinated omission). Where the event
that it reacted to next is far behind, the orders that were due in between are added, each with the time that was left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from feedsim.lab.latency.histogram import Latencies
from feedsim.lab.latency.result import Result, Series
from feedsim.lab.latency.units import shown
from feedsim.wire.reactions import Reaction, Reactions

NS_PER_S = 1_000_000_000
LOADS = ((100, "under 100 events/s"), (1000, "100 to 1,000 events/s"), (10**12, "over 1,000 events/s"))


@dataclass(frozen=True, slots=True)
class Timed:
    """A row, and how far behind its event that of the client's next order is."""

    row: Reaction
    interval_ns: int
    """In which an order was to be expected; 0 where nobody knows."""
    gap_ns: int | None
    """None after the last."""

    def record(self, into: Latencies) -> None:
        """The order, and those that were due while it kept the bot and did not come."""
        value, interval, gap = self.row.reaction_ns, self.interval_ns, self.gap_ns
        if gap is None or gap >= value:
            into.add_corrected(value, interval)
            return
        into.add(value)
        missing = round(gap / interval) - 1 if interval else 0
        for index in range(1, missing + 1):
            into.add(value - index * interval)


def timed(rows: Iterable[Reaction], *, rate: float | None = None) -> list[Timed]:
    """Rows by client, each with what was to be expected after it: orders at `rate` a second, or, without one, as often
    as the client's usually (the median) came."""
    by_client: dict[tuple[str, int], list[Reaction]] = {}
    for row in rows:
        by_client.setdefault((row.session, row.client), []).append(row)
    return [each for client in by_client.values() for each in _timed(client, rate)]


def _timed(rows: list[Reaction], rate: float | None) -> Iterator[Timed]:
    rows = sorted(rows, key=lambda row: row.written_ns)
    gaps = [later.written_ns - row.written_ns for row, later in pairwise(rows)]
    usual = median([gap for gap in gaps if gap > 0] or [0])
    interval_ns = round(NS_PER_S / rate) if rate else round(usual)
    for row, gap in zip(rows, [*gaps, None], strict=True):
        yield Timed(row, interval_ns, gap)


def study(
    rows: list[Reaction], *, head: Reactions | None = None, rate: float | None = None, title: str = "orders"
) -> Result:
    """Everything that rows tell, as series: measured, corrected, the server's own share, and by kind of moment."""
    orders = timed(rows, rate=rate)
    series = [
        Series("corrected", "tick to order, corrected", _corrected(orders), drawn=True),
        Series("measured", "tick to order, as measured", _measured(rows), drawn=True),
        Series("bot", "  of it the bot's, at least", _of(row.bot_ns for row in rows)),
        Series("kernel", "  of it until the kernel had the event, at most", _known(rows, "kernel_ns"), drawn=True),
        Series("due", "before: from due to written", _known(rows, "due_ns"), drawn=True),
        *_grouped("channel", orders, lambda row: row.channel),
        *_grouped("load", orders, _load),
        *_grouped("window", orders, lambda row: row.window),
        *_grouped("client", orders, lambda row: str(row.client)),
    ]
    return Result(title, list(_about(rows, orders, rate)), "corrected", series, list(_notes(rows, head)))


def _measured(rows: Iterable[Reaction]) -> Latencies:
    return _of(row.reaction_ns for row in rows)


def _known(rows: Iterable[Reaction], field: str) -> Latencies:
    return _of(value for row in rows if (value := getattr(row, field)) is not None)


def _of(values: Iterable[int]) -> Latencies:
    latencies = Latencies()
    for value in values:
        latencies.add(value)
    return latencies


def _corrected(orders: Iterable[Timed]) -> Latencies:
    latencies = Latencies()
    for each in orders:
        each.record(latencies)
    return latencies


def _grouped(kind: str, orders: list[Timed], key: Callable[[Reaction], str]) -> Iterator[Series]:
    """Corrected, for each value that a row may have of something; nothing where all have the same."""
    groups: dict[str, list[Timed]] = {}
    for each in orders:
        groups.setdefault(key(each.row), []).append(each)
    if len(groups) > 1 or kind == "channel":
        for name in sorted(groups):
            yield Series(f"{kind}:{_word(name)}", f"{kind} {name or 'none'}", _corrected(groups[name]))


def _word(name: str) -> str:
    """As a check can name it."""
    return "".join(sign if sign.isalnum() else "_" for sign in name) or "none"


def _load(row: Reaction) -> str:
    return next(name for bound, name in LOADS if row.rate < bound)


def _about(rows: list[Reaction], orders: list[Timed], rate: float | None) -> Iterator[str]:
    clients = {(row.session, row.client) for row in rows}
    yield f"{len(rows):,} orders of {len(clients)} client{'s' if len(clients) != 1 else ''}"
    intervals = sorted({each.interval_ns for each in orders})
    if rate:
        yield f"corrected at {rate:g} orders a second of each client, as asked"
    elif intervals:
        ends = dict.fromkeys((shown(intervals[0]), shown(intervals[-1])))
        yield f"corrected at an order every {' to '.join(ends)}, the median of each client (--rate says otherwise)"


def _notes(rows: list[Reaction], head: Reactions | None) -> Iterator[str]:
    inferred = sum(row.inferred for row in rows)
    if inferred:
        yield f"{inferred:,} orders named no event: they are taken to react to the newest that had been sent before"
    if head is not None:
        if head.first_n > 1:
            yield f"the server has forgotten its first {head.first_n - 1:,} orders; a recording would keep them"
        told = f"{head.undrained_wakeups:,} times in {head.wakeups:,} wake-ups"
        if head.undrained_wakeups:
            told += f", {head.undrained_s:.3f} s in all, {head.undrained_longest_s:.3f} s at most"
        yield f"a client's buffer was not empty when more was written: {told}"
