"""The clock of every chart on every day of a path's files, from the ends of its bars, trades and quotes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from feedsim.instruments import NS_PER_MINUTE, NS_PER_S
from feedsim.sources.sierra.clock import BarState, ChartClock, bar_length, bar_start, reconcile
from feedsim.sources.sierra.ends import HEAD, PART, chart_of, tail
from feedsim.sources.sierra.files import ALL, NO_CHART, ChartFile
from feedsim.sources.sierra.lines import Line, Lines, Records, is_tick, records_of, times_ns


class Clocks:
    """The clock of every chart on every day, found when it is first asked for."""

    def __init__(self, files: Sequence[ChartFile], *, given_s: int | None) -> None:
        self._files = files
        self._given_s = given_s
        self._known: dict[tuple[str, int], ChartClock | None] = {}

    def __call__(self, day: str, chart: int) -> ChartClock | None:
        """A chart without quotes or trades has the offset of one that has them: one Sierra Chart wrote both."""
        key = (day, chart)
        if key not in self._known:
            self._known[key] = self._find(day, chart)
        return self._known[key]

    def notes(self) -> list[str]:
        texts = [
            f"chart {chart}, {day}: "
            + ("its clock is not known, depth and levels are left out" if clock is None else _told(clock))
            for (day, chart), clock in sorted(self._known.items())
        ]
        if len(texts) > 4:  # a month of days: the first and the last say enough
            texts[2:-2] = [f"… and {len(texts) - 4} more"]
        return texts

    def _find(self, day: str, chart: int) -> ChartClock | None:
        own = _Evidence.of(self._files, day, chart)
        if self._given_s is not None:
            return ChartClock(self._given_s * NS_PER_S, own.bar_ns, "as given")
        if own.newest_tick is not None:
            return own.clock()
        charts = {file.chart for file in self._files if file.day == day and file.has_ticks and file.chart != NO_CHART}
        for other in sorted(charts - {chart}):
            clock = self(day, other)
            if clock is not None:
                return ChartClock(clock.offset_ns, own.bar_ns, f"as chart {other}")
        return None


def _told(clock: ChartClock) -> str:
    return f"chart clock is {clock.name} ({clock.reason})"


@dataclass
class _Evidence:
    """What a day's files of one chart say of its clock."""

    bars: dict[int, BarState]
    newest_bar: int | None
    bar_ns: int
    trades: Records
    newest_tick: int | None

    def clock(self) -> ChartClock | None:
        return reconcile(self.bars, self.newest_bar, self.bar_ns, self.trades, self.newest_tick)

    @staticmethod
    def of(files: Sequence[ChartFile], day: str, chart: int) -> _Evidence:
        lines = _Sorted()
        for file in files:
            if file.day == day and file.size and file.chart in (chart, NO_CHART):
                size = 2 * PART if file.type in ("trade", "basedata") else PART if file.type == ALL else HEAD
                lines.add(tail(file, size), file, chart)
        bars = bars_of(lines.bars)
        starts = np.array(sorted(bars) or [bar_start(stamp) for stamp in lines.stamps], np.int64)
        return _Evidence(
            bars=bars,
            newest_bar=int(starts.max()) if len(starts) else None,
            bar_ns=bar_length(starts) if len(starts) else NS_PER_MINUTE,
            trades=_once(lines.trades),
            newest_tick=max(lines.tick_times, default=None),
        )


class _Sorted:
    """Lines of one chart by what they prove."""

    def __init__(self) -> None:
        self.bars: list[tuple[int, Line]] = []
        self.stamps: list[int] = []
        self.trades: list[Records] = []
        self.tick_times: list[int] = []

    def add(self, part: Lines, file: ChartFile, chart: int) -> None:
        mine = [index for index, line in enumerate(part.lines) if chart_of(file, line) == chart]
        ticks = [index for index in mine if is_tick(part.lines[index])]
        if ticks:
            self.tick_times.append(int(times_ns(part, ticks).max()))
        self.trades.append(records_of(part, [index for index in ticks if part.lines[index].type == "trade"]))
        bars = [index for index in mine if part.lines[index].type == "basedata"]
        self.bars += zip(times_ns(part, bars).tolist(), [part.lines[index] for index in bars], strict=True)
        other = [index for index in mine if part.lines[index].type in ("depth", "vix", "menthorq_level")]
        self.stamps += times_ns(part, other).tolist()


def bars_of(stamped: Iterable[tuple[int, Line]]) -> dict[int, BarState]:
    """The last state of each bar, by its start in the chart's own time."""
    return {bar_start(stamp): bar_state(line) for stamp, line in stamped}


def bar_state(line: Line) -> BarState:
    """What a basedata line says of its bar."""
    return BarState(line.o, line.h, line.l, line.c, line.v, line.bidvol, line.askvol)


def _once(parts: Sequence[Records]) -> Records:
    """Trades in seq order, without those that were written again; time does not run back."""
    found = np.concatenate(parts) if parts else records_of(Lines("", [], [], torn=False), [])
    _, first = np.unique(found["key"], return_index=True)
    found = found[first]
    found["ts"] = np.maximum.accumulate(found["ts"]) if len(found) else found["ts"]
    return found
