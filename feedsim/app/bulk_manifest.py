"""What is known of a folder of many sessions: an entry for each that is whole, and one manifest made of all entries.

Nothing is locked: each process writes entries of its own, and the manifest is made again until it has them all.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

import feedsim
from feedsim.errors import ConfigError, SourceError
from feedsim.recording.files import make_folder, write_whole

MANIFEST = "sessions.json"
ENTRIES = "_entries"
WORK = "_work"
FORMAT = "feedsim-sessions"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One session that is whole."""

    number: int
    seed: int
    folder: str
    """Relative to the manifest."""
    facts: dict[str, Any]
    """Events and digest of a recording, rows by table of an export."""
    files: dict[str, int]
    """Sizes in bytes, by path in the folder."""

    @staticmethod
    def of(made: Path, *, number: int, seed: int, folder: str, facts: dict[str, Any]) -> Entry:
        """The entry of a session that was made into some folder."""
        return Entry(number=number, seed=seed, folder=folder, facts=facts, files=_sizes(made))


class Bulk(msgspec.Struct, kw_only=True):
    """The manifest."""

    format: str = FORMAT
    version: int = 1
    feedsim: str
    seed: int
    """Of which the sessions' seeds are spawned."""
    sessions: int
    """How many there are to be."""
    made: int = 0
    settings: dict[str, Any]
    """What fixes a session, but for its seed."""
    entries: list[Entry] = []


def open_bulk(directory: Path, sessions: int, seed: int, settings: dict[str, Any]) -> Bulk:
    """The manifest of a folder, begun where there is none. Raises ConfigError for a folder with anything else."""
    as_read = msgspec.json.decode(msgspec.json.encode(settings))
    wanted = Bulk(feedsim=feedsim.__version__, seed=seed, sessions=sessions, settings=as_read)
    try:
        make_folder(directory / ENTRIES)
        found = _read(directory) or _begun(directory)
        if found is None:
            _replace(directory, wanted)
            return wanted
    except OSError as error:
        raise ConfigError(f"{directory}: cannot be written: {error.strerror}", field="out") from None
    for what in ("feedsim", "seed", "settings"):
        there, asked = getattr(found, what), getattr(wanted, what)
        if there != asked:
            raise ConfigError(
                f"{directory}: has sessions of other settings: {_difference(what, there, asked)}", field="out"
            )
    wanted.sessions = max(sessions, found.sessions)
    return wanted


def _difference(what: str, there: Any, asked: Any) -> str:
    """The first that differs."""
    if isinstance(there, dict) and isinstance(asked, dict):
        for name in sorted({*there, *asked}):
            if there.get(name) != asked.get(name):
                return _difference(name, there.get(name), asked.get(name))
    return f"{what} {there}, not {asked}"


def _begun(directory: Path) -> Bulk | None:
    """The manifest that another process has just begun; None for a folder with nothing in it."""
    there = {path.name for path in directory.iterdir()}
    if MANIFEST in there:
        return _read(directory)
    others = sorted(name for name in there - {ENTRIES} if not name.startswith(f".{MANIFEST}"))
    if others:
        raise ConfigError(f"{directory}: has {others[0]} but no {MANIFEST}: name a new folder", field="out")
    return None


def _read(directory: Path) -> Bulk | None:
    path = directory / MANIFEST
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Bulk)
    except msgspec.DecodeError as error:
        raise SourceError(f"damaged manifest: {error}", file=str(path)) from None


# -------------------------------------------------------------------------------------------------------------- entries


def write_entry(directory: Path, entry: Entry) -> None:
    """Note a session, before it is put in its place: a folder without an entry is never taken for whole."""
    write_whole(directory / ENTRIES / f"{entry.folder}.json", msgspec.json.encode(entry))


def entries_of(directory: Path) -> list[Entry]:
    """All that are noted, by number."""
    found = [_entry(path) for path in (directory / ENTRIES).glob("*.json")]
    return sorted((entry for entry in found if entry is not None), key=lambda entry: entry.number)


def is_whole(directory: Path, number: int) -> bool:
    """Whether a session is there with all its files, at their sizes."""
    entry = _entry(directory / ENTRIES / f"{number:06d}.json")
    return entry is not None and _sizes(directory / entry.folder) == entry.files


def _entry(path: Path) -> Entry | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Entry)
    except (OSError, msgspec.DecodeError):
        return None


def _sizes(folder: Path) -> dict[str, int]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}


# ------------------------------------------------------------------------------------------------------------- manifest


def update_manifest(directory: Path, bulk: Bulk) -> int:
    """Make the manifest of all entries; how many sessions are there.

    Another process may note one more meanwhile and be the first to write: the last to write looks again.
    """
    while True:
        noted = {path.name for path in (directory / ENTRIES).glob("*.json")}
        bulk.entries = [entry for entry in entries_of(directory) if (directory / entry.folder).is_dir()]
        bulk.made = len(bulk.entries)
        _replace(directory, bulk)
        if {path.name for path in (directory / ENTRIES).glob("*.json")} == noted:
            return bulk.made


def _replace(directory: Path, bulk: Bulk) -> None:
    """Several processes may do so at once, each with a file of its own."""
    data = msgspec.json.format(msgspec.json.encode(bulk), indent=1)
    unfinished = directory / f".{MANIFEST}.{uuid4().hex}"
    with unfinished.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(directory / MANIFEST)
