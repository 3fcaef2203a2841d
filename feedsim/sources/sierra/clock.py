"""The two clocks of a chart: quotes and trades are stamped in UTC, bars and what hangs on them in the chart's own time.

The offset is found by comparing bars with trades, never guessed: the bars' own prices and volumes where they can be
computed again, else the one offset at which the newest bar holds the newest tick. A pure function of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from feedsim.events.columns import Int64
from feedsim.instruments import NS_PER_MINUTE, NS_PER_S
from feedsim.sources.sierra.lines import Records

STEP_NS = 15 * NS_PER_MINUTE  # all time zones are multiples of it
OFFSETS_NS = tuple(range(-12 * 3600 * NS_PER_S, 14 * 3600 * NS_PER_S + 1, STEP_NS))
STAMP_ERROR_NS = 50_000_000  # stamps are rounded to 86.4 ms
SLACK_NS = 5 * NS_PER_MINUTE  # a bar may be missing where nothing traded
_COMPARED = 64  # bars; more would prove nothing more


class BarState(NamedTuple):
    """A bar as its chart had it last."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    bid_volume: float
    ask_volume: float


@dataclass(frozen=True, slots=True)
class ChartClock:
    """How a chart's bars are stamped."""

    offset_ns: int
    """Chart time minus UTC."""
    bar_ns: int
    reason: str

    @property
    def name(self) -> str:
        minutes = self.offset_ns // NS_PER_MINUTE
        return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def bar_start(stamp_ns: int) -> int:
    """The minute that a bar's stamp names; also the minute of a stamp that is no bar's start."""
    return (stamp_ns + STAMP_ERROR_NS) // NS_PER_MINUTE * NS_PER_MINUTE


def bar_length(starts: Int64) -> int:
    """The length of bars, in ns, by the least distance of their starts; a minute where only one is known."""
    gaps = np.diff(np.unique(starts))
    return int(gaps.min()) if len(gaps) else NS_PER_MINUTE


def reconcile(
    bars: Mapping[int, BarState], newest_bar: int | None, bar_ns: int, trades: Records, newest_tick: int | None
) -> ChartClock | None:
    """The chart's clock, or None where nothing decides it.

    bars: last states by their start in chart time (ns); newest_bar: the last start that any line carries;
    trades: in time order; newest_tick: the time of the last quote or trade.
    """
    compared = dict(sorted(bars.items())[-_COMPARED:])
    equal = {offset: _equal_bars(compared, offset, bar_ns, trades) for offset in OFFSETS_NS} if len(trades) else {}
    best = max(equal.values(), default=0)
    if best >= 2 and list(equal.values()).count(best) == 1:
        offset = max(equal, key=lambda ns: equal[ns])
        return ChartClock(offset, bar_ns, f"{best} of {len(compared)} bars equal the trades of their time")
    holding = [] if newest_bar is None or newest_tick is None else _offsets_holding(newest_bar, bar_ns, newest_tick)
    if len(holding) != 1:
        return None
    return ChartClock(holding[0], bar_ns, "the newest bar holds the newest tick")


def _offsets_holding(newest_bar: int, bar_ns: int, newest_tick: int) -> list[int]:
    return [
        offset for offset in OFFSETS_NS if 0 <= newest_tick + STAMP_ERROR_NS - (newest_bar - offset) < bar_ns + SLACK_NS
    ]


def _equal_bars(bars: Mapping[int, BarState], offset: int, bar_ns: int, trades: Records) -> int:
    """How many bars are what the trades in their window make."""
    starts = np.array(list(bars), np.int64) - offset
    first = np.searchsorted(trades["ts"], starts)
    last = np.searchsorted(trades["ts"], starts + bar_ns)
    count = 0
    for bar, lo, hi in zip(bars.values(), first.tolist(), last.tolist(), strict=True):
        if lo < hi and _is_bar_of(bar, trades[lo:hi]):
            count += 1
    return count


def _is_bar_of(bar: BarState, trades: Records) -> bool:
    price = trades["bid"]
    return bool(
        bar.open == price[0]
        and bar.close == price[-1]
        and bar.volume == trades["bid_size"].sum()
        and bar.high == price.max()
        and bar.low == price.min()
    )
