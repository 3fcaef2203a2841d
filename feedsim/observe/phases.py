"""Session phases: one status row a symbol where the session starts and wherever Globex opens or closes after that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
import numpy as np

from feedsim.events import Table
from feedsim.instruments import is_open, trading_days_from

_FRIDAY = 4


class Phases:
    """A function of time alone: `contracts` gives the raw names by symbol where they differ from it."""

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

    def _changes(self, from_ns: int, until_ns: int) -> Iterator[tuple[int, str, str]]:
        """(time, phase, reason) in [from_ns, until_ns)."""
        if from_ns == self.start_ns:
            yield from_ns, "open" if is_open(from_ns) else "closed", "session start"
            from_ns += 1
        for day in trading_days_from(from_ns - 1):
            if from_ns <= day.open_ns < until_ns:
                yield day.open_ns, "open", "globex open"
            if from_ns <= day.close_ns < until_ns:
                yield day.close_ns, "closed", "weekend" if day.date.weekday() == _FRIDAY else "daily break"
            if day.close_ns >= until_ns:
                return

    def save(self) -> bytes:
        return msgspec.msgpack.encode(self._position_ns)

    def restore(self, state: bytes) -> None:
        self._position_ns = msgspec.msgpack.decode(state, type=int)
