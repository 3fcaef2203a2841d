"""An export folder of the seed's generator as a source: what is in its Parquet files is replayed as it is.

`ts` is epoch milliseconds. It has no trades, so its own bars and footprints are told, at their end; a context without a
symbol is told for every symbol. What an export lacks is null or left out, and said in `info.notes`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedsim.events import CHANNELS
from feedsim.sources.base import SourceInfo, Tables

if TYPE_CHECKING:
    from feedsim.sources.seed_channels import Channel

FILES = {
    "bar": "bars.parquet",
    "footprint": "footprint.parquet",
    "context": "context.parquet",
    "leadership": "leadership_features.parquet",
    "truth": "ground_truth.parquet",
    "l1": "l1.parquet",
    "l2": "l2.parquet",
}
BEFORE_ALL = -(1 << 63)
_END = 1 << 16  # bytes at a file's end that its identity covers: its statistics and where everything lies


def recognise(path: Path) -> bool:
    """Whether a path looks like an export: a folder with at least one of its files."""
    return any((path / name).is_file() for name in FILES.values())


class SeedSource:
    """An export folder. Memory is a few thousand rows a file and symbol.

    Opening reads the times and symbols of all files, so that rows in the wrong order are known before anything is told.
    Raises SourceError for files that are damaged, unordered or of other types, and, when they are read, for rows with
    values that cannot be told (file, row).
    """

    def __init__(self, path: Path | str) -> None:
        from feedsim.sources.seed_channels import open_channels

        self.path = Path(path)
        self._channels, notes = open_channels(self.path, FILES)
        roots = {root for channel in self._channels for root in channel.roots}
        symbols = tuple(sorted(roots)) or ("ES",)
        for channel in self._channels:
            channel.tell_for(symbols)
        self._info = _info(self.path, self._channels, symbols, notes)
        self._position_ns = BEFORE_ALL

    @property
    def info(self) -> SourceInfo:
        return self._info

    def read(self, until_ns: int) -> Tables:
        """The rows not read yet that are available before `until_ns`; they have no order of their own."""
        self._position_ns = max(self._position_ns, until_ns)
        found = {channel.name: channel.take(until_ns) for channel in self._channels}
        return {name: table for name, table in found.items() if table is not None}

    def seek(self, ns: int) -> None:
        """Go to the first row that is available at or after `ns`; row groups before it are not read."""
        self._position_ns = ns
        for channel in self._channels:
            channel.seek(ns)

    def save(self) -> bytes:
        return self._position_ns.to_bytes(8, "little", signed=True)

    def restore(self, state: bytes) -> None:
        self.seek(int.from_bytes(state, "little", signed=True))

    def close(self) -> None:
        for channel in self._channels:
            channel.close()


def _info(path: Path, channels: Sequence[Channel], symbols: tuple[str, ...], notes: Sequence[str]) -> SourceInfo:
    names = {root: name for channel in channels for root, name in channel.names.items() if root and root != name}
    return SourceInfo(
        kind="seed",
        name=str(path),
        symbols=symbols,
        channels=tuple(channel for channel in CHANNELS if channel in {channel.name for channel in channels}),
        start_ns=min(channel.first_ns for channel in channels),
        end_ns=max(channel.last_ns for channel in channels) + 1,
        identity=_identity(path),
        contracts=dict(sorted(names.items())),
        notes=tuple(notes),
    )


def _identity(path: Path) -> dict[str, Any]:
    ends = hashlib.sha256()
    files: list[list[str | int]] = []
    for name in FILES.values():
        if (path / name).is_file():
            size = (path / name).stat().st_size
            files.append([name, size])
            with (path / name).open("rb") as opened:
                opened.seek(max(0, size - _END))
                ends.update(opened.read())
    return {
        "kind": "seed",
        "path": str(path.absolute()),
        "options": {},
        "files": files,
        "ends_sha256": ends.hexdigest(),
    }
