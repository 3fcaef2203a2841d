"""Lines of chart files, one function a type: the keys, their order and the formats of numbers are the live study's.

A line is told as a `Line` whose text is complete but for the seq, which is given when it is written. With superset keys
what other readers of the files call the same values follows behind the study's own keys.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from feedsim.instruments import NS_PER_S

MICRODAY_NS = 86_400_000  # a stamp's last digit
UNIX_EPOCH_DAYS = 25_569  # 1970-01-01 in Sierra's day count, which starts on 1899-12-30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PRESSURE_LOTS, _PRESSURE_SHARE = 50, 0.55
"""From so many lots on, a bar in which one side has this share is under its pressure, as in all recorded lines."""


class Line(NamedTuple):
    """One line. `key`: what newer lines replace it by (None: nothing does); `tail` follows the seq, if it has one."""

    ns: int
    """Whose day's file it goes to."""
    chart: int
    type: str
    key: Hashable
    head: str
    tail: str = ""

    @property
    def is_tick(self) -> bool:
        """Whether it is a quote or a trade, and so has a seq."""
        return bool(self.tail)

    @property
    def is_trade(self) -> bool:
        return self.key is None

    def text(self, seq: int) -> str:
        return f"{self.head}{seq}{self.tail}\n" if self.tail else f"{self.head}\n"


class Place(NamedTuple):
    """What all lines of a chart at a time share."""

    ns: int
    """The event's time."""
    stamp_ns: int
    """What the line is stamped with: the event's time, or its bar's start in the chart's clock."""
    chart: int
    sym: str
    """Empty: the line has none."""
    bar: int
    """The number of the bar that the chart is at."""
    superset: bool


def day_count(ns: int) -> str:
    """A time as Sierra's day count, to the nearest microday."""
    microdays = (ns + MICRODAY_NS // 2) // MICRODAY_NS
    return f"{UNIX_EPOCH_DAYS + microdays // 1_000_000}.{microdays % 1_000_000:06d}"


def iso(ns: int) -> str:
    """A time as ISO 8601 text with microseconds."""
    return (_EPOCH + timedelta(seconds=ns // NS_PER_S, microseconds=ns % NS_PER_S // 1000)).isoformat(
        timespec="microseconds"
    )


def _head(place: Place, kind: str) -> str:
    sym = f'"sym":"{place.sym}",' if place.sym else ""
    return f'{{"t":{day_count(place.stamp_ns)},{sym}"type":"{kind}"'


def _end(place: Place, extra: str = "") -> str:
    chart = f'"chart":{place.chart}'
    if not place.superset:
        return chart + "}"
    return f'{chart},"ts":"{iso(place.stamp_ns)}","graph":{place.chart}{extra}}}'


def _hanging(place: Place, kind: str, fields: str, key: Hashable, extra: str = "") -> Line:
    """A line without a seq."""
    return Line(
        place.ns, place.chart, kind, (kind, place.chart, key), f"{_head(place, kind)},{fields},{_end(place, extra)}"
    )


# ----------------------------------------------------------------------------------------------------------- ticks


def trade(place: Place, side: int, price: float, size: int) -> Line:
    """`side` as in events: 1 the buyer was the aggressor, -1 the seller."""
    name, tt = {1: ("BUY", 2), -1: ("SELL", 1)}.get(side, ("UNKNOWN", 0))
    head = f'{_head(place, "trade")},"side":"{name}","px":{price:.8f},"vol":{size},"seq":'
    extra = f',"price":{price:.8f},"volume":{size},"qty":{size},"size":{size},"i":{place.bar}'
    return Line(place.ns, place.chart, "trade", None, head, f',"tt":{tt},{_end(place, extra)}')


def quote(place: Place, bid: float, ask: float, bid_size: int, ask_size: int) -> Line:
    head = (
        f'{_head(place, "quote")},"kind":"BIDASK","bid":{bid:.8f},"ask":{ask:.8f},'
        f'"bq":{bid_size},"aq":{ask_size},"seq":'
    )
    end = _end(place, f',"i":{place.bar}')
    return Line(place.ns, place.chart, "quote", ("quote", place.chart), head, f",{end}")


def depth(place: Place, side: str, level: int, price: float, size: int) -> Line:
    """One level, from 1; a size of 0 is a level that is gone."""
    fields = f'"side":"{side}","lvl":{level},"price":{price:.8f},"size":{size}'
    extra = f',"px":{price:.8f},"vol":{size},"volume":{size},"qty":{size},"i":{place.bar}'
    return _hanging(place, "depth", fields, (side, level), extra)


# ------------------------------------------------------------------------------------------------------------ bars


class BarNow(NamedTuple):
    """A bar that is being made; volumes in lots."""

    open: float
    high: float
    low: float
    close: float
    bid_volume: int
    ask_volume: int
    other_volume: int
    trades: int

    @property
    def volume(self) -> int:
        return self.bid_volume + self.ask_volume + self.other_volume


def basedata(place: Place, bar: BarNow) -> Line:
    """The bar as it is now; the last one of a bar is never replaced, since the next bar has another number."""
    fields = (
        f'"i":{place.bar},"o":{bar.open:.8f},"h":{bar.high:.8f},"l":{bar.low:.8f},"c":{bar.close:.8f},'
        f'"v":{bar.volume},"bidvol":{bar.bid_volume},"askvol":{bar.ask_volume}'
    )
    return _hanging(place, "basedata", fields, place.bar, f',"vol":{bar.volume},"volume":{bar.volume}')


def footprints(place: Place, bar: BarNow, cum_delta: int) -> list[Line]:
    """The study's numbers of bid and ask volume, under each name that readers know them by."""
    kinds = ("nbcv", "nbcv_footprint", "nbcv_metrics") if place.superset else ("nbcv",)
    fields = _volumes(bar, cum_delta)
    return [_hanging(place, kind, f'"i":{place.bar},{fields}', place.bar) for kind in kinds]


def _volumes(bar: BarNow, cum_delta: int) -> str:
    bid, ask, total = bar.bid_volume, bar.ask_volume, bar.volume
    pressed = total >= _PRESSURE_LOTS
    bullish, bearish = (int(pressed and side >= _PRESSURE_SHARE * total) for side in (ask, bid))
    return (
        f'"ask_volume":{ask},"bid_volume":{bid},"delta":{ask - bid},"trades":{bar.trades},'
        f'"cumulative_delta":{cum_delta},"total_volume":{total},'
        # The study divides what are shares by a hundred once more.
        f'"delta_ratio":{_ratio(ask - bid, 100 * total):.6f},"ask_percent":{_ratio(ask, 100 * total):.6f},'
        f'"bid_percent":{_ratio(bid, 100 * total):.6f},"bid_ask_ratio":{_ratio(bid, ask):.6f},'
        f'"ask_bid_ratio":{_ratio(ask, bid):.6f},"pressure_bullish":{bullish},"pressure_bearish":{bearish},'
        f'"pressure":{bullish - bearish}'
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def cumulative_delta(place: Place, close: int) -> Line:
    """Summed since the session's open."""
    return _hanging(
        place, "cumulative_delta", f'"i":{place.bar},"close":{float(close):.6f},"study":32,"sg":3', place.bar
    )


def vwap(place: Place, value: float, up: Sequence[float], down: Sequence[float]) -> Line:
    """The session's VWAP with its three bands above and below."""
    bands = ",".join(f'"up{n}":{a:.8f},"dn{n}":{b:.8f}' for n, (a, b) in enumerate(zip(up, down, strict=True), 1))
    return _hanging(place, "vwap", f'"src":"study","i":{place.bar},"v":{value:.8f},{bands}', "")


def value_area(place: Place, now: Sequence[float], prior: Sequence[float]) -> Line:
    """(high, low, point of control) of this session's value area and of the prior one's."""
    names = ("vah", "val", "vpoc", "pvah", "pval", "ppoc")
    values = ",".join(f'"{name}":{value:.8f}' for name, value in zip(names, (*now, *prior), strict=True))
    return _hanging(place, "vva", f'"i":{place.bar},{values},"id_curr":1,"id_prev":8', "")


# ---------------------------------------------------------------------------------------------------------- context


def vix(place: Place, last: float) -> Line:
    return _hanging(place, "vix", f'"i":{place.bar},"last":{last:.6f}', "")


def option_level(place: Place, kind: str, price: float, subgraph: int, study: int) -> Line:
    """A level of the options on a future, named as the live bot's provider names it."""
    fields = f'"level_type":"{kind}","price":{price:.2f},"subgraph":{subgraph},"study_id":{study},"i":{place.bar}'
    return _hanging(place, "menthorq_level", fields, (place.sym, kind))
