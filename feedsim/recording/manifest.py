"""The manifest of a recording: what session it is of, what is in it, what is missing, and which files hold it.

It is replaced as a whole (`write_manifest`), so a reader always finds one that is complete.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from feedsim.errors import SourceError
from feedsim.events import CHANNELS
from feedsim.recording.files import write_whole

FORMAT = "feedsim-recording"
VERSIONS = (1,)
MANIFEST = "manifest.json"
JOURNALS = "_journal"


class Filter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was recorded of a session, where that is not all of it; None is everything."""

    channels: tuple[str, ...] | None = None
    symbols: tuple[str, ...] | None = None
    tf_s: tuple[int, ...] | None = None
    depth: int | None = None
    conflate_ms: int = 0

    @property
    def keeps_streams_whole(self) -> bool:
        """Whether the streams that are recorded have all their events as the session had them."""
        return self.depth is None and self.conflate_ms == 0

    def admits(self, channel: str, symbol: str, tf_s: int) -> bool:
        """Whether a stream is recorded; `tf_s` is 0 where streams of a channel have no length."""
        wanted = ((self.channels, channel), (self.symbols, symbol), (self.tf_s if tf_s else None, tf_s))
        return all(allowed is None or value in allowed for allowed, value in wanted)


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a session before its first event."""

    session_id: str
    symbols: tuple[str, ...]
    source: dict[str, Any] = {}
    """The source's identity as JSON values: enough to open it again."""
    config: dict[str, Any] = {}
    """The tape's configuration: what was computed beside the source's rows."""
    contracts: dict[str, str] = {}
    filter: Filter | None = None


class Epoch(msgspec.Struct, kw_only=True):
    """One epoch as far as it is in the segments."""

    epoch: int
    reason: str
    """start, or what the epoch's status event says: seek, loop …"""
    first_seq: int
    last_seq: int
    rows: int
    complete_from_start: bool
    """It begins with the epoch's first event (of every stream, in a filtered recording)."""
    digest: str | None
    """Of all rows and their order; null where there are holes, a filter, or no start."""
    stream_digests: dict[str, str]
    """Of the rows that are here, by stream."""


class Hole(msgspec.Struct, kw_only=True):
    """Events that were not recorded; `last_seq` is null where nobody knows how many."""

    epoch: int
    first_seq: int
    last_seq: int | None
    reason: str


class Segment(msgspec.Struct, kw_only=True):
    """One sealed Parquet file: rows of one channel and epoch, in the tape's order."""

    channel: str
    file: str
    """Relative to the recording, with forward slashes."""
    generation: int
    epoch: int
    rows: int
    size: int  # bytes
    sha256: str
    first_seq: int
    last_seq: int
    first_ts: int  # ns, the least
    last_ts: int  # ns, the greatest
    first_avail: int  # ns
    last_avail: int  # ns


class Manifest(msgspec.Struct, kw_only=True):
    """See the module. `state` is open while a tap writes, or where one was killed."""

    format: str = FORMAT
    version: int = VERSIONS[-1]
    feedsim: str
    state: Literal["open", "sealed"]
    created_ns: int
    updated_ns: int
    session_id: str
    source: dict[str, Any]
    config: dict[str, Any]
    contracts: dict[str, str]
    symbols: tuple[str, ...]
    filtered: bool
    filter: Filter | None
    epochs: list[Epoch]
    holes: list[Hole]
    segments: list[Segment]

    @property
    def generations(self) -> frozenset[int]:
        """The journals that have become segments."""
        return frozenset(segment.generation for segment in self.segments)

    def epoch(self, number: int) -> Epoch | None:
        return next((epoch for epoch in self.epochs if epoch.epoch == number), None)

    def put_epoch(self, epoch: Epoch) -> None:
        """Add an epoch, or replace what was known of it."""
        self.epochs = sorted([e for e in self.epochs if e.epoch != epoch.epoch] + [epoch], key=lambda e: e.epoch)


class _Version(msgspec.Struct):
    format: str = ""
    version: int = 0


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Replace the manifest, durably. Raises OSError."""
    write_whole(directory / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))


def read_manifest(directory: Path) -> Manifest:
    """Raises SourceError for a folder that is no recording, or whose manifest is damaged or of an unknown version."""
    path = directory / MANIFEST
    try:
        data = path.read_bytes()
    except OSError as error:
        problem = f"cannot be read: {error.strerror}; a recording is a folder with a {MANIFEST}"
        raise SourceError(problem, file=str(path)) from None
    try:
        found = msgspec.json.decode(data, type=_Version)
        if found.format != FORMAT:
            raise SourceError(f'not the manifest of a recording: "format" must be "{FORMAT}"', file=str(path))
        if found.version not in VERSIONS:
            known = ", ".join(map(str, VERSIONS))
            raise SourceError(f"format version {found.version}; known versions: {known}", file=str(path))
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"damaged manifest: {error}", file=str(path)) from None
    if unknown := [segment.channel for segment in manifest.segments if segment.channel not in CHANNELS]:
        raise SourceError(f"a segment of channel {unknown[0]!r}; there are {', '.join(CHANNELS)}", file=str(path))
    return manifest
