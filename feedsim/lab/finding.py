"""What can be replayed below a folder: looked for in bounded depth and time, told by what lies there, never opened."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from feedsim.market.scenarios import SCENARIOS
from feedsim.sources.delimited import recognise as is_csv
from feedsim.sources.recording import recognise as is_recording
from feedsim.sources.seed import recognise as is_export
from feedsim.sources.sierra.files import parse_name

MAX_DEPTH = 6  # folders below the one that is looked through
MAX_ENTRIES = 20_000  # files and folders looked at
MAX_S = 5.0
_PASSED_OVER = frozenset({"node_modules", "__pycache__", "site-packages", "venv"})


def scenarios() -> dict[str, str]:
    """What the synthetic market can do, by the names that may follow `synthetic:`."""
    return {name: scenario.about for name, scenario in SCENARIOS.items()}


@dataclass(frozen=True, slots=True)
class FoundSource:
    """One source, by the path that `feedsim serve` takes."""

    kind: str
    path: Path
    files: int
    size: int
    """Bytes."""


@dataclass(slots=True)
class Search:
    """The sources below a folder. Chart files in one folder or several are one source: that of the folder above all."""

    clock: Callable[[], float] = time.monotonic
    cut_short: bool = field(default=False, init=False)
    """There may be more: it took too long."""
    _entries: int = field(default=0, init=False)
    _until: float = field(default=0.0, init=False)

    def below(self, folder: Path) -> list[FoundSource]:
        """In order of their paths. A folder that is a source itself is the only one."""
        self._until = self.clock() + MAX_S
        if kind := _kind_of_folder(folder):
            return [_found(kind, folder)]
        found = self._visit(folder, MAX_DEPTH)
        return sorted(found, key=lambda source: source.path.parts)

    def _visit(self, folder: Path, depth: int) -> list[FoundSource]:
        folders, files = self._listed(folder)
        found: list[FoundSource] = [_found("csv", path) for path in files if is_csv(path)]
        charts = [path for path in files if parse_name(path) is not None]
        if charts:
            found.append(FoundSource("sierra", folder, len(charts), _size(charts)))
        for below in folders:
            if kind := _kind_of_folder(below):
                found.append(_found(kind, below))
            elif depth:
                found += _joined(below, self._visit(below, depth - 1))
            else:
                self.cut_short = True
        return found

    def _listed(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """Folders and files, without hidden ones and those that never hold data; none where they cannot be read."""
        folders: list[Path] = []
        files: list[Path] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._entries += 1
                    if self._entries > MAX_ENTRIES or self.clock() > self._until:
                        self.cut_short = True
                        break
                    if entry.name.startswith(".") or entry.name in _PASSED_OVER:
                        continue
                    path = folder / entry.name
                    (folders if entry.is_dir(follow_symlinks=False) else files).append(path)
        except OSError:
            pass
        return sorted(folders), sorted(files)


def _kind_of_folder(folder: Path) -> str | None:
    if is_recording(folder):
        return "recording"
    return "seed" if is_export(folder) else None


def _found(kind: str, path: Path) -> FoundSource:
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return FoundSource(kind, path, len(files), _size(files))


def _joined(folder: Path, found: list[FoundSource]) -> list[FoundSource]:
    """Chart files in several folders below one that holds nothing else are one source."""
    if not found or any(source.kind != "sierra" for source in found):
        return found
    files, size = sum(source.files for source in found), sum(source.size for source in found)
    return [FoundSource("sierra", folder, files, size)]


def _size(files: list[Path]) -> int:
    return sum(file.stat().st_size for file in files)
