"""The synthetic market as a source: trades, L1 and L2 of ES, NQ and their micros, of any length, from a seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from feedsim.errors import ConfigError, SourceError
from feedsim.events import Ragged, Table
from feedsim.events.columns import INT_NULL
from feedsim.instruments import INSTRUMENTS, NS_PER_MS, NS_PER_S
from feedsim.market.scenarios import SCENARIOS
from feedsim.sources import numba_cache
from feedsim.sources.base import SourceInfo, Tables

with numba_cache.kept():
    from feedsim.market.flow import FORMAT, L2_FIELDS
    from feedsim.market.laws import LAWS
    from feedsim.market.market import Rows, Sheets, SymbolMarket
    from feedsim.market.queues import SHOWN

START_NS = 1_755_783_000 * NS_PER_S  # 2025-08-21 09:30 in New York
LONGEST_INTERVAL_MS = 3_600_000
PREFIX = "synthetic:"


class _State(msgspec.Struct, array_like=True):
    format: int
    position_ns: int
    markets: list[bytes]


class SyntheticSource:
    """A market that its options and seed fix to the byte.

    Each symbol's rows are the same whichever others are asked for. L1 is told whenever it changes, L2 (ten levels with
    their order counts) every `l2_interval_ms` in which it changed, both also where a session starts.
    """

    def __init__(
        self,
        name: str = PREFIX,
        *,
        seed: int = 0,
        symbols: Sequence[str] = ("ES", "NQ"),
        minutes: float | None = None,
        l2_interval_ms: int = 100,
        start_ns: int = START_NS,
    ) -> None:
        """`name` is `synthetic:` or `synthetic:SCENARIO`; `minutes` of None has no end. Raises ConfigError."""
        scenario = _checked_scenario(name)
        symbols = _checked_symbols(symbols)
        _check_numbers(seed, minutes, l2_interval_ms)
        self._info = SourceInfo(
            kind="synthetic",
            name=name,
            symbols=symbols,
            channels=("trade", "l1", "l2"),
            start_ns=start_ns,
            end_ns=None if minutes is None else start_ns + max(round(minutes * 60 * NS_PER_S), 1),
            identity={
                "kind": "synthetic",
                "market": FORMAT,
                "scenario": scenario,
                "seed": seed,
                "symbols": list(symbols),
                "minutes": minutes,
                "l2_interval_ms": l2_interval_ms,
                "start_ns": start_ns,
            },
        )
        interval_ns = l2_interval_ms * NS_PER_MS
        self._markets = [
            SymbolMarket(symbol, seed=seed, start_ns=start_ns, l2_every_ns=interval_ns) for symbol in symbols
        ]
        self._sheets = Sheets()
        self._position_ns = start_ns
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
            PREFIX + identity["scenario"],
            seed=identity["seed"],
            symbols=tuple(identity["symbols"]),
            minutes=identity["minutes"],
            l2_interval_ms=identity["l2_interval_ms"],
            start_ns=identity["start_ns"],
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
        parts: dict[str, list[tuple[int, Rows]]] = {"trade": [], "l1": [], "l2": []}
        for code, market in enumerate(self._markets):
            for told in market.run(until_ns, self._sheets):
                for channel, rows in zip(parts, told, strict=True):
                    if len(rows):
                        parts[channel].append((code, rows.copy()))
        self._position_ns = max(self._position_ns, until_ns)
        ticks = np.array([INSTRUMENTS[symbol].tick for symbol in self._info.symbols])
        return {
            channel: _TABLES[channel](self._info.symbols, ticks, *_in_time(told))
            for channel, told in parts.items()
            if told
        }

    def seek(self, ns: int) -> None:
        """Go to the first row at or after `ns`: the market runs up to there, from its start if it is behind."""
        if ns < self._position_ns:
            self.restore(self._initial)
        until_ns = self._within(ns)
        for market in self._markets:
            for _ in market.run(until_ns, self._sheets):
                pass
        self._position_ns = max(self._position_ns, until_ns)

    def _within(self, ns: int) -> int:
        return ns if self._info.end_ns is None else min(ns, self._info.end_ns)

    # ------------------------------------------------------------------------------------------------------ position

    def save(self) -> bytes:
        state = _State(FORMAT, self._position_ns, [market.save() for market in self._markets])
        return msgspec.msgpack.encode(state)

    def restore(self, state: bytes) -> None:
        """Raises SourceError for a state of another version of the market."""
        saved = msgspec.msgpack.decode(state, type=_State)
        if saved.format != FORMAT:
            raise SourceError(f"a state of version {saved.format} of the synthetic market; this is version {FORMAT}")
        self._position_ns = saved.position_ns
        for market, part in zip(self._markets, saved.markets, strict=True):
            market.restore(part)

    def close(self) -> None:
        """Nothing is held open."""


# ------------------------------------------------------------------------------------------------------ rows to tables


def _in_time(parts: list[tuple[int, Rows]]) -> tuple[Rows, Rows]:
    """The symbols' indices and the rows, by (time, symbol)."""
    symbol = np.repeat([code for code, _ in parts], [len(rows) for _, rows in parts])
    rows = np.concatenate([rows for _, rows in parts])
    order = np.argsort(rows[:, 0], kind="stable")
    return symbol[order], rows[order]


def _trades(symbols: tuple[str, ...], ticks: Any, symbol: Rows, rows: Rows) -> Table:
    ts, price, size, side, trade_id = rows.T
    columns = {
        "ts": ts.copy(),
        "symbol": symbol,
        "price": price * ticks[symbol],
        "size": size.copy(),
        "side": side.copy(),
        "trade_id": trade_id.copy(),
    }
    return Table.build("trade", symbols, columns)


def _quotes(symbols: tuple[str, ...], ticks: Any, symbol: Rows, rows: Rows) -> Table:
    ts, bid, ask, bid_size, ask_size, last_price, last_size = rows.T
    tick = ticks[symbol]
    columns = {
        "ts": ts.copy(),
        "symbol": symbol,
        "bid": bid * tick,
        "ask": ask * tick,
        "last_price": np.where(last_size > 0, last_price * tick, np.nan),
        "bid_size": bid_size.copy(),
        "ask_size": ask_size.copy(),
        "last_size": np.where(last_size > 0, last_size, INT_NULL),
    }
    return Table.build("l1", symbols, columns)


def _books(symbols: tuple[str, ...], ticks: Any, symbol: Rows, rows: Rows) -> Table:
    tick = ticks[symbol]
    levels = {
        name: Ragged.from_matrix(values * tick[:, None] if name.endswith("px") else values)
        for name, values in zip(L2_FIELDS[1:], np.split(rows[:, 1:], len(L2_FIELDS) - 1, axis=1), strict=True)
    }
    bid, ask = rows[:, 1] * tick, rows[:, 1 + 3 * SHOWN] * tick
    columns = {
        "ts": rows[:, 0].copy(),
        "symbol": symbol,
        "levels": np.full(len(rows), SHOWN),
        "mid": (bid + ask) / 2,
        "spread": ask - bid,
        **levels,
    }
    return Table.build("l2", symbols, columns)


_TABLES = {"trade": _trades, "l1": _quotes, "l2": _books}


# --------------------------------------------------------------------------------------------------------------- words


def _checked_scenario(name: str) -> str:
    scenario = name.removeprefix(PREFIX) or "normal"
    if scenario not in SCENARIOS:
        raise ConfigError(f"{scenario!r}: no such scenario; there is {', '.join(SCENARIOS)}", field="scenario")
    return scenario


def _checked_symbols(symbols: Sequence[str]) -> tuple[str, ...]:
    known = ", ".join(LAWS)
    for symbol in symbols:
        if symbol not in LAWS:
            raise ConfigError(f"{symbol!r}: the synthetic market has {known}", field="symbols")
    if not symbols or len(set(symbols)) != len(symbols):
        raise ConfigError(f"{list(symbols)}: expected one or more of {known}, each once", field="symbols")
    return tuple(sorted(symbols))


def _check_numbers(seed: int, minutes: float | None, l2_interval_ms: int) -> None:
    if not 0 <= seed < 2**63:
        raise ConfigError(f"{seed}: expected a whole number from 0 to 2**63 - 1", field="seed")
    if minutes is not None and not 0 < minutes < math.inf:
        raise ConfigError(f"{minutes}: expected a number above 0, or none", field="minutes")
    if not 1 <= l2_interval_ms <= LONGEST_INTERVAL_MS:
        raise ConfigError(f"{l2_interval_ms}: expected 1 to {LONGEST_INTERVAL_MS} ms", field="l2_interval_ms")
