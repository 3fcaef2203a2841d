"""The synthetic market as a source: trades, L1, L2, context and truth of ES, NQ and their micros, of any length."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np

from feedsim.errors import ConfigError, SourceError
from feedsim.events import Table
from feedsim.events.columns import INT_NULL, SCHEMAS
from feedsim.instruments import NS_PER_MS, NS_PER_S, front_contract, session_at
from feedsim.market.config import FOLLOWS, START_NS, MarketConfig
from feedsim.market.limits import LEVEL_3, dynamic_halt, limit_reason, velocity_halt
from feedsim.sources import numba_cache
from feedsim.sources.base import SourceInfo, Tables
from feedsim.sources.injected import Happened, UserEvent, checked, user_events

with numba_cache.kept():
    from feedsim.market.book import ORDER_FIELDS
    from feedsim.market.kernel import FORMAT, LOG_ROOM
    from feedsim.market.market import ANY_PRICE, SymbolMarket
    from feedsim.market.reaction import BETAS
    from feedsim.market.schedule import Schedule
    from feedsim.market.shape import UNDERLYING
    from feedsim.market.sheets import Entered, Rows, Sheets
    from feedsim.sources.market_orders import OrderTeller
    from feedsim.sources.market_tables import named_context, told_tables, when_open

PREFIX = "synthetic:"
WHY_HALTED = (
    "halt over",
    *map(limit_reason, range(1, LEVEL_3 + 1)),
    dynamic_halt().reason,
    velocity_halt("regular").reason,
    "planned",
    "daily halt",
)


class _State(msgspec.Struct, array_like=True):
    format: int
    position_ns: int
    markets: list[bytes]
    entered: int
    orders: list[bytes] = []


class _Entry(NamedTuple):
    """An order that was entered, or what was done to it."""

    ns: int
    code: int
    order_id: int
    size: int
    """Of what is taken away where there is no side."""
    side: int | None = None
    ticks: int | None = None
    rests: bool = True


class SyntheticSource:
    """A market that its config and seed fix to the byte.

    Each symbol's rows are the same whichever others are asked for. L1 is told whenever it changes, L2 (ten levels with
    their order counts) every `l2_interval_ms` in which it changed, both also where a session starts.
    """

    def __init__(
        self,
        name: str = PREFIX,
        *,
        config: MarketConfig | None = None,
        seed: int = 0,
        minutes: float | None = None,
        start_ns: int = START_NS,
        mbo: bool = False,
    ) -> None:
        """`name` is `synthetic:` or `synthetic:SCENARIO`, for a source without a config of its own; `minutes` of None
        has no end; `mbo` tells every order too. Raises ConfigError.
        """
        config = config or MarketConfig(scenario=name.removeprefix(PREFIX) or "normal")
        _check_numbers(seed, minutes)
        self.config = config
        self._info = SourceInfo(
            kind="synthetic",
            name=PREFIX + config.find().name if name == PREFIX else name,
            symbols=config.symbols,
            channels=("status", "context", "truth", *(("mbo",) if mbo else ()), "trade", "l1", "l2"),
            start_ns=start_ns,
            end_ns=None if minutes is None else start_ns + max(round(minutes * 60 * NS_PER_S), 1),
            identity={
                "kind": "synthetic",
                "market": FORMAT,
                "config": config.to_json(),
                "seed": seed,
                "minutes": minutes,
                "start_ns": start_ns,
                **({"mbo": True} if mbo else {}),
            },
            contracts={symbol: front_contract(symbol, session_at(start_ns).date) for symbol in config.symbols},
            leadership=(config.leadership, config.strength),
        )
        self.schedule = Schedule(config.find(), seed=seed, minutes=minutes, start_ns=start_ns)
        self._markets = [
            SymbolMarket(symbol, config, self.schedule, seed=seed, start_ns=start_ns) for symbol in config.symbols
        ]
        self._tellers = [OrderTeller() for _ in config.symbols] if mbo else []
        self._sheets = Sheets(orders=2 * LOG_ROOM if mbo else 0)
        self._position_ns = start_ns
        self._journal: list[_Entry] = []
        self._entered = 0  # how many of these lie behind
        self._initial = self.save()
        self._compile()

    @classmethod
    def reopen(cls, identity: Mapping[str, Any]) -> SyntheticSource:
        """The source that `info.identity` describes. Raises SourceError for one of another version of the market."""
        if identity.get("market") != FORMAT:
            raise SourceError(
                f"made by version {identity.get('market')} of the synthetic market; this feedsim makes version {FORMAT}"
            )
        return cls(
            config=MarketConfig.from_json(identity["config"]),
            seed=identity["seed"],
            minutes=identity["minutes"],
            start_ns=identity["start_ns"],
            mbo=identity.get("mbo", False),
        )

    @property
    def info(self) -> SourceInfo:
        return self._info

    def _compile(self) -> None:
        """Compile the market, or load it, now: a server must not stand still when its first event is due."""
        self.read(self._position_ns + NS_PER_MS)
        self.restore(self._initial)

    # ------------------------------------------------------------------------------------------------------- reading

    def read(self, until_ns: int) -> Tables:
        """The rows not read yet before `until_ns`; at one time a symbol's trade comes before the L1 that it causes."""
        until_ns = self._within(until_ns)
        parts: dict[str, list[tuple[int, Rows]]] = {"trade": [], "l1": [], "l2": [], "mbo": []}
        for code, market in enumerate(self._markets):
            for told in market.run(until_ns, self._sheets):
                for channel, rows in zip(parts, told, strict=True):
                    if len(rows):
                        parts[channel].append((code, rows.copy()))
        parts["mbo"] = self._orders(parts["mbo"], parts["trade"])
        ticks = np.array([self.config.tick(symbol) for symbol in self._info.symbols])
        tables = told_tables(self._info.symbols, ticks, parts)
        tables.update(self._truth(self._position_ns, until_ns))
        tables.update(self._halts(self._position_ns, until_ns))
        tables.update(self._context(self._position_ns, until_ns))
        for market in self._markets:
            market.drop_known(until_ns)
        self._position_ns = max(self._position_ns, until_ns)
        return tables

    def _orders(self, log: list[tuple[int, Rows]], trades: list[tuple[int, Rows]]) -> list[tuple[int, Rows]]:
        """What the markets' logs of one window say, told as orders."""
        told = ((code, teller.tell(_of(code, log), _of(code, trades))) for code, teller in enumerate(self._tellers))
        return [(code, rows) for code, rows in told if len(rows)]

    def _truth(self, since_ns: int, until_ns: int) -> Tables:
        """A row for each whole second since the start while the market is open, and each symbol."""
        start_ns = self._info.start_ns
        seconds = np.arange(-(-(since_ns - start_ns) // NS_PER_S), -(-(until_ns - start_ns) // NS_PER_S))
        times = start_ns + seconds * NS_PER_S
        seconds = seconds[when_open(times)]
        if not len(seconds):
            return {}
        symbols = self._info.symbols
        told = [self.schedule.truth(second) for second in seconds.tolist()]
        columns: dict[str, Any] = {
            "ts": np.repeat(start_ns + seconds * NS_PER_S, len(symbols)),
            "symbol": np.tile(np.arange(len(symbols)), len(seconds)),
        }
        for name in ("label", "confidence", "side", "phase", "window_id", "outcome"):
            values = [getattr(truth, name) for truth in told]
            if name == "window_id":
                values = [INT_NULL if value is None else value for value in values]
            columns[name] = np.repeat(np.array(values, SCHEMAS["truth"].field(name).kind.dtype), len(symbols))
        return {"truth": Table.build("truth", symbols, columns)}

    def _context(self, since_ns: int, until_ns: int) -> Tables:
        """A row for each second while the market is open, and each symbol."""
        codes, times, rows = [], [], []
        for code, market in enumerate(self._markets):
            for at, known in market.context:
                now = (at >= since_ns) & (at < until_ns)
                codes.append(np.full(int(now.sum()), code))
                times.append(at[now])
                rows.append(known[now])
        if not sum(map(len, times)):
            return {}
        ts, symbol, known = np.concatenate(times), np.concatenate(codes), np.concatenate(rows)
        order = np.argsort(ts, kind="stable")
        columns: dict[str, Any] = {"ts": ts[order], "symbol": symbol[order]}
        columns.update(named_context(known[order]))
        return {"context": Table.build("context", self._info.symbols, columns)}

    def _halts(self, since_ns: int, until_ns: int) -> Tables:
        """A row for each symbol whose trading stands, or goes on again."""
        symbols = self._info.symbols
        told = sorted(
            (ns, code, why)
            for code, market in enumerate(self._markets)
            for ns, why in market.halts
            if since_ns <= ns < until_ns
        )
        if not told:
            return {}
        columns = {
            "ts": [ns for ns, _, _ in told],
            "symbol": [code for _, code, _ in told],
            "phase": ["halt" if why else "open" for _, _, why in told],
            "reason": [WHY_HALTED[why] for _, _, why in told],
            "contract": [self._info.contracts[symbols[code]] for _, code, _ in told],
        }
        return {"status": Table.build("status", symbols, columns)}

    def seek(self, ns: int) -> None:
        """Go to the first row at or after `ns`: the market runs up to there, from its start if it is behind.

        On the way back the orders of users up to `ns` are entered again. Raises SourceError where the source does not
        know them, because it was restored from a state of another one.
        """
        until_ns = max(self._within(ns), self._info.start_ns)
        if ns < self._position_ns:
            if self._entered > len(self._journal):
                raise SourceError("orders that were entered before the state that was restored are not known any more")
            again = [entry for entry in self._journal[: self._entered] if entry.ns <= until_ns]
            self.restore(self._initial)
            for entry in again:
                self._run_on(entry.ns)
                self._apply(entry)
            self._entered = len(again)
            self.take_user_events()
        self._run_on(until_ns)

    def _run_on(self, until_ns: int) -> None:
        for code, market in enumerate(self._markets):
            for trades, _, _, log in market.run(until_ns, self._sheets):
                if self._tellers:
                    self._tellers[code].tell(log, trades)
            market.drop_known(until_ns)
        self._position_ns = max(self._position_ns, until_ns)

    def _within(self, ns: int) -> int:
        return ns if self._info.end_ns is None else min(ns, self._info.end_ns)

    # -------------------------------------------------------------------------------------------------- users' orders

    def inject(
        self,
        symbol: str,
        *,
        order_id: int,
        side: str,
        size: int,
        price: float | None = None,
        rests: bool = True,
    ) -> Happened:
        """Enter an order of a user at the read position; its trades and quotes come with the next `read`.

        `order_id` is below 0; `side` is buy or sell; without a price it is a market order. What cannot trade at once
        rests until the session ends, or goes if `rests` is False. The latent prices react to what it takes. The source
        stays a source: the same orders at the same positions give the same rows. Raises ConfigError.
        """
        code = self._code(symbol)
        number, ticks = checked(side, size, price, self.config.tick(symbol), order_id)
        return self._enter(_Entry(self._position_ns, code, order_id, int(size), number, ticks, rests))

    def cancel(self, symbol: str, order_id: int) -> Happened:
        """Take an order of a user out. Raises ConfigError."""
        return self._enter(_Entry(self._position_ns, self._code(symbol), order_id, ANY_PRICE))

    def reduce(self, symbol: str, order_id: int, size: int) -> Happened:
        """Take so many lots of an order away; what is left keeps its place in the queue. Raises ConfigError."""
        if size < 1:
            raise ConfigError(f"{size}: expected a whole number of lots from 1 on", field="size")
        return self._enter(_Entry(self._position_ns, self._code(symbol), order_id, size))

    def cancel_resting(self) -> None:
        """Take all orders of users out."""
        for symbol, market in zip(self._info.symbols, self._markets, strict=True):
            for order_id in market.user_orders():
                self.cancel(symbol, order_id)

    def _enter(self, entry: _Entry) -> Happened:
        if self._position_ns >= (self._info.end_ns or self._position_ns + 1):
            return Happened(self._position_ns, "closed", ())
        entered = self._apply(entry)
        if not entered.refused:
            del self._journal[self._entered :]
            self._journal.append(entry)
            self._entered += 1
        symbol = self._info.symbols[entry.code]
        events = user_events(entered.rows, symbol, self.config.tick(symbol), priced=ANY_PRICE)
        return Happened(self._position_ns, entered.refused, tuple(events))

    def _apply(self, entry: _Entry) -> Entered:
        market = self._markets[entry.code]
        if entry.side is None:
            return market.reduce(entry.ns, entry.order_id, entry.size)
        entered = market.order(entry.ns, entry.order_id, entry.side, entry.size, entry.ticks, rests=entry.rests)
        self._spread_move(entry.code, entered.move)
        return entered

    def take_user_events(self) -> list[UserEvent]:
        """What happened since to orders that rested or waited, in time; each is given once."""
        events: list[UserEvent] = []
        for symbol, market in zip(self._info.symbols, self._markets, strict=True):
            for rows in market.user_rows:
                events += user_events(rows, symbol, self.config.tick(symbol), priced=ANY_PRICE)
            market.user_rows = []
        return sorted(events, key=lambda event: event.ts)

    def prepare_orders(self) -> None:
        """Compile what orders need, or load it, before the first comes."""
        saved, journal = self.save(), list(self._journal)
        self.restore(self._initial)
        self.read(self._position_ns + NS_PER_MS)
        for symbol in self._info.symbols:
            self.inject(symbol, order_id=-1, side="buy", size=1)
            self.inject(symbol, order_id=-1, side="buy", size=2, price=self.config.tick(symbol))
            self.reduce(symbol, -1, 1)
            self.cancel(symbol, -1)
        self.restore(saved)
        self._journal = journal

    def without_orders(self) -> SyntheticSource:
        """The same market from its start, without any user: what would have been."""
        return SyntheticSource.reopen(self._info.identity)

    def _code(self, symbol: str) -> int:
        if symbol not in self._info.symbols:
            raise ConfigError(f"{symbol!r}: expected {', '.join(self._info.symbols)}", field="symbol")
        return self._info.symbols.index(symbol)

    def _spread_move(self, code: int, move: float) -> None:
        """A move of one latent price moves all the books that follow it, and the other latent price by its beta."""
        symbols = self._info.symbols
        followed = FOLLOWS[symbols[code]]
        for other, market in enumerate(self._markets):
            if move and other != code:
                same = FOLLOWS[symbols[other]] == followed
                market.react(self._position_ns, move * (1.0 if same else BETAS[UNDERLYING.index(followed)]))

    # ------------------------------------------------------------------------------------------------------ position

    def save(self) -> bytes:
        orders = [teller.save() for teller in self._tellers]
        state = _State(FORMAT, self._position_ns, [market.save() for market in self._markets], self._entered, orders)
        return msgspec.msgpack.encode(state)

    def restore(self, state: bytes) -> None:
        """Raises SourceError for a state of another version of the market."""
        saved = msgspec.msgpack.decode(state, type=_State)
        if saved.format != FORMAT:
            raise SourceError(f"a state of version {saved.format} of the synthetic market; this is version {FORMAT}")
        self._position_ns, self._entered = saved.position_ns, saved.entered
        for market, part in zip(self._markets, saved.markets, strict=True):
            market.restore(part)
        for teller, part in zip(self._tellers, saved.orders, strict=True):
            teller.restore(part)

    def close(self) -> None:
        """Nothing is held open."""


def _of(code: int, parts: list[tuple[int, Rows]]) -> Rows:
    mine = [rows for other, rows in parts if other == code]
    return np.concatenate(mine) if mine else np.empty((0, len(ORDER_FIELDS)), np.int64)


def _check_numbers(seed: int, minutes: float | None) -> None:
    if not 0 <= seed < 2**63:
        raise ConfigError(f"{seed}: expected a whole number from 0 to 2**63 - 1", field="seed")
    if minutes is not None and not 0 < minutes < math.inf:
        raise ConfigError(f"{minutes}: expected a number above 0, or none", field="minutes")
