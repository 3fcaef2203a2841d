"""The first event that differs is named, with its fields; what may differ is passed over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from feedsim.events import CHANNELS, Chunk
from feedsim.recording.manifest import Filter, Hole
from feedsim.recording.reader import open_recording
from feedsim.tap.differences import first_difference
from tests.support.chunks import session
from tests.support.recordings import record

SEED = 71


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of everything."""
    directory = tmp_path_factory.mktemp("differences") / "r"
    record(directory, session(SEED))
    return directory


def compare(
    directory: Path,
    remade: list[Chunk],
    *,
    holes: list[Hole] | None = None,
    filter: Filter | None = None,
    seqs: tuple[int, int] = (1, 1 << 40),
) -> str | None:
    """With the recording, in all channels."""
    windows = open_recording(directory).windows(1)
    return first_difference(windows, remade, seqs=seqs, channels=frozenset(CHANNELS), holes=holes or [], filter=filter)


def test_equal_is_equal(directory: Path) -> None:
    """NaN, nulls and lists included."""
    assert compare(directory, session(SEED)) is None


def test_each_field_that_differs_is_named(directory: Path) -> None:
    """With both values."""
    chunks = session(SEED)
    part = chunks[1].tables["l1"]
    part.table.columns["ask_size"] = np.where(np.arange(len(part)) == 3, 5, part.table.array("ask_size"))
    part.table.columns["bid"] = np.where(np.arange(len(part)) == 3, 5.5, part.table.array("bid"))
    symbol = part.table.symbols[part.table.array("symbol")[3]]
    found = compare(directory, chunks)
    assert found is not None
    assert found.startswith(f"l1/{symbol} n {part.n[3]} (seq {part.seq[3]}): bid is ")
    assert found.endswith(", made again 5")
    assert ", made again 5.5; ask_size is " in found


def test_what_is_missing_or_too_much_is_named(directory: Path) -> None:
    """At the end and in the middle, unless it is in a hole or outside of what was recorded."""
    chunks = session(SEED)
    longer = [*chunks, *session(72, windows=1)]
    longer[-1] = Chunk(
        epoch=1,
        first_seq=chunks[-1].last_seq + 1,
        streams=chunks[-1].streams,
        tables={},
        rank=np.zeros(0, np.uint8),
        row=np.zeros(0, np.int64),
        stream=np.zeros(0, np.int32),
        avail=np.zeros(0, np.int64),
    )
    assert compare(directory, longer) is None
    found = compare(directory, chunks[:2])
    assert found is not None
    assert found.endswith(f"(seq {chunks[2].first_seq}) is not in the session made again")


def test_only_what_was_recorded_must_be_there(tmp_path: Path) -> None:
    """A recording with a gap: a difference, unless the hole is named."""
    chunks = session(SEED)
    from feedsim.tap.writer import Writer
    from tests.support.recordings import header, whole

    writer = Writer(tmp_path / "r", header())
    writer.write([whole(chunks[0]), whole(chunks[2])])
    writer.close()
    seqs = (1, chunks[2].last_seq)
    gap = (chunks[1].first_seq, chunks[1].last_seq)
    found = compare(tmp_path / "r", chunks, seqs=seqs)
    assert found is not None
    assert found.endswith(f"(seq {gap[0]}) is missing")
    hole = Hole(epoch=1, first_seq=gap[0], last_seq=gap[1], reason="slow")
    assert compare(tmp_path / "r", chunks, seqs=seqs, holes=[hole]) is None


def test_a_filter_admits_what_is_compared(directory: Path) -> None:
    """What was not recorded on purpose is not missing."""
    found = compare(directory, session(SEED), filter=Filter(channels=("l1",)))
    assert found is not None
    assert found.endswith("is not in the session made again")
