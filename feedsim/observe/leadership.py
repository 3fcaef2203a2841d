"""Leadership and order-flow features: one row a second (or `every_s`) and symbol, from trades, quotes and context.

A row at T is a function of the trades and quotes available before T and the context told by T. Rows begin with a
symbol's first quote, and are told while Globex has a session; each session begins without a past but for volatility's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.events import Table
from feedsim.events.columns import Float64, Int64
from feedsim.instruments import NS_PER_S, session_at
from feedsim.observe import leadlag
from feedsim.observe.confluence import Views, score
from feedsim.observe.features import Features, Known
from feedsim.observe.steps import Steps, whole
from feedsim.observe.windows import Sessions, by_symbol

_PARTNERS = (("ES", "NQ"), ("MES", "MNQ"))
_AT_ONCE = 512
"""Seconds that are computed together: bounds memory."""
_DECIMALS = 6


class _State(msgspec.Struct, array_like=True):
    next: int
    session: int
    features: list[bytes]


class Leadership:
    """`mode` (NQ_leads, ES_leads or balanced) and `strength` are what a generated session was told of leadership: they
    are repeated in the rows, and are where `leadership_strength` starts from while little is known.

    `every_s` divides a day. Rows lie at `anchor_ns` + k × `every_s`.
    """

    channel = "leadership"

    def __init__(
        self,
        symbols: tuple[str, ...],
        *,
        every_s: int = 1,
        mode: str | None = None,
        strength: float | None = None,
        with_context: bool = False,
        anchor_ns: int = 0,
    ) -> None:
        self.symbols = symbols
        self.every_s = every_s
        self.mode = mode
        self.strength = strength
        self.with_context = with_context
        self.anchor_ns = anchor_ns
        self._sessions = Sessions()
        self._features = [Features(symbol, origin_ns=anchor_ns) for symbol in symbols]
        self._pairs = list(_pairs(symbols))
        self._partner = dict([*self._pairs, *((second, first) for first, second in self._pairs)])
        self._next = -1
        """The first second (counted from the anchor) that is not computed yet; -1 before the first quote."""
        self._session = -1

    def observe(self, tables: Mapping[str, Table], until_ns: int) -> Table:
        """Take the `trade`, `l1` and `context` rows of the next window (avail < until_ns); the rows with
        avail < until_ns, by (avail, symbol).
        """
        return whole(self.observing(tables, until_ns))

    def observing(self, tables: Mapping[str, Table], until_ns: int) -> Steps[Table]:
        """`observe`, a symbol a step."""
        self._hear(tables)
        if self._next < 0:
            self._next = self._first_second()
        last = (until_ns - 1 - self.anchor_ns) // NS_PER_S
        if self._next < 0 or last < self._next:
            return Table.empty("leadership", self.symbols)
        seconds = np.arange(self._next, last + 1)
        self._next = last + 1
        parts: list[dict[str, Any]] = []
        for session, stretch in self._stretches(seconds):
            ends = self.anchor_ns + stretch * NS_PER_S
            known = yield from self._know(session, ends)
            parts += self._tell(stretch, ends, known)
        if not parts:
            return Table.empty("leadership", self.symbols)
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        order = np.lexsort((columns["symbol"], columns["ts"]))
        return Table.build("leadership", self.symbols, {name: values[order] for name, values in columns.items()})

    def _hear(self, tables: Mapping[str, Table]) -> None:
        for channel in ("l1", "trade", "context"):
            table = tables.get(channel)
            if table is not None and len(table):
                for features, rows in zip(self._features, by_symbol(table), strict=True):
                    features.hear(channel, table, rows)

    def _first_second(self) -> int:
        known = [features.first_ns for features in self._features if features.first_ns is not None]
        return -((self.anchor_ns - min(known)) // NS_PER_S) if known else -1

    def _stretches(self, seconds: Int64) -> Iterator[tuple[int, Int64]]:
        """When each session opened and the seconds that end in it, at most `_AT_ONCE` together."""
        ends = self.anchor_ns + seconds * NS_PER_S
        at = self._sessions.at(ends)
        is_open = ends < self._sessions.close[at]
        for session in np.unique(at[is_open]).tolist():
            inside = seconds[is_open & (at == session)]
            for lo in range(0, len(inside), _AT_ONCE):
                yield session, inside[lo : lo + _AT_ONCE]

    def _know(self, session: int, ends: Int64) -> Steps[list[Known]]:
        """What each symbol's rows of some seconds of one session, by their ends, are made of."""
        opened = int(self._sessions.open[session])
        if opened != self._session:
            self._session = opened
            for features in self._features:
                features.open_session(int(ends[0]) - NS_PER_S)
        day = session_at(int(ends[0]))
        known = []
        for features in self._features:
            yield
            known.append(features.know(ends, day))
        yield
        return known

    def _tell(self, seconds: Int64, ends: Int64, known: list[Known]) -> Iterator[dict[str, Any]]:
        """The rows of some seconds, which end then."""
        leading = self._leading(known)
        for code, features in enumerate(self._features):
            if features.first_ns is not None:
                wanted = (seconds % self.every_s == 0) & (ends >= features.first_ns)
                columns = {"ts": ends, **self._columns(code, known, leading)}
                told = {name: values[wanted] for name, values in columns.items()}
                yield {**told, "symbol": np.full(len(told["ts"]), code)}

    def _leading(self, known: list[Known]) -> list[Float64]:
        """How much each symbol leads its partner."""
        leading = [np.full(one.stretch.rows, 0.5) for one in known]
        for first, second in self._pairs:
            prior = prior_of(self.symbols[first], self.mode, self.strength)
            moves = known[first].stretch.moves, known[second].stretch.moves
            leading[first] = leadlag.strength(*moves, known[first].stretch.rows, prior=prior)
            leading[second] = 1.0 - leading[first]
        return leading

    def _columns(self, code: int, known: list[Known], leading: list[Float64]) -> dict[str, npt.NDArray[Any]]:
        """All features of one symbol."""
        own, rows = known[code], known[code].stretch.rows
        partner = self._partner.get(code)
        leader = own.drive if partner is None else np.where(leading[code] >= 0.5, own.drive, known[partner].drive)
        views = Views(**own.views, leader=leader)
        columns = {
            "confluence_score": score(views, self.symbols[code]),
            "leadership_strength": leading[code],
            **own.columns,
        }
        if not self.with_context:
            columns["options_flow_bias"] = columns["gamma_proximity"] = np.full(rows, np.nan)
        told = {
            name: np.round(values, _DECIMALS) + 0.0 if values.dtype == np.float64 else values
            for name, values in columns.items()
        }
        told["leadership_mode"] = np.full(rows, self.mode, object)
        told["leadership_strength_param"] = np.full(rows, np.nan if self.strength is None else self.strength)
        return told

    def save(self) -> bytes:
        state = _State(self._next, self._session, [features.save() for features in self._features])
        return msgspec.msgpack.encode(state)

    def restore(self, state: bytes) -> None:
        saved = msgspec.msgpack.decode(state, type=_State)
        self._next, self._session = saved.next, saved.session
        for features, part in zip(self._features, saved.features, strict=True):
            features.restore(part)


def _pairs(symbols: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Indices of the symbols that are compared: two that know nothing else of each other are a pair too."""
    found = [(symbol, partner) for symbol, partner in _PARTNERS if symbol in symbols and partner in symbols]
    if not found and len(symbols) == 2:
        found = [(symbols[0], symbols[1])]
    for first, second in found:
        yield symbols.index(first), symbols.index(second)


def prior_of(symbol: str, mode: str | None, strength: float | None) -> float:
    """What `leadership_strength` is taken for before anything was measured: half and half, or what was configured."""
    if mode is None or strength is None or mode == "balanced":
        return 0.5
    leads = symbol.endswith(mode.removesuffix("_leads"))
    return 0.5 + strength if leads else 0.5 - strength
