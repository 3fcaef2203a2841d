"""Events one by one as they are told: all of some channels, each once, whatever the wake-ups."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from feedsim.bridges.due import DueEvents
from feedsim.events import Event
from feedsim.hub.ring import Block
from feedsim.playback.tape import Tape
from tests.hub.lines import CONFIG
from tests.support.memory_source import small_session

CHANNELS = frozenset(("trade", "l1", "bar"))


def blocks() -> list[Block]:
    tape = Tape(small_session(seconds=5, rate=10), CONFIG)
    for _ in tape.roll_to(tape.start_ns):
        pass
    told = []
    while (chunk := tape.advance(100)) is not None:
        told.append(Block(chunk))
    return told


TOLD = blocks()


@given(st.lists(st.integers(1, 60), min_size=1, max_size=5), st.integers(0, 50))
def test_wake_ups_do_not_matter(steps: list[int], skipped: int) -> None:
    """From where the first is, also inside a block."""
    due = DueEvents(CHANNELS)
    told: list[Event] = []
    first = TOLD[0].first_seq + min(skipped, len(TOLD[0].chunk))
    for block in TOLD:
        lo = min(skipped, len(block.chunk)) if block is TOLD[0] else 0
        while lo < len(block.chunk):
            hi = min(lo + steps[lo % len(steps)], len(block.chunk))
            told += due.take(block, lo, hi)
            lo = hi
    expected = [event for block in TOLD for event in block.chunk.events(channels=CHANNELS) if event.seq >= first]
    assert list(map(repr, told)) == list(map(repr, expected))
