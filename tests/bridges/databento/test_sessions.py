"""What the official client asks for is answered as the vendor's gateway does: names, replays, stamps, many at once."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any

import databento
import pytest
from databento import BentoError
from databento_dbn import Compression, ErrorCode, SystemCode

from feedsim.playback.tape import Tape
from tests.bridges.databento.expected import seen, told
from tests.bridges.databento.gateways import (
    CONFIG,
    KEY,
    data_of,
    heard,
    listen,
    live,
    of_kind,
    serving,
    subscription,
)
from tests.bridges.databento.sources import SHORT
from tests.hub.lines import WALL_US
from tests.support.memory_source import START_NS

SECOND_NS = 10**9


def all_of(schema: str, numbers: dict[str, int]) -> list[dict[str, Any]]:
    return list(told(Tape(SHORT(), CONFIG), [schema], numbers))


def numbers_of(records: list[Any]) -> dict[str, int]:
    found = {record.stype_out_symbol: record.instrument_id for record in of_kind(records, databento.SymbolMappingMsg)}
    return {"ES": found.get("ESU5", 0), "NQ": found.get("NQU5", 0)}


def codes_of(records: list[Any]) -> list[Any]:
    return [record.code for record in of_kind(records, databento.SystemMsg)]


# ------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("stype_in", "symbols", "found"),
    [
        ("raw_symbol", ["ESU5"], ["ESU5"]),
        ("raw_symbol", "ALL_SYMBOLS", ["ESU5", "NQU5"]),
        ("parent", ["ES.FUT", "NQ.FUT"], ["ESU5", "NQU5"]),
        ("continuous", ["ES.v.0"], ["ESU5"]),
        ("continuous", ["NQ.c.0", "ES.n.0"], ["NQU5", "ESU5"]),
    ],
)
async def test_names_are_mapped(stype_in: str, symbols: Any, found: list[str]) -> None:
    """Each kind of symbology: a mapping for every instrument, before its data, and data of these instruments alone."""
    async with serving(SHORT) as served:
        records = await heard(served, subscription("trades", symbols, stype_in))
    mappings = of_kind(records, databento.SymbolMappingMsg)
    assert [mapping.stype_out_symbol for mapping in mappings] == found
    asked = found if symbols == "ALL_SYMBOLS" else symbols
    assert [mapping.stype_in_symbol for mapping in mappings] == asked
    assert {str(mapping.stype_in) for mapping in mappings} == {stype_in}
    assert {record.instrument_id for record in data_of(records)} == {mapping.instrument_id for mapping in mappings}
    assert records.index(mappings[-1]) < records.index(data_of(records)[0])


async def test_an_instrument_id_is_a_name_too() -> None:
    """The number that a mapping gave finds the same instrument."""
    async with serving(SHORT) as served:
        number = served.gateway.listing.instruments[1].instrument_id
        records = await heard(served, subscription("trades", [number], "instrument_id"))
    assert {record.instrument_id for record in data_of(records)} == {number}
    assert [mapping.stype_out_symbol for mapping in of_kind(records, databento.SymbolMappingMsg)] == ["NQU5"]


async def test_an_unknown_symbol_is_named_and_the_rest_goes_on() -> None:
    """An error record for each that cannot be resolved, the last one marked; the others are served."""
    async with serving(SHORT) as served:
        records = await heard(served, subscription("trades", ["ESU5", "CLX5", "ES.FUT"], "raw_symbol"))
    errors = of_kind(records, databento.ErrorMsg)
    assert [(error.code, error.is_last) for error in errors] == [
        (ErrorCode.SYMBOL_RESOLUTION_FAILED, 0),
        (ErrorCode.SYMBOL_RESOLUTION_FAILED, 1),
    ]
    assert ["CLX5" in errors[0].err, "ES.FUT" in errors[1].err] == [True, True]
    assert {record.instrument_id for record in data_of(records)} == {numbers_of(records)["ES"]}


async def test_definitions_say_what_the_instruments_are() -> None:
    """Tick, what a point is worth, when it expires."""
    async with serving(SHORT) as served:
        records = await heard(served, subscription("definition"))
    definitions = of_kind(records, databento.InstrumentDefMsg)
    assert [(d.raw_symbol, d.asset, d.min_price_increment, d.unit_of_measure_qty) for d in definitions] == [
        ("ESU5", "ES", 250_000_000, 50 * 10**9),
        ("NQU5", "NQ", 250_000_000, 20 * 10**9),
    ]
    assert [str(d.pretty_expiration)[:16] for d in definitions] == ["2025-09-19T13:30", "2025-09-19T13:30"] or [
        str(d.pretty_expiration)[:16] for d in definitions
    ] == ["2025-09-19 13:30", "2025-09-19 13:30"]


async def test_many_symbols_come_in_several_lines() -> None:
    """More than the client sends in one line: one subscription, one acknowledgement."""
    many = [f"X{number}" for number in range(700)]
    async with serving(SHORT) as served:
        records = await heard(served, subscription("trades", [*many, "NQU5"], "raw_symbol"))
    assert len(of_kind(records, databento.ErrorMsg)) == 700
    assert codes_of(records).count(SystemCode.SUBSCRIPTION_ACK) == 1
    assert {record.instrument_id for record in data_of(records)} == {numbers_of(records)["NQ"]}


# ----------------------------------------------------------------------------------------------------------- the start


async def test_a_wrong_key_is_refused() -> None:
    """With the gateway's failure line; the right key gets in."""
    async with serving(SHORT, key=KEY) as served:
        with pytest.raises(BentoError, match="key is not known"):
            await asyncio.to_thread(listen, served.port, subscription("trades"), key=KEY[:-1] + "x")
        records = await heard(served, subscription("trades"))
    assert len(data_of(records)) == len(all_of("trades", {"ES": 0, "NQ": 0}))
    assert served.gateway.counts.refused == 1


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"schema": "statistics"}, "statistics is not available"),
        ({"schema": "ohlcv-1h"}, "bars here are of 1, 60 s"),
        ({"schema": "mbp-1", "start": START_NS + 10**18}, "future"),
        ({"schema": "mbp-1", "start": START_NS - 3 * 86_400 * SECOND_NS}, "24 hours"),
        ({"schema": "mbp-1", "snapshot": True}, "no snapshot"),
    ],
)
async def test_a_subscription_that_cannot_be_is_answered_and_ends_the_session(wanted: dict[str, Any], why: str) -> None:
    """By an error record with the vendor's code; other sessions go on."""
    async with serving(SHORT, clients=2) as served:
        other = asyncio.create_task(asyncio.to_thread(listen, served.port, subscription("trades")))
        failed = await asyncio.to_thread(_failing, served.port, subscription(**wanted))
        again = asyncio.create_task(asyncio.to_thread(listen, served.port, subscription("trades")))
        await served.over()
        assert len(data_of(await other)) == len(data_of(await again)) > 0
    assert [(error.code, why in error.err) for error in of_kind(failed, databento.ErrorMsg)] == [
        (ErrorCode.INVALID_SUBSCRIPTION, True)
    ]


def _failing(port: int, wanted: dict[str, Any]) -> list[Any]:
    client = live(port)
    records: list[Any] = []
    client.add_callback(records.append)
    client.subscribe(**wanted)
    with contextlib.suppress(ValueError):  # the answer, and the end with it, may come before this is called
        client.start()
    with pytest.raises(BentoError):
        client.block_for_close(timeout=30)
    return records


async def test_the_metadata_says_when_the_stream_begins() -> None:
    """In the session's own time, of which the client computes what it missed."""
    async with serving(SHORT, exit_at_end=False) as served:
        client, records = live(served.port), list[Any]()
        client.add_callback(records.append)
        await asyncio.to_thread(client.subscribe, **subscription("trades"))
        client.start()
        waiting = asyncio.create_task(client.wait_for_close(60))
        await _more_than(0, records)
        assert client.metadata is not None
        assert (client.metadata.start, client.metadata.dataset) == (START_NS, "GLBX.MDP3")
        await served.gateway.close("over")
        await waiting


# ------------------------------------------------------------------------------------------------------------- replays


async def test_a_start_is_replayed_then_completed_then_live() -> None:
    """A second client comes in the middle: from its start on it gets the same records as the first did."""
    start_ns = START_NS + 20 * SECOND_NS
    async with serving(SHORT, exit_at_end=False) as served:
        first = asyncio.create_task(asyncio.to_thread(listen, served.port, subscription("mbp-1")))
        await _played(served)
        late = subscription("mbp-1", start=start_ns), subscription("trades", start=0), subscription("ohlcv-1s")
        second = asyncio.create_task(asyncio.to_thread(listen, served.port, *late))
        await _started(served, 2)
        await served.gateway.close("over")
        all_records, records = await first, await second
    expected = all_of("mbp-1", numbers_of(all_records))
    quotes = [record for record in data_of(records) if isinstance(record, databento.MBP1Msg)]
    since = [fields for fields in expected if fields["ts_recv"] >= start_ns]
    assert [seen(record, fields) for record, fields in zip(quotes, since, strict=True)] == since
    trades = of_kind(records, databento.TradeMsg)
    assert len(trades) == len(all_of("trades", numbers_of(records)))
    done = [r.msg for r in of_kind(records, databento.SystemMsg) if r.code == SystemCode.REPLAY_COMPLETED]
    assert sorted(done) == ["Finished mbp-1 replay", "Finished trades replay"]


async def test_a_replay_reaches_back_further_than_the_ring() -> None:
    """What the ring has dropped is read from the source again, and is the same."""
    async with serving(SHORT, exit_at_end=False, ring_bytes=64 * 1024) as served:
        first = asyncio.create_task(asyncio.to_thread(listen, served.port, subscription("mbp-1")))
        await _played(served)
        assert served.session.ring.first_seq > 1000
        second = asyncio.create_task(asyncio.to_thread(listen, served.port, subscription("mbp-1", start=0)))
        await _started(served, 2)
        await served.gateway.close("over")
        once, again = data_of(await first), data_of(await second)
    assert [bytes(record) for record in again] == [bytes(record) for record in once]


async def _played(served: Any) -> None:
    while served.session.player.state != "ended":  # noqa: ASYNC110 # it plays at speed max
        await asyncio.sleep(0.01)


async def _started(served: Any, count: int) -> None:
    while sum(client.started for client in served.gateway.clients) < count:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def _more_than(count: int, records: list[Any]) -> None:
    while len(data_of(records)) <= count:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_a_snapshot_is_the_book_of_orders() -> None:
    """After a clear, orders that rest are added in their order, all flagged, the last one as the last."""
    pytest.importorskip("numba")
    from feedsim.sources.synthetic import SyntheticSource

    def market() -> SyntheticSource:
        return SyntheticSource(minutes=0.2, mbo=True)

    async with serving(market, exit_at_end=False) as served:
        first = asyncio.create_task(asyncio.to_thread(listen, served.port, subscription("mbo", "ESU5", "raw_symbol")))
        await _played(served)
        wanted = subscription("mbo", "ESU5", "raw_symbol", snapshot=True)
        second = asyncio.create_task(asyncio.to_thread(listen, served.port, wanted))
        await _started(served, 2)
        await served.gateway.close("over")
        told_all, snapshot = data_of(await first), data_of(await second)
    resting: dict[int, tuple[str, int, int]] = {}
    for record in told_all:
        action, number = str(record.action), record.order_id
        if action == "A":
            resting[number] = (str(record.side), record.price, record.size)
        elif action == "M":
            resting[number] = (*resting[number][:2], record.size)
        elif action == "C":
            side, price, size = resting.pop(number)
            if size > record.size:
                resting[number] = (side, price, size - record.size)
    clear, *adds = snapshot
    assert str(clear.action) == "R"
    assert {str(record.action) for record in adds} == {"A"}
    assert {record.order_id: (str(record.side), record.price, record.size) for record in adds} == resting
    assert {record.flags & 0x7F for record in snapshot} == {32 | 8}
    assert [record.flags >> 7 for record in snapshot] == [0] * len(adds) + [1]


# ------------------------------------------------------------------------------------------------ stamps, compression


async def test_records_are_stamped_when_they_are_sent() -> None:
    """ts_out is the wall clock's time, in data and in messages; all else is as without it."""
    async with serving(SHORT, clients=2) as served:
        plain = asyncio.create_task(
            asyncio.to_thread(listen, served.port, subscription("mbp-1"), subscription("trades"))
        )
        stamped = await heard(served, subscription("mbp-1"), subscription("trades"), ts_out=True)
        others = data_of(await plain)
    assert {record.ts_out for record in stamped} == {WALL_US * 1000}
    names = ("ts_event", "ts_recv", "instrument_id", "price", "size", "sequence")
    got = [tuple(getattr(record, name) for name in names) for record in data_of(stamped)]
    assert got == [tuple(getattr(record, name) for name in names) for record in others]


async def test_a_compressed_stream_says_the_same() -> None:
    """zstd, as the client asks for it."""
    async with serving(SHORT, clients=2) as served:
        plain = asyncio.create_task(asyncio.to_thread(listen, served.port, subscription("mbp-10")))
        packed = await heard(served, subscription("mbp-10"), compression=Compression.ZSTD)
        assert [bytes(record) for record in data_of(packed)] == [bytes(record) for record in data_of(await plain)]


# -------------------------------------------------------------------------------------------------------- many at once


async def test_two_clients_hear_the_same_at_once() -> None:
    """Each its own schemas; both everything."""
    async with serving(SHORT, clients=2) as served:
        one = asyncio.create_task(asyncio.to_thread(listen, served.port, subscription("mbp-1")))
        two = asyncio.create_task(asyncio.to_thread(listen, served.port, subscription("mbp-1"), subscription("mbp-10")))
        await served.over()
        mine, theirs = data_of(await one), data_of(await two)
    assert [bytes(r) for r in theirs if isinstance(r, databento.MBP1Msg)] == [bytes(record) for record in mine]
    assert len(of_kind(theirs, databento.MBP10Msg)) > 2000


async def test_what_is_subscribed_later_joins_the_stream() -> None:
    """A schema more, while the session plays."""
    async with serving(SHORT, speed=20.0, exit_at_end=False) as served:
        client = live(served.port)
        records: list[Any] = []
        some, more = threading.Event(), threading.Event()

        def take(record: Any) -> None:
            records.append(record)
            (some if isinstance(record, databento.TradeMsg) else threading.Event()).set()
            (more if isinstance(record, databento.OHLCVMsg) else threading.Event()).set()

        client.add_callback(take)
        await asyncio.to_thread(client.subscribe, **subscription("trades"))
        client.start()
        assert await asyncio.to_thread(some.wait, 30)
        await asyncio.to_thread(client.subscribe, **subscription("ohlcv-1s"))
        assert await asyncio.to_thread(more.wait, 30)
        waiting = asyncio.create_task(client.wait_for_close(60))
        client.stop()
        await waiting
    assert codes_of(records)[:2].count(SystemCode.SUBSCRIPTION_ACK) >= 1
    assert codes_of(records).count(SystemCode.SUBSCRIPTION_ACK) == 2


async def test_a_reset_makes_the_client_come_back() -> None:
    """It subscribes again, and says what it missed by our metadata; a clean end is the end."""
    gaps: list[tuple[int, int]] = []
    back = threading.Event()
    async with serving(SHORT, speed=10.0, exit_at_end=False) as served:
        client = live(served.port, reconnect_policy="reconnect")
        records: list[Any] = []
        client.add_callback(records.append)

        def missed(start: Any, end: Any) -> None:
            gaps.append((start.value, end.value))
            back.set()

        client.add_reconnect_callback(missed)
        await asyncio.to_thread(client.subscribe, **subscription("trades"))
        client.start()
        await _started(served, 1)
        await _more_than(0, records)
        for connection in list(served.gateway.clients):
            connection.reset()
        assert await asyncio.to_thread(back.wait, 30)
        await _more_than(len(data_of(records)), records)
        waiting = asyncio.create_task(client.wait_for_close(60))
        await served.gateway.close("over")
        await waiting
    (start_ns, end_ns), *more = gaps
    assert not more
    assert START_NS <= start_ns <= end_ns < START_NS + 100 * SECOND_NS
    assert codes_of(records).count(SystemCode.SUBSCRIPTION_ACK) == 2


# --------------------------------------------------------------------------------------------------------- the session


async def test_times_are_shifted_with_the_session() -> None:
    """A session that happens now: all times of all records, by one offset."""
    async with serving(SHORT, rebase=True) as served:
        records = await heard(served, subscription("mbp-1"), subscription("ohlcv-1s"))
        shift_ns = served.session.ring.shift_ns
    assert shift_ns > 0
    expected = list(told(Tape(SHORT(), CONFIG), ["mbp-1", "ohlcv-1s"], numbers_of(records)))
    for record, fields in zip(data_of(records), expected, strict=True):
        moved = {name: value + shift_ns for name, value in fields.items() if name in ("ts_event", "ts_recv")}
        assert seen(record, moved) == moved


async def test_the_session_is_the_same_with_and_without_a_gateway() -> None:
    """Clients of the gateway do not move the digest."""
    async with serving(SHORT, clients=0) as alone:
        await alone.over()
        digest = alone.session.player.digest()
    async with serving(SHORT) as served:
        await heard(served, subscription("mbp-10"), subscription("mbo"))
        assert served.session.player.digest() == digest
    assert digest is not None
