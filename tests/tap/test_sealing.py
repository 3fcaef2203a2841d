"""Journals become segments: the same rows, in the manifest before the journal is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedsim.errors import SourceError
from feedsim.recording.journal import JournalHead, JournalWriter, schemas_of
from feedsim.recording.manifest import JOURNALS, read_manifest
from feedsim.recording.reader import Recording, open_recording
from feedsim.tap.sealing import seal_journal
from tests.support.chunks import session, told
from tests.support.recordings import Disk, files_in, record, told_by

CHUNKS = session(95, windows=2, rows=6, channels=("bar", "l1", "l2"))


def journals(directory: Path) -> list[Path]:
    """That are there."""
    return sorted((directory / JOURNALS).glob("*.journal"))


def test_a_journal_becomes_segments(tmp_path: Path) -> None:
    """One a channel, named by the manifest; the journal is gone."""
    recording = record(tmp_path / "r", CHUNKS, close=False)
    manifest, (journal,) = recording.manifest, journals(tmp_path / "r")
    for _ in seal_journal(tmp_path / "r", manifest, journal, None, now_ns=lambda: 5):
        assert told_by(open_recording(tmp_path / "r")) == told(CHUNKS)
    assert journals(tmp_path / "r") == []
    found = read_manifest(tmp_path / "r")
    assert (found, found.updated_ns) == (manifest, 5)
    assert [segment.file for segment in found.segments] == [f"{c}/00000001.parquet" for c in ("bar", "l1", "l2")]
    assert told_by(Recording(tmp_path / "r", found, ())) == told(CHUNKS)


def test_whatever_step_fails_it_can_be_begun_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same manifest in memory, as a tap that goes on has it: no row is lost or doubled."""
    disk, step, done = Disk(monkeypatch), 0, False
    while not done:
        step += 1
        directory = tmp_path / str(step)
        manifest = record(directory, CHUNKS, close=False).manifest
        (journal,) = journals(directory)
        try:
            with disk.failing_at(step, OSError(28, "No space left on device")):
                list(seal_journal(directory, manifest, journal, None))
                done = True
        except OSError:
            assert told_by(open_recording(directory)) == told(CHUNKS)
            list(seal_journal(directory, manifest, journal, None))
        assert read_manifest(directory).segments == manifest.segments
        assert len(manifest.segments) == 3
        assert told_by(open_recording(directory)) == told(CHUNKS)
        assert journals(directory) == []
    assert step > 15


def test_an_empty_journal_leaves_nothing(tmp_path: Path) -> None:
    """A tap that ended before its first event."""
    recording = record(tmp_path / "r", CHUNKS)
    (tmp_path / "r" / JOURNALS).mkdir()
    writer = JournalWriter(tmp_path / "r" / JOURNALS, JournalHead(2, 1, "start", schemas_of(["l1"])))
    writer.close()
    before = [*recording.manifest.segments]
    list(seal_journal(tmp_path / "r", recording.manifest, writer.path, None))
    assert recording.manifest.segments == before
    assert journals(tmp_path / "r") == []


def test_a_damaged_head_is_not_sealed(tmp_path: Path) -> None:
    """Nor removed."""
    recording = record(tmp_path / "r", CHUNKS, close=False)
    (journal,) = journals(tmp_path / "r")
    data = journal.read_bytes()
    journal.write_bytes(data[:40] + b"?" + data[41:])
    with pytest.raises(SourceError, match="head is damaged"):
        list(seal_journal(tmp_path / "r", recording.manifest, journal, None))
    assert "_journal/00000001.journal" in files_in(tmp_path / "r")
