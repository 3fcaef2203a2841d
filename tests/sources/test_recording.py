"""A recording as a source: every event with its place, in the order and at the times that were recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedsim.errors import SourceError
from feedsim.events import Chunk
from feedsim.playback.tape import Tape
from feedsim.sources.catalog import open_source, reopen
from feedsim.sources.recording import RecordingSource, recognise
from feedsim.testing import check_source
from tests.support.chunks import same_tape
from tests.support.memory_source import small_session
from tests.support.recordings import record


def _chunks(seed: int = 1) -> list[Chunk]:
    tape = Tape(small_session(seconds=20, seed=seed))
    return list(iter(lambda: tape.advance(60), None))


def test_it_holds_to_the_contract(tmp_path: Path) -> None:
    """check_source finds nothing in sealed segments with a journal behind them, as a kill leaves them."""
    chunks = _chunks()
    record(tmp_path, chunks, rotate_after=(1, 3), close=False)
    check_source(lambda: RecordingSource(tmp_path), max_rows=2000)


def test_the_tape_is_the_recorded_one(tmp_path: Path) -> None:
    """The same events under the same seq and n: nothing is computed again."""
    chunks = _chunks()
    record(tmp_path, chunks)
    tape = Tape(RecordingSource(tmp_path))
    assert same_tape(iter(lambda: tape.advance(37), None), chunks)


def test_recognise(tmp_path: Path) -> None:
    """A folder with a manifest."""
    assert not recognise(tmp_path)
    record(tmp_path / "tap", _chunks())
    assert recognise(tmp_path / "tap")


def test_an_epoch_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The error says which there are."""
    record(tmp_path, _chunks())
    with pytest.raises(SourceError, match="no epoch 3 in the recording, which has epoch 1"):
        RecordingSource(tmp_path, epoch=3)


def test_a_changed_recording_is_noticed(tmp_path: Path) -> None:
    """Its identity opens the same recording again, and no other that has taken its place."""
    record(tmp_path / "one", _chunks(1))
    record(tmp_path / "other", _chunks(2))
    source = open_source(str(tmp_path / "one"))
    reopen(source.info.identity).close()
    with pytest.raises(SourceError, match="differs in content"):
        reopen(source.info.identity, path=str(tmp_path / "other"))
    source.close()


def test_a_segment_that_was_cut_is_refused(tmp_path: Path) -> None:
    """A file that is shorter than the manifest says is named at once."""
    record(tmp_path, _chunks())
    path = next(tmp_path.rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(SourceError, match="truncated or changed") as caught:
        RecordingSource(tmp_path)
    assert caught.value.file == str(path)
