"""The extended truth of a session: each phase of its windows with times, level, what was meant and what came of it.

It is told when a session is over, beside the tables and never as events: most of it is not known before a window ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from feedsim.events import Table
from feedsim.events.columns import Int64
from feedsim.instruments import NS_PER_S
from feedsim.market.config import FOLLOWS, MarketConfig
from feedsim.market.factors import REFERENCE, SHARES, VIX_TO_SECOND
from feedsim.market.modulators import ICEBERG, ICEBERG_OFFSET, ICEBERG_SIDE, JUMP, MU
from feedsim.market.news import NEWS_IDS
from feedsim.market.schedule import Schedule
from feedsim.market.shape import UNDERLYING
from feedsim.market.windows import DrawnPhase, DrawnWindow
from feedsim.mia.grid import Columns

FORWARD_S = (30, 60, 300)
FUTURE = ("outcome", "realised_move", *(f"realised_fwd_{seconds}s" for seconds in FORWARD_S))
"""Columns that nobody could know at a phase's start: no feature may be made of them."""
_NUMBERS = ("level", "magnitude_true", "mu_true", "realised_move", *FUTURE[2:])

Floats = npt.NDArray[np.float64]


class Span(NamedTuple):
    """A phase in the seconds of the session, both ends of it within the session's blocks."""

    window: DrawnWindow
    phase: DrawnPhase
    start: int
    end: int
    ends: int
    """The window's end."""


def spans_of(schedule: Schedule, seconds: int) -> list[Span]:
    """The phases that touch the first `seconds` of a session, by start and window."""
    found = [span for span in _all_spans(schedule, seconds) if span.start < seconds and span.end > 0]
    return sorted(found, key=lambda span: (span.start, span.window.window_id))


def _all_spans(schedule: Schedule, seconds: int) -> Iterator[Span]:
    number = at = 0
    while at < seconds:
        block = schedule.block(number)
        for window in block.windows:
            if window.window_id < NEWS_IDS:
                yield from _spans(window.moved(at), at + block.seconds)
        number, at = number + 1, at + block.seconds
    for window in schedule.news:
        yield from _spans(window, seconds=window.end)


def _spans(window: DrawnWindow, seconds: int) -> Iterator[Span]:
    """Those of a window of a block that ends at `seconds`."""
    for phase in window.phases:
        if phase.start < seconds:
            yield Span(window, phase, phase.start, min(phase.end, seconds), min(window.end, seconds))


def window_columns(
    schedule: Schedule, config: MarketConfig, quotes: Columns, context: Table, *, start_ns: int, end_ns: int
) -> Columns:
    """A row for each phase and symbol. `quotes` has bid and ask of each second and symbol from the start on."""
    seconds = -(-(end_ns - start_ns) // NS_PER_S)
    spans = spans_of(schedule, seconds)
    told = [
        _Phases(schedule, config, code, quotes, context, start_ns=start_ns, end_ns=end_ns).columns(spans)
        for code in range(len(config.symbols))
    ]
    each = len(config.symbols)
    return {
        name: np.stack([of[name] for of in told], axis=1).reshape(len(spans) * each) if spans else told[0][name]
        for name in told[0]
    }


class _Phases:
    """The rows of one symbol."""

    def __init__(
        self,
        schedule: Schedule,
        config: MarketConfig,
        code: int,
        quotes: Columns,
        context: Table,
        *,
        start_ns: int,
        end_ns: int,
    ) -> None:
        own = quotes["symbol"] == code
        self._times: Int64 = quotes["ts"][own]
        self._best: tuple[Floats, Floats] = quotes["bid"][own], quotes["ask"][own]
        self._mid = (self._best[0] + self._best[1]) / 2
        known = context.array("symbol") == code
        self._context_times, self._vix = context.array("ts")[known], context.array("vix")[known]
        symbol = config.symbols[code]
        self._code, self._tick = code, config.tick(symbol)
        self._relative = SHARES[UNDERLYING.index(FOLLOWS[symbol])][2]
        self._schedule = schedule
        self._start_ns, self._end_ns = start_ns, end_ns

    def columns(self, spans: list[Span]) -> Columns:
        levels: dict[int, float] = {}
        rows = [self._row(span, levels) for span in spans]
        columns: Columns = {
            "t_start": np.array([self._ns(span.start) for span in spans], np.int64),
            "t_end": np.array([self._ns(span.end) for span in spans], np.int64),
            "symbol": np.full(len(spans), self._code),
            "window_id": np.array([span.window.window_id for span in spans], np.int64),
            "phase": _texts([span.phase.phase.name for span in spans]),
            "round": np.array([span.phase.round for span in spans], np.int64),
            "label": _texts([span.window.label for span in spans]),
            "side": np.array([span.window.side for span in spans], np.int64),
        }
        columns |= {name: np.array([row[name] for row in rows], np.float64) for name in _NUMBERS[:3]}
        columns["outcome"] = _texts(
            [span.window.outcome if self._ns(span.ends) <= self._end_ns else None for span in spans]
        )
        return columns | {name: np.array([row[name] for row in rows], np.float64) for name in _NUMBERS[3:]}

    def _ns(self, second: int) -> int:
        return self._start_ns + second * NS_PER_S

    def _row(self, span: Span, levels: dict[int, float]) -> dict[str, float]:
        """`levels` are those of hidden orders, by window."""
        rows = self._schedule.rows(max(span.start, 0), span.end - max(span.start, 0))
        mid = self._mid_at(max(span.start, 0))
        if span.phase.phase.iceberg is not None:
            levels[span.window.window_id] = self._iceberg(max(span.start, 0), rows[0])
        scale = self._vix_at(max(span.start, 0)) * VIX_TO_SECOND * self._relative * (mid / self._tick) / REFERENCE
        magnitude = float(rows[:, MU].sum() + rows[:, JUMP].sum()) * scale
        row = {
            "level": levels.get(span.window.window_id, mid),
            "magnitude_true": magnitude,
            "mu_true": magnitude / len(rows),
            "realised_move": (self._mid_at(span.end) - mid) / self._tick,
        }
        for seconds in FORWARD_S:
            row[f"realised_fwd_{seconds}s"] = self._mid_at(max(span.start, 0) + seconds) / mid - 1
        return row

    def _mid_at(self, second: int) -> float:
        """As it stands at a second; NaN where the market is closed, and at the session's end and after it."""
        return self._at(self._mid, second)

    def _vix_at(self, second: int) -> float:
        place = int(np.searchsorted(self._context_times, self._ns(second), side="right")) - 1
        return float(self._vix[place]) if place >= 0 else np.nan

    def _at(self, values: Floats, second: int) -> float:
        ns = self._ns(second)
        place = int(np.searchsorted(self._times, ns))
        return float(values[place]) if place < len(values) and self._times[place] == ns else np.nan

    def _iceberg(self, second: int, row: Floats) -> float:
        """It stands so many ticks behind the best price of its side as it began."""
        side = int(row[ICEBERG_SIDE])
        assert row[ICEBERG], "a phase with a hidden order tells it from its first second on"
        best = self._at(self._best[side], second)
        return best + (2 * side - 1) * float(row[ICEBERG_OFFSET]) * self._tick


def _texts(values: list[str | None] | list[str]) -> npt.NDArray[Any]:
    return np.array(values, object)
