"""The journal: groups are whole or absent, whatever happened to its tail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.errors import SourceError
from feedsim.events import CHANNELS, Chunk
from feedsim.recording.journal import Journal, JournalHead, JournalWriter, UnbornError, journal_path, schemas_of
from feedsim.recording.schema import to_batch
from tests.support.chunks import session
from tests.support.recordings import file_size_limit, files_in, open_files

TORN = 300  # bytes


def head(generation: int = 1) -> JournalHead:
    """Of the journals that are written here."""
    return JournalHead(generation, 1, "start", schemas_of(CHANNELS))


def append(writer: JournalWriter, chunk: Chunk) -> None:
    """A chunk as one group."""
    batches = [(channel, to_batch(part, chunk.epoch)) for channel, part in chunk.tables.items()]
    writer.append(batches, first_seq=chunk.first_seq, last_seq=chunk.last_seq)


def write(folder: Path, chunks: list[Chunk]) -> list[int]:
    """A journal of some groups; its size after each."""
    writer = JournalWriter(folder, head())
    sizes = []
    for chunk in chunks:
        append(writer, chunk)
        sizes.append(writer.size)
    writer.sync()
    writer.close()
    assert writer.groups == len(chunks)
    return sizes


def content(journal: Journal) -> list[Any]:
    """All rows of all channels."""
    return [
        (channel, row, batch.to_pylist())
        for channel in CHANNELS
        if channel in journal.channels
        for row, batch in journal.batches(channel)
    ]


def stored(chunks: list[Chunk]) -> list[Any]:
    """What a journal of these must hold."""
    rows = []
    for channel in CHANNELS:
        row = 1
        for chunk in chunks:
            if channel in chunk.tables:
                batch = to_batch(chunk.tables[channel], chunk.epoch)
                rows.append((channel, row, batch.to_pylist()))
                row += batch.num_rows
    return rows


def seqs(journal: Journal) -> list[tuple[int, int]]:
    """First and last of each group."""
    return [(group.first_seq, group.last_seq) for _, group in journal.groups]


@given(seed=st.integers(0, 2**32), windows=st.integers(0, 5))
def test_what_is_appended_is_read(tmp_path_factory: pytest.TempPathFactory, seed: int, windows: int) -> None:
    """Head, groups and all rows of every channel."""
    folder = tmp_path_factory.mktemp("journal")
    chunks = session(seed, windows=windows, rows=8)
    write(folder, chunks)
    journal = Journal(journal_path(folder, 1))
    assert (journal.head, journal.torn) == (head(), 0)
    assert seqs(journal) == [(chunk.first_seq, chunk.last_seq) for chunk in chunks]
    assert repr(content(journal)) == repr(stored(chunks))


def test_a_torn_tail_costs_its_group_and_nothing_else(tmp_path: Path) -> None:
    """Cut at each of the last 300 bytes: all groups before the cut are there, bit by bit."""
    chunks = session(3, windows=6, rows=2, channels=("l1", "trade"))
    sizes = write(tmp_path, chunks)
    path = journal_path(tmp_path, 1)
    data = path.read_bytes()
    for size in range(len(data) - TORN, len(data)):
        path.write_bytes(data[:size])
        journal = Journal(path)
        whole = [chunk for chunk, end in zip(chunks, sizes, strict=True) if end <= size]
        assert len(whole) < len(chunks)
        assert seqs(journal) == [(chunk.first_seq, chunk.last_seq) for chunk in whole]
        assert journal.torn == size - sizes[len(whole) - 1]
        assert repr(content(journal)) == repr(stored(whole))


def test_a_tail_of_other_bytes_costs_its_group(tmp_path: Path) -> None:
    """A block that the disk never wrote (zeros) or wrote wrong is noticed by the checksum."""
    chunks = session(4, windows=3, rows=3)
    sizes = write(tmp_path, chunks)
    path = journal_path(tmp_path, 1)
    data = path.read_bytes()
    for position in range(sizes[-2], sizes[-1], 11):
        path.write_bytes(data[:position] + bytes([data[position] ^ 0x10]) + data[position + 1 :])
        assert len(Journal(path).groups) == 2
        path.write_bytes(data[:position] + bytes(len(data) - position))
        assert len(Journal(path).groups) == (3 if not any(data[position:]) else 2)


def test_damage_in_the_middle_costs_its_group_alone(tmp_path: Path) -> None:
    """Wherever a group was hit, all before and behind it are there; `torn` counts its bytes."""
    chunks = session(8, windows=4, rows=3)
    sizes = write(tmp_path, chunks)
    path = journal_path(tmp_path, 1)
    data = path.read_bytes()
    for position in range(sizes[0], sizes[2], 97):
        hit = 1 if position < sizes[1] else 2
        path.write_bytes(data[:position] + bytes([data[position] ^ 0x40]) + data[position + 1 :])
        journal = Journal(path)
        left = [chunk for number, chunk in enumerate(chunks) if number != hit]
        assert seqs(journal) == [(chunk.first_seq, chunk.last_seq) for chunk in left]
        assert journal.torn == sizes[hit] - sizes[hit - 1]
        assert repr(content(journal)) == repr(stored(left))


def test_a_magic_and_zeros_are_no_group(tmp_path: Path) -> None:
    """An empty frame would have a right checksum."""
    chunks = session(8, windows=2, rows=3)
    sizes = write(tmp_path, chunks)
    path = journal_path(tmp_path, 1)
    path.write_bytes(path.read_bytes()[: sizes[0] + 4] + bytes(100))
    assert len(Journal(path).groups) == 1


def test_a_damaged_head_is_not_taken_for_a_torn_one(tmp_path: Path) -> None:
    """What is behind it was acknowledged."""
    write(tmp_path, session(8, windows=2, rows=3))
    path = journal_path(tmp_path, 1)
    data = path.read_bytes()
    path.write_bytes(data[:50] + bytes([data[50] ^ 1]) + data[51:])
    with pytest.raises(SourceError, match="the journal's head is damaged") as caught:
        Journal(path)
    assert not isinstance(caught.value, UnbornError)


def test_a_head_that_did_not_fit_is_not_there(tmp_path: Path) -> None:
    """On a full disk no file is left behind, and none is open."""
    before = open_files()
    with file_size_limit(100), pytest.raises(OSError, match="too large"):
        JournalWriter(tmp_path, head())
    assert files_in(tmp_path) == []
    assert open_files() == before


def test_a_torn_head_is_no_journal(tmp_path: Path) -> None:
    """Nothing in it was ever acknowledged."""
    write(tmp_path, [])
    path = journal_path(tmp_path, 1)
    data = path.read_bytes()
    for size in (0, 1, 19, 20, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(UnbornError, match="without a whole head"):
            Journal(path)


def test_batches_before_a_time_are_passed_over(tmp_path: Path) -> None:
    """But rows are still numbered from the file's first."""
    chunks = session(5, windows=4, channels=("l1",))
    write(tmp_path, chunks)
    journal = Journal(journal_path(tmp_path, 1))
    every = list(journal.batches("l1"))
    later = list(journal.batches("l1", avail=int(chunks[2].avail[0])))
    assert [row for row, _ in later] == [row for row, _ in every[2:]]
    assert [part.rows for part in journal.parts("l1")] == [len(chunk) for chunk in chunks]


def test_a_group_that_did_not_fit_is_not_there(tmp_path: Path) -> None:
    """On a full disk the journal stays whole, and goes on when there is room again."""
    chunks = session(6, windows=3, rows=40)
    writer = JournalWriter(tmp_path, head())
    append(writer, chunks[0])
    writer.sync()
    with file_size_limit(writer.size + 2_000), pytest.raises(OSError, match="too large"):
        append(writer, chunks[1])
    assert writer.path.stat().st_size == writer.size
    append(writer, chunks[1])
    append(writer, chunks[2])
    writer.close()
    assert repr(content(Journal(writer.path))) == repr(stored(chunks))


def test_what_was_not_synced_can_be_taken_back(tmp_path: Path) -> None:
    """So that a recording ends with what is durable."""
    chunks = session(7, windows=3)
    writer = JournalWriter(tmp_path, head())
    append(writer, chunks[0])
    writer.sync()
    append(writer, chunks[1])
    writer.cut_to_synced()
    writer.close()
    journal = Journal(writer.path)
    assert (journal.torn, seqs(journal)) == (0, [(chunks[0].first_seq, chunks[0].last_seq)])


def test_a_journal_is_never_written_over(tmp_path: Path) -> None:
    """Its number is its name."""
    write(tmp_path, [])
    with pytest.raises(FileExistsError):
        JournalWriter(tmp_path, head())
