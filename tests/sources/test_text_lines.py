"""Blocks of whole lines, from plain and compressed files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedsim.errors import SourceError
from feedsim.sources import text_lines
from feedsim.sources.text_lines import Block, LineFile

TEXT = st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=30)


def _write(path: Path, data: bytes) -> Path:
    if path.suffix == ".gz":
        data = gzip.compress(data)
    elif path.suffix == ".zst":
        data = zstandard.compress(data)
    path.write_bytes(data)
    return path


def _blocks(reader: LineFile) -> list[Block]:
    blocks = []
    try:
        while (block := reader.read()) is not None:
            blocks.append(block)
    finally:
        reader.close()
    return blocks


@given(lines=TEXT, ended=st.booleans(), size=st.integers(1, 40), suffix=st.sampled_from(["", ".gz", ".zst"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_blocks_are_the_file(tmp_path: Path, lines: list[bytes], ended: bool, size: int, suffix: str) -> None:
    """End to end they are its bytes; each starts where and in the row that it says, after a newline."""
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    path = _write(tmp_path / f"lines.txt{suffix}", data)
    blocks = _blocks(LineFile(path, block_bytes=size))
    assert b"".join(block.data for block in blocks) == data
    for block in blocks:
        before = data[: block.offset]
        assert block.row == before.count(b"\n") + 1
        assert not before or before.endswith(b"\n")
    assert all(block.data.endswith(b"\n") for block in blocks[:-1])


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_it_can_be_put_at_any_block(tmp_path: Path, suffix: str) -> None:
    """From a block's start on, what is read is the rest of the file."""
    data = b"".join(b"%d\n" % number for number in range(500))
    path = _write(tmp_path / f"lines.txt{suffix}", data)
    blocks = _blocks(LineFile(path, block_bytes=100))
    assert len(blocks) > 10
    reader = LineFile(path, block_bytes=100)
    for block in (blocks[7], blocks[0], blocks[-1]):
        reader.seek(block.offset, block.row)
        again = _blocks(reader)
        assert b"".join(part.data for part in again) == data[block.offset :]
        assert (again[0].offset, again[0].row) == (block.offset, block.row)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("harm", ["cut", "changed"])
def test_a_damaged_compressed_file_is_an_error(tmp_path: Path, suffix: str, harm: str) -> None:
    """It does not end quietly where its stream was cut or is no stream any more."""
    path = _write(tmp_path / f"lines.txt{suffix}", b"".join(b"%d\n" % (number**3) for number in range(5000)))
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(data[:middle] if harm == "cut" else data[:middle] + b"\0" * 64 + data[middle + 64 :])
    with pytest.raises(SourceError, match="damaged or cut off") as caught:
        _blocks(LineFile(path))
    assert caught.value.file == str(path)


def test_a_file_without_newlines_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not gathered in memory to its end."""
    monkeypatch.setattr(text_lines, "LONGEST_LINE", 1000)
    path = _write(tmp_path / "lines.txt", b"first\n" + b"x" * 5000)
    with pytest.raises(SourceError, match="longer than") as caught:
        _blocks(LineFile(path, block_bytes=100))
    assert caught.value.row == 2


def test_an_absent_file_is_an_error(tmp_path: Path) -> None:
    """At once, not when it is read."""
    with pytest.raises(SourceError, match="cannot be read"):
        LineFile(tmp_path / "absent.csv")
