"""The files of a folder: their names, their days, and lines appended to them; what was there before is gone on with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO

from feedsim.bridges.sierra.lines import Line
from feedsim.bridges.sierra.options import LEVELS, VIX, Options
from feedsim.config import SierraLayout
from feedsim.instruments import NS_PER_S

MONTHS = (
    *("JANVIER", "FEVRIER", "MARS", "AVRIL", "MAI", "JUIN"),
    *("JUILLET", "AOUT", "SEPTEMBRE", "OCTOBRE", "NOVEMBRE", "DECEMBRE"),
)
TYPES = ("trade", "quote", "depth", "basedata", "vwap", "vva", "nbcv", "cumulative_delta")
SUPERSET_TYPES = (*TYPES, "nbcv_footprint", "nbcv_metrics")
_TAIL = 1 << 16  # bytes at a file's end in which the last lines of its charts are looked for
_TAIL_AGAIN = 1 << 23  # and in which the lines are that are written again
_OF_LINE = re.compile(rb'"(seq|chart)":(\d+)')


def path_of(base: Path, layout: SierraLayout, day: date, chart: int, kind: str) -> Path:
    """The file of one layout that a line of a type goes to."""
    name = f"{day:%Y%m%d}"
    if layout == "unified":
        return base / f"unified_{name}.jsonl"
    if layout == "chart":
        return base / f"chart_{chart}_{name}.jsonl"
    folder = base / "DATA_SIERRA_CHART" / f"DATA_{day:%Y}" / MONTHS[day.month - 1] / name / f"CHART_{chart}"
    return folder / f"chart_{chart}_{kind}_{name}.jsonl"


class Files:
    """Appends lines; only one caller at a time. Times are ns UTC. Whatever it does may raise OSError."""

    def __init__(self, base: Path, options: Options) -> None:
        self.base, self.options = base, options
        self.bytes = 0
        """Written."""
        self._open: dict[Path, BinaryIO] = {}
        self._day: date | None = None
        self._seq: dict[int, int] = {}

    def day_of(self, ns: int) -> date:
        """Whose files a time belongs to."""
        return datetime.fromtimestamp((ns + self.options.day_offset_ns) // NS_PER_S, UTC).date()

    def turn_to(self, day: date) -> None:
        """Make a day's files, all of them, so that readers find them; and close those of the day before."""
        if day == self._day:
            return
        self.close()
        self._day = day
        for path in dict.fromkeys(self._paths(day)):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open[path] = _opened(path)
        for chart, seq in _last_seqs(self._open).items():
            self._seq[chart] = max(self._seq.get(chart, 0), seq)

    def _paths(self, day: date) -> Iterable[Path]:
        kinds = SUPERSET_TYPES if self.options.keys == "superset" else TYPES
        for name, chart in self.options.charts.items():
            own = {VIX: ("vix",), LEVELS: ("menthorq_level",)}.get(name, kinds)
            for layout in self.options.layouts:
                for kind in own if layout == "type" else ("",):
                    yield path_of(self.base, layout, day, chart, kind)

    def pass_over(self, chart: int, lost: int) -> None:
        """Leave out so many numbers of a chart's seq, for ticks that will not be written."""
        self._seq[chart] = self._seq.get(chart, 0) + lost

    def append(self, lines: Sequence[Line]) -> None:
        """Number the ticks and write; each file once for each day."""
        texts: dict[Path, list[str]] = {}
        for line in lines:
            day = self.day_of(line.ns)
            if day != self._day:
                self._write(texts)
                texts = {}
                self.turn_to(day)
            if line.is_tick:
                self._seq[line.chart] = self._seq.get(line.chart, 0) + 1
            text = line.text(self._seq.get(line.chart, 0))
            for layout in self.options.layouts:
                texts.setdefault(path_of(self.base, layout, day, line.chart, line.type), []).append(text)
        self._write(texts)

    def _write(self, texts: dict[Path, list[str]]) -> None:
        for path, parts in texts.items():
            data = "".join(parts).encode()
            if self._open[path].write(data) != len(data):
                raise OSError(f"{path}: the disk took a part of it only")
            self.bytes += len(data)

    def write_again(self, most: int) -> None:
        """Append the last quotes and trades of each file once more, as the study does after a restart."""
        for file in self._open.values():
            ticks = [line for line in _tail(file, _TAIL_AGAIN).splitlines(keepends=True) if b'"seq":' in line][-most:]
            file.write(b"".join(ticks))

    def close(self) -> None:
        for file in self._open.values():
            with suppress(OSError):
                file.close()
        self._open.clear()


def _opened(path: Path) -> BinaryIO:
    """A file to append to, without the half line that a crash may have left at its end."""
    file = path.open("ab+", buffering=0)
    tail = _tail(file)
    if tail and not tail.endswith(b"\n"):
        file.truncate(file.seek(0, 2) - (len(tail) - tail.rfind(b"\n") - 1))
    return file


def _tail(file: BinaryIO, size: int = _TAIL) -> bytes:
    file.seek(max(0, file.seek(0, 2) - size))
    return file.read(size)


def _last_seqs(files: dict[Path, BinaryIO]) -> dict[int, int]:
    """The highest seq of each chart at the ends of files."""
    found: dict[int, int] = {}
    for file in files.values():
        for line in _tail(file).splitlines():
            named = dict(_OF_LINE.findall(line))
            if b"seq" in named and b"chart" in named:
                chart = int(named[b"chart"])
                found[chart] = max(found.get(chart, 0), int(named[b"seq"]))
    return found
