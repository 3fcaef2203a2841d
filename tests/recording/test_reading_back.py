"""What docs/recordings.md promises of reading a recording with other libraries, by its own lines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

from feedsim.events import CHANNELS, SCHEMAS
from tests.support.chunks import session
from tests.support.recordings import record, told_by

DOCUMENT = Path(__file__).parents[2] / "docs" / "recordings.md"
CHUNKS = session(41, windows=12)
LIBRARIES: dict[str, Any] = {"pandas": pd, "polars": pl, "duckdb": duckdb}


def lines() -> dict[str, str]:
    """The document's line for each library."""
    (block,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return {line.partition(".")[0]: line for line in block.splitlines()}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording in three generations, with more than nine would be in the wrong order by their bare numbers."""
    directory = tmp_path_factory.mktemp("reading") / "recording"
    record(directory, CHUNKS, rotate_after=range(11))
    return directory


def read(library: str, directory: Path, channel: str) -> Any:
    """What the line makes of a channel."""
    line = lines()[library].replace("DIR/", f"{directory}/").replace("trade", channel)
    return eval(line, dict(LIBRARIES))


def test_there_is_a_line_for_each_library() -> None:
    """And no other code in that block."""
    assert set(lines()) == set(LIBRARIES)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("channel", CHANNELS)
def test_one_line_reads_a_channel(library: str, channel: str, directory: Path) -> None:
    """All rows in the tape's order, with the columns that the document names and the values that were recorded."""
    found = read(library, directory, channel)
    names = ["epoch", "seq", "n", "avail", *SCHEMAS[channel].names]
    assert list(found.columns) == names
    rows = [part for chunk in CHUNKS if (part := chunk.tables.get(channel)) is not None]
    seqs = [seq for part in rows for seq in part.seq.tolist()]
    wanted = {
        "seq": seqs,
        "n": [n for part in rows for n in part.n.tolist()],
        "avail": [avail for part in rows for avail in part.table.avail.tolist()],
        "symbol": [part.table.symbols[code] for part in rows for code in part.table.array("symbol").tolist()],
    }
    for name, values in wanted.items():
        assert column(found, name) == values
    for field in SCHEMAS[channel].fields:
        if field.kind.is_list:
            first = next((list(v) for v in column(found, field.name) if v is not None), None)
            lists = [v for part in rows for v in part.table.ragged(field.name).lists()]
            assert first == next(v for v in lists if v is not None)


def column(found: Any, name: str) -> list[Any]:
    """A column of any library's table as Python values."""
    if isinstance(found, duckdb.DuckDBPyRelation):
        return [row[0] for row in found.select(f'"{name}"').fetchall()]
    values: list[Any] = found[name].to_list()
    return values


def test_the_lines_read_what_feedsim_reads(directory: Path) -> None:
    """All channels together are the session."""
    from feedsim.recording.reader import open_recording

    rows = sum(len(read("polars", directory, channel)) for channel in CHANNELS)
    assert rows == len(told_by(open_recording(directory))) == CHUNKS[-1].last_seq
