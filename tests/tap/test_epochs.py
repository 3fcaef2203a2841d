"""What is known of an epoch is the same whether it was counted while writing or read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedsim.recording.manifest import Hole
from feedsim.recording.reader import open_recording
from feedsim.tap.epochs import EpochState, covers, load_epoch, reason_of, within
from feedsim.tap.writer import Writer
from tests.support.chunks import session
from tests.support.recordings import header, record, whole


def hole(first: int, last: int | None, *, epoch: int = 1) -> Hole:
    """Any."""
    return Hole(epoch=epoch, first_seq=first, last_seq=last, reason="")


@pytest.mark.parametrize("skipped", [0, 1])
def test_it_is_made_again_from_its_rows(tmp_path: Path, skipped: int) -> None:
    """First and last seq, rows, digests, and whether it is complete."""
    recording = record(tmp_path / "r", session(91)[skipped:], rotate_after=[1])
    assert load_epoch(recording, 1).record() == recording.manifest.epoch(1)


def test_gaps_that_nobody_named_become_holes(tmp_path: Path) -> None:
    """And cost the digest; those that are named are not named twice."""
    chunks = session(92, windows=5)
    writer = Writer(tmp_path / "r", header())
    named = hole(chunks[1].first_seq, chunks[1].last_seq)
    writer.write([whole(chunks[0]), named, whole(chunks[2]), whole(chunks[4])])
    writer.close()
    recording = open_recording(tmp_path / "r")
    state = load_epoch(recording, 1)
    assert (state.gapless, state.whole) == (False, False)
    found = [(h.first_seq, h.last_seq) for h in recording.manifest.holes]
    assert found == [
        (chunks[1].first_seq, chunks[1].last_seq),
        (chunks[3].first_seq, chunks[3].last_seq),
    ]


def test_a_filtered_one_is_complete_where_its_streams_are(tmp_path: Path) -> None:
    """From their first events on."""
    chunks = session(93, channels=("l1",))
    for start, complete in ((0, True), (1, False)):
        state = EpochState(1, "start", filtered=True)
        for chunk in chunks[start:]:
            state.see(chunk.tables, chunk.streams)
            state.advance(chunk.first_seq, chunk.last_seq, len(chunk), int(chunk.avail[-1]))
        assert (state.complete_from_start, state.whole) == (complete, False)


def test_the_reason_is_in_its_first_event() -> None:
    """The session's start has none."""
    (chunk,) = session(94, windows=1, channels=("status",))
    table = chunk.tables["status"].table
    assert reason_of(chunk.tables) == "start"
    table.columns["phase"] = table.array("phase").copy()
    table.array("phase")[0] = "epoch"
    table.array("reason")[0] = "loop"
    assert reason_of(chunk.tables) == "loop"
    assert reason_of({}) == "start"


def test_holes_cover_their_seqs() -> None:
    """Those without an end cover all behind them."""
    assert [covers(hole(3, 5), seq) for seq in (2, 3, 5, 6)] == [False, True, True, False]
    assert covers(hole(3, None), 10**9)
    assert within(hole(3, 5), hole(3, 5))
    assert within(hole(3, 5), hole(1, None))
    assert not within(hole(3, None), hole(1, 9))
    assert not within(hole(3, 5), hole(4, 5))
    assert not within(hole(3, 5), hole(3, 5, epoch=2))
