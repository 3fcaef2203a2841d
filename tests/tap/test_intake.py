"""The account of a tap's queue: every event that was told is in it once, recorded, or in a hole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.recording.manifest import Hole
from feedsim.tap.intake import Intake
from tests.support.chunks import SYMBOLS, quotes

CHUNKS = quotes(12, 10)


def intake(*, epoch: int = 0, last_seq: int = 0, limit_bytes: int = 1 << 30) -> Intake:
    """Of a whole recording."""
    return Intake(
        epoch=epoch, last_seq=last_seq, last_avail=0, symbols=SYMBOLS, filtered=False, limit_bytes=limit_bytes
    )


def ranges(items: list[object]) -> list[tuple[str, int, int]]:
    """What a queue or a list of holes covers."""
    return [
        ("hole" if isinstance(item, Hole) else "rows", item.first_seq, item.last_seq)  # type: ignore[attr-defined]
        for item in items
    ]


@given(
    start=st.integers(0, 60),
    told=st.lists(st.tuples(st.sampled_from(range(12)), st.integers(0, 9), st.integers(1, 10)), max_size=12),
    full=st.sets(st.integers(0, 11)),
    writes=st.sets(st.integers(0, 11)),
    fails_at=st.one_of(st.none(), st.integers(0, 12)),
)
def test_every_event_told_is_recorded_or_in_a_hole(
    start: int,
    told: list[tuple[int, int, int]],
    full: set[int],
    writes: set[int],
    fails_at: int | None,
) -> None:
    """Whatever is told, in tape order with gaps and repeats, while the queue is full at times and then the disk fails.

    Up to the newest event told, rows and holes together cover every seq behind the start once.
    """
    account = intake(epoch=1, last_seq=start)
    items: list[object] = []
    durable, newest = start, start
    for number, (chunk, lo, hi) in enumerate(sorted(told)):
        if number == fails_at:
            account.stop("no space left on device", account.take(), (1, durable))
        account._limit_bytes = 0 if number in full else 1 << 30
        account.append(CHUNKS[chunk], lo, max(hi, lo + 1))
        newest = max(newest, CHUNKS[chunk].first_seq + max(hi, lo + 1) - 1)
        if number in writes and account.problem is None:
            taken = account.take()
            items += taken
            durable = max([durable, *(last for kind, _, last in ranges(list(taken)) if kind == "rows")])
            account.written(account.pending_bytes)
    account.end()
    items += account.take()
    items += account.lost(ended=True)
    covered = sorted((first, last) for _, first, last in ranges(items) if last > start)
    seqs = [seq for first, last in covered for seq in range(first, last + 1)]
    assert seqs == list(range(start + 1, newest + 1))
    if (frozen := account.frozen_seq) is not None:
        holes = [first for kind, first, _ in ranges(items) if kind == "hole"]
        assert frozen <= min(holes) - 1


def test_slices_of_a_chunk_that_follow_each_other_are_one() -> None:
    """Until they are taken: what is being written does not grow."""
    account = intake()
    account.append(CHUNKS[0], 0, 3)
    account.append(CHUNKS[0], 3, 5)
    assert ranges(list(account.take())) == [("rows", 1, 5)]
    account.append(CHUNKS[0], 5, 10)
    assert ranges(list(account.take())) == [("rows", 6, 10)]


def test_a_new_epoch_counts_from_its_first_event() -> None:
    """The end of the old one, where it was not taken, is a hole of that."""
    account = intake(epoch=1, last_seq=10)
    account._limit_bytes = 0
    account.append(CHUNKS[1], 0, 10)
    account._limit_bytes = 1 << 30
    second = quotes(1, 10)[0]
    second.epoch = 2
    account.append(second, 2, 10)
    queue = account.take()
    assert [(item.epoch, *ranges([item])[0]) for item in queue] == [(1, "hole", 11, 20), (2, "rows", 3, 10)]
    assert (account.epoch, account.next_seq, account.holes, account.frozen_seq) == (2, 11, 1, None)


@pytest.mark.parametrize("ended", [True, False])
def test_how_much_is_lost_is_known_at_the_end(ended: bool) -> None:
    """Before that nobody knows what will still come."""
    account = intake()
    account.append(CHUNKS[0], 0, 10)
    account.stop("full", account.take(), (1, 4))
    account.append(CHUNKS[1], 0, 10)
    assert ranges(list(account.lost(ended=ended))) == [("hole", 5, 20 if ended else None)]
