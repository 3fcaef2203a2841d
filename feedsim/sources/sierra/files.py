"""Which chart files a path holds, by their names: per type, per chart or one for all, in any folder below it.

The three layouts may lie side by side and tell the same events; a chart's day is read from the most detailed one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedsim.errors import SourceError

_PER_TYPE = re.compile(r"chart_(?P<chart>\d+)_(?P<type>[a-z][a-z_]*)_(?P<day>\d{8})\.jsonl", re.IGNORECASE)
_PER_CHART = re.compile(r"chart_(?P<chart>\d+)_(?P<day>\d{8})\.jsonl", re.IGNORECASE)
_UNIFIED = re.compile(r"unified_(?P<day>\d{8})\.jsonl", re.IGNORECASE)

ALL = "all"
"""The type of a file that has lines of every type."""
NO_CHART = -1
"""The chart of a file that has lines of every chart."""
TICKS = ("quote", "trade")
MINUTES = ("depth", "vix", "menthorq")
_ENDS = 4096  # bytes of a file's head and tail that its identity covers
READ_TYPES = (ALL, *TICKS, *MINUTES, "basedata")


@dataclass(frozen=True, slots=True)
class ChartFile:
    """One file: its size is what it had when it was found."""

    path: Path
    chart: int
    type: str
    day: str
    size: int

    @property
    def has_ticks(self) -> bool:
        return self.type in (ALL, *TICKS)

    @property
    def has_minutes(self) -> bool:
        return self.type in (ALL, *MINUTES)


@dataclass(frozen=True, slots=True)
class Found:
    """The files to read, by (day, chart, type), and what a user should know of the others."""

    files: tuple[ChartFile, ...]
    notes: tuple[str, ...]


def parse_name(path: Path) -> tuple[int, str, str] | None:
    """(chart, type, day) of a file by its name; None for a name that no writer of chart files gives."""
    if match := _PER_CHART.fullmatch(path.name):
        return int(match["chart"]), ALL, match["day"]
    if match := _PER_TYPE.fullmatch(path.name):
        type_ = match["type"].lower()
        return int(match["chart"]), "menthorq" if type_.startswith("menthorq") else type_, match["day"]
    if match := _UNIFIED.fullmatch(path.name):
        return NO_CHART, ALL, match["day"]
    return None


def recognise(path: Path) -> bool:
    """Whether a path looks like chart files: a .jsonl file, or a folder with one named as a study names it."""
    if path.is_file():
        return path.suffix.lower() == ".jsonl"
    if not path.is_dir():
        return False
    return any(parse_name(file) is not None for file in path.rglob("*.jsonl"))


def find_files(path: Path) -> Found:
    """The chart files at a path. Raises SourceError where there are none."""
    if path.is_file():
        chart, type_, day = parse_name(path) or (NO_CHART, ALL, "00000000")
        return Found((ChartFile(path, chart, type_, day, path.stat().st_size),), ())
    if not path.is_dir():
        raise SourceError("no such file or folder", file=str(path))
    named = [
        ChartFile(file, *parsed, file.stat().st_size)
        for file in sorted(path.rglob("*.jsonl"))
        if (parsed := parse_name(file)) is not None
    ]
    if not named:
        raise SourceError("no chart files here (chart_3_trade_20250916.jsonl, unified_20250916.jsonl)", file=str(path))
    files, doubled = _most_detailed(named)
    files.sort(key=lambda file: (file.day, file.chart, file.type, str(file.path)))
    other = sorted({file.type for file in files if file.type not in READ_TYPES})
    notes = []
    if doubled:
        notes.append(f"{len(doubled)} files tell again what others tell and are not read ({doubled[0].path.name}, …)")
    if other:
        notes.append(f"studies that are not read: {', '.join(other)}")
    return Found(tuple(file for file in files if file.type in READ_TYPES), tuple(notes))


def _most_detailed(files: Iterable[ChartFile]) -> tuple[list[ChartFile], list[ChartFile]]:
    """Split into the files to read and those that tell the same again."""
    per_type = {(file.day, file.chart) for file in files if file.type in TICKS or file.type in MINUTES}
    per_chart = {file.day for file in files if file.chart != NO_CHART}
    seen: set[tuple[str, int, str]] = set()
    kept: list[ChartFile] = []
    doubled: list[ChartFile] = []
    for file in files:
        again = (
            (file.day, file.chart, file.type) in seen
            or (file.chart == NO_CHART and file.day in per_chart)
            or (file.type == ALL and (file.day, file.chart) in per_type)
        )
        seen.add((file.day, file.chart, file.type))
        (doubled if again else kept).append(file)
    return kept, doubled


def identity(path: Path, files: Sequence[ChartFile]) -> dict[str, Any]:
    """What fixes the files' bytes: their names and sizes, and a hash of their first and last 4 KiB."""
    total = hashlib.sha256()
    base = path if path.is_dir() else path.parent
    names: list[list[str | int]] = []
    for file in files:
        name = file.path.relative_to(base).as_posix()
        names.append([name, file.size])
        total.update(f"{name} {file.size}\n".encode())
        with file.path.open("rb") as opened:
            total.update(opened.read(min(file.size, _ENDS)))
            opened.seek(max(0, file.size - _ENDS))
            total.update(opened.read(min(file.size, _ENDS)))
    return {"kind": "sierra", "path": str(path.absolute()), "files": names, "ends_sha256": total.hexdigest()}
