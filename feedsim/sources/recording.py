"""A feedsim recording as a source: replayed as it is, in the order and at the available times that were recorded."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from feedsim.errors import SourceError
from feedsim.recording.manifest import MANIFEST
from feedsim.sources.base import SourceInfo, Tables

if TYPE_CHECKING:
    from feedsim.recording.reader import Recording

BEFORE_ALL = -(1 << 63)


def recognise(path: Path) -> bool:
    """Whether a path looks like a recording: a folder with a manifest."""
    return (path / MANIFEST).is_file()


class RecordingSource:
    """One epoch of a recording: the last that was recorded from its start, if none is named.

    Memory is a few thousand rows a channel. Raises SourceError for a folder that is no recording, an epoch that is not
    in it, and, when they are read, for files or rows that are wrong (file, row).
    """

    def __init__(self, path: Path | str, *, epoch: int | None = None) -> None:
        from feedsim.recording.reader import open_recording

        self.path = Path(path)
        self._recording = recording = open_recording(self.path)
        self.epoch = _chosen(recording, epoch)
        if not recording.channels(self.epoch):
            raise SourceError(f"epoch {self.epoch} has no rows of a channel that is known", file=str(self.path))
        self._cursors = recording.cursors(self.epoch)
        self._info = _info(recording, self.path, self.epoch)
        self._position_ns = BEFORE_ALL

    @property
    def info(self) -> SourceInfo:
        return self._info

    def read(self, until_ns: int) -> Tables:
        """The rows not read yet that were available before `until_ns`; `own` is their recorded seq."""
        self._position_ns = max(self._position_ns, until_ns)
        found = {cursor.channel: cursor.take_avail(until_ns) for cursor in self._cursors}
        return {channel: rows.table for channel, rows in found.items() if rows is not None}

    def seek(self, ns: int) -> None:
        """Go to the first row that was available at or after `ns`; only the row groups around it are read."""
        self._position_ns = ns
        for cursor in self._cursors:
            cursor.seek(ns)

    def save(self) -> bytes:
        return self._position_ns.to_bytes(8, "little", signed=True)

    def restore(self, state: bytes) -> None:
        self.seek(int.from_bytes(state, "little", signed=True))

    def close(self) -> None:
        for cursor in self._cursors:
            cursor.close()


def _chosen(recording: Recording, epoch: int | None) -> int:
    epochs, file = recording.epochs, str(recording.directory)
    if not epochs:
        raise SourceError("the recording is empty: no event was ever on disk", file=file)
    if epoch is not None:
        if epoch not in epochs:
            raise SourceError(f"no epoch {epoch} in the recording, which has {_listed(epochs)}", file=file)
        return epoch
    from_start = [number for number in epochs if _from_start(recording, number)]
    return (from_start or epochs)[-1]


def _from_start(recording: Recording, epoch: int) -> bool:
    known = recording.manifest.epoch(epoch)
    return known.complete_from_start if known is not None else recording.first_seq(epoch) == 1


def _info(recording: Recording, path: Path, epoch: int) -> SourceInfo:
    manifest = recording.manifest
    return SourceInfo(
        kind="recording",
        name=str(path),
        symbols=manifest.symbols,
        channels=recording.channels(epoch),
        start_ns=recording.first_avail(epoch),
        end_ns=recording.last_avail(epoch) + 1,
        identity=_identity(recording, path, epoch),
        contracts=dict(manifest.contracts),
        ordered=True,
        notes=_notes(recording, epoch),
    )


def _identity(recording: Recording, path: Path, epoch: int) -> dict[str, Any]:
    """`content` changes with every byte of the epoch's segments, and with the length of what is not sealed."""
    content = hashlib.sha256()
    for segment in recording.manifest.segments:
        if segment.epoch == epoch:
            content.update(f"{segment.file} {segment.sha256}\n".encode())
    for journal in recording.journals:
        if journal.head.epoch == epoch:
            content.update(f"{journal.path.name} {len(journal.groups)}\n".encode())
    session_id = recording.manifest.session_id
    return {
        "kind": "recording",
        "path": str(path),
        "options": {"epoch": str(epoch)},
        "session_id": session_id,
        "content": content.hexdigest(),
    }


def _notes(recording: Recording, epoch: int) -> tuple[str, ...]:
    manifest = recording.manifest
    notes: list[str] = []
    if len(recording.epochs) > 1:
        notes.append(f"epoch {epoch} of {_listed(recording.epochs)}")
    if not _from_start(recording, epoch):
        notes.append(f"recorded from seq {recording.first_seq(epoch)} on, not from the epoch's start")
    for hole in manifest.holes:
        if hole.epoch == epoch:
            last = "…" if hole.last_seq is None else hole.last_seq
            notes.append(f"seq {hole.first_seq}-{last} is missing: {hole.reason}")
    if manifest.filter is not None:
        notes.append(f"filtered: {msgspec.json.encode(manifest.filter).decode()}; seq and n are counted anew")
    if manifest.state == "open":
        notes.append("not closed: a tap is writing it or was killed; read as far as it was on disk when opened")
    return tuple(notes)


def _listed(epochs: tuple[int, ...]) -> str:
    return f"epochs {epochs[0]}-{epochs[-1]}" if len(epochs) > 1 else f"epoch {epochs[0]}"
