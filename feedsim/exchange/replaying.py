"""A session's orders once more, from its tape and its order log."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from feedsim.events import Chunk
from feedsim.exchange.exchange import Exchange
from feedsim.exchange.log import LogEntry
from feedsim.wire.messages import Error, Private


def replay(exchange: Exchange, chunks: Iterable[Chunk], log: Iterable[LogEntry]) -> list[tuple[str, Private | Error]]:
    """What accounts heard, from a new exchange with the same settings and seed as the one that wrote the log.

    `chunks` are the tape's, those of later epochs after those of earlier ones; what of an epoch was not told before the
    next began is passed over. A report that was still on its way at
    the end is not among them.
    """
    entries, heard = deque(log), []
    epoch = entries[0].epoch if entries else 0
    for chunk in chunks:
        at = 0
        while entries and chunk.epoch >= epoch and _comes_in(entries[0], chunk):
            entry = entries.popleft()
            hi = entry.after_seq - chunk.first_seq + 1 if entry.epoch == chunk.epoch else 0
            if hi > at:
                exchange.on_told(chunk, at, hi)
                at = hi
            exchange.redo(entry)
            heard += exchange.take()
            epoch = entry.into or epoch
        if at < len(chunk) and chunk.epoch >= epoch:
            exchange.on_told(chunk, at, len(chunk))
            heard += exchange.take()
    for entry in entries:
        exchange.redo(entry)
    return heard + exchange.take()


def _comes_in(entry: LogEntry, chunk: Chunk) -> bool:
    """Whether it happened before the chunk's last event was followed by another."""
    return (entry.epoch, entry.after_seq) <= (chunk.epoch, chunk.last_seq)
