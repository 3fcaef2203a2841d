"""What each schema tells of a tape, event by event in plain Python, to hold the gateway's arrays against."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from feedsim.events import L1, L2, Bar, Event, Mbo, Trade
from feedsim.playback.tape import Tape

UNDEFINED = 2**63 - 1
SECOND_NS = 10**9
IDS_OF = dict[str, int]
Fields = dict[str, Any]
Level = tuple[int, int, int, int, int, int]
NOTHING: Level = (UNDEFINED, UNDEFINED, 0, 0, 0, 0)
RTYPES = {"trades": 0, "tbbo": 1, "mbp-1": 1, "mbp-10": 10, "mbo": 160, "bbo-1s": 195, "bbo-1m": 196}
RTYPES |= {"ohlcv-1s": 32, "ohlcv-1m": 33}
LENGTHS = {"bbo-1s": 1, "bbo-1m": 60, "ohlcv-1s": 1, "ohlcv-1m": 60}


def nano(price: float | None) -> int:
    return UNDEFINED if price is None else round(price * 10**9)


def side_of(number: int) -> str:
    return {1: "B", -1: "A", 0: "N"}[number]


@dataclass
class State:
    """What was told last of each symbol."""

    quote: dict[str, Level] = field(default_factory=dict)
    book: dict[str, tuple[Level, ...]] = field(default_factory=dict)
    sale: dict[str, Trade] = field(default_factory=dict)


def quote_of(event: L1) -> Level:
    return nano(event.bid), nano(event.ask), event.bid_size, event.ask_size, 0, 0


def book_of(event: L2) -> tuple[Level, ...]:
    def at(values: list[Any] | None, level: int, missing: int) -> int:
        return missing if values is None or level >= len(values) else values[level]

    return tuple(
        (
            nano(event.bid_px[level]) if level < len(event.bid_px) else UNDEFINED,
            nano(event.ask_px[level]) if level < len(event.ask_px) else UNDEFINED,
            at(event.bid_sz, level, 0),
            at(event.ask_sz, level, 0),
            at(event.bid_ct, level, 0),
            at(event.ask_ct, level, 0),
        )
        for level in range(10)
    )


def told(
    tape: Tape, schemas: list[str], ids: IDS_OF, *, keep: Callable[[Event], bool] = lambda _: True
) -> Iterator[Fields]:
    """Records of the schemas that are named, in alphabetical order, as a client should see them."""
    state, symbols, before_ns = State(), sorted(ids), None
    while (chunk := tape.advance(997)) is not None:
        for event, avail in zip(chunk.events(), chunk.avail.tolist(), strict=True):
            if before_ns is not None:
                yield from _sampled(state, schemas, symbols, ids, before_ns, avail)
            before_ns = avail
            if keep(event):
                for schema in schemas:
                    yield from _of_event(schema, event, avail, state, ids)
            _remember(event, state)


def _remember(event: Event, state: State) -> None:
    if isinstance(event, L1):
        state.quote[event.symbol] = quote_of(event)
    elif isinstance(event, L2):
        state.book[event.symbol] = book_of(event)
    elif isinstance(event, Trade):
        state.sale[event.symbol] = event


def _head(schema: str, event: Event, avail: int, ids: IDS_OF) -> Fields:
    return {
        "rtype": RTYPES[schema],
        "publisher_id": 1,
        "instrument_id": ids[event.symbol],
        "ts_event": event.ts,
        "ts_recv": avail,
        "sequence": event.n,
    }


def _of_event(schema: str, event: Event, avail: int, state: State, ids: IDS_OF) -> Iterator[Fields]:
    if isinstance(event, Trade) and schema in ("trades", "tbbo", "mbp-1", "mbp-10"):
        yield _head(schema, event, avail, ids) | _sold(schema, event, state)
    elif isinstance(event, L1) and schema == "mbp-1":
        now = quote_of(event)
        if now != state.quote.get(event.symbol):
            quote = state.quote.get(event.symbol, NOTHING)
            yield _head(schema, event, avail, ids) | changed((now,), (quote,))
    elif isinstance(event, L2) and schema == "mbp-10":
        book = book_of(event)
        before = state.book.get(event.symbol, (NOTHING,) * 10)
        if book != before:
            yield _head(schema, event, avail, ids) | changed(book, before)
    elif isinstance(event, Mbo) and schema == "mbo":
        yield _head(schema, event, avail, ids) | _order(event)
    elif isinstance(event, Bar) and LENGTHS.get(schema) == event.tf_s and schema.startswith("ohlcv") and event.volume:
        yield _bar(schema, event, ids)


def changed(now: tuple[Level, ...], before: tuple[Level, ...]) -> Fields:
    """What a record says of a change: the first level that changed, of the bids if any of them did."""
    pairs = list(zip(now, before, strict=True))
    first = {
        side: next((at for at, (new, old) in enumerate(pairs) if new[offset::2] != old[offset::2]), None)
        for offset, side in enumerate("BA")
    }
    side = "A" if first["B"] is None else "B"
    at = first[side]
    assert at is not None
    ((price, size, _), (was, had, _)) = (level[side == "A" :: 2] for level in (now[at], before[at]))
    nearer = price != UNDEFINED and (price > was if side == "B" else price < was)
    if was == UNDEFINED or (price != was and nearer):
        fields: Fields = {"action": "A", "price": price, "size": size}
    elif price != was:
        fields = {"action": "C", "price": was, "size": had}
    elif size == had:
        fields = {"action": "M", "price": price, "size": size}
    else:
        fields = {"action": "A" if size > had else "C", "price": price, "size": abs(size - had)}
    if None not in first.values():
        side, fields["action"] = "N", "A" if was == UNDEFINED else "M"
    return fields | {"side": side, "depth": at, "flags": 128, "ts_in_delta": 0, "levels": now}


def _sold(schema: str, event: Trade, state: State) -> Fields:
    fields: Fields = {
        "price": nano(event.price),
        "size": event.size,
        "action": "T",
        "side": side_of(event.side),
        "flags": 0,
        "depth": 0,
        "ts_in_delta": 0,
    }
    if schema == "mbp-10":
        fields["levels"] = state.book.get(event.symbol, (NOTHING,) * 10)
    elif schema != "trades":
        fields["levels"] = (state.quote.get(event.symbol, NOTHING),)
    return fields


def _order(event: Mbo) -> Fields:
    return {
        "order_id": event.order_id,
        "price": nano(event.price),
        "size": event.size,
        "flags": event.flags,
        "channel_id": event.channel_id,
        "action": chr(event.action),
        "side": side_of(event.side),
        "ts_in_delta": event.ts_in_delta,
        "sequence": event.sequence,
    }


def _bar(schema: str, event: Bar, ids: IDS_OF) -> Fields:
    return {
        "rtype": RTYPES[schema],
        "publisher_id": 1,
        "instrument_id": ids[event.symbol],
        "ts_event": event.ts,
        **{name: nano(getattr(event, name)) for name in ("open", "high", "low", "close")},
        "volume": event.volume,
    }


def _sampled(
    state: State, schemas: list[str], symbols: list[str], ids: IDS_OF, before_ns: int, now_ns: int
) -> Iterator[Fields]:
    for schema in schemas:
        length = LENGTHS.get(schema, 0) * SECOND_NS
        if not schema.startswith("bbo"):
            continue
        for end_ns in range(before_ns // length * length + length, now_ns + 1, length):
            for symbol in symbols:
                if symbol in state.quote:
                    yield _sample(schema, end_ns, state.quote[symbol], state.sale.get(symbol), ids[symbol])


def _sample(schema: str, end_ns: int, quote: Level, sale: Trade | None, number: int) -> Fields:
    return {
        "rtype": RTYPES[schema],
        "publisher_id": 1,
        "instrument_id": number,
        "ts_event": end_ns if sale is None else sale.ts,
        "ts_recv": end_ns,
        "price": UNDEFINED if sale is None else nano(sale.price),
        "size": 0 if sale is None else sale.size,
        "side": "N" if sale is None else side_of(sale.side),
        "flags": 128,
        "levels": (quote,),
    }


def seen(record: Any, names: Fields) -> Fields:
    """The same fields of a record that the client decoded."""
    fields: Fields = {}
    for name in names:
        if name == "levels":
            fields[name] = tuple(
                (level.bid_px, level.ask_px, level.bid_sz, level.ask_sz, level.bid_ct, level.ask_ct)
                for level in record.levels
            )
        elif name in ("action", "side"):
            fields[name] = str(getattr(record, name))
        elif name == "rtype":
            fields[name] = int(record.rtype)
        else:
            fields[name] = getattr(record, name)
    return fields
