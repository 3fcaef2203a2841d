"""The live bot's Sierra Chart files as a source: quotes and trades by seq, books and option levels by the minute.

A quote is one l1 row (with the last trade before it), a trade is one trade row; depth is folded into one coarse l2 row
a bar. The files' own bars are not told: `own_bars` gives them for comparison. `info.notes` grow while it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from feedsim.errors import SourceError
from feedsim.events import CHANNELS, Table
from feedsim.instruments import NS_PER_S
from feedsim.sources.base import SourceInfo, Tables
from feedsim.sources.sierra.bars import own_bars
from feedsim.sources.sierra.clocks import Clocks
from feedsim.sources.sierra.feed import Feed
from feedsim.sources.sierra.files import NO_CHART, ChartFile, find_files, identity, recognise
from feedsim.sources.sierra.minutes import Minutes
from feedsim.sources.sierra.routes import Routes
from feedsim.sources.sierra.survey import Census, span, take_census
from feedsim.sources.sierra.ticks import Ticks, tick_tables

__all__ = ["SierraSource", "recognise"]

STRIDE_NS = 3600 * NS_PER_S  # at most this much is read at once while seeking

_REASONS = {
    "other": "lines of other charts or symbols are left out",
    "late": "depth or level lines of a bar before the newest one are left out",
    "no clock": "depth or level lines are left out: their chart's clock is not known",
    "torn": "last line without an end is left out",
}


class _State(msgspec.Struct, array_like=True):
    position_ns: int
    feeds: list[bytes]
    charts: list[bytes]
    minutes: bytes


class SierraSource:
    """Chart files at a path: one .jsonl, or a folder with any of the three layouts, of one day or several."""

    def __init__(self, path: Path | str, *, chart_utc_offset_s: int | None = None) -> None:
        """Look at the files' ends. `chart_utc_offset_s` is the chart's clock minus UTC, where it cannot be found.

        Raises SourceError where nothing can be read.
        """
        path = Path(path)
        found = find_files(path)
        self._files = [file for file in found.files if file.size]
        census = take_census(self._files)
        if not census.channels:
            raise SourceError("expected quote, trade, depth, vix or menthorq_level lines", file=str(path))
        self._clocks = Clocks(self._files, given_s=chart_utc_offset_s)
        self._routes = _routes(census, self._clocks)
        start_ns, last_ns = span(self._files, self._routes, path)
        options = {} if chart_utc_offset_s is None else {"chart_utc_offset_s": str(chart_utc_offset_s)}
        self._info = SourceInfo(
            kind="sierra",
            name=str(path),
            symbols=census.symbols,
            channels=tuple(channel for channel in CHANNELS if channel in census.channels),
            start_ns=start_ns,
            end_ns=last_ns + 1,
            identity=identity(path, self._files) | {"options": options},
            contracts={root: name for root, name in sorted(census.names.items()) if root != name},
        )
        empty = len(found.files) - len(self._files)
        self._notes = (*found.notes, *census.notes(), *([f"{empty} empty files"] if empty else []))
        self._position_ns = start_ns
        self._feeds = _feeds(self._files, self._routes)
        self._charts = [
            Ticks(chart, _feeds_of(self._feeds, chart), start_ns, last_ns)
            for chart in sorted(set(self._routes.ticks.values()))
        ]
        minute_feeds = [feed for feed in self._feeds if feed.has_minutes]
        self._minutes = Minutes(minute_feeds, census.symbols, start_ns, last_ns)
        self._initial = self.save()

    @property
    def info(self) -> SourceInfo:
        return replace(self._info, notes=(*self._notes, *self._clocks.notes(), *self._counted()))

    def _counted(self) -> Iterator[str]:
        for chart in self._charts:
            again = sum(feed.counters[chart.chart].again for feed in chart.feeds if chart.chart in feed.counters)
            for count, text in (
                (again, "records that were written again are left out"),
                (chart.state.missing, "numbers are missing in the seq"),
                (
                    chart.state.corrected,
                    "records have a time that does not fit their place; they are told in seq order",
                ),
            ):
                if count:
                    yield f"chart {chart.chart}: {count:,} {text}"
        for reason, text in _REASONS.items():
            if count := sum(feed.counts.get(reason, 0) for feed in self._feeds):
                yield f"{count:,} {text}"

    # ------------------------------------------------------------------------------------------------------- reading

    def read(self, until_ns: int) -> Tables:
        """The rows not read yet that are available before `until_ns`; see `feedsim.sources.base.Source`."""
        tables = tick_tables([(chart, chart.take(until_ns)) for chart in self._charts], self._info.symbols)
        tables |= self._minutes.take(until_ns)
        self._position_ns = max(self._position_ns, until_ns)
        return {channel: tables[channel] for channel in self._info.channels if channel in tables}

    def seek(self, ns: int) -> None:
        if ns < self._position_ns:
            self.restore(self._initial)
        assert self._info.end_ns is not None
        end_ns = min(ns, self._info.end_ns)
        while self._position_ns < end_ns:
            self.read(min(self._position_ns + STRIDE_NS, end_ns))

    def save(self) -> bytes:
        state = _State(
            self._position_ns,
            [feed.save() for feed in self._feeds],
            [chart.save() for chart in self._charts],
            self._minutes.save(),
        )
        return msgspec.msgpack.encode(state)

    def restore(self, state: bytes) -> None:
        saved = msgspec.msgpack.decode(state, type=_State)
        self._position_ns = saved.position_ns
        for feed, feed_state in zip(self._feeds, saved.feeds, strict=True):
            feed.restore(feed_state)
        for chart, chart_state in zip(self._charts, saved.charts, strict=True):
            chart.restore(chart_state)
        self._minutes.restore(saved.minutes)

    def close(self) -> None:
        for feed in self._feeds:
            feed.close()

    # ------------------------------------------------------------------------------------------------ for comparison

    def own_bars(self) -> Table:
        """The bars that the files themselves tell, each as it was written last, by (end, symbol); reads the files."""
        return own_bars(self._files, self._routes)


def _routes(census: Census, clocks: Clocks) -> Routes:
    ticks, depth = census.chosen()
    return Routes(census.symbols, ticks, depth, frozenset(census.channels), clocks)


def _feeds(files: list[ChartFile], routes: Routes) -> list[Feed]:
    """The files that are read as they run on from day to day."""
    days = sorted({file.day for file in files})
    groups: dict[tuple[int, str], list[ChartFile]] = {}
    for file in files:
        if routes.reads(file):
            groups.setdefault((file.chart, file.type), []).append(file)
    return [Feed(groups[key], days, routes) for key in sorted(groups)]


def _feeds_of(feeds: list[Feed], chart: int) -> list[Feed]:
    return [feed for feed in feeds if feed.has_ticks and feed.files[0].chart in (chart, NO_CHART)]
