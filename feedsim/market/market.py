"""One symbol's market through all its sessions, run forward in time and put back to where it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.instruments import NS_PER_MINUTE, NS_PER_S, TradingDay, legacy_halt, session_at
from feedsim.market.book import ORDER_FIELDS, USER_ID, USERS
from feedsim.market.bounds import price_bounds
from feedsim.market.config import MarketConfig
from feedsim.market.factors import (
    DAILY,
    FACTORS,
    MINUTE_S,
    SHARES,
    STEP_NS,
    STEPS,
    advance_minute,
    new_factors,
    open_day,
)
from feedsim.market.happening import MOST_PRINTS
from feedsim.market.injection import end_orders, enter, enter_due, ticks_a_root_lot, withdraw
from feedsim.market.keeping import Saved, bare_book, rows_of
from feedsim.market.kernel import LOG_ROOM, NEVER, STATE, advance, new_state
from feedsim.market.law import law_record
from feedsim.market.modulators import HALT
from feedsim.market.options import CONTEXT_WIDTH, OPTIONS, new_options, open_options
from feedsim.market.reaction import kick
from feedsim.market.schedule import Schedule
from feedsim.market.seasons import minute_of_season
from feedsim.market.shape import UNDERLYING, shape_of
from feedsim.market.sheets import Entered, Rows, Sheets
from feedsim.market.telling import L1_FIELDS, L2_WIDTH, TRADE_FIELDS
from feedsim.market.users import USER_ROW_FIELDS, find_user

NO_ROWS = np.empty((0, len(USER_ROW_FIELDS)), np.int64)
ANY_PRICE = 1 << 40  # ticks


class SymbolMarket:
    """The market of one symbol from `start_ns` on; closed hours have nothing."""

    def __init__(self, symbol: str, config: MarketConfig, schedule: Schedule, *, seed: int, start_ns: int) -> None:
        self.symbol = symbol
        self._schedule = schedule
        self._start_ns = start_ns
        self._l2_every_ns = config.l2_interval_ms * 1_000_000
        self._legacy_halt = config.legacy_halt
        preset = config.preset(symbol)
        self._daily_lots = preset.daily_lots
        self._law: Any = law_record(preset, lot_scale=config.lot_scale, lot_spread=config.lot_spread).view(np.recarray)[
            0
        ]
        self._shape: Any = shape_of(symbol, config).view(np.recarray)[0]
        prices = [config.price(name) / config.tick(name) for name in UNDERLYING]
        self._factors = new_factors(symbol, seed, (prices[0], prices[1]), config.vix)
        self._day = session_at(start_ns)
        self._minute_ns = max(start_ns, self._day.open_ns)
        self._states = new_state(symbol, seed, self._minute_ns)
        self._state: Any = self._states.view(np.recarray)[0]
        self._options = np.concatenate([new_options(name, seed, config.price(name)) for name in UNDERLYING])
        self._before = self._factors.copy(), self._options.copy()
        self._rows = np.empty((MINUTE_S, 0))
        self._x, self._busy = np.empty(STEPS), np.empty(STEPS)
        self._ready = False
        self._code = self._code_before = 0
        self._context = np.empty((MINUTE_S, 1 + CONTEXT_WIDTH))
        self.context: list[tuple[Rows, npt.NDArray[np.float64]]] = []
        """Times and rows (VIX, then as `tell_options`) of seconds that nobody took yet, ahead of the book."""
        self.halts: list[tuple[int, int]] = []
        """(time, why) of changes between trading (0) and standing that nobody took yet; factors.py has the codes."""
        self.user_rows: list[Rows] = []
        """What happened to the orders of users, but at once, that nobody took yet."""
        self._room: Sheets | None = None
        self._told: list[tuple[int, Rows, Rows, Rows]] = []

    @property
    def events(self) -> int:
        """How many orders came, traded or went."""
        return int(self._state.events)

    def run(self, until_ns: int, sheets: Sheets) -> Iterator[tuple[Rows, Rows, Rows, Rows]]:
        """What happens before `until_ns`, part by part: rows of trades, L1, L2 and orders; the next overwrites them."""
        yield from self._told_before(until_ns, log=len(sheets.orders) > 0)
        while True:
            if self._minute_ns >= self._day.close_ns:
                if until_ns > self._day.close_ns:
                    self._end_day()
                day = session_at(self._day.close_ns)
                if until_ns <= day.open_ns:
                    return
                self._open(day)
            if until_ns <= self._minute_ns:
                return
            self._prepare()
            end_ns = min(self._minute_ns + NS_PER_MINUTE, self._day.close_ns)
            yield from self._within_minute(min(until_ns, end_ns), sheets)
            if until_ns < end_ns:
                return
            self._minute_ns = end_ns
            self._ready = False

    def _within_minute(self, until_ns: int, sheets: Sheets) -> Iterator[tuple[Rows, Rows, Rows, Rows]]:
        tables = (sheets.trades, sheets.l1, sheets.l2, sheets.orders)
        while True:
            told = advance(
                self._state,
                self._law,
                self._x,
                self._busy,
                self._rows,
                self._minute_ns,
                until_ns,
                self._l2_every_ns,
                *tables,
            )
            trades, l1, l2, orders = (table[:rows] for table, rows in zip(tables, told, strict=True))
            yield trades, l1, l2, orders
            self._keep_user_rows()
            while self._state.due_ns:
                yield self._enter_due(log=len(sheets.orders) > 0)
            if self._state.next_ns >= until_ns and self._state.l2_ns >= min(until_ns, self._state.next_ns):
                return

    def _prepare(self) -> None:
        """Move what steers the book on to the end of the minute that runs."""
        if self._ready:
            return
        self._ready = True
        self._before[0][:], self._before[1][:] = self._factors, self._options
        second = (self._minute_ns - self._start_ns) // NS_PER_S
        self._rows = self._schedule.rows(max(second, 0), MINUTE_S)
        if self._legacy_halt:
            self._halt_as_formerly()
        bounds = price_bounds(self._factors[0], self._day, self._minute_ns).view(np.recarray)[0]
        self._state.lowest = bounds.low[self._shape.follows] * self._shape.scale
        self._state.highest = bounds.high[self._shape.follows] * self._shape.scale
        minute = (self._minute_ns - self._day.open_ns) // NS_PER_MINUTE
        factors: Any = self._factors.view(np.recarray)[0]
        es, nq = self._options.view(np.recarray)
        advance_minute(
            factors,
            self._shape,
            bounds,
            es,
            nq,
            self._rows,
            minute,
            minute_of_season(self._day, self._minute_ns),
            self._days_left(),
            self._x,
            self._busy,
            self._context,
        )
        self._know(self._minute_ns + np.arange(MINUTE_S) * NS_PER_S)
        self._note_halts()

    def _halt_as_formerly(self) -> None:
        """Where the session had the daily halt of former years, trading stands."""
        halt = legacy_halt(self._day)
        if halt is not None:
            times = self._minute_ns + np.arange(MINUTE_S) * NS_PER_S
            self._rows[(times >= halt[0]) & (times < halt[1]), HALT] = DAILY

    def _days_left(self) -> float:
        """The part of the day's regular trading that is still to come."""
        length = self._day.rth_close_ns - self._day.rth_open_ns
        left = self._day.rth_close_ns - self._minute_ns
        return min(max(left / length, 0.0), 1.0) if length else 0.0

    def _know(self, times: Rows) -> None:
        """Keep the context of the minute's seconds until it is taken."""
        inside = times < self._day.close_ns
        self.context.append((times[inside], self._context[inside].copy()))

    def _note_halts(self) -> None:
        """Where in this minute trading stands or goes on again."""
        codes = self._rows[:, HALT].astype(np.int64)
        self._code_before = self._code
        changed = np.flatnonzero(np.diff(codes, prepend=self._code))
        self.halts += [(self._minute_ns + int(second) * NS_PER_S, int(codes[second])) for second in changed]
        self._code = int(codes[-1])

    def _open(self, day: TradingDay) -> None:
        self._end_day()
        factors: Any = self._factors.view(np.recarray)[0]
        open_day(factors, (day.open_ns - self._day.close_ns) / NS_PER_S)
        for options, x, tick in zip(self._options.view(np.recarray), factors.x, self._shape.tick, strict=True):
            open_options(options, x * tick)
        self._day = day
        self._minute_ns = day.open_ns
        self._state.open = 0
        self._code = 0
        self._state.halted = 0
        self._state.next_ns = day.open_ns
        self._state.l2_ns = NEVER
        self._ready = False

    def drop_known(self, until_ns: int) -> None:
        """What is known of the time before `until_ns` was taken: halts and context."""
        self.halts = [halt for halt in self.halts if halt[0] >= until_ns]
        self.context = [part for part in self.context if part[0][-1] >= until_ns]

    # -------------------------------------------------------------------------------------------------- users' orders

    def order(
        self, ns: int, order_id: int, side: int, size: int, price: int | None = None, *, rests: bool = True
    ) -> Entered:
        """Enter an order of a user at `ns`, to which the market was run; `side` 0 buys, `price` in ticks.

        Without a price it is a market order. What cannot trade at once rests, or goes where `rests` is False. Its
        trades come with those of the next run. Ids are below 0, and free again when an order is over. Orders end with
        the session; while trading stands they wait.
        """
        if order_id >= 0 or size <= 0 or side not in (0, 1):
            raise ValueError(
                f"order {order_id}, side {side}, {size} lots: expected an id below 0, side 0 or 1, lots above 0"
            )
        refused = self._refused(ns, order_id, waits=rests and price is not None)
        if refused:
            return Entered(refused, NO_ROWS)
        rests = rests and price is not None
        price = (-ANY_PRICE if side else ANY_PRICE) if price is None else price
        room = self._own_room()
        *told, ticks = enter(
            self._state,
            self._law,
            self._modulators_at(ns),
            self._busy[self._step(ns)],
            ns,
            order_id,
            side,
            size,
            price,
            int(rests),
            self._impact(ns),
            self._l2_every_ns,
            room.trades,
            room.l1,
            room.orders,
        )
        self._tell_later(ns, *told)
        return Entered("", self._take_user_rows(), ticks / float(self._x[self._step(ns)]))

    def cancel(self, ns: int, order_id: int) -> Entered:
        """Take an order out, at `ns` as for `order`."""
        return self.reduce(ns, order_id, ANY_PRICE)

    def reduce(self, ns: int, order_id: int, size: int) -> Entered:
        """Take so many lots of an order away; it keeps its place."""
        if size <= 0:
            raise ValueError(f"{size} lots: expected more than 0")
        if not self._trades_at(ns) or find_user(self._state, order_id) < 0:
            return Entered("unknown order", NO_ROWS)
        room = self._own_room()
        quoted, logged = withdraw(
            self._state,
            self._law,
            self._modulators_at(ns),
            ns,
            order_id,
            size,
            self._l2_every_ns,
            room.l1,
            room.orders,
        )
        self._tell_later(ns, 0, quoted, logged)
        return Entered("", self._take_user_rows())

    def user_orders(self) -> list[int]:
        """The ids of the orders of users that rest or wait."""
        ids: list[int] = self._state.user[: self._state.users, USER_ID].tolist()
        return ids

    def react(self, ns: int, move: float) -> None:
        """The latent price is kicked by a trade elsewhere, so far relative to itself."""
        if self._trades_at(ns):
            kick(self._state, ns, move * float(self._x[self._step(ns)]))

    def _refused(self, ns: int, order_id: int, *, waits: bool) -> str:
        if not self._trades_at(ns):
            return "closed"
        if not self._state.open and not waits:
            return "halted"
        if find_user(self._state, order_id) >= 0:
            return "id in use"
        return "too many orders" if self._state.users == USERS else ""

    def _trades_at(self, ns: int) -> bool:
        """Whether `ns` is within a session; the minute from there on is prepared."""
        if ns >= self._day.close_ns:
            day = session_at(self._day.close_ns)
            if ns < day.open_ns:
                return False
            self._open(day)
        if ns < self._minute_ns:
            return False
        self._prepare()
        return True

    def _step(self, ns: int) -> int:
        return (ns - self._minute_ns) // STEP_NS

    def _modulators_at(self, ns: int) -> Any:
        return self._rows[(ns - self._minute_ns) // NS_PER_S]

    def _impact(self, ns: int) -> float:
        vix = float(self._before[0]["vix"][0])
        relative = SHARES[self._shape.follows][2] * float(self._shape.volatility)
        return ticks_a_root_lot(float(self._x[self._step(ns)]), vix, relative, self._daily_lots)

    def _own_room(self) -> Sheets:
        if self._room is None:
            self._room = Sheets(trades=MOST_PRINTS, l1=1, l2=0, orders=LOG_ROOM)
        return self._room

    def _tell_later(self, ns: int, traded: int, quoted: int, logged: int) -> None:
        room = self._own_room()
        self._told.append((ns, room.trades[:traded].copy(), room.l1[:quoted].copy(), room.orders[:logged].copy()))

    def _told_before(self, until_ns: int, *, log: bool) -> Iterator[tuple[Rows, Rows, Rows, Rows]]:
        """The rows of orders of users that were entered since the last run."""
        while self._told and self._told[0][0] < until_ns:
            _, trades, l1, orders = self._told.pop(0)
            yield trades, l1, np.empty((0, L2_WIDTH), np.int64), orders if log else orders[:0]

    def _take_user_rows(self) -> Rows:
        rows: Rows = self._state.told_rows[: self._state.told].copy()
        self._state.told = 0
        return rows

    def _keep_user_rows(self) -> None:
        if self._state.told:
            self.user_rows.append(self._take_user_rows())

    def _enter_due(self, *, log: bool) -> tuple[Rows, Rows, Rows, Rows]:
        """An order that waited for the book to open and crosses it."""
        room = self._own_room()
        ns = int(self._state.due_ns)
        traded, quoted, logged, _ = enter_due(
            self._state,
            self._law,
            self._modulators_at(ns),
            self._busy[self._step(ns)],
            self._impact(ns),
            self._l2_every_ns,
            room.trades,
            room.l1,
            room.orders,
        )
        self._keep_user_rows()
        return room.trades[:traded], room.l1[:quoted], room.l2[:0], room.orders[: logged if log else 0]

    def _end_day(self) -> None:
        if self._state.users:
            end_orders(self._state, self._day.close_ns)
            self._keep_user_rows()

    # ------------------------------------------------------------------------------------------------------ position

    def save(self) -> bytes:
        """The whole state, as small as it can be told."""
        factors, options = self._before if self._ready else (self._factors, self._options)
        return Saved(
            book=bare_book(self._states),
            factors=factors.tobytes(),
            options=options.tobytes(),
            minute_ns=self._minute_ns,
            day_ns=self._day.open_ns,
            code=self._code_before if self._ready else self._code,
            told=[(ns, trades.tobytes(), l1.tobytes(), log.tobytes()) for ns, trades, l1, log in self._told],
            user_rows=[rows.tobytes() for rows in self.user_rows],
        ).packed()

    def restore(self, state: bytes) -> None:
        saved = Saved.unpacked(state)
        self._states[:] = np.frombuffer(saved.book, STATE)
        self._factors[:] = np.frombuffer(saved.factors, FACTORS)
        self._options[:] = np.frombuffer(saved.options, OPTIONS)
        self._minute_ns = saved.minute_ns
        self._day = session_at(saved.day_ns)
        self._code = saved.code
        self.halts.clear()
        self.context.clear()
        self.user_rows = [rows_of(part, len(USER_ROW_FIELDS)) for part in saved.user_rows]
        widths = len(TRADE_FIELDS), len(L1_FIELDS), len(ORDER_FIELDS)
        self._told = [
            (ns, rows_of(trades, widths[0]), rows_of(l1, widths[1]), rows_of(log, widths[2]))
            for ns, trades, l1, log in saved.told
        ]
        self._ready = False
