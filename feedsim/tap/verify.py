"""Proves that a recording is what its session told: its files, its numbering, and its digest made again.

Three digests are compared for each epoch: what the tap wrote down, what the rows on disk give, and what the session
gives when it is made again from its source or seed. Nothing on disk is changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from feedsim.errors import SourceError
from feedsim.events import CHANNELS, Chunk, Digest
from feedsim.events.columns import Int64
from feedsim.recording.manifest import Epoch, Filter, Hole, Manifest
from feedsim.recording.reader import Recording, Window, open_recording
from feedsim.recording.segment import check_size
from feedsim.tap.differences import first_difference
from feedsim.tap.epochs import covers

ORDER = "order"
Remake = Callable[[Manifest, int], Iterable[Chunk] | None]
"""The chunks of an epoch from its seq 1 on, made again from what the manifest says; None where that cannot be done
(the source is not here, or the epoch was opened by a seek whose place is not known)."""


@dataclass(slots=True)
class EpochResult:
    """One epoch: `digest` of the rows on disk against what the manifest says and what was made again."""

    epoch: int
    rows: int = 0
    first_seq: int = 0
    last_seq: int = 0
    digest: str = ""
    """Of the rows on disk; only the streams' digests mean anything where the recording is filtered."""
    written_agrees: bool | None = None
    """With the manifest; None where it says nothing, since the tap was killed before it could."""
    remade_agrees: bool | None = None
    """With the session made again; None where it was not."""
    differing_stream: str | None = None
    """The first stream, by name, that differs in either; "order" where all are equal but not their order."""
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems and self.written_agrees is not False and self.remade_agrees is not False


@dataclass(slots=True)
class Verification:
    directory: Path
    state: str
    epochs: list[EpochResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Nothing is wrong with what is there. Holes that the manifest names are not wrong; look at `holes`."""
        return not self.problems and all(epoch.ok for epoch in self.epochs)

    @property
    def proven(self) -> bool:
        """`ok`, and every epoch was made again."""
        return self.ok and bool(self.epochs) and all(epoch.remade_agrees for epoch in self.epochs)


def verify(directory: Path, *, remake: Remake | None = None) -> Verification:
    """Check everything that can be checked. Raises SourceError where the folder cannot be opened as a recording.

    `remake` is asked a second time for an epoch that differs, to find the first event that does.
    """
    recording = open_recording(directory, sizes=False)
    manifest = recording.manifest
    result = Verification(directory, manifest.state, holes=list(manifest.holes))
    result.problems += _damaged_segments(recording)
    for number in recording.epochs:
        result.epochs.append(_verify_epoch(recording, number, remake))
    return result


def _damaged_segments(recording: Recording) -> Iterator[str]:
    for segment in recording.manifest.segments:
        try:
            check_size(recording.directory, segment)
            with (recording.directory / segment.file).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != segment.sha256:
                    yield f"{segment.file}: its SHA-256 is not what the manifest says"
        except SourceError as error:
            yield f"{segment.file}: {error.problem}"


def _verify_epoch(recording: Recording, number: int, remake: Remake | None) -> EpochResult:
    result = EpochResult(number)
    manifest = recording.manifest
    holes = [hole for hole in manifest.holes if hole.epoch == number]
    digest = Digest()
    numbering = _Numbering(holes, filtered=manifest.filtered)
    try:
        for window in recording.windows(number):
            numbering.check(window)
            digest.update(window.chunk)
            result.first_seq = result.first_seq or int(window.seq[0])
            result.last_seq = int(window.seq[-1])
    except SourceError as error:
        result.problems.append(str(error))
        return result
    result.problems += numbering.problems
    result.rows, result.digest = digest.count, digest.hexdigest()
    _compare_written(result, digest, manifest.epoch(number))
    if remake is not None and (chunks := remake(manifest, number)) is not None:
        _compare_remade(result, digest, manifest, _digest_of(chunks, result, holes))
        if result.remade_agrees is False and (chunks := remake(manifest, number)) is not None:
            _find_difference(result, recording, chunks, holes)
    return result


def _find_difference(result: EpochResult, recording: Recording, chunks: Iterable[Chunk], holes: list[Hole]) -> None:
    stream = result.differing_stream or ORDER
    channels = frozenset(CHANNELS if stream == ORDER else [stream.partition("/")[0]])
    found = first_difference(
        recording.windows(result.epoch),
        chunks,
        seqs=(result.first_seq, result.last_seq),
        channels=channels,
        holes=holes,
        filter=recording.manifest.filter,
    )
    if found is not None:
        result.problems.append(found)


class _Numbering:
    """`seq` and each stream's `n` are dense, but for holes that the manifest names."""

    def __init__(self, holes: list[Hole], *, filtered: bool) -> None:
        self.problems: list[str] = []
        self._holes, self._filtered = holes, filtered
        self._seq: int | None = None
        self._streams: dict[int, tuple[int, int]] = {}

    def check(self, window: Window) -> None:
        chunk, seq = window.chunk, window.seq
        if not self._filtered:
            self._check_dense("seq", seq, seq, self._seq, self._seq)
        self._seq = int(seq[-1])
        for code in np.unique(chunk.stream).tolist():
            rows = chunk.stream == code
            last_n, last_seq = self._streams.get(code, (None, None))
            name = f"n of {chunk.streams.keys[code]}"
            self._check_dense(name, chunk.n[rows], seq[rows], last_n, last_seq)
            self._streams[code] = (int(chunk.n[rows][-1]), int(seq[rows][-1]))

    def _check_dense(self, name: str, values: Int64, seq: Int64, last: int | None, last_seq: int | None) -> None:
        before = np.concatenate([[values[0] - 1 if last is None else last], values[:-1]])
        seq_before = np.concatenate([[seq[0] - 1 if last_seq is None else last_seq], seq[:-1]])
        for row in np.flatnonzero(values != before + 1).tolist():
            first_missing, last_missing = int(seq_before[row]) + 1, int(seq[row]) - 1
            if not any(covers(h, first_missing) or first_missing <= h.first_seq <= last_missing for h in self._holes):
                self.problems.append(f"{name}: {values[row]} after {before[row]} (at seq {seq[row]})")


def _compare_written(result: EpochResult, digest: Digest, written: Epoch | None) -> None:
    """Where a journal goes on behind what the manifest knows, its digest is of fewer rows and says nothing."""
    if written is None or written.rows != result.rows:
        return
    found = digest.streams()
    result.written_agrees = written.stream_digests == found and written.digest in (None, result.digest)
    if not result.written_agrees:
        result.differing_stream = _first_difference(written.stream_digests, found)


def _digest_of(chunks: Iterable[Chunk], result: EpochResult, holes: list[Hole]) -> Digest:
    """Of what was made again, between the first and the last recorded seq and outside of the holes."""
    digest = Digest()
    for chunk in chunks:
        for first, last in _recorded(max(chunk.first_seq, result.first_seq), result.last_seq, holes):
            if first <= chunk.last_seq:
                hi = min(last, chunk.last_seq) + 1 - chunk.first_seq
                digest.update(chunk, first - chunk.first_seq, hi)
        if chunk.last_seq >= result.last_seq:
            break
    return digest


def _recorded(first: int, last: int, holes: list[Hole]) -> Iterator[tuple[int, int]]:
    """The ranges of seqs from `first` to `last` that are in no hole."""
    for hole in sorted(holes, key=lambda hole: hole.first_seq):
        if hole.last_seq is None or hole.last_seq >= first:
            if first < hole.first_seq:
                yield first, min(hole.first_seq - 1, last)
            if hole.last_seq is None:
                return
            first = hole.last_seq + 1
    if first <= last:
        yield first, last


def _compare_remade(result: EpochResult, digest: Digest, manifest: Manifest, remade: Digest) -> None:
    found, again = digest.streams(), remade.streams()
    if manifest.filter is not None:
        if not manifest.filter.keeps_streams_whole:
            return
        again = {name: value for name, value in again.items() if _recorded_stream(manifest.filter, name)}
    result.remade_agrees = found == again and (manifest.filtered or result.digest == remade.hexdigest())
    if not result.remade_agrees and result.differing_stream is None:
        result.differing_stream = _first_difference(again, found)


def _recorded_stream(filter: Filter, name: str) -> bool:
    channel, symbol, *length = name.split("/")
    return filter.admits(channel, symbol, int(length[0].removesuffix("s")) if length else 0)


def _first_difference(expected: dict[str, str], found: dict[str, str]) -> str:
    names = sorted(expected.keys() | found.keys())
    return next((name for name in names if expected.get(name) != found.get(name)), ORDER)
