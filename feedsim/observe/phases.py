"""Session phases: one status row a symbol where the session starts and wherever Globex opens, halts or closes later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

import msgspec
import numpy as np

from feedsim.events import Table
from feedsim.instruments import TradingDay, has_session, session_at, trading_days_from

_FRIDAY = 4

_Change = tuple[int, str, str]
"""(time, phase, reason)"""


class Phases:
    """A function of time alone: `contracts` gives the raw names by symbol where they differ from it.

    Halts within a session are the market's own to tell, that of former years too.
    """

    channel = "status"

    def __init__(self, symbols: tuple[str, ...], contracts: Mapping[str, str], *, start_ns: int) -> None:
        self.symbols = symbols
        self.contracts = [contracts.get(symbol, symbol) for symbol in symbols]
        self.start_ns = start_ns
        self._position_ns = start_ns
        """All before it is told."""

    def observe(self, trades: Table, until_ns: int) -> Table:  # noqa: ARG002 (an observer's signature)
        if until_ns <= self._position_ns:
            return Table.empty("status", self.symbols)
        changes = list(self._changes(self._position_ns, until_ns))
        self._position_ns = until_ns
        if not changes:
            return Table.empty("status", self.symbols)
        each = len(self.symbols)
        return Table.build(
            "status",
            self.symbols,
            {
                "ts": np.repeat(np.array([at for at, _, _ in changes], np.int64), each),
                "symbol": np.tile(np.arange(each), len(changes)),
                "phase": [phase for _, phase, _ in changes for _ in range(each)],
                "reason": [reason for _, _, reason in changes for _ in range(each)],
                "contract": self.contracts * len(changes),
            },
        )

    def _changes(self, from_ns: int, until_ns: int) -> Iterator[_Change]:
        """Those in [from_ns, until_ns)."""
        if from_ns == self.start_ns:
            yield from_ns, self._phase(from_ns), "session start"
            from_ns += 1
        for day in trading_days_from(from_ns - 1):
            yield from (change for change in self._of_day(day) if from_ns <= change[0] < until_ns)
            if day.close_ns >= until_ns:
                return

    def _of_day(self, day: TradingDay) -> Iterator[_Change]:
        """All changes of a session, in order."""
        yield day.open_ns, "open", "globex open"
        yield day.close_ns, "closed", _why_closed(day)

    def _phase(self, ns: int) -> str:
        phases = [phase for at, phase, _ in self._of_day(session_at(ns)) if at <= ns]
        return phases[-1] if phases else "closed"

    def save(self) -> bytes:
        return msgspec.msgpack.encode(self._position_ns)

    def restore(self, state: bytes) -> None:
        self._position_ns = msgspec.msgpack.decode(state, type=int)


def _why_closed(day: TradingDay) -> str:
    """What follows a session."""
    if day.closes_early:
        return "early close"
    if day.date.weekday() == _FRIDAY:
        return "weekend"
    return "daily break" if has_session(day.date + timedelta(days=1)) else "holiday"
