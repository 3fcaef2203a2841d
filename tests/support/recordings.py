"""Recordings made by a writer in one go, recordings as a kill leaves them, and limits that make writing fail."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from feedsim.events import Chunk
from feedsim.recording.manifest import Filter, Header, Manifest
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


def seal(writer: Writer) -> None:
    """End the journal and make segments of it."""
    writer.rotate()
    while writer.sealing:
        writer.seal_step()


def abandon(writer: Writer) -> None:
    """Let go of the files as a kill does: nothing more is written, synced or sealed."""
    if writer._journal is not None:
        writer._journal.close()
    writer._lock.close()


def record(
    directory: Path,
    chunks: Iterable[Chunk],
    *,
    rotate_after: Sequence[int] = (),
    close: bool = True,
    filter: Filter | None = None,
) -> Recording:
    """Write chunks, each durably; journals end after the chunks named. Without `close` it is as a kill leaves it."""
    writer = Writer(directory, header(filter=filter))
    for index, chunk in enumerate(chunks):
        writer.write([whole(chunk)])
        if index in rotate_after:
            seal(writer)
    if close:
        writer.close()
    else:
        abandon(writer)
    return open_recording(directory)


def told_by(recording: Recording, epoch: int = 1) -> list[Any]:
    """All recorded events in order under their recorded seq, each with its available time; see `chunks.told`."""
    rows: list[Any] = []
    for window in recording.windows(epoch):
        seqs = window.seq.tolist()
        for position, event in enumerate(window.chunk.events()):
            placed = msgspec.structs.replace(event, seq=seqs[position])
            rows.append((repr(placed), int(window.chunk.avail[position])))
    return rows


def remaking(chunks: Sequence[Chunk]) -> Callable[[Manifest, int], Iterator[Chunk] | None]:
    """A session that can be made again: `verify` gets these chunks."""

    def remake(manifest: Manifest, epoch: int) -> Iterator[Chunk] | None:
        assert manifest.source == header().source
        return iter([chunk for chunk in chunks if chunk.epoch == epoch])

    return remake


def copied(directory: Path, to: Path) -> Path:
    """A copy of a recording that may be damaged."""
    if to.exists():
        shutil.rmtree(to)
    return shutil.copytree(directory, to)


def files_in(directory: Path) -> list[str]:
    """All files below a folder, relative to it."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def open_files() -> int:
    """File descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file of this process may become longer than this: writing fails as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class Killed(BaseException):
    """The process ends here; no handler of errors may catch it."""


class Disk:
    """Counts the steps by which a process changes a folder, and lets one of them fail, and all behind it.

    With `Killed` everything after that step is as if the process were gone; with an OSError, as if the disk were full.
    """

    STEPS = ("os.fsync", "pathlib.Path.replace", "pathlib.Path.unlink", "pathlib.Path.rmdir", "pathlib.Path.mkdir")

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps = 0
        self._fail_at: int | None = None
        self._error: BaseException = Killed()
        for name in self.STEPS:
            place, _, attribute = name.rpartition(".")
            real: Callable[..., Any] = getattr(os if place == "os" else Path, attribute)
            monkeypatch.setattr(name, self._counted(real))

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **options: Any) -> Any:
            self.steps += 1
            if self._fail_at is not None and self.steps >= self._fail_at:
                raise self._error
            return real(*args, **options)

        return step

    @contextmanager
    def failing_at(self, step: int, error: BaseException | None = None) -> Iterator[None]:
        """From the step-th step on, counted from here; all is well again at the end."""
        self.steps, self._fail_at, self._error = 0, step, error or Killed()
        try:
            yield
        except Killed:
            pass
        finally:
            self._fail_at = None
