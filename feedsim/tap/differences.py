"""Where a recording and its session made again part: the first event that is not the same, and its fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from feedsim.events import Chunk, Event, stream_of
from feedsim.recording.manifest import Filter, Hole
from feedsim.recording.reader import Window
from feedsim.tap.epochs import covers

Told = tuple[int, Event]
"""An event and the seq that it was recorded as."""


def first_difference(
    recorded: Iterable[Window],
    remade: Iterable[Chunk],
    *,
    seqs: tuple[int, int],
    channels: frozenset[str],
    holes: list[Hole],
    filter: Filter | None,
) -> str | None:
    """The first event of some channels that differs, in words; None where all are the same.

    `seqs`: the first and the last that were recorded. What was made again beside them, or in holes, is not compared.
    """
    wanted = (told for told in _made(remade, channels, filter, *seqs) if not any(covers(h, told[0]) for h in holes))
    for told in _recorded(recorded, channels):
        made = next(wanted, None)
        if made is None or told[0] < made[0]:
            return f"{_named(told)} is not in the session made again"
        if made[0] < told[0]:
            return f"{_named(made)} is missing"
        if (parted := _parted(told[1], made[1])) is not None:
            return f"{_named(told)}: {parted}"
    made = next(wanted, None)
    return None if made is None else f"{_named(made)} is missing"


def _recorded(windows: Iterable[Window], channels: frozenset[str]) -> Iterator[Told]:
    for window in windows:
        for event in window.chunk.events(channels=channels):
            yield int(window.seq[event.seq - window.chunk.first_seq]), event


def _made(
    chunks: Iterable[Chunk], channels: frozenset[str], filter: Filter | None, first_seq: int, last_seq: int
) -> Iterator[Told]:
    for chunk in chunks:
        if chunk.first_seq > last_seq:
            return
        for event in chunk.events(channels=channels) if chunk.last_seq >= first_seq else ():
            if first_seq <= event.seq <= last_seq and (filter is None or filter.admits(*stream_of(event))):
                yield event.seq, event


def _named(told: Told) -> str:
    seq, event = told
    return f"{stream_of(event)} n {event.n} (seq {seq})"


def _parted(event: Event, made: Event) -> str | None:
    """The fields in which two events of one seq differ; NaN is like NaN."""
    if type(event) is not type(made):
        return f"made again it is {_named((made.seq, made))}"
    pairs: list[tuple[str, Any, Any]] = [
        (field.name, getattr(event, field.name), getattr(made, field.name))
        for field in msgspec.structs.fields(event)
        if field.name != "seq"
    ]
    parted = [f"{name} is {a!r}, made again {b!r}" for name, a, b in pairs if a != b and repr(a) != repr(b)]
    return "; ".join(parted) or None
