"""Whole chunks of the tape as DBN records, by schema: pure functions of a chunk and of what was before it.

Each record knows the position in the chunk of the event that it tells, so that schemas can be woven into one stream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from feedsim.dbn.before import Before, Levels, books_of, by_symbol, fixed, quotes_of, sales_of
from feedsim.dbn.changes import differ, name_change, set_levels, words_of
from feedsim.dbn.layout import (
    ASK,
    BID,
    END_OF_INTERVAL,
    F_LAST,
    LEVEL,
    MBO,
    MBP1,
    MBP10,
    NO_SIDE,
    OHLCV,
    REASON_LEVEL_1,
    REASON_MARKET_EVENT,
    REASON_SCHEDULED,
    RTYPE_SYSTEM,
    SCHEMAS,
    STATUS,
    STATUS_ACTIONS,
    SYSTEM,
    TRADE,
    TRADED,
    UNDEF_PRICE,
    Schema,
    new_records,
)
from feedsim.dbn.listing import PUBLISHER_ID, Listing
from feedsim.dbn.sampling import sampled
from feedsim.events import Chunk
from feedsim.events.chunk import Ordered
from feedsim.events.columns import Int64
from feedsim.instruments import NS_PER_S

CHANNELS = {"trades": "trade", "tbbo": "trade", "mbp-1": "l1", "mbp-10": "l2", "mbo": "mbo", "status": "status"}
"""The channel that a session must have to have a schema; bars and samples are named by their beginnings."""


_SIDES = np.array([NO_SIDE, BID, ASK], np.uint8)  # by a trade's side, -1 being the last
_YES, _NO, _UNKNOWN = map(ord, "YN~")


@dataclass(slots=True)
class Part:
    """Records of one kind in the tape's order."""

    records: npt.NDArray[Any]
    at: Int64
    """Positions in the chunk."""
    symbol: Int64
    """Codes; -1 for what is told to everybody."""
    data: bool = True
    """False for messages about the stream."""
    turn: Int64 | None = None
    """Whose turn it is at one position: the lowest first; 0 for all if absent."""

    def take(self, rows: Any) -> Part:
        turn = None if self.turn is None else self.turn[rows]
        return Part(self.records[rows], self.at[rows], self.symbol[rows], self.data, turn)


@dataclass(frozen=True)
class Scene:
    """A chunk, what was before it, and how it is told."""

    chunk: Chunk
    before: Before
    listing: Listing
    shift_ns: int = 0
    """Added to all times."""

    @cached_property
    def quotes(self) -> Told | None:
        """The chunk's quotes."""
        part = self.chunk.tables.get("l1")
        return None if part is None else Told(part, quotes_of(part.table), self.before.quotes)

    @cached_property
    def books(self) -> Told | None:
        """The chunk's books."""
        part = self.chunk.tables.get("l2")
        return None if part is None else Told(part, books_of(part.table), self.before.books)


class Told(NamedTuple):
    """Rows of quotes or books, their levels, and those that were told last before them, by symbol."""

    part: Ordered
    levels: Levels
    before: Levels


def parts(schema: str, scene: Scene) -> list[Part]:
    """What a chunk tells in a schema, and what is told beside it."""
    kind = SCHEMAS[schema]
    if schema.startswith("ohlcv"):
        return _bars(kind, scene)
    if schema.startswith("bbo"):
        return _samples(kind, scene)
    maker = _MAKERS.get(schema)
    return [] if maker is None else [part for part in maker(scene) if len(part.at)]


# -------------------------------------------------------------------------------------------------- trades and books


def _trades(scene: Scene) -> list[Part]:
    part = scene.chunk.tables.get("trade")
    return [] if part is None else [_sold(scene, part, TRADE, SCHEMAS["trades"].rtype)]


def _trades_and_quotes(scene: Scene) -> list[Part]:
    """Trades with the quote that they met."""
    return _trades_in(scene, scene.quotes, scene.before.quotes, MBP1)


def _quotes(scene: Scene) -> list[Part]:
    return _joined([*_trades_and_quotes(scene), *_changes(scene, scene.quotes, MBP1)])


def _books(scene: Scene) -> list[Part]:
    trades = _trades_in(scene, scene.books, scene.before.books, MBP10)
    return _joined([*trades, *_changes(scene, scene.books, MBP10)])


def _trades_in(scene: Scene, told: Told | None, before: Levels, dtype: np.dtype[Any]) -> list[Part]:
    part = scene.chunk.tables.get("trade")
    if part is None:
        return []
    trades = _sold(scene, part, dtype, SCHEMAS["mbp-1" if dtype is MBP1 else "mbp-10"].rtype)
    set_levels(trades.records, _met(part, told, before))
    return [trades]


def _joined(told: list[Part]) -> list[Part]:
    """Parts of one kind of record as one, in the order of the tape."""
    if len(told) < 2:
        return told
    at = np.concatenate([part.at for part in told])
    order = np.argsort(at, kind="stable")
    # As rows of words, since NumPy moves records field by field.
    words = np.concatenate([words_of(part.records) for part in told])[order]
    records = words.reshape(-1).view(told[0].records.dtype)
    return [Part(records, at[order], np.concatenate([part.symbol for part in told])[order])]


def _sold(scene: Scene, part: Ordered, dtype: np.dtype[Any], rtype: int) -> Part:
    sales = sales_of(part.table)
    records = _records(scene, part, dtype, rtype)
    records["price"], records["size"] = sales["price"], sales["size"]
    records["action"] = TRADED
    records["side"] = _SIDES[sales["side"]]
    return _part(scene, part, records)


def _met(trades: Ordered, told: Told | None, before: Levels) -> npt.NDArray[Any]:
    """The levels that were last told before each trade."""
    met: npt.NDArray[Any] = words_of(before)[trades.table.array("symbol")].view(LEVEL)
    if told is None:
        return met
    theirs = told.part.table.array("symbol")
    for code, rows in by_symbol(trades.table):
        mine = np.flatnonzero(theirs == code)
        last = np.searchsorted(told.part.seq[mine], trades.seq[rows]) - 1
        known = last >= 0
        words_of(met)[rows[known]] = words_of(told.levels)[mine[last[known]]]
    return met


def _changes(scene: Scene, told: Told | None, dtype: np.dtype[Any]) -> list[Part]:
    """A record for each row in which a level changed: the first level that did, and the side if it was one alone."""
    if told is None:
        return []
    levels, old = told.levels, np.empty_like(told.levels)
    now, then = words_of(levels), words_of(old)
    for code, rows in by_symbol(told.part.table):
        old[rows[0]] = told.before[code]
        then[rows[1:]] = now[rows[:-1]]
    bids, asks = differ(levels, old)
    changed = bids.any(axis=1) | asks.any(axis=1)
    part = told.part
    if not changed.all():
        rows = np.flatnonzero(changed)
        levels, old = (now[rows].view(LEVEL), then[rows].view(LEVEL))
        part, bids, asks = part.take(rows), bids[rows], asks[rows]
    records = _records(scene, part, dtype, SCHEMAS["mbp-1" if dtype is MBP1 else "mbp-10"].rtype)
    set_levels(records, levels)
    records["flags"] = F_LAST
    name_change(records, levels, old, bids, asks)
    return [_part(scene, part, records)]


def _orders(scene: Scene) -> list[Part]:
    part = scene.chunk.tables.get("mbo")
    if part is None:
        return []
    table = part.table
    records = _records(scene, part, MBO, SCHEMAS["mbo"].rtype)
    records["price"] = fixed(table.array("price"))
    records["order_id"] = table.array("order_id").view(np.uint64)
    records["side"] = _SIDES[table.array("side")]
    for name in ("size", "flags", "channel_id", "action", "ts_in_delta", "sequence"):
        records[name] = table.array(name)
    return [_part(scene, part, records)]


# ------------------------------------------------------------------------------------------------- bars and samples


def _bars(schema: Schema, scene: Scene) -> list[Part]:
    part = scene.chunk.tables.get("bar")
    if part is None:
        return []
    part = part.take(np.flatnonzero(part.table.array("tf_s") == schema.interval_s))
    if not len(part):
        return []
    traded = part.take(np.flatnonzero(part.table.array("volume") > 0))
    records = _records(scene, traded, OHLCV, schema.rtype)
    for name in ("open", "high", "low", "close"):
        records[name] = fixed(traded.table.array(name))
    records["volume"] = traded.table.array("volume")
    at = part.seq - scene.chunk.first_seq
    ends = np.append(np.flatnonzero(np.diff(part.table.avail)), len(at) - 1)
    end_ns = part.table.array("ts")[ends] + schema.interval_s * NS_PER_S
    return [_part(scene, traded, records), _interval_ends(schema, scene, at[ends], end_ns)]


def _samples(schema: Schema, scene: Scene) -> list[Part]:
    samples = sampled(scene.chunk, scene.before, schema.interval_s)
    if samples is None:
        return []
    records = new_records(schema.record, len(samples.at), schema.rtype, publisher_id=PUBLISHER_ID)
    sales = samples.sales
    records["instrument_id"] = scene.listing.ids[samples.symbol]
    sold = sales["size"] > 0
    records["ts_event"] = np.where(sold, sales["ts_event"] + scene.shift_ns, samples.end_ns + scene.shift_ns)
    records["ts_recv"] = samples.end_ns + scene.shift_ns
    records["price"] = np.where(sold, sales["price"], UNDEF_PRICE)
    records["size"], records["side"] = sales["size"], _SIDES[sales["side"]]
    records["flags"] = F_LAST
    records["levels"] = samples.quotes
    ends = np.append(np.flatnonzero(np.diff(samples.end_ns)), len(samples.at) - 1)
    # Before the event that ended the interval, and each interval's end before the next interval.
    turn = 2 * (samples.end_ns - samples.end_ns[-1]) // NS_PER_S - 2
    told = Part(records, samples.at, samples.symbol, turn=turn)
    over = _interval_ends(schema, scene, samples.at[ends], samples.end_ns[ends])
    over.turn = turn[ends] + 1
    return [told, over]


def _interval_ends(schema: Schema, scene: Scene, at: Int64, end_ns: Int64) -> Part:
    records = new_records(SYSTEM, len(at), RTYPE_SYSTEM)
    records["ts_event"] = end_ns + scene.shift_ns
    records["msg"] = f"End of interval for {schema.name}".encode()
    records["code"] = END_OF_INTERVAL
    return Part(records, at, np.full(len(at), -1), data=False)


# ----------------------------------------------------------------------------------------------------------- status


def _statuses(scene: Scene) -> list[Part]:
    part = scene.chunk.tables.get("status")
    if part is None:
        return []
    part = part.take(np.flatnonzero(np.isin(part.table.array("phase").astype(str), list(STATUS_ACTIONS))))
    phases, reasons = part.table.array("phase").tolist(), part.table.array("reason").tolist()
    records = _records(scene, part, STATUS, SCHEMAS["status"].rtype)
    records["action"] = [STATUS_ACTIONS[phase] for phase in phases]
    records["reason"] = [_reason(phase, reason) for phase, reason in zip(phases, reasons, strict=True)]
    records["is_trading"] = [_YES if phase == "open" else _NO for phase in phases]
    records["is_quoting"] = [_NO if phase == "closed" else _YES for phase in phases]
    records["is_short_sell_restricted"] = _UNKNOWN
    return [_part(scene, part, records)]


def _reason(phase: str, reason: str) -> int:
    if reason.startswith("limit down, level "):
        return REASON_LEVEL_1 - 1 + int(reason[-1])
    return REASON_MARKET_EVENT if phase == "halt" and reason != "planned" else REASON_SCHEDULED


# ----------------------------------------------------------------------------------------------------- what all have


def _records(scene: Scene, part: Ordered, dtype: np.dtype[Any], rtype: int) -> npt.NDArray[Any]:
    """Records of rows with their instruments and times; `sequence` counts the stream's events."""
    table = part.table
    records = new_records(dtype, len(part), rtype, publisher_id=PUBLISHER_ID)
    records["instrument_id"] = scene.listing.ids[table.array("symbol")]
    records["ts_event"] = table.array("ts") + scene.shift_ns
    names = dtype.names or ()
    if "ts_recv" in names:
        records["ts_recv"] = table.avail + scene.shift_ns
    if "sequence" in names:
        records["sequence"] = part.n & 0xFFFFFFFF
    return records


def _part(scene: Scene, part: Ordered, records: npt.NDArray[Any]) -> Part:
    return Part(records, part.seq - scene.chunk.first_seq, part.table.array("symbol"))


_MAKERS: dict[str, Callable[[Scene], list[Part]]] = {
    "trades": _trades,
    "tbbo": _trades_and_quotes,
    "mbp-1": _quotes,
    "mbp-10": _books,
    "mbo": _orders,
    "status": _statuses,
}
