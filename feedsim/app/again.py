"""A session that was traded on, made again from its tape and its order log: the same events, the same private events.

Only a session whose orders entered its market needs this: any other's tape is the same whatever was traded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from feedsim.errors import SourceError
from feedsim.events import Chunk
from feedsim.hub.desk import tell_to_news
from feedsim.playback.lookahead import Lookahead
from feedsim.playback.tape import Tape, TapeConfig
from feedsim.recording.manifest import Manifest
from feedsim.sources.catalog import reopen

if TYPE_CHECKING:
    from feedsim.exchange import Exchange, LogEntry
    from feedsim.wire.messages import Error, Private

T = TypeVar("T")

ROWS = 4096  # read at once


def tape_again(manifest: Manifest, epoch: int, *, path: str | None = None) -> Tape:
    """The tape of a recording's epoch from its start, made again from its source; `path`: where that is now.

    Raises SourceError where that cannot be done: the source is not here, or the epoch was opened by a seek.
    """
    described = manifest.epoch(epoch)
    reason = "start" if described is None else described.reason
    if not manifest.source or reason not in ("start", "loop"):
        raise SourceError("no source is named" if not manifest.source else reason)
    # A recording from before there were features has none.
    config: dict[str, Any] = {"features_every_s": 0, **manifest.config}
    start_ns, end_ns = config.pop("start_ns", None), config.pop("end_ns", None)
    opened = reopen(manifest.source, path=path)
    tape = Tape(opened, msgspec.convert(config, TapeConfig), start_ns=start_ns, end_ns=end_ns)
    tape.skip_to_start()
    tape.open_epoch(epoch, "" if reason == "start" else reason)
    return tape


class Again:
    """Tells a tape without a clock, and enters what the log says where it says it."""

    takes_orders = True

    def __init__(
        self,
        tape: Tape,
        make_exchange: Callable[[Again], Exchange],
        entries: Iterable[LogEntry],
        *,
        rows: int = ROWS,
    ) -> None:
        """`entries` of the tape's epoch; `rows` are read at once, about."""
        self.tape = tape
        self.lookahead = Lookahead(tape, takes_orders=True, keep_places=False)
        self.heard: list[tuple[str, Private | Error]] = []
        self._rows = rows
        self._told: deque[Chunk] = deque()
        self.lookahead.on_told = self._told.append
        self._exchange = make_exchange(self)
        self._entries = deque(entries)

    def amend(self, ns: int, change: Callable[[int], T]) -> T:
        """As a player's."""
        return self.lookahead.amend(max(ns, self.lookahead.told_ns + 1), change)

    def __iter__(self) -> Iterator[Chunk]:
        """The tape as it was told; when it is at its end, `heard` is what all accounts heard."""
        while True:
            self._enter_due()
            chunk = self.lookahead.current(self._rows)
            yield from self._taken()
            if chunk is None:
                break
            self._tell(chunk)
        for entry in self._entries:
            self._exchange.redo(entry)
        self.heard += self._exchange.take()

    def _taken(self) -> Iterator[Chunk]:
        while self._told:
            yield self._told.popleft()

    def _enter_due(self) -> None:
        while self._entries and self._entries[0].after_seq <= self.lookahead.told_seq:
            self._exchange.redo(self._entries.popleft())
            self.heard += self._exchange.take()

    def _tell(self, chunk: Chunk) -> None:
        """Up to the next entry, or to where an account has to hear of something."""
        lo, hi = self.lookahead.position, len(chunk)
        if self._entries:
            hi = min(hi, max(self._entries[0].after_seq - chunk.first_seq + 1, lo))
        _, heard = tell_to_news(self._exchange, self.lookahead, chunk, lo, hi)
        self.heard += heard
