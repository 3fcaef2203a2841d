"""DBN files for tests, written by the vendor's own package from its own records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import databento
import databento_dbn as dbn
import zstandard

START_NS = 1_755_783_000_000_000_000
TICK = 250_000_000
ES, NQ = 118, 119


def stored(path: Path) -> Any:
    """What the vendor's own reader makes of a file."""
    return databento.DBNStore.from_bytes(path.read_bytes())


class Mapping:
    """As the package takes it."""

    def __init__(self, raw_symbol: str, number: int) -> None:
        import datetime

        day = datetime.date(2025, 8, 21)
        self.raw_symbol = raw_symbol
        self.intervals = [Interval(day, day + datetime.timedelta(days=1), str(number))]


class Interval:
    def __init__(self, start_date: Any, end_date: Any, symbol: str) -> None:
        self.start_date, self.end_date, self.symbol = start_date, end_date, symbol


def write(
    path: Path,
    schema: str,
    records: Sequence[Any],
    *,
    names: Sequence[tuple[str, int]] = (("ESU5", ES), ("NQU5", NQ)),
    ts_out: bool = False,
) -> Path:
    """A file of one schema; compressed where its name ends with .zst."""
    package: Any = dbn
    metadata = package.Metadata(
        dataset="GLBX.MDP3",
        start=START_NS,
        end=START_NS + 3600 * 10**9,
        stype_in=dbn.SType.RAW_SYMBOL,
        stype_out=dbn.SType.INSTRUMENT_ID,
        schema=dbn.Schema.from_str(schema),
        symbols=[name for name, _ in names],
        mappings=[Mapping(name, number) for name, number in names],
        ts_out=ts_out,
    )
    data = metadata.encode() + b"".join(bytes(record)[: record.record_size()] for record in records)
    path.write_bytes(zstandard.ZstdCompressor().compress(data) if path.suffix == ".zst" else data)
    return path


def mbo(
    at: int, action: str, side: str, price: int | None, size: int, order_id: int, *, last: bool = True, number: int = ES
) -> Any:
    """`at` is in ns after the start; the price in ticks."""
    return dbn.MBOMsg(
        publisher_id=1,
        instrument_id=number,
        ts_event=START_NS + at,
        order_id=order_id,
        price=dbn.UNDEF_PRICE if price is None else price * TICK,
        size=size,
        channel_id=0,
        action=dbn.Action.from_str(action),
        side=dbn.Side.from_str(side),
        ts_recv=START_NS + at + 1000,
        flags=128 if last else 0,
        ts_in_delta=0,
        sequence=at,
    )


def trade(at: int, price: int, size: int, side: str = "B", *, number: int = ES) -> Any:
    package: Any = dbn
    return package.TradeMsg(
        publisher_id=1,
        instrument_id=number,
        ts_event=START_NS + at,
        price=price * TICK,
        size=size,
        action=dbn.Action.TRADE,
        side=dbn.Side.from_str(side),
        depth=0,
        ts_recv=START_NS + at + 1000,
        flags=0,
        ts_in_delta=0,
        sequence=at,
    )
