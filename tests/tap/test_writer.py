"""The file work of a tap: what is durable stays, whatever happens next."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import feedsim
from feedsim.errors import TapError
from feedsim.events import Digest
from feedsim.recording.manifest import JOURNALS, MANIFEST, Filter, Hole, read_manifest, write_manifest
from feedsim.recording.reader import open_recording
from feedsim.tap.slices import ChunkSlice
from feedsim.tap.writer import BALLAST, Writer
from tests.support.chunks import cut, session, told
from tests.support.recordings import (
    Disk,
    abandon,
    file_size_limit,
    files_in,
    header,
    record,
    seal,
    told_by,
    whole,
)

ROOT = Path(__file__).parents[2]


def digest_of(chunks: list[feedsim.events.Chunk]) -> str:
    """Of all events of one epoch."""
    digest = Digest()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32), segment_bytes=st.sampled_from([10_000, 50_000, 1 << 30]))
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, seed: int, segment_bytes: int
) -> None:
    """However the events were cut into slices and segments: every value, its place, and the digest."""
    directory = tmp_path_factory.mktemp("tap") / "recording"
    chunks = session(seed)
    writer = Writer(directory, header(), segment_bytes=segment_bytes)
    slices = [ChunkSlice(*slice_) for slice_ in cut(chunks, seed)]
    for start in range(0, len(slices), 5):
        writer.write(slices[start : start + 5])
        writer.seal_step()
    writer.close()
    recording = open_recording(directory)
    assert told_by(recording) == told(chunks)
    epoch = recording.manifest.epoch(1)
    assert epoch is not None
    assert (epoch.first_seq, epoch.last_seq) == (1, chunks[-1].last_seq)
    assert (epoch.digest, epoch.complete_from_start, epoch.rows) == (digest_of(chunks), True, chunks[-1].last_seq)


def test_the_manifest_says_what_session_it_is_of(tmp_path: Path) -> None:
    """Source with its seed, configuration, symbols, contracts; nothing but sealed files is left."""
    manifest = record(tmp_path / "r", session(1)).manifest
    assert (manifest.state, manifest.session_id, manifest.feedsim) == ("sealed", "session", feedsim.__version__)
    assert manifest.source == {"kind": "synthetic", "seed": 7}
    assert manifest.config == {"bar_tf_s": [1, 60]}
    assert (manifest.symbols, manifest.contracts) == (("ES", "NQ"), {"ES": "ESU5"})
    assert files_in(tmp_path / "r") == sorted([MANIFEST, *(segment.file for segment in manifest.segments)])


def test_what_was_written_is_there_after_a_kill(tmp_path: Path) -> None:
    """Sealed or not: everything up to `durable`, and a reader needs no repair for it."""
    chunks = session(2)
    writer = Writer(tmp_path / "r", header())
    for number, chunk in enumerate(chunks):
        writer.write([whole(chunk)])
        assert writer.durable == (1, chunk.last_seq)
        assert told_by(open_recording(tmp_path / "r")) == told(chunks[: number + 1])
        if number == 1:
            seal(writer)
    abandon(writer)
    recording = open_recording(tmp_path / "r")
    assert recording.manifest.state == "open"
    assert told_by(recording) == told(chunks)


def test_nothing_is_durable_before_it_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing fsync is no success: `durable` stays where it was, and what was appended is taken back."""
    chunks = session(3)
    writer = Writer(tmp_path / "r", header())
    writer.write([whole(chunks[0])])
    with Disk(monkeypatch).failing_at(1, OSError(errno.EIO, "Input/output error")), pytest.raises(OSError, match="Inp"):
        writer.write([whole(chunks[1])])
    assert writer.durable == (1, chunks[0].last_seq)
    writer.give_up()
    assert told_by(open_recording(tmp_path / "r")) == told(chunks[:1])
    writer.close_given_up([])


def test_each_epoch_has_its_own_segments_and_digest(tmp_path: Path) -> None:
    """And its reason is what its status event says."""
    first, second = session(4), session(5, epoch=2)
    writer = Writer(tmp_path / "r", header())
    writer.write([whole(chunk) for chunk in (*first, *second)])
    assert writer.durable == (2, second[-1].last_seq)
    writer.close()
    recording = open_recording(tmp_path / "r")
    assert recording.epochs == (1, 2)
    assert told_by(recording, 1) == told(first)
    assert told_by(recording, 2) == told(second)
    assert [epoch.digest for epoch in recording.manifest.epochs] == [digest_of(first), digest_of(second)]
    assert {segment.epoch for segment in recording.manifest.segments if segment.generation == 1} == {1}


def test_a_hole_is_named_and_costs_the_digest(tmp_path: Path) -> None:
    """Nobody can say what the digest of everything would be; what is there has its own."""
    chunks = session(6)
    writer = Writer(tmp_path / "r", header())
    hole = Hole(epoch=1, first_seq=chunks[1].first_seq, last_seq=chunks[1].last_seq, reason="the disk was too slow")
    writer.write([whole(chunks[0]), hole, whole(chunks[2])])
    assert read_manifest(tmp_path / "r").holes == [hole]
    writer.close()
    recording = open_recording(tmp_path / "r")
    assert recording.manifest.holes == [hole]
    epoch = recording.manifest.epoch(1)
    assert epoch is not None
    assert (epoch.digest, epoch.rows) == (None, len(chunks[0]) + len(chunks[2]))
    assert told_by(recording) == [row for chunk in (chunks[0], chunks[2]) for row in told([chunk])]


# ----------------------------------------------------------------------------------------------------------- full disk


def test_a_full_disk_costs_what_was_not_durable_and_nothing_else(tmp_path: Path) -> None:
    """The group that did not fit is taken back, and the recording can be sealed once there is room."""
    chunks = session(7, rows=200)
    writer = Writer(tmp_path / "r", header())
    writer.write([whole(chunks[0])])
    with file_size_limit(writer.bytes + 10_000), pytest.raises(OSError, match="too large"):
        writer.write([whole(chunks[1]), whole(chunks[2])])
    assert writer.durable == (1, chunks[0].last_seq)
    writer.give_up()
    lost = Hole(epoch=1, first_seq=chunks[1].first_seq, last_seq=None, reason="no space left on device")
    writer.set_lost([lost])
    recording = open_recording(tmp_path / "r")
    assert recording.manifest.holes == [lost]
    assert told_by(recording) == told(chunks[:1])
    ended = Hole(epoch=1, first_seq=chunks[1].first_seq, last_seq=chunks[2].last_seq, reason=lost.reason)
    writer.close_given_up([ended])
    recording = open_recording(tmp_path / "r")
    assert (recording.manifest.state, recording.manifest.holes) == ("sealed", [ended])
    assert told_by(recording) == told(chunks[:1])


def test_room_is_kept_for_a_last_word(tmp_path: Path) -> None:
    """As many bytes as a manifest may need are on the disk from the start, and are given back when it is full."""
    writer = Writer(tmp_path / "r", header())
    ballast = tmp_path / "r" / JOURNALS / BALLAST
    assert ballast.stat().st_blocks * 512 >= 256 << 10
    writer.give_up()
    assert not ballast.exists()
    writer.close_given_up([])


def test_a_full_disk_while_sealing_leaves_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever step of it fails: no row is lost, no segment is half there, and sealing can be begun again."""
    chunks = session(8, windows=2, rows=5, channels=("bar", "l1", "l2"))
    disk = Disk(monkeypatch)
    step = 0
    while True:
        step += 1
        directory = tmp_path / str(step)
        writer = Writer(directory, header())
        writer.write([whole(chunk) for chunk in chunks])
        writer.rotate()
        try:
            with disk.failing_at(step, OSError(errno.ENOSPC, "No space left on device")):
                while writer.sealing:
                    writer.seal_step()
            break
        except OSError:
            assert told_by(open_recording(directory)) == told(chunks)
        writer.close()
        recording = open_recording(directory)
        assert (recording.manifest.state, told_by(recording)) == ("sealed", told(chunks))
        assert files_in(directory) == sorted([MANIFEST, *(segment.file for segment in recording.manifest.segments)])
    writer.close()
    assert step > 12


def test_a_kill_at_any_step_of_closing_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Journal, segments, manifest: at no moment is a row in none of what a reader looks at, or in two."""
    chunks = session(9, windows=2, rows=5, channels=("bar", "l1", "l2"))
    disk = Disk(monkeypatch)
    step, state, directory = 0, "", tmp_path
    while state != "sealed" or (directory / JOURNALS).exists():
        step += 1
        directory = tmp_path / str(step)
        writer = Writer(directory, header())
        writer.write([whole(chunk) for chunk in chunks])
        with disk.failing_at(step):
            writer.close()
        abandon(writer)
        recording = open_recording(directory)
        state = recording.manifest.state
        assert told_by(recording) == told(chunks)
    assert step > 15


# ------------------------------------------------------------------------------------------------------- going on


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), kill=st.booleans(), data=st.data())
def test_a_recording_goes_on_where_it_ended(
    tmp_path_factory: pytest.TempPathFactory, seed: int, kill: bool, data: st.DataObject
) -> None:
    """After a clean end or a kill: the same recording as one that was never interrupted."""
    directory = tmp_path_factory.mktemp("tap") / "recording"
    chunks = session(seed, windows=3)
    before = data.draw(st.integers(0, len(chunks)))
    record(directory, chunks[:before], rotate_after=[0], close=not kill)
    writer = Writer(directory, header(), continue_=True)
    assert writer.durable == ((1, chunks[before - 1].last_seq) if before else (0, 0))
    assert writer.last_avail == (int(chunks[before - 1].avail[-1]) if before else 0)
    for chunk in chunks[before:]:
        writer.write([whole(chunk)])
    writer.close()
    recording = open_recording(directory)
    assert told_by(recording) == told(chunks)
    epoch = recording.manifest.epoch(1)
    assert epoch is not None
    assert epoch.digest == digest_of(chunks)
    assert recording.manifest.holes == []


def test_what_was_lost_at_the_end_can_come_again(tmp_path: Path) -> None:
    """The hole that a full disk left is gone when its events were recorded after the restart."""
    chunks = session(10)
    writer = Writer(tmp_path / "r", header())
    writer.write([whole(chunks[0])])
    writer.close_given_up([Hole(epoch=1, first_seq=chunks[1].first_seq, last_seq=None, reason="full")])
    writer = Writer(tmp_path / "r", header(), continue_=True)
    writer.write([whole(chunk) for chunk in chunks[1:]])
    writer.close()
    recording = open_recording(tmp_path / "r")
    assert recording.manifest.holes == []
    assert told_by(recording) == told(chunks)


def test_a_hole_in_the_middle_stays_named(tmp_path: Path) -> None:
    """Going on does not make it whole: there is still no digest."""
    chunks = session(11)
    hole = Hole(epoch=1, first_seq=chunks[1].first_seq, last_seq=chunks[1].last_seq, reason="slow")
    writer = Writer(tmp_path / "r", header())
    writer.write([whole(chunks[0]), hole, whole(chunks[2])])
    abandon(writer)
    writer = Writer(tmp_path / "r", header(), continue_=True)
    writer.write([whole(chunks[3])])
    writer.close()
    manifest = open_recording(tmp_path / "r").manifest
    assert manifest.holes == [hole]
    assert [epoch.digest for epoch in manifest.epochs] == [None]


def test_a_folder_that_does_not_exist_can_be_continued(tmp_path: Path) -> None:
    """So that one command line serves the first start and every restart."""
    chunks = session(12)
    writer = Writer(tmp_path / "new" / "folder", header(), continue_=True)
    writer.write([whole(chunk) for chunk in chunks])
    writer.close()
    assert told_by(open_recording(tmp_path / "new" / "folder")) == told(chunks)


def test_another_session_cannot_be_continued(tmp_path: Path) -> None:
    """Neither with another seed or filter, nor by another version: its events would not be the same."""
    record(tmp_path / "r", session(13))
    with pytest.raises(TapError, match="r: cannot be continued: it is of a session with another source"):
        Writer(tmp_path / "r", header(seed=8), continue_=True)
    with pytest.raises(TapError, match="it is of a session with another filter"):
        Writer(tmp_path / "r", header(filter=Filter(channels=("l1",))), continue_=True)
    manifest = read_manifest(tmp_path / "r")
    manifest.feedsim = "0.0.1"
    write_manifest(tmp_path / "r", manifest)
    with pytest.raises(TapError, match=f"it was begun by feedsim 0.0.1, this is {feedsim.__version__}"):
        Writer(tmp_path / "r", header(), continue_=True)


def test_a_damaged_recording_cannot_be_continued(tmp_path: Path) -> None:
    """Its digest could not be gone on with; the file and the row are named."""
    recording = record(tmp_path / "r", session(14))
    segment = next(s for s in recording.manifest.segments if s.channel == "l1")
    path = tmp_path / "r" / segment.file
    data = bytearray(path.read_bytes())
    data[40] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(TapError, match=r"l1/00000001\.parquet, row 1: damaged Parquet file"):
        Writer(tmp_path / "r", header(), continue_=True)


# ------------------------------------------------------------------------------------------------------- the folder


def test_a_recording_is_never_written_over(tmp_path: Path) -> None:
    """Nor is a folder touched that has anything else in it."""
    record(tmp_path / "r", session(15))
    before = files_in(tmp_path / "r")
    with pytest.raises(TapError, match="the folder is not empty: name a new one, or continue its recording"):
        Writer(tmp_path / "r", header())
    assert files_in(tmp_path / "r") == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("all my work")
    with pytest.raises(TapError, match="the folder is not empty"):
        Writer(tmp_path / "other", header())
    with pytest.raises(TapError, match=f"files but no {MANIFEST}: no recording to continue"):
        Writer(tmp_path / "other", header(), continue_=True)
    assert files_in(tmp_path / "other") == ["thesis.txt"]


@pytest.mark.parametrize("killed", [True, False])
def test_a_recording_that_never_began_can_be_begun_again(tmp_path: Path, killed: bool) -> None:
    """The port was in use: nobody should have to clean up before the next try."""
    first = Writer(tmp_path / "r", header(seed=1))
    if killed:
        abandon(first)
    else:
        first.close()
    chunks = session(16)
    writer = Writer(tmp_path / "r", header(seed=2))
    writer.write([whole(chunk) for chunk in chunks])
    writer.close()
    recording = open_recording(tmp_path / "r")
    assert recording.manifest.source["seed"] == 2
    assert told_by(recording) == told(chunks)


def test_two_taps_cannot_share_a_folder(tmp_path: Path) -> None:
    """The second is told so and the first goes on."""
    chunks = session(17)
    writer = Writer(tmp_path / "r", header())
    for continue_ in (True, False):
        with pytest.raises(TapError, match="r: another process is recording into this folder"):
            Writer(tmp_path / "r", header(), continue_=continue_)
    writer.write([whole(chunk) for chunk in chunks])
    writer.close()
    assert told_by(open_recording(tmp_path / "r")) == told(chunks)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """A file in its place, or a disk that is full already."""
    (tmp_path / "file").write_text("")
    with pytest.raises(TapError, match=r"file/r: cannot record into this folder: not a directory"):
        Writer(tmp_path / "file" / "r", header())
    with file_size_limit(10), pytest.raises(TapError, match="cannot record into this folder: file too large"):
        Writer(tmp_path / "r", header())


def test_new_folders_are_durable_before_anything_in_them_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power failure must not take the journal's folder with it: each new entry's folder is synced after it."""
    entries: set[Path] = set()
    real_mkdir, real_sync = Path.mkdir, feedsim.recording.files.sync_folder

    def mkdir(path: Path, *args: object, **options: object) -> None:
        real_mkdir(path)
        entries.add(path)

    def sync(folder: Path) -> None:
        real_sync(folder)
        entries.difference_update([entry for entry in entries if entry.parent == folder])

    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr("feedsim.recording.files.sync_folder", sync)
    writer = Writer(tmp_path / "a" / "b", header())
    writer.write([whole(session(18)[0])])
    assert entries == set()
    writer.close()


# ------------------------------------------------------------------------------------------------------- being killed

WRITE = """
import sys
from pathlib import Path
from tests.tap.killed import write
write(Path(sys.argv[1]), int(sys.argv[2]))
"""


@pytest.mark.parametrize("lines", [1, 7, 30])
def test_everything_acknowledged_survives_kill_9(tmp_path: Path, lines: int) -> None:
    """A process writes, seals as it goes, and says what is durable; it is killed after so many words."""
    from tests.tap.killed import chunks_of

    command = [sys.executable, "-c", WRITE, str(tmp_path / "r"), "19"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        said = [json.loads(process.stdout.readline()) for _ in range(lines)][-1]
        process.kill()
        process.wait(30)
        said = [said, *map(json.loads, filter(str.strip, process.stdout))][-1]
    everything = told(chunks_of(19))
    recording = open_recording(tmp_path / "r")
    found = told_by(recording)
    assert len(found) >= said["durable_seq"] > 0
    assert found == everything[: len(found)]
    writer = Writer(tmp_path / "r", header(), continue_=True)
    assert writer.durable == (1, len(found))
    for chunk in chunks_of(19):
        lo = max(len(found) + 1 - chunk.first_seq, 0)
        if lo < len(chunk):
            writer.write([ChunkSlice(chunk, lo, len(chunk))])
    writer.close()
    assert told_by(open_recording(tmp_path / "r")) == everything
