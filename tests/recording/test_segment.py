"""Sealed segments: whole or absent, and every damage is an error that names the file."""

from __future__ import annotations

import hashlib
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from feedsim.errors import SourceError
from feedsim.recording import segment as module
from feedsim.recording.manifest import Segment
from feedsim.recording.schema import to_batch
from feedsim.recording.segment import check_size, seal, segment_batches
from tests.support.chunks import quotes
from tests.support.recordings import Disk, Killed, file_size_limit, files_in

CHUNKS = quotes(6, 50)


def batches() -> list[pa.RecordBatch]:
    """Of l1."""
    return [to_batch(chunk.tables["l1"], chunk.epoch) for chunk in CHUNKS]


def sealed(directory: Path) -> Segment:
    """All of them as a segment."""
    (directory / "tmp").mkdir(parents=True)
    *_, segment = seal(directory, directory / "tmp", "l1", 3, 1, batches())
    assert segment is not None
    return segment


def test_a_segment_is_what_the_manifest_says(tmp_path: Path) -> None:
    """File, rows, size, hash and all ends."""
    segment = sealed(tmp_path)
    path = tmp_path / segment.file
    assert files_in(tmp_path) == ["l1/00000003.parquet"]
    assert segment.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    check_size(tmp_path, segment)
    table = pq.read_table(path, partitioning=None)
    assert table.equals(pa.Table.from_batches(batches()))
    assert (segment.rows, segment.epoch, segment.generation) == (len(table), 1, 3)
    for name in ("seq", "ts", "avail"):
        values = table.column(name).to_pylist()
        ends = (getattr(segment, f"first_{name}"), getattr(segment, f"last_{name}"))
        assert ends == (min(values), max(values))


def test_it_is_made_in_steps_of_a_row_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a tap can write its journal in between, and a reader can pass over what is too early."""
    monkeypatch.setattr(module, "ROW_GROUP", 70)
    (tmp_path / "tmp").mkdir()
    steps = list(seal(tmp_path, tmp_path / "tmp", "l1", 1, 1, batches()))
    segment = steps[-1]
    assert segment is not None
    assert segment.rows == 300
    groups = pq.ParquetFile(tmp_path / segment.file).metadata.num_row_groups
    assert groups == len(steps) - 1 >= 3
    from_third = int(CHUNKS[3].avail[0])
    first_row, first = next(segment_batches(tmp_path, segment, avail=from_third))
    assert 1 < first_row <= 151
    assert first.column("seq")[0].as_py() == first_row
    rows = [batch.num_rows for _, batch in segment_batches(tmp_path, segment)]
    assert sum(rows) == 300


def test_batches_larger_than_a_row_group_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row once, whatever the sizes."""
    monkeypatch.setattr(module, "ROW_GROUP", 20)
    segment = sealed(tmp_path)
    table = pq.read_table(tmp_path / segment.file, partitioning=None)
    assert table.equals(pa.Table.from_batches(batches()))
    metadata = pq.ParquetFile(tmp_path / segment.file).metadata
    assert max(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)) <= 39


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """Neither a segment nor a temporary file."""
    with file_size_limit(1000), pytest.raises(OSError, match="too large"):
        sealed(tmp_path)
    assert files_in(tmp_path) == []


def test_a_kill_leaves_the_whole_segment_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any step: under its name there is never a part."""
    disk, there = Disk(monkeypatch), []
    for step in range(1, 9):
        directory = tmp_path / str(step)
        (directory / "tmp").mkdir(parents=True)
        with disk.failing_at(step, Killed()):
            list(seal(directory, directory / "tmp", "l1", 3, 1, batches()))
        path = directory / "l1" / "00000003.parquet"
        there.append(path.exists())
        if path.exists():
            assert pq.read_table(path, partitioning=None).num_rows == 300
    assert there == sorted(there)
    assert set(there) == {True, False}


@pytest.mark.parametrize("size", [0, 3, 100, -1])
def test_a_truncated_segment_is_refused(tmp_path: Path, size: int) -> None:
    """By its size before it is opened, and by itself where the size is not looked at."""
    segment = sealed(tmp_path)
    path = tmp_path / segment.file
    data = path.read_bytes()
    path.write_bytes(data[:size])
    with pytest.raises(SourceError, match=rf"{len(data[:size])} bytes, but the manifest says {len(data)}") as caught:
        check_size(tmp_path, segment)
    assert caught.value.file == str(path)
    with pytest.raises(SourceError, match="damaged Parquet file") as caught:
        list(segment_batches(tmp_path, segment))
    assert caught.value.file == str(path)
    assert "\n" not in str(caught.value)


def test_a_flipped_bit_is_an_error_and_never_a_wrong_event(tmp_path: Path) -> None:
    """Wherever it is in the pages: a SourceError, or the rows are all as they were."""
    segment = sealed(tmp_path)
    path = tmp_path / segment.file
    data = path.read_bytes()
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    refused = 0
    for position in range(4, footer, 61):
        path.write_bytes(data[:position] + bytes([data[position] ^ 4]) + data[position + 1 :])
        try:
            found = [batch for _, batch in segment_batches(tmp_path, segment)]
        except SourceError as error:
            refused += error.file == str(path)
            continue
        assert pa.Table.from_batches(found).equals(pa.Table.from_batches(batches()))
    assert refused > 20


def test_a_missing_segment_is_refused(tmp_path: Path) -> None:
    """With what should be in it."""
    segment = sealed(tmp_path)
    (tmp_path / segment.file).unlink()
    with pytest.raises(SourceError, match="No such file or directory; the manifest says it has 300 rows") as caught:
        check_size(tmp_path, segment)
    assert caught.value.file == str(tmp_path / segment.file)
    with pytest.raises(SourceError, match="No such file"):
        list(segment_batches(tmp_path, segment))


def test_rows_too_few_are_refused(tmp_path: Path) -> None:
    """A whole Parquet file that is not the one that was sealed."""
    segment = sealed(tmp_path)
    pq.write_table(pa.Table.from_batches(batches()[:-1]), tmp_path / segment.file)
    with pytest.raises(SourceError, match="250 rows, but the manifest says 300") as caught:
        list(segment_batches(tmp_path, segment))
    assert caught.value.file == str(tmp_path / segment.file)


def test_columns_of_another_channel_are_refused(tmp_path: Path) -> None:
    """With the file's name."""
    segment = sealed(tmp_path)
    pq.write_table(pa.table({"seq": [1]}), tmp_path / segment.file)
    with pytest.raises(SourceError) as caught:
        list(segment_batches(tmp_path, segment))
    assert caught.value.file == str(tmp_path / segment.file)


def test_damage_is_told_by_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of those that cannot be had, from 1; those before it are still told."""
    monkeypatch.setattr(module, "ROW_GROUP", 50)
    segment = sealed(tmp_path)
    path = tmp_path / segment.file
    metadata = pq.ParquetFile(path).metadata
    data = bytearray(path.read_bytes())
    for group in (3, 4, 5):
        chunk = metadata.row_group(group).column(0)
        start = chunk.dictionary_page_offset or chunk.data_page_offset
        data[start : start + chunk.total_compressed_size] = bytes(chunk.total_compressed_size)
    path.write_bytes(data)
    monkeypatch.setattr(module, "READ_ROWS", 50)
    told = segment_batches(tmp_path, segment)
    assert [(row, batch.num_rows) for row, batch in islice(told, 3)] == [(1, 50), (51, 50), (101, 50)]
    with pytest.raises(SourceError, match="damaged Parquet file") as caught:
        next(told)
    assert caught.value.row == 151


def test_columns_are_packed_for_what_they_are(tmp_path: Path) -> None:
    """What counts upwards as deltas, what repeats by a dictionary; all of it by zstd."""
    segment = sealed(tmp_path)
    group = pq.ParquetFile(tmp_path / segment.file).metadata.row_group(0)
    columns = {group.column(at).path_in_schema: group.column(at) for at in range(group.num_columns)}
    assert {column.compression for column in columns.values()} == {"ZSTD"}
    for name in ("seq", "n", "avail", "ts"):
        assert "DELTA_BINARY_PACKED" in columns[name].encodings
        assert not columns[name].has_dictionary_page
    for name in ("epoch", "symbol", "bid", "ask_size"):
        assert columns[name].has_dictionary_page, name


def test_channels_have_folders_of_their_own(tmp_path: Path) -> None:
    """Made where they are missing, used where they are there."""
    (tmp_path / "tmp").mkdir()
    for generation in (1, 2):
        *_, segment = seal(tmp_path, tmp_path / "tmp", "l1", generation, 1, batches())
        assert segment is not None
        assert segment.file == f"l1/0000000{generation}.parquet"
    assert files_in(tmp_path) == ["l1/00000001.parquet", "l1/00000002.parquet"]
