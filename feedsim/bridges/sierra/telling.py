"""What a session tells, as lines of its charts: a pure function of the events, whatever they are cut into.

Bars are made of the trades, one a minute, and told again at every change; a level of depth when its price or size
changes. What hangs on a bar is stamped with the bar's start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from feedsim.bridges.names import sym_of
from feedsim.bridges.sierra import lines
from feedsim.bridges.sierra.lines import BarNow, Line, Place
from feedsim.bridges.sierra.options import LEVELS, VIX, Options
from feedsim.events import L1, L2, Bar, Context, Event, Profile, Trade
from feedsim.instruments import NS_PER_MINUTE, NS_PER_S, session_at

TOLD = frozenset(("trade", "l1", "l2", "bar", "profile", "context"))
"""Channels that files are made of."""
DEEPEST = 20
_DIVIDED_FROM = 10_000.0  # points: the quirk divides higher prices by 100


class Charts:
    """The state of all charts of one epoch; `shift_ns` of a session that happens now is added to all times."""

    def __init__(self, options: Options, contracts: Mapping[str, str], *, vwap_tf_s: int) -> None:
        """`contracts`: raw names by symbol; `vwap_tf_s`: the length of the bars whose VWAP is told."""
        self.options = options
        self._contracts = contracts
        self._vwap_tf_s = vwap_tf_s
        self._charts: dict[str, _Chart] = {}
        self._levels: dict[tuple[str, str], float] = {}
        self._vix: float | None = None
        self._tellers: dict[type[Event], Callable[[_Chart, Any, int], Iterator[Line]]] = {
            Trade: _Chart.trade,
            L1: _Chart.quote,
            L2: _Chart.depth,
            Bar: _Chart.bar,
            Profile: _Chart.profile,
        }

    def lines(self, event: Event, shift_ns: int) -> Iterator[Line]:
        """The lines that an event makes; its times in nanoseconds, without the shift."""
        chart = self._chart(event.symbol)
        if isinstance(event, Context):
            yield from self._context(chart, event, shift_ns)
        else:
            yield from self._tellers[type(event)](chart, event, shift_ns)

    def _chart(self, symbol: str) -> _Chart:
        chart = self._charts.get(symbol)
        if chart is None:
            name = sym_of(symbol, self._contracts)
            number = self.options.charts[symbol]
            chart = self._charts[symbol] = _Chart(self.options, number, name, self._vwap_tf_s)
        return chart

    def _context(self, chart: _Chart, event: Context, shift_ns: int) -> Iterator[Line]:
        charts, quirks = self.options.charts, self.options.quirks
        ns = event.ts + shift_ns
        bar_ns = ns - 1  # what is known at a bar's end is that bar's
        if event.vix is not None and event.vix != self._vix:
            self._vix = event.vix
            sym = "" if "vix_without_sym" in quirks else "VIX"
            yield lines.vix(chart.place(ns, bar_ns, number=charts[VIX], sym=sym), event.vix)
        place = chart.place(ns, bar_ns, number=charts[LEVELS])
        study = 1 + list(self.options.charts).index(event.symbol)
        for subgraph, (kind, price) in enumerate(_option_levels(event).items()):
            if price is not None and self._levels.get((event.symbol, kind)) != price:
                self._levels[event.symbol, kind] = price
                yield lines.option_level(place, kind, chart.price(price), subgraph, study)


def _option_levels(event: Context) -> dict[str, float | None]:
    """Our context under the names of the live bot's provider; what it has beside these, we do not know."""
    calls, puts, pins = event.call_walls or [], event.put_walls or [], event.pin_levels or []
    flip = event.gamma_flip_level if event.gamma_flip_level is not None else event.gamma_flip
    levels: dict[str, float | None] = {
        "call_resistance": event.call_wall,
        "put_support": event.put_wall,
        "hvl": flip,
        "call_resistance_0dte": calls[1] if len(calls) > 1 else None,
        "put_support_0dte": puts[1] if len(puts) > 1 else None,
        "gamma_wall_0dte": pins[0] if pins else None,
    }
    return levels | {f"gex_{rank}": price for rank, price in enumerate(pins[1:11], 1)}


class _Chart:
    """One symbol's chart of bars of a minute."""

    def __init__(self, options: Options, number: int, sym: str, vwap_tf_s: int) -> None:
        self._options = options
        self._number, self._sym, self._vwap_tf_s = number, sym, vwap_tf_s
        self._session: tuple[int, int] = (0, 0)
        self._bar_start = 0
        self._bar: BarNow | None = None
        self._cum_delta = 0
        self._depth: dict[str, list[tuple[float, int]]] = {"BID": [], "ASK": []}
        self._vwap: tuple[float, ...] = ()
        self._area: tuple[float, ...] = ()

    # ------------------------------------------------------------------------------------------------------ where

    def place(self, ns: int, bar_ns: int, *, number: int | None = None, sym: str | None = None) -> Place:
        """Of a line that hangs on the bar at `bar_ns`."""
        start = bar_ns // NS_PER_MINUTE * NS_PER_MINUTE
        return Place(
            ns,
            start + self._options.day_offset_ns,
            self._number if number is None else number,
            self._sym if sym is None else sym,
            self._bar_number(start),
            self._options.keys == "superset",
        )

    def _tick(self, ns: int) -> Place:
        """Of a line that carries its own time, in UTC."""
        return self.place(ns, ns)._replace(stamp_ns=ns)

    def _bar_number(self, start: int) -> int:
        """Minutes since the session's open."""
        opened, closes = self._session
        if not opened <= start < closes:
            session = session_at(start)
            opened = min(session.open_ns, start)
            self._session = (opened, session.close_ns)
        return (start - opened) // NS_PER_MINUTE

    def price(self, price: float) -> float:
        """A price as the files have it."""
        divided = "divided_prices" in self._options.quirks and price > _DIVIDED_FROM
        return price / 100 if divided else price

    # ------------------------------------------------------------------------------------------------------- ticks

    def trade(self, event: Trade, shift_ns: int) -> Iterator[Line]:
        ns = event.ts + shift_ns
        price = self.price(event.price)
        yield lines.trade(self._tick(ns), event.side, price, event.size)
        place = self.place(ns, ns)
        bar = self._bar = self._with_trade(ns, event.side, price, event.size)
        self._cum_delta += event.side * event.size
        yield lines.basedata(place, bar)
        yield from lines.footprints(place, bar, self._cum_delta)
        yield lines.cumulative_delta(place, self._cum_delta)

    def _with_trade(self, ns: int, side: int, price: float, size: int) -> BarNow:
        start = ns // NS_PER_MINUTE
        bar = self._bar if start == self._bar_start else None
        self._bar_start = start
        sold, bought, other = (size if side == of else 0 for of in (-1, 1, 0))
        if bar is None:
            return BarNow(price, price, price, price, sold, bought, other, 1)
        return BarNow(
            bar.open,
            max(bar.high, price),
            min(bar.low, price),
            price,
            bar.bid_volume + sold,
            bar.ask_volume + bought,
            bar.other_volume + other,
            bar.trades + 1,
        )

    def quote(self, event: L1, shift_ns: int) -> Iterator[Line]:
        bid, ask = self.price(event.bid), self.price(event.ask)
        yield lines.quote(self._tick(event.ts + shift_ns), bid, ask, event.bid_size, event.ask_size)

    def depth(self, event: L2, shift_ns: int) -> Iterator[Line]:
        ns = event.ts + shift_ns
        place = self.place(ns, ns - 1 if event.coarse else ns)  # a coarse book is that of the bar that ends with it
        for side, prices, sizes in (("BID", event.bid_px, event.bid_sz), ("ASK", event.ask_px, event.ask_sz)):
            levels = list(zip(map(self.price, prices), sizes, strict=True))[:DEEPEST]
            if "no_level_2" in self._options.quirks:
                del levels[1:2]
            before, self._depth[side] = self._depth[side], levels
            for number, (was, now) in enumerate(zip_longest(before, levels), 1):
                if now is None:
                    yield lines.depth(place, side, number, was[0], 0)
                elif now != was:
                    yield lines.depth(place, side, number, *now)

    # -------------------------------------------------------------------------------------------- what hangs on bars

    def bar(self, event: Bar, shift_ns: int) -> Iterator[Line]:
        """Its VWAP, as of the bar's end; and its delta, which began with the session."""
        if event.cum_delta is not None:
            self._cum_delta = event.cum_delta
        if event.tf_s != self._vwap_tf_s or event.vwap is None:
            return
        step = 0.0 if event.vwap_sd1 is None else event.vwap_sd1 - event.vwap
        value, *bands = (self.price(event.vwap + k * step) for k in (0, 1, 2, 3, -1, -2, -3))
        if (value, *bands) == self._vwap:
            return
        self._vwap = (value, *bands)
        up, down = bands[:3], bands[3:]
        if "swapped_bands" in self._options.quirks:
            up, down = down, up
        start = event.ts + shift_ns
        yield lines.vwap(self.place(start + event.tf_s * NS_PER_S, start), value, up, down)

    def profile(self, event: Profile, shift_ns: int) -> Iterator[Line]:
        now = (event.vah, event.val, event.poc)
        prior = (event.prior_vah, event.prior_val, event.prior_poc)
        # What is not known yet is 0, as a study that has nothing to draw gives it.
        values = tuple(0.0 if value is None else self.price(value) for value in (*now, *prior))
        if values != self._area:
            self._area = values
            ns = event.ts + shift_ns
            yield lines.value_area(self.place(ns, ns - 1), values[:3], values[3:])
