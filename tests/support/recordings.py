"""Recordings made by a writer in one go, and limits that make writing fail."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from feedsim.events import Chunk
from feedsim.recording.manifest import Filter, Header
from feedsim.recording.reader import Recording, open_recording
from feedsim.tap.slices import ChunkSlice
from feedsim.tap.writer import Writer
from tests.support.chunks import SYMBOLS


def header(*, session_id: str = "session", filter: Filter | None = None, seed: int = 7) -> Header:
    """Of a made-up session."""
    return Header(
        session_id=session_id,
        symbols=SYMBOLS,
        source={"kind": "synthetic", "seed": seed},
        config={"bar_tf_s": [1, 60]},
        contracts={"ES": "ESU5"},
        filter=filter,
    )


def whole(chunk: Chunk) -> ChunkSlice:
    """All of a chunk."""
    return ChunkSlice(chunk, 0, len(chunk))


def record(
    directory: Path,
    chunks: Iterable[Chunk],
    *,
    rotate_after: Sequence[int] = (),
    close: bool = True,
) -> Recording:
    """Write chunks, each durably; journals end after the chunks named. Without `close` it is as a kill leaves it."""
    writer = Writer(directory, header())
    for index, chunk in enumerate(chunks):
        writer.write([whole(chunk)])
        if index in rotate_after:
            writer.rotate()
            while writer.sealing:
                writer.seal_step()
    if close:
        writer.close()
    else:
        writer._lock.close()
    return open_recording(directory)


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file of this process may become longer than this: writing fails as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
