"""The order log beside a recording: what was asked for and what accounts heard, a JSON object a line.

It is written as it happens and safe once a recording is sealed; a crash of the process loses nothing of it, one of the
machine at most the last moments. A disk's trouble ends it loudly, and never reaches the feed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import msgspec
import structlog

from feedsim.config import TradeSettings
from feedsim.errors import SourceError
from feedsim.events import Chunk
from feedsim.exchange import Exchange, LogEntry, replay
from feedsim.recording.files import sync_file
from feedsim.wire.messages import AnyPrivate, Error, Private

ORDERS = "orders.jsonl"

log = structlog.get_logger(__name__)


class Venue(msgspec.Struct, tag="venue", tag_field="line", kw_only=True):
    """The first line: what fixes the exchange beside tape and log."""

    settings: TradeSettings
    symbols: tuple[str, ...]
    generated: bool
    in_market: bool = False
    """Orders entered the market itself, so the tape is another than without them."""


class Entered(msgspec.Struct, tag="entered", tag_field="line", kw_only=True):
    """Something took effect."""

    entry: LogEntry


class Heard(msgspec.Struct, tag="heard", tag_field="line", kw_only=True):
    """An account heard this; times in nanoseconds."""

    account: str
    event: AnyPrivate


Line = Venue | Entered | Heard


class OrderLog(msgspec.Struct, kw_only=True):
    """A whole log, read."""

    venue: Venue
    entries: list[LogEntry]
    heard: list[tuple[str, AnyPrivate]]


class OrderJournal:
    """The log of one session in the making."""

    def __init__(self, directory: Path, venue: Venue) -> None:
        self._path = directory / ORDERS
        self._encode = msgspec.json.Encoder().encode
        self._file: IO[bytes] | None = None
        self._stopped = False
        self._venue = venue

    def on_log(self, entry: LogEntry) -> None:
        """There is no log of a session that nobody trades on."""
        if self._file is not None or entry.what == "open":
            self._write(Entered(entry=entry))

    def on_heard(self, account: str, message: Private | Error) -> None:
        """Errors are answers to requests that changed nothing."""
        if isinstance(message, Private):
            self._write(Heard(account=account, event=message))  # type: ignore[arg-type] # one of those that there are

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            sync_file(self._path)

    def _write(self, line: Line) -> None:
        if self._stopped:
            return
        try:
            if self._file is None:
                self._file = self._path.open("ab", buffering=0)
                if not self._path.stat().st_size:
                    self._file.write(self._encode(self._venue) + b"\n")
            self._file.write(self._encode(line) + b"\n")
        except OSError as error:
            log.error("the order log has stopped; trading goes on without it", file=str(self._path), problem=str(error))
            self._stopped = True


def read_orders(directory: Path) -> OrderLog | None:
    """The order log of a recording; None where nobody traded. A last line that was cut off by a crash is left out.

    Raises SourceError.
    """
    path = directory / ORDERS
    if not path.exists():
        return None
    decoder = msgspec.json.Decoder(Line)
    found: list[Line] = []
    lines = path.read_bytes().split(b"\n")
    for number, text in enumerate(lines, 1):
        try:
            if text:
                found.append(decoder.decode(text))
        except msgspec.DecodeError as error:
            if number < len(lines):
                raise SourceError(str(error), file=str(path), row=number) from None
    if not found or not isinstance(found[0], Venue):
        raise SourceError("the first line has to be that of the venue", file=str(path), row=1)
    return OrderLog(
        venue=found[0],
        entries=[line.entry for line in found if isinstance(line, Entered)],
        heard=[(line.account, line.event) for line in found if isinstance(line, Heard)],
    )


def differing_account(orders: OrderLog, heard: Iterable[tuple[str, Private | Error]]) -> str | None:
    """The first account that does not hear the same again, with what differs; None where all do.

    Where reports take time, the last of them may have been on their way when the session ended.
    """
    again: dict[str, list[Private]] = defaultdict(list)
    for account, event in heard:
        if isinstance(event, Private):
            again[account].append(event)
    told: dict[str, list[Private]] = defaultdict(list)
    for account, event in orders.heard:
        told[account].append(event)
    delayed = orders.venue.settings.latency_out not in ("", "0")
    for account in sorted(told.keys() | again.keys()):
        before, after = told[account], again[account]
        shorter = min(len(before), len(after)) if delayed else max(len(before), len(after))
        for at in range(shorter):
            one, other = (events[at] if at < len(events) else None for events in (before, after))
            if one != other:
                return f"{account}: private event {at + 1} was {one}, again it is {other}"
    return None


def heard_again(orders: OrderLog, chunks: Iterable[Chunk]) -> list[tuple[str, Private | Error]]:
    """What the accounts hear when the same is entered again in the shadow of this tape."""
    venue = orders.venue
    exchange = Exchange(venue.symbols, settings=venue.settings, seed=venue.settings.seed, generated=venue.generated)
    return replay(exchange, chunks, orders.entries)
