"""Seals what a killed tap left behind. May itself be killed at any time and begun again."""

from __future__ import annotations

import time
from pathlib import Path

from feedsim.errors import SourceError, TapError
from feedsim.events import CHANNELS
from feedsim.recording.files import lock
from feedsim.recording.journal import Journal
from feedsim.recording.manifest import JOURNALS, Manifest, read_manifest, write_manifest
from feedsim.recording.reader import Recording, leftover_journals, open_recording
from feedsim.tap.epochs import EpochState, load_epoch
from feedsim.tap.sealing import seal_journal

LOCK = "lock"


def recover(directory: Path) -> Manifest:
    """Seal a recording that was not closed; one that was is left as it is. Returns its manifest.

    Raises TapError where it is being written, damaged, or the folder cannot be written.
    """
    try:
        read_manifest(directory)
        (directory / JOURNALS).mkdir(exist_ok=True)
        with lock(directory / JOURNALS / LOCK):
            recording = recover_locked(directory)
        remove_folder(directory)
    except SourceError as error:
        raise TapError(str(error)) from None
    except OSError as error:
        raise TapError(f"{directory}: cannot be recovered: {error.strerror}") from None
    return recording.manifest


def recover_locked(directory: Path) -> Recording:
    """`recover` for who has the lock. Raises OSError, TapError."""
    try:
        manifest = open_recording(directory).manifest
        _seal_all(directory, manifest)
        _remove_orphans(directory, manifest)
        recording = Recording(directory, manifest, ())
        _describe_epochs(recording)
    except SourceError as error:
        raise TapError(str(error)) from None
    if manifest.state != "sealed":
        manifest.state = "sealed"
        manifest.updated_ns = time.time_ns()
        write_manifest(directory, manifest)
    return recording


def _seal_all(directory: Path, manifest: Manifest) -> None:
    folder = directory / JOURNALS
    for path in leftover_journals(folder, manifest):
        try:
            Journal(path)
        except SourceError:
            continue  # not even its head is whole
        for _ in seal_journal(directory, manifest, path, None):
            pass


def _remove_orphans(directory: Path, manifest: Manifest) -> None:
    """Journals that are sealed, temporary files, and segments whose journal was not yet gone."""
    known = {directory / segment.file for segment in manifest.segments}
    folder = directory / JOURNALS
    segments = [path for channel in CHANNELS for path in (directory / channel).glob(f"{'[0-9]' * 8}.parquet")]
    for path in (*folder.glob("*.journal"), *folder.glob("*.tmp"), *segments):
        if path not in known:
            path.unlink()


def _describe_epochs(recording: Recording) -> None:
    manifest = recording.manifest
    for number in recording.epochs:
        known = manifest.epoch(number)
        rows = sum(segment.rows for segment in manifest.segments if segment.epoch == number)
        if known is None or known.rows != rows:
            manifest.put_epoch(load_epoch(recording, number).record())


def last_epoch(recording: Recording) -> EpochState | None:
    """The state in which a tap goes on."""
    return load_epoch(recording, recording.epochs[-1]) if recording.epochs else None


def remove_folder(directory: Path) -> None:
    """Remove the journals' folder, which must hold no journal any more."""
    folder = directory / JOURNALS
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
