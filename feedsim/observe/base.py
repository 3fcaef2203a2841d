"""What an observer is: a pure function of what was sent so far that tells rows of its own channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from feedsim.events import Table
from feedsim.observe.steps import Steps


class Observer(Protocol):
    """Computes one channel's rows from the trades of a session, window by window.

    The rows told do not depend on how the session was cut into windows. A trade belongs to the window in which it
    became available (law 2: a bar tells what was known at its end), so `avail` decides, not `ts`.
    """

    channel: str

    def observe(self, trades: Table, until_ns: int) -> Table:
        """Take the trades of the next window (avail < until_ns, maybe none); the rows with avail < until_ns, sorted.

        Row order: (avail, symbol, tf_s).
        """
        ...

    def save(self) -> bytes: ...

    def restore(self, state: bytes) -> None: ...


class MarketObserver(Protocol):
    """The same of all that a session tells, not of its trades alone: rows by channel, absent where there are none."""

    channel: str

    def observe(self, tables: Mapping[str, Table], until_ns: int) -> Table:
        """Take the rows of the next window (avail < until_ns); the rows with avail < until_ns, by (avail, symbol)."""
        ...

    def observing(self, tables: Mapping[str, Table], until_ns: int) -> Steps[Table]:
        """`observe` in steps."""
        ...

    def save(self) -> bytes: ...

    def restore(self, state: bytes) -> None: ...
