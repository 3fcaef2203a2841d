"""One order as the server timed it: how long after which event it came. A row of /reactions and of reactions.jsonl.

Nothing here says what the order was, or whose: a client is a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from feedsim.errors import SourceError

FILE = "reactions.jsonl"
"""Beside a recording."""


class Reaction(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """An order and the event that it reacts to. In ns, of one monotonic clock of the server's."""

    n: int
    """Dense from 1, over all sessions of the server."""
    session: str
    """`live`, or `private-1`, `private-2` …"""
    client: int
    op: str
    seq: int
    """The event that was seen."""
    channel: str
    """Of that event; `unknown` where the server no longer has it."""
    inferred: bool
    """The order named no event (or none that had been sent): this is the newest that was sent before it."""
    written_ns: int
    """When the event was handed to this client's connection."""
    arrived_ns: int
    """When the order's bytes were read from its connection."""
    due_ns: int | None
    """From when the event was due to `written_ns`; None where nothing has a due time: at speed max, in single steps."""
    kernel_ns: int | None
    """From `written_ns` to when the kernel had certainly taken it: what of the reaction may be the server's. None where
    that is not known: of a client's first order, and of what was written to it alone."""
    window: str
    """Of faults or of a plan, when the event left or else when the order came; `paused`, `held`, `behind`, or empty."""
    clients: int
    """Readers of the session."""
    rate: int
    """Events that the session told in the second before."""

    @property
    def reaction_ns(self) -> int:
        """Tick to order, wire to wire."""
        return self.arrived_ns - self.written_ns

    @property
    def bot_ns(self) -> int:
        """The same without what may have been the server's."""
        return self.reaction_ns - (self.kernel_ns or 0)


class Reactions(msgspec.Struct, kw_only=True):
    """The first line of /reactions: what the rows after it are."""

    type: Literal["reactions"] = "reactions"
    server: str
    last_n: int
    """Of all orders so far."""
    first_n: int
    """Of those that are still here."""
    wakeups: int
    undrained_wakeups: int
    """Times that a client's buffer was not empty when more was to be written to it."""
    undrained_s: float
    """How long it was not, over all clients, and …"""
    undrained_longest_s: float
    """… the longest."""


_HEAD = msgspec.json.Decoder(Reactions)
_ROW = msgspec.json.Decoder(Reaction)


def read_lines(data: bytes, *, origin: str) -> tuple[Reactions | None, list[Reaction]]:
    """What /reactions or a file of it holds; a torn last line, as of a crash, is left out. Raises SourceError."""
    head: Reactions | None = None
    rows: list[Reaction] = []
    for number, line, last in _numbered(data):
        try:
            if number == 1 and b'"type":"reactions"' in line:
                head = _HEAD.decode(line)
            else:
                rows.append(_ROW.decode(line))
        except msgspec.MsgspecError as error:
            if not last:
                raise SourceError(f"no reaction: {error}", file=origin, row=number) from None
    return head, rows


def _numbered(data: bytes) -> Iterator[tuple[int, bytes, bool]]:
    """(number, line, whether it is a last one without an end)."""
    lines = data.split(b"\n")
    for number, line in enumerate(lines, 1):
        if line:
            yield number, line, number == len(lines)
