"""Journals become segments: segments written and renamed, then the manifest, and only then is the journal removed.

A crash between any two steps leaves either the journal or the segments in the manifest, never neither.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from feedsim.events import CHANNELS
from feedsim.recording.files import sync_folder
from feedsim.recording.journal import Journal
from feedsim.recording.manifest import JOURNALS, Epoch, Manifest, Segment, write_manifest
from feedsim.recording.segment import seal


def seal_journal(
    directory: Path,
    manifest: Manifest,
    path: Path,
    epoch: Epoch | None,
    *,
    now_ns: Callable[[], int] = time.time_ns,
) -> Iterator[None]:
    """Do it in steps of one row group at most; each `next` is one. Raises OSError, SourceError.

    `epoch` is what the manifest shall say of the journal's epoch with its rows; None leaves that as it is. What failed
    can be begun again.
    """
    yield
    if path.exists() and int(path.stem) not in manifest.generations:
        journal = Journal(path)
        yield
        segments: list[Segment] = []
        for done in _sealed(directory, journal):
            if done is not None:
                segments.append(done)
            yield
        if segments:
            _publish(directory, manifest, segments, epoch, now_ns())
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def _sealed(directory: Path, journal: Journal) -> Iterator[Segment | None]:
    head = journal.head
    for channel in CHANNELS:
        if channel in journal.channels:
            batches = (batch for _, batch in journal.batches(channel))
            yield from seal(directory, directory / JOURNALS, channel, head.generation, head.epoch, batches)


def _publish(directory: Path, manifest: Manifest, segments: list[Segment], epoch: Epoch | None, now_ns: int) -> None:
    """Make segments part of the recording; where the manifest cannot be written, of neither it nor the file."""
    before = manifest.segments, manifest.epochs
    manifest.segments = manifest.segments + segments
    if epoch is not None:
        manifest.put_epoch(epoch)
    manifest.updated_ns = now_ns
    try:
        write_manifest(directory, manifest)
    except OSError:
        manifest.segments, manifest.epochs = before
        raise
