"""Seals what a killed tap left behind. May itself be killed at any time and begun again."""

from __future__ import annotations

import time
from pathlib import Path

from feedsim.errors import SourceError, TapError
from feedsim.events import CHANNELS
from feedsim.recording.files import lock, make_folder, remove_locked
from feedsim.recording.journal import Journal, UnbornError
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
        manifest = read_manifest(directory)
        folder = directory / JOURNALS
        if manifest.state == "sealed" and not folder.exists():
            return manifest
        make_folder(folder)
        with lock(folder / LOCK) as held:
            manifest = recover_locked(directory)[0].manifest
            remove_locked(folder, held)
    except SourceError as error:
        raise TapError(str(error)) from None
    except OSError as error:
        raise TapError(f"{directory}: cannot be recovered: {error.strerror}") from None
    return manifest


def recover_locked(directory: Path) -> tuple[Recording, EpochState | None]:
    """`recover` for who has the lock; also the state of the last epoch, where it had to be made. Raises as that."""
    try:
        manifest = open_recording(directory).manifest
        _seal_all(directory, manifest)
        _remove_orphans(directory, manifest)
        recording = Recording(directory, manifest, ())
        last = _describe_epochs(recording)
    except SourceError as error:
        raise TapError(str(error)) from None
    if manifest.state != "sealed":
        manifest.state = "sealed"
        manifest.updated_ns = time.time_ns()
        write_manifest(directory, manifest)
    return recording, last


def _seal_all(directory: Path, manifest: Manifest) -> None:
    folder = directory / JOURNALS
    for path in leftover_journals(folder, manifest):
        try:
            Journal(path)
        except UnbornError:
            continue
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


def _describe_epochs(recording: Recording) -> EpochState | None:
    """Make what the manifest has to say of epochs that it does not know, or knows less of; the last one's state."""
    manifest = recording.manifest
    state: EpochState | None = None
    for number in recording.epochs:
        known = manifest.epoch(number)
        rows = sum(segment.rows for segment in manifest.segments if segment.epoch == number)
        if known is None or known.rows != rows:
            state = load_epoch(recording, number)
            manifest.put_epoch(state.record())
    return state if state is not None and state.epoch == recording.epochs[-1] else None
