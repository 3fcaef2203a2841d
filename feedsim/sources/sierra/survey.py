"""What chart files hold, learned from their ends: symbols, which chart tells each, the first and the last time.

Only a bounded part of each file is read, so that a day of quotes opens at once. What a part that was not read would
have changed (a chart that appears in the middle of a unified file) is left out when it comes, and counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from feedsim.errors import SourceError
from feedsim.instruments import root_of
from feedsim.sources.sierra.clock import bar_start
from feedsim.sources.sierra.ends import HEAD, PART, chart_of, head, sample, tail
from feedsim.sources.sierra.files import ALL, ChartFile
from feedsim.sources.sierra.lines import MINUTE_LINES, Line, Lines, is_tick, times_ns
from feedsim.sources.sierra.routes import Routes

MOST = 1 << 24  # bytes in which a first or last line to tell is looked for


@dataclass
class Census:
    """Which charts tell which symbols, and how much."""

    ticks: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    """Bytes of quotes and trades, by symbol and chart."""
    depth: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    channels: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    """The newest raw contract name of each symbol."""
    level_symbols: set[str] = field(default_factory=set)

    def add(self, file: ChartFile, lines: Sequence[Line]) -> None:
        """Count a file by some of its lines."""
        share = file.size / max(len(lines), 1)
        for line in lines:
            channel = _CHANNELS.get(line.type)
            if channel is None:
                continue
            self.channels.add(channel)
            if line.sym is None or line.type == "vix":
                continue
            root = root_of(line.sym)
            self.names[root] = line.sym
            if line.type == "menthorq_level":
                self.level_symbols.add(root)
            else:
                (self.depth if line.type == "depth" else self.ticks)[root][chart_of(file, line)] += share

    @property
    def symbols(self) -> tuple[str, ...]:
        """Roots that are told; levels or a VIX without a symbol of their own are the ES's."""
        found = set(self.ticks) | set(self.depth) | self.level_symbols
        return tuple(sorted(found or ({"ES"} if self.channels else found)))

    def chosen(self) -> tuple[dict[str, int], dict[str, int]]:
        """The chart of each symbol's quotes and trades, and of its depth: the one that has most, or else the first."""
        ticks = {root: _most(charts) for root, charts in self.ticks.items()}
        depth = {
            root: ticks[root] if ticks.get(root) in charts else _most(charts) for root, charts in self.depth.items()
        }
        return ticks, depth

    def notes(self) -> list[str]:
        ticks, _ = self.chosen()
        return [
            f"{root}: chart {ticks[root]} is read, which has most records; "
            f"also there: {', '.join(f'chart {chart}' for chart in sorted(charts) if chart != ticks[root])}"
            for root, charts in sorted(self.ticks.items())
            if len(charts) > 1
        ]


_CHANNELS = {"quote": "l1", "trade": "trade", "depth": "l2", "vix": "context", "menthorq_level": "context"}


def _most(charts: dict[int, float]) -> int:
    return min(charts, key=lambda chart: (-charts[chart], chart))


def take_census(files: Iterable[ChartFile]) -> Census:
    """Look at every file: at both ends of one with lines of one type, at more of one with all."""
    census = Census()
    for file in files:
        if file.type == ALL:
            census.add(file, [line for part in sample(file) for line in part.lines])
        elif file.size and file.type != "basedata":
            census.add(file, [*head(file, 1 << 12).lines[:1], *tail(file, 1 << 12).lines[-1:]])
    return census


def span(files: Sequence[ChartFile], routes: Routes, path: Path) -> tuple[int, int]:
    """The first and the last time at which a row can be available (ns UTC), by the ends of the first and last files.

    Rows are held to it: a stamp in the middle that lies outside was wrong. Raises SourceError where nothing is told.
    """
    first: list[int] = []
    last: list[int] = []
    kinds = {(file.chart, file.type) for file in files if routes.reads(file)}
    for kind in sorted(kinds):
        of_kind = [file for file in files if (file.chart, file.type) == kind]
        first += _times_at_an_end(of_kind[0], routes, head)
        last += _times_at_an_end(of_kind[-1], routes, tail)
    if not first or not last:
        raise SourceError("nothing in it can be told at a known time", file=str(path))
    return min(first), max(*first, *last)


def _times_at_an_end(file: ChartFile, routes: Routes, part: Callable[[ChartFile, int], Lines]) -> list[int]:
    """The least and the greatest time in a part of a file, grown until it holds a line that is told."""
    size = HEAD if file.type != ALL else PART
    while True:
        times = _told_times(file, part(file, size), routes)
        if times or size >= file.size or size >= MOST:
            return [min(times), max(times)] if times else []
        size *= 4


def _told_times(file: ChartFile, lines: Lines, routes: Routes) -> list[int]:
    found = enumerate(lines.lines)
    ticks = [index for index, line in found if is_tick(line) and routes.tells_tick(chart_of(file, line), line)]
    times: list[int] = times_ns(lines, ticks).tolist()
    minutes = [index for index, line in enumerate(lines.lines) if line.type in MINUTE_LINES]
    for index, stamp in zip(minutes, times_ns(lines, minutes).tolist(), strict=True):
        clock = routes.clock(file.day, chart_of(file, lines.lines[index]))
        if clock is not None:
            times.append(bar_start(stamp) - clock.offset_ns + clock.bar_ns)
    return times
