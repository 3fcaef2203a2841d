"""The official client on a real socket hears the tape: every record of every schema, field by field, in its order."""

from __future__ import annotations

from functools import partial

import databento
import numpy as np
import pytest

from feedsim.events import Event
from feedsim.instruments import NS_PER_S
from feedsim.playback.tape import Tape, TapeConfig
from tests.bridges.databento.expected import LENGTHS, RTYPES, seen, told
from tests.bridges.databento.gateways import CONFIG, data_of, heard, of_kind, serving, subscription
from tests.bridges.databento.sources import CONTRACTS, LONG, SHORT, source


def ids(records: list[object]) -> dict[str, int]:
    mapped = {record.stype_out_symbol: record.instrument_id for record in of_kind(records, databento.SymbolMappingMsg)}
    return {symbol: mapped[f"{contract[:3]}5"] for symbol, contract in CONTRACTS.items()}


async def test_every_schema_is_decoded_equal_to_the_tape() -> None:
    """Ten thousand records of each and more, all schemas in one session and in the order of the tape."""
    schemas = sorted(schema for schema in RTYPES if not schema.endswith("1m"))
    async with serving(LONG) as served:
        records = await heard(served, *(subscription(schema) for schema in schemas))
    got = data_of(records)
    tape = Tape(LONG(), CONFIG)
    expected = list(told(tape, schemas, ids(records)))
    assert len(got) == len(expected)
    for record, fields in zip(got, expected, strict=True):
        assert seen(record, fields) == fields
    counts = np.bincount([fields["rtype"] for fields in expected])
    assert all(counts[RTYPES[schema]] >= 10_000 for schema in schemas)


async def test_minutes_are_told_as_seconds_are() -> None:
    """Bars and samples of a minute."""
    long = partial(source, 7200, 0.5)
    async with serving(long) as served:
        records = await heard(served, subscription("ohlcv-1m"), subscription("bbo-1m"))
    expected = list(told(Tape(long(), CONFIG), ["bbo-1m", "ohlcv-1m"], ids(records)))
    assert [seen(record, fields) for record, fields in zip(data_of(records), expected, strict=True)] == expected
    assert len(expected) >= 400


async def test_a_sample_has_nothing_of_the_next_interval() -> None:
    """Not even what comes at its very start; without bars nothing else is told there."""
    config = TapeConfig(bar_tf_s=(), footprint_tf_s=(), profile_every_s=0, features_every_s=0)
    busy = partial(source, 60, 300.0)
    async with serving(busy, config=config) as served:
        records = await heard(served, subscription("bbo-1s"))
    expected = list(told(Tape(busy(), config), ["bbo-1s"], ids(records)))
    assert [seen(record, fields) for record, fields in zip(data_of(records), expected, strict=True)] == expected
    assert len(expected) >= 100


@pytest.mark.parametrize("schema", ["bbo-1s", "ohlcv-1s"])
async def test_the_end_of_an_interval_follows_its_records(schema: str) -> None:
    """One message an interval, stamped with the interval's end, after all records of it and before the next ones."""
    async with serving(SHORT) as served:
        records = await heard(served, subscription(schema))
    told_until = 0
    ends: list[int] = []
    for record in records:
        if isinstance(record, databento.SystemMsg) and record.code == databento.SystemCode.END_OF_INTERVAL:
            assert record.msg.endswith(schema)
            ends.append(record.ts_event)
        elif isinstance(record, (databento.BBOMsg, databento.OHLCVMsg)):
            end_ns = record.ts_recv if isinstance(record, databento.BBOMsg) else record.ts_event + NS_PER_S
            told_until = max(told_until, end_ns)
            assert not ends or ends[-1] < end_ns
    first, last = ends[0], ends[-1]
    assert ends == list(range(first, last + 1, LENGTHS[schema] * NS_PER_S))
    assert last >= told_until, "bars without a trade are not told, their intervals are"
    assert len(ends) >= 98


async def test_one_symbol_of_two() -> None:
    """By its raw name: nothing of the other comes, and the rest is as it is for both."""
    async with serving(SHORT) as served:
        records = await heard(served, subscription("mbp-10", "NQU5", "raw_symbol"), subscription("trades"))
    numbers = ids([*records])

    def wanted(event: Event) -> bool:
        return event.symbol == "NQ"

    both = list(told(Tape(SHORT(), CONFIG), ["trades"], numbers))
    books = list(told(Tape(SHORT(), CONFIG), ["mbp-10"], numbers, keep=wanted))
    got_books, got_trades = of_kind(records, databento.MBP10Msg), of_kind(records, databento.TradeMsg)
    assert [seen(record, fields) for record, fields in zip(got_books, books, strict=True)] == books
    assert [seen(record, fields) for record, fields in zip(got_trades, both, strict=True)] == both
