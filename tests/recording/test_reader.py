"""A recording as one, whatever it is in: sealed files, journals, or a tap that is still at work."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from feedsim.errors import SourceError
from feedsim.recording import reader as module
from feedsim.recording.journal import journal_path
from feedsim.recording.manifest import JOURNALS, Manifest, read_manifest, write_manifest
from feedsim.recording.reader import open_recording
from feedsim.tap.writer import Writer
from tests.support.chunks import quotes, session, told
from tests.support.recordings import abandon, header, open_files, record, seal, told_by, whole


@pytest.mark.parametrize("close", [True, False])
def test_rows_are_told_in_the_tapes_order(tmp_path: Path, close: bool) -> None:
    """Out of segments and journals, all channels interleaved as they were."""
    chunks = session(51, windows=5)
    recording = record(tmp_path / "r", chunks, rotate_after=[0, 2], close=close)
    assert told_by(recording) == told(chunks)
    assert (recording.first_seq(1), recording.last_seq(1)) == (1, chunks[-1].last_seq)
    assert (recording.first_avail(1), recording.last_avail(1)) == (
        min(int(chunk.avail[0]) for chunk in chunks),
        max(int(chunk.avail[-1]) for chunk in chunks),
    )
    assert set(recording.channels(1)) == {channel for chunk in chunks for channel in chunk.tables}


def test_memory_is_a_few_thousand_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a segment is: windows are as long as what is read at once."""
    monkeypatch.setattr("feedsim.recording.segment.READ_ROWS", 100)
    recording = record(tmp_path / "r", quotes(20, 90))
    sizes = [len(window.seq) for window in recording.windows(1)]
    assert sum(sizes) == 1800
    assert max(sizes) <= 100


def test_files_are_closed_behind_the_reading(tmp_path: Path) -> None:
    """One a channel at a time, however many segments there are."""
    recording = record(tmp_path / "r", quotes(12, 20), rotate_after=range(12))
    before = open_files()
    assert all(open_files() - before <= 2 for _ in recording.windows(1))
    assert open_files() == before


def test_it_can_be_opened_at_any_moment_of_a_tap(tmp_path: Path) -> None:
    """While another thread writes and seals: what is read is always a beginning of the session, and grows."""
    chunks = session(52, windows=40, rows=6)
    everything, done, lengths = told(chunks), threading.Event(), [0]
    writer = Writer(tmp_path / "r", header())

    def write() -> None:
        for number, chunk in enumerate(chunks):
            writer.write([whole(chunk)])
            if number % 4 == 3:
                seal(writer)
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    while not done.is_set():
        try:
            found = told_by(open_recording(tmp_path / "r"))
        except SourceError as error:
            if "open the recording again" in error.problem or "changes too fast" in error.problem:
                continue  # sealed between opening and reading
            raise
        assert found == everything[: len(found)]
        assert len(found) >= lengths[-1]
        lengths.append(len(found))
    thread.join()
    writer.close()
    assert told_by(open_recording(tmp_path / "r")) == everything
    assert len(set(lengths)) > 2


def test_a_journal_sealed_while_it_is_opened_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest was read before, the journals after: then it is opened again."""
    chunks = session(53)
    writer = Writer(tmp_path / "r", header())
    for chunk in chunks:
        writer.write([whole(chunk)])
    calls = []

    def read(directory: Path) -> Manifest:
        manifest = read_manifest(directory)
        calls.append(directory)
        if len(calls) == 1:
            seal(writer)
        return manifest

    monkeypatch.setattr(module, "read_manifest", read)
    assert told_by(open_recording(tmp_path / "r")) == told(chunks)
    assert len(calls) > 2
    writer.close()


def test_a_journal_that_never_began_is_passed_over(tmp_path: Path) -> None:
    """Killed before its head was whole."""
    chunks = session(54)
    record(tmp_path / "r", chunks, close=False)
    journal_path(tmp_path / "r" / JOURNALS, 2).write_bytes(b"FSJ1\0\0")
    assert told_by(open_recording(tmp_path / "r")) == told(chunks)


def test_a_segment_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    """Rows come once or not at all."""
    record(tmp_path / "r", session(55))
    manifest = read_manifest(tmp_path / "r")
    manifest.segments.append(manifest.segments[-1])
    write_manifest(tmp_path / "r", manifest)
    with pytest.raises(SourceError, match="expected rows in the tape's order"):
        told_by(open_recording(tmp_path / "r"))


def test_a_seq_in_two_channels_is_refused(tmp_path: Path) -> None:
    """One event, one seq."""
    chunks = session(56, windows=1, channels=("l1", "trade"))
    chunk = chunks[0]
    chunk.tables["trade"].seq[0] = chunk.tables["l1"].seq[0]
    writer = Writer(tmp_path / "r", header())
    writer._append(whole(chunk))
    abandon(writer)
    with pytest.raises(SourceError, match=r"seq \d+ of epoch 1 is there twice: trade and l1|l1 and trade"):
        told_by(open_recording(tmp_path / "r"))
