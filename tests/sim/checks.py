"""What is checked of a simulation: what clients wrote down, against the tape itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from feedsim.app.opening import open_tape
from feedsim.config import ServeSettings
from feedsim.events import Digest, Event
from tests.sim.actors import Actor, Stream, stream_of

MS = 1_000_000


@dataclass
class Reference:
    """The tape itself, read without a server."""

    events: list[Event]
    digest: str


def read(settings: ServeSettings) -> Reference:
    tape = open_tape(settings)
    digest, events = Digest(), []
    while (chunk := tape.advance(1000)) is not None:
        digest.update(chunk)
        events += chunk.events(0, len(chunk), scale=MS)
    tape.close()
    return Reference(events, digest.hexdigest())


def transcript(actors: list[Actor]) -> str:
    """Every byte that every client got, and when."""
    whole = hashlib.sha256()
    for actor in actors:
        for line in actor.diary.lines:
            whole.update(line)
    return whole.hexdigest()


def check_order(actor: Actor, reference: Reference) -> None:
    """Every event that the client got is the tape's event of that seq, with its n."""
    for event in actor.diary.events.get(1, ()):
        assert event == reference.events[event.seq - 1], actor.name


def check_losses(actor: Actor, reference: Reference) -> None:
    """The client got, once, or was told that it lost, every n of its streams from when it joined to the end."""
    if actor.subscribe.conflate_ms:
        return
    for stream, numbers in _owed(actor, reference):
        spans = actor.diary.spans.get((1, stream), [])
        covered = [n for first, last, _ in spans for n in range(first, last + 1)]
        assert covered == numbers, f"{actor.name} {stream}"


def _owed(actor: Actor, reference: Reference) -> Iterator[tuple[Stream, list[int]]]:
    """The n of each of the client's streams from when it joined to the end."""
    named = set(actor.subscribe.channels)
    streams: dict[Stream, list[int]] = {}
    for event in reference.events[actor.diary.joined[1] :]:
        stream = stream_of(event)
        if named == {"*"} or stream[0] in named:
            streams.setdefault(stream, []).append(event.n)
    yield from streams.items()
