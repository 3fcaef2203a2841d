"""Writes a recording and reads it back; run in a process of its own to see what that imports."""

from __future__ import annotations

from pathlib import Path

from feedsim.recording.manifest import Header
from feedsim.sources.recording import RecordingSource
from feedsim.tap.slices import ChunkSlice
from feedsim.tap.writer import Writer
from tests.support.chunks import SYMBOLS, session


def write_and_read(directory: Path) -> None:
    """Raises AssertionError where nothing came back."""
    writer = Writer(directory / "recording", Header(session_id="s", symbols=SYMBOLS))
    chunks = session(1)
    writer.write([ChunkSlice(chunk, 0, len(chunk)) for chunk in chunks])
    writer.close()
    source = RecordingSource(directory / "recording")
    assert source.info.end_ns is not None
    assert sum(map(len, source.read(source.info.end_ns).values())) == sum(map(len, chunks))
