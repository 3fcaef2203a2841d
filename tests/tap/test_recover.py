"""What a killed tap left is sealed: whatever the journal's tail looks like, and however often it is begun again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.errors import SourceError, TapError
from feedsim.events import Chunk
from feedsim.recording.journal import journal_path
from feedsim.recording.manifest import JOURNALS, MANIFEST, read_manifest
from feedsim.recording.reader import open_recording
from feedsim.tap.recover import recover
from feedsim.tap.verify import verify
from feedsim.tap.writer import Writer
from tests.support.chunks import session, told
from tests.support.recordings import Disk, abandon, copied, files_in, header, record, remaking, told_by, whole

CHUNKS = session(21, windows=5, rows=4, channels=("status", "bar", "trade", "l1", "l2"))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording with one sealed segment a channel and a journal of four groups."""
    directory = tmp_path_factory.mktemp("killed") / "r"
    record(directory, CHUNKS, rotate_after=[0], close=False)
    return directory


def group_ends(directory: Path) -> list[int]:
    """Where each group of the journal ends."""
    from feedsim.recording.journal import Journal

    journal = Journal(journal_path(directory / JOURNALS, 2))
    return [start + sum(part.length for part in group.parts) for start, group in journal.groups]


def check(directory: Path, kept: list[Chunk]) -> None:
    """It reads as these chunks, is sealed as them, and is proven."""
    assert told_by(open_recording(directory)) == told(kept)
    manifest = recover(directory)
    assert manifest.state == "sealed"
    assert manifest == read_manifest(directory)
    assert files_in(directory) == sorted([MANIFEST, *(segment.file for segment in manifest.segments)])
    assert told_by(open_recording(directory)) == told(kept)
    assert verify(directory, remake=remaking(CHUNKS)).proven


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_journal_torn_anywhere_keeps_all_whole_groups(
    killed: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """At any byte: in the head, a frame, a description, a batch, or between two groups."""
    ends = group_ends(killed)
    near = st.sampled_from([0, *ends]).flatmap(lambda end: st.integers(max(end - 30, 0), min(end + 30, ends[-1])))
    size = data.draw(st.one_of(st.integers(0, ends[-1]), near))
    directory = copied(killed, tmp_path_factory.mktemp("torn") / "r")
    journal = journal_path(directory / JOURNALS, 2)
    journal.write_bytes(journal.read_bytes()[:size])
    check(directory, CHUNKS[: 1 + sum(end <= size for end in ends)])


@settings(max_examples=15, deadline=None)
@given(data=st.data(), filling=st.sampled_from([b"\0", b"\xff", b"FSJ1"]))
def test_a_tail_that_was_never_written_is_left_out(
    killed: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, filling: bytes
) -> None:
    """A file system may have made the file longer than what reached the disk."""
    ends = group_ends(killed)
    end = data.draw(st.sampled_from(ends[:-1]))
    directory = copied(killed, tmp_path_factory.mktemp("torn") / "r")
    journal = journal_path(directory / JOURNALS, 2)
    journal.write_bytes(journal.read_bytes()[: end + data.draw(st.integers(0, 10))] + filling * 200)
    check(directory, CHUNKS[: 1 + sum(other <= end for other in ends)])


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_damage_further_up_costs_its_group_and_is_named(
    killed: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """What a bad sector took is a hole in the manifest; what is behind it is not thrown away with it."""
    ends = group_ends(killed)
    number = data.draw(st.integers(1, len(ends) - 2))
    position = data.draw(st.integers(ends[number - 1], ends[number] - 1))
    directory = copied(killed, tmp_path_factory.mktemp("damaged") / "r")
    journal = journal_path(directory / JOURNALS, 2)
    content = bytearray(journal.read_bytes())
    content[position] ^= 0x20
    journal.write_bytes(content)
    manifest = recover(directory)
    lost = CHUNKS[number + 1]
    assert [(h.epoch, h.first_seq, h.last_seq, h.reason) for h in manifest.holes] == [
        (1, lost.first_seq, lost.last_seq, "not found when recovered")
    ]
    assert told_by(open_recording(directory)) == told(chunk for chunk in CHUNKS if chunk is not lost)
    assert manifest.epochs[0].digest is None
    assert verify(directory, remake=remaking(CHUNKS)).proven


def test_a_damaged_head_is_no_reason_to_throw_the_rest_away(killed: Path, tmp_path: Path) -> None:
    """It is said, and nothing is removed."""
    directory = copied(killed, tmp_path / "r")
    journal = journal_path(directory / JOURNALS, 2)
    content = bytearray(journal.read_bytes())
    content[30] ^= 0x20
    journal.write_bytes(content)
    with pytest.raises(TapError, match=r"00000002\.journal: the journal's head is damaged"):
        recover(directory)
    with pytest.raises(SourceError, match="the journal's head is damaged"):
        open_recording(directory)
    assert journal.read_bytes() == content


def test_a_kill_at_any_step_of_it_costs_nothing(killed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is begun again, killed again, and in the end all is there, once."""
    disk = Disk(monkeypatch)
    step, done = 0, False
    while not done:
        step += 1
        directory = copied(killed, tmp_path / "r")
        with disk.failing_at(step):
            recover(directory)
            done = True
        assert told_by(open_recording(directory)) == told(CHUNKS)
        with disk.failing_at(step // 2 + 1):
            recover(directory)
        assert told_by(open_recording(directory)) == told(CHUNKS)
        check(directory, CHUNKS)
    assert step > 20


def test_a_full_disk_is_one_line_and_costs_nothing(
    killed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recovering needs room for the segments."""
    directory = copied(killed, tmp_path / "r")
    with (
        Disk(monkeypatch).failing_at(2, OSError(28, "No space left on device")),
        pytest.raises(TapError, match="r: cannot be recovered: No space left on device"),
    ):
        recover(directory)
    check(directory, CHUNKS)


def test_a_sealed_recording_is_left_as_it_is(tmp_path: Path) -> None:
    """Also on a disk that cannot be written."""
    record(tmp_path / "r", CHUNKS)
    before = {name: (tmp_path / "r" / name).stat().st_mtime_ns for name in files_in(tmp_path / "r")}
    recover(tmp_path / "r")
    assert {name: (tmp_path / "r" / name).stat().st_mtime_ns for name in files_in(tmp_path / "r")} == before
    assert not (tmp_path / "r" / JOURNALS).exists()


def test_a_recording_at_work_is_left_alone(tmp_path: Path) -> None:
    """Its journal must not be taken from under the tap."""
    writer = Writer(tmp_path / "r", header())
    writer.write([whole(CHUNKS[0])])
    with pytest.raises(TapError, match="another process is recording into this folder"):
        recover(tmp_path / "r")
    writer.write([whole(chunk) for chunk in CHUNKS[1:]])
    writer.close()
    assert told_by(open_recording(tmp_path / "r")) == told(CHUNKS)


def test_several_epochs_are_recovered(tmp_path: Path) -> None:
    """Each gets its digest and its reason from its rows."""
    second = session(22, epoch=2)
    writer = Writer(tmp_path / "r", header())
    writer.write([whole(chunk) for chunk in (*CHUNKS, *second)])
    abandon(writer)
    manifest = recover(tmp_path / "r")
    assert [(epoch.epoch, epoch.last_seq) for epoch in manifest.epochs] == [
        (1, CHUNKS[-1].last_seq),
        (2, second[-1].last_seq),
    ]
    assert verify(tmp_path / "r", remake=remaking([*CHUNKS, *second])).proven


def test_what_is_no_recording_is_one_line(tmp_path: Path) -> None:
    """With what a recording is."""
    with pytest.raises(TapError, match="a recording is a folder with a manifest"):
        recover(tmp_path)
