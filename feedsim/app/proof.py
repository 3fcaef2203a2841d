"""`feedsim verify`: the session of a recording is made again from its source or seed, and must be the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from feedsim.app.again import Again, tape_again
from feedsim.app.trading import exchange_maker
from feedsim.errors import FeedsimError
from feedsim.events import Chunk
from feedsim.playback.tape import Tape
from feedsim.recording.manifest import Manifest
from feedsim.recording.reader import open_recording
from feedsim.tap.orders import OrderLog, differing_account, heard_again, read_orders
from feedsim.tap.recover import recover
from feedsim.tap.verify import EpochResult, Remake, Verification, verify
from feedsim.wire.messages import Error, Private

CHUNK_ROWS = 8192


def prove(directory: Path, *, source: str | None, seal: bool, console: Console | None = None) -> bool:
    """Check a recording and print what was found; whether everything agrees. Raises SourceError, TapError."""
    console = console or Console()
    if seal:
        recover(directory)
    notes: list[str] = []
    with console.status(f"making the session of {directory} again"):
        orders = read_orders(directory)
        remake = partial(_remake, source, notes, orders)
        result = verify(directory, remake=remake)
        if orders is not None:
            result.problems += _check_orders(directory, orders, result, remake, notes)
    _print(console, result, notes)
    return result.ok


def _check_orders(
    directory: Path, orders: OrderLog, result: Verification, remake: Remake, notes: list[str]
) -> list[str]:
    """What comes out another way when everything is entered again. Raises SourceError."""
    recording = open_recording(directory)
    if not result.ok or result.holes or recording.manifest.filtered:
        notes.append("orders: not entered again: the recording is not whole")
        return []
    if orders.venue.in_market:
        heard: list[tuple[str, Private | Error]] = []
        for epoch in recording.epochs:
            for _ in (chunks := remake(recording.manifest, epoch)) or ():
                pass
            heard += chunks.heard if isinstance(chunks, Again) else []
    else:
        windows = (window for epoch in recording.epochs for window in recording.windows(epoch))
        heard = heard_again(orders, (window.chunk for window in windows))
    entered = sum(entry.what == "request" for entry in orders.entries)
    differs = differing_account(orders, heard)
    what = f"orders: {entered:,} requests, {len(orders.heard):,} private events"
    if differs is not None:
        return [f"{what}, not the same when entered again: {differs}"]
    notes.append(f"{what}, equal when entered again")
    return []


def _remake(
    source: str | None, notes: list[str], orders: OrderLog | None, manifest: Manifest, epoch: int
) -> Iterable[Chunk] | None:
    """An epoch's chunks; None where the source is not here, or the epoch did not begin at the session's start.

    Where orders entered the market they do so again.
    """
    try:
        tape = tape_again(manifest, epoch, path=source)
    except FeedsimError as error:
        notes.append(f"epoch {epoch}: not made again: {error}")
        return None
    make_exchange = exchange_maker(orders.venue.settings) if orders is not None and orders.venue.in_market else None
    if orders is None or make_exchange is None:
        return _chunks(tape)
    return Again(tape, make_exchange, (entry for entry in orders.entries if entry.epoch == epoch))


def _chunks(tape: Tape) -> Iterator[Chunk]:
    try:
        while (chunk := tape.advance(CHUNK_ROWS)) is not None:
            yield chunk
    finally:
        tape.close()


def _print(console: Console, result: Verification, notes: list[str]) -> None:
    table = Table(title=f"{result.directory} ({result.state})", title_justify="left")
    for name in ("epoch", "events", "seq", "digest", "as written", "made again"):
        table.add_column(name, justify="right" if name in ("epoch", "events") else "left")
    for epoch in result.epochs:
        seqs = f"{epoch.first_seq:,} – {epoch.last_seq:,}"
        agreed = (_agreed(epoch.written_agrees), _agreed(epoch.remade_agrees))
        table.add_row(str(epoch.epoch), f"{epoch.rows:,}", seqs, epoch.digest[:16], *agreed)
    console.print(table)
    for line in (*notes, *_problems(result)):
        console.print(f"  {line}", markup=False)
    console.print("verified" if result.proven else "whole, not made again" if result.ok else "NOT verified")


def _agreed(value: bool | None) -> str:
    return {True: "equal", False: "DIFFERS", None: "–"}[value]


def _problems(result: Verification) -> Iterator[str]:
    yield from result.problems
    for epoch in result.epochs:
        yield from _epoch_problems(epoch)
    for hole in result.holes:
        yield f"hole: epoch {hole.epoch}, seq {hole.first_seq} to {hole.last_seq or 'the end'}: {hole.reason}"


def _epoch_problems(epoch: EpochResult) -> Iterator[str]:
    yield from (f"epoch {epoch.epoch}: {problem}" for problem in epoch.problems)
    if epoch.differing_stream is not None:
        yield f"epoch {epoch.epoch}: the first stream that differs is {epoch.differing_stream}"
