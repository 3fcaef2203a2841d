"""Verifying: equal is said only of what is equal, and what differs is named exactly."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from feedsim.errors import FeedsimError, SourceError
from feedsim.events import Chunk
from feedsim.recording.manifest import MANIFEST, Filter, Header, Hole, Manifest, read_manifest, write_manifest
from feedsim.recording.reader import open_recording
from feedsim.sources.catalog import reopen
from feedsim.sources.recording import RecordingSource
from feedsim.tap.slices import EventSlice
from feedsim.tap.verify import Verification, verify
from feedsim.tap.writer import Writer
from tests.support.chunks import SYMBOLS, session
from tests.support.recordings import abandon, copied, header, record, remaking, whole

CHUNKS = session(31, windows=3)
Change = Callable[[list[Any]], None]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording in two generations."""
    directory = tmp_path_factory.mktemp("verify") / "r"
    record(directory, CHUNKS, rotate_after=[1])
    return directory


def change(directory: Path, file: str, column: str, how: Change, *, manifest_too: bool = True) -> None:
    """Rewrite a segment with other values in one column; the manifest's word on the file too, as a forger would."""
    path = directory / file
    table = pq.read_table(path, partitioning=None)
    values = table.column(column).to_pylist()
    how(values)
    index = table.schema.get_field_index(column)
    table = table.set_column(index, table.schema.field(index), pa.array(values, table.schema.field(index).type))
    pq.write_table(table, path)
    if manifest_too:
        manifest = read_manifest(directory)
        segment = next(segment for segment in manifest.segments if segment.file == file)
        segment.size = path.stat().st_size
        segment.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        write_manifest(directory, manifest)


def place(directory: Path, file: str, row: int) -> tuple[str, int, int]:
    """Symbol, n and seq of a row, counted from 0."""
    table = pq.read_table(directory / file, columns=["symbol", "n", "seq"], partitioning=None).slice(row, 1).to_pylist()
    return table[0]["symbol"], table[0]["n"], table[0]["seq"]


def text(result: Verification) -> str:
    """All that it complains of."""
    return "\n".join([*result.problems, *(problem for epoch in result.epochs for problem in epoch.problems)])


def test_a_good_recording_is_proven(good: Path) -> None:
    """Digest of the rows, of the manifest and of the session made again are one."""
    result = verify(good, remake=remaking(CHUNKS))
    assert (result.ok, result.proven, text(result)) == (True, True, "")
    (epoch,) = result.epochs
    assert (epoch.first_seq, epoch.last_seq, epoch.rows) == (1, CHUNKS[-1].last_seq, CHUNKS[-1].last_seq)
    assert (epoch.written_agrees, epoch.remade_agrees, epoch.differing_stream) == (True, True, None)


def test_a_value_that_was_changed_is_named(good: Path, tmp_path: Path) -> None:
    """Even where the manifest was made to fit: the stream, its n and seq, the field, and both values."""
    directory = copied(good, tmp_path / "r")
    file = "l1/00000002.parquet"
    symbol, n, seq = place(directory, file, 2)
    before = pq.read_table(directory / file, partitioning=None).column("bid_size").to_pylist()[2]
    change(directory, file, "bid_size", lambda values: values.__setitem__(2, 4711))
    result = verify(directory, remake=remaking(CHUNKS))
    (epoch,) = result.epochs
    assert (result.ok, epoch.written_agrees, epoch.remade_agrees) == (False, False, False)
    assert epoch.differing_stream == f"l1/{symbol}"
    assert epoch.problems == [f"l1/{symbol} n {n} (seq {seq}): bid_size is 4711, made again {before}"]


def test_a_file_that_was_changed_is_named(good: Path, tmp_path: Path) -> None:
    """By the manifest's hash, or its size, besides what its rows say."""
    directory = copied(good, tmp_path / "r")
    change(directory, "l1/00000002.parquet", "ask_size", lambda v: v.__setitem__(0, 4711), manifest_too=False)
    result = verify(directory, remake=remaking(CHUNKS))
    assert "l1/00000002.parquet: " in result.problems[0]
    assert "bytes, but the manifest says" in result.problems[0]
    assert "ask_size is 4711" in text(result)
    same_size = copied(good, tmp_path / "s")
    data = bytearray((same_size / "bar/00000001.parquet").read_bytes())
    data[-20] ^= 1  # in the footer's metadata, which pages' checksums do not cover
    (same_size / "bar/00000001.parquet").write_bytes(data)
    assert "bar/00000001.parquet: its SHA-256 is not what the manifest says" in verify(same_size).problems


def test_the_available_time_may_not_be_changed_in_order(good: Path, tmp_path: Path) -> None:
    """It is in no digest, but in the file's hash."""
    directory = copied(good, tmp_path / "r")
    change(directory, "l1/00000002.parquet", "avail", lambda v: v.__setitem__(-1, v[-1] + 1), manifest_too=False)
    assert not verify(directory, remake=remaking(CHUNKS)).ok


def test_rows_that_were_removed_are_missed(good: Path, tmp_path: Path) -> None:
    """By their numbers, without the session, and by the first event that is missing with it."""
    directory = copied(good, tmp_path / "r")
    file = "l2/00000001.parquet"
    symbol, n, seq = place(directory, file, 3)
    table = pq.read_table(directory / file, partitioning=None)
    pq.write_table(pa.concat_tables([table.slice(0, 3), table.slice(4)]), directory / file)
    manifest = read_manifest(directory)
    segment = next(segment for segment in manifest.segments if segment.file == file)
    segment.rows -= 1
    segment.size = (directory / file).stat().st_size
    segment.sha256 = hashlib.sha256((directory / file).read_bytes()).hexdigest()
    write_manifest(directory, manifest)
    assert f"(at seq {seq + 1})" in text(verify(directory))
    assert f"l2/{symbol} n {n} (seq {seq}) is missing" in text(verify(directory, remake=remaking(CHUNKS)))


@pytest.mark.parametrize("damage", ["missing", "truncated", "corrupt"])
def test_a_damaged_segment_is_named(good: Path, tmp_path: Path, damage: str) -> None:
    """And the others are still checked."""
    directory = copied(good, tmp_path / "r")
    path = directory / "trade/00000001.parquet"
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(data[:-9] if damage == "truncated" else data[:30] + b"\xff" * 40 + data[70:])
    result = verify(directory, remake=remaking(CHUNKS))
    assert not result.ok
    assert "trade/00000001.parquet" in result.problems[0]
    assert "trade/00000001.parquet" in result.epochs[0].problems[0]


def test_a_session_that_is_another_is_not_proven(good: Path) -> None:
    """Equal to its own manifest, but not to what its seed gives."""
    result = verify(good, remake=remaking(session(32, windows=3)))
    (epoch,) = result.epochs
    assert (epoch.written_agrees, epoch.remade_agrees, result.ok) == (True, False, False)
    assert len(epoch.problems) == 1


def test_without_the_session_it_says_less(good: Path) -> None:
    """Whole is not proven."""
    result = verify(good)
    assert (result.ok, result.proven, result.epochs[0].remade_agrees) == (True, False, None)
    assert not verify(good, remake=lambda *_: None).proven


def test_one_that_was_killed_is_compared_as_far_as_it_goes(tmp_path: Path) -> None:
    """Its journal counts; the manifest says nothing of it yet."""
    record(tmp_path / "r", CHUNKS[:2], rotate_after=[0], close=False)
    result = verify(tmp_path / "r", remake=remaking(CHUNKS))
    assert (result.state, result.proven, result.epochs[0].written_agrees) == ("open", True, None)
    assert result.epochs[0].last_seq == CHUNKS[1].last_seq


def test_a_named_hole_is_no_difference_and_an_unnamed_one_is(tmp_path: Path) -> None:
    """Law 5: missing is allowed only where it is said."""
    hole = Hole(epoch=1, first_seq=CHUNKS[1].first_seq, last_seq=CHUNKS[1].last_seq, reason="slow")
    writer = Writer(tmp_path / "r", header())
    writer.write([whole(CHUNKS[0]), hole, whole(CHUNKS[2])])
    writer.close()
    result = verify(tmp_path / "r", remake=remaking(CHUNKS))
    assert (result.proven, result.holes) == (True, [hole])
    manifest = read_manifest(tmp_path / "r")
    manifest.holes = []
    write_manifest(tmp_path / "r", manifest)
    result = verify(tmp_path / "r", remake=remaking(CHUNKS))
    assert not result.ok
    assert f"seq: {CHUNKS[2].first_seq} after {CHUNKS[0].last_seq}" in text(result)


def test_every_epoch_is_checked(tmp_path: Path) -> None:
    """The difference is in the second."""
    second = session(33, epoch=2)
    writer = Writer(tmp_path / "r", header())
    writer.write([whole(chunk) for chunk in (*CHUNKS, *second)])
    writer.close()
    assert verify(tmp_path / "r", remake=remaking([*CHUNKS, *second])).proven
    result = verify(tmp_path / "r", remake=remaking([*CHUNKS, *session(34, epoch=2)]))
    assert [epoch.ok for epoch in result.epochs] == [True, False]


def test_a_filtered_recording_is_compared_stream_by_stream(tmp_path: Path) -> None:
    """And a value of it that was changed is found as well."""
    directory = tmp_path / "r"
    writer = Writer(directory, header(filter=Filter(channels=("l1",))))
    for chunk in CHUNKS:
        writer.write([EventSlice(1, chunk.events(channels=frozenset(["l1"])), SYMBOLS, not_before=0)])
    writer.close()
    assert verify(directory, remake=remaking(CHUNKS)).proven
    change(directory, "l1/00000001.parquet", "ask_size", lambda values: values.__setitem__(5, 4711))
    assert "ask_size is 4711, made again" in text(verify(directory, remake=remaking(CHUNKS)))


def test_no_recording_cannot_be_verified(tmp_path: Path) -> None:
    """One line."""
    with pytest.raises(SourceError, match=MANIFEST):
        verify(tmp_path)


def test_a_source_that_is_gone_or_changed_is_not_taken_for_the_recorded_one(good: Path, tmp_path: Path) -> None:
    """The recording of a recording: proven while its source is there, refused when it is another, or nowhere."""
    source = copied(good, tmp_path / "source")
    identity = dict(RecordingSource(source).info.identity)
    writer = Writer(tmp_path / "r", Header(session_id="s", symbols=SYMBOLS, source=identity))
    writer.write([whole(chunk) for chunk in CHUNKS])
    writer.close()

    def remake(manifest: Manifest, epoch: int) -> list[Chunk]:
        reopen(manifest.source).close()
        return [window.chunk for window in open_recording(source).windows(epoch)]

    assert verify(tmp_path / "r", remake=remake).proven
    change(source, "l1/00000001.parquet", "bid_size", lambda values: values.__setitem__(0, 4711))
    with pytest.raises(FeedsimError, match="this is not what was recorded: it differs in content"):
        verify(tmp_path / "r", remake=remake)
    shutil.rmtree(source)
    with pytest.raises(FeedsimError, match="source: no such file or folder"):
        verify(tmp_path / "r", remake=remake)


def test_abandoned_is_not_ended(tmp_path: Path) -> None:
    """A recording without a single event is whole, and proves nothing."""
    abandon(Writer(tmp_path / "r", header()))
    result = verify(tmp_path / "r", remake=remaking(CHUNKS))
    assert (result.ok, result.proven, result.epochs) == (True, False, [])
