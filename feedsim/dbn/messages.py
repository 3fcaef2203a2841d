"""Records about a stream rather than of the market: mappings, definitions, what a gateway says; and metadata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.dbn.before import fixed
from feedsim.dbn.layout import (
    ADD,
    ASK,
    BID,
    CLEAR,
    DEFINITION,
    DEPTH,
    ERROR,
    F_BAD_TS_RECV,
    F_LAST,
    F_SNAPSHOT,
    MAPPING,
    MBO,
    NO_SIDE,
    RTYPE_ERROR,
    RTYPE_MAPPING,
    RTYPE_SYSTEM,
    SCHEMAS,
    STYPES,
    SYSTEM,
    UNDEF_PRICE,
    UNDEF_TIMESTAMP,
    VERSION,
    new_records,
)
from feedsim.dbn.listing import DATASET, PUBLISHER_ID, Listed
from feedsim.dbn.package import databento_dbn
from feedsim.dbn.resting import Resting

Records = npt.NDArray[Any]

INT32_MAX, UINT16_MAX, UINT32_MAX = (1 << 31) - 1, (1 << 16) - 1, (1 << 32) - 1
MOST_LOTS = 3000  # in one order of CME's equity index futures


def metadata(
    *,
    start_ns: int,
    end_ns: int | None = None,
    schema: str | None = None,
    symbols: Sequence[Listed] = (),
    stamped: bool = False,
) -> bytes:
    """What a stream or a file begins with; a file names its schema and its symbols, and which numbers they have."""
    dbn = databento_dbn()
    whole_days = _days(start_ns, start_ns if end_ns is None else end_ns)
    mappings = [_mapping(listed, whole_days) for listed in symbols]
    encoded: bytes = dbn.Metadata(
        dataset=DATASET,
        start=start_ns,
        end=end_ns,
        stype_in=None if schema is None else dbn.SType.RAW_SYMBOL,
        stype_out=dbn.SType.INSTRUMENT_ID,
        schema=None if schema is None else dbn.Schema.from_str(schema),
        symbols=[listed.raw_symbol for listed in symbols],
        mappings=mappings,
        ts_out=stamped,
        version=VERSION,
    ).encode()
    return encoded


def _days(start_ns: int, end_ns: int) -> tuple[Any, Any]:
    first = np.datetime64(start_ns, "ns").astype("datetime64[D]")
    last = np.datetime64(end_ns, "ns").astype("datetime64[D]") + 1
    return first.item(), last.item()


class _Mapping:
    """As the package reads it: a raw symbol and the intervals in which it has a number."""

    def __init__(self, raw_symbol: str, intervals: list[Any]) -> None:
        self.raw_symbol = raw_symbol
        self.intervals = intervals


class _Interval:
    def __init__(self, start_date: Any, end_date: Any, symbol: str) -> None:
        self.start_date, self.end_date, self.symbol = start_date, end_date, symbol


def _mapping(listed: Listed, days: tuple[Any, Any]) -> _Mapping:
    return _Mapping(listed.raw_symbol, [_Interval(*days, str(listed.instrument_id))])


def system(code: int, message: str, *, ts_ns: int) -> Records:
    records = new_records(SYSTEM, 1, RTYPE_SYSTEM)
    records["ts_event"], records["code"], records["msg"] = ts_ns, code, message.encode()[:302]
    return records


def error(code: int, message: str, *, ts_ns: int, is_last: bool = True) -> Records:
    records = new_records(ERROR, 1, RTYPE_ERROR)
    records["ts_event"], records["code"], records["err"] = ts_ns, code, message.encode()[:301]
    records["is_last"] = is_last
    return records


def mappings(stype_in: str, name: str, found: Sequence[Listed], *, ts_ns: int, start_ns: int, end_ns: int) -> Records:
    """Which instruments, by raw symbol and number, a name stands for; for all symbols each is its own name."""
    records = new_records(MAPPING, len(found), RTYPE_MAPPING, publisher_id=PUBLISHER_ID)
    records["ts_event"] = ts_ns
    records["instrument_id"] = [listed.instrument_id for listed in found]
    records["stype_in"], records["stype_out"] = STYPES[stype_in], STYPES["raw_symbol"]
    raw = [listed.raw_symbol.encode() for listed in found]
    records["stype_in_symbol"] = raw if name == "ALL_SYMBOLS" else name.encode()
    records["stype_out_symbol"] = raw
    records["start_ts"], records["end_ts"] = start_ns, end_ns
    return records


def definitions(found: Sequence[Listed], *, ts_ns: int) -> Records:
    """What the instruments are, as of a time."""
    records = new_records(DEFINITION, len(found), SCHEMAS["definition"].rtype, publisher_id=PUBLISHER_ID)
    _leave_undefined(records)
    records["ts_event"] = records["ts_recv"] = ts_ns
    for record, listed in zip(records, found, strict=True):
        _define(record, listed)
    return records


def snapshot(found: Sequence[Listed], resting: Resting, *, ts_ns: int) -> Records:
    """Each instrument's book as of a time: a clear, then its orders by priority; the last record of all is flagged."""
    parts = []
    for listed in found:
        orders = resting.orders[resting.orders["symbol"] == listed.code]
        records = new_records(MBO, len(orders) + 1, SCHEMAS["mbo"].rtype, publisher_id=PUBLISHER_ID)
        records["instrument_id"], records["ts_recv"] = listed.instrument_id, ts_ns
        records["flags"] = F_SNAPSHOT | F_BAD_TS_RECV
        records["action"][0], records["side"][0], records["price"][0] = CLEAR, NO_SIDE, UNDEF_PRICE
        records["ts_event"][0] = ts_ns
        records["action"][1:] = ADD
        records["side"][1:] = np.where(orders["side"] > 0, BID, ASK)
        records["order_id"][1:], records["ts_event"][1:] = orders["order_id"].view(np.uint64), orders["ts"]
        for name in ("price", "size", "sequence"):
            records[name][1:] = orders[name]
        parts.append(records)
    told = np.concatenate(parts)
    told["flags"][-1] |= F_LAST
    return told


def _leave_undefined(records: Records) -> None:
    for name in ("high_limit_price", "low_limit_price", "max_price_variation", "price_ratio", "strike_price"):
        records[name] = UNDEF_PRICE
    for name in ("leg_price", "leg_delta"):
        records[name] = UNDEF_PRICE
    for name in ("activation", "expiration"):
        records[name] = UNDEF_TIMESTAMP
    for name in ("decay_quantity", "original_contract_size", "market_depth_implied", "contract_multiplier"):
        records[name] = INT32_MAX
    for name in ("min_lot_size", "min_lot_size_block", "min_lot_size_round_lot"):
        records[name] = 1
    records["decay_start_date"] = records["maturity_year"] = UINT16_MAX
    for name in ("maturity_month", "maturity_day", "maturity_week", "main_fraction", "price_display_format"):
        records[name] = 255
    for name in ("sub_fraction", "underlying_product", "tick_rule"):
        records[name] = 255
    records["contract_multiplier_unit"] = records["flow_schedule_type"] = 127
    records["leg_instrument_class"], records["leg_side"] = b"\0", b"N"


def _define(record: Any, listed: Listed) -> None:
    tick, multiplier = fixed(np.array([listed.tick, listed.multiplier]))
    record["instrument_id"] = record["raw_instrument_id"] = listed.instrument_id
    record["raw_symbol"] = listed.raw_symbol.encode()
    record["asset"] = record["group"] = listed.symbol.encode()
    record["min_price_increment"], record["unit_of_measure_qty"] = tick, multiplier
    record["min_price_increment_amount"] = fixed(np.array([listed.tick * listed.multiplier]))[0]
    record["display_factor"] = fixed(np.array([1.0]))[0]
    record["min_trade_vol"], record["max_trade_vol"] = 1, MOST_LOTS
    record["market_depth"] = DEPTH
    record["currency"] = record["settl_currency"] = b"USD"
    record["exchange"], record["security_type"], record["cfi"] = b"XCME", b"FUT", b"FFIXSX"
    record["unit_of_measure"] = b"IPNT"
    record["instrument_class"], record["match_algorithm"] = b"F", b"F"
    record["security_update_action"], record["user_defined_instrument"] = b"A", b"N"
    if listed.contract is not None:
        record["maturity_year"], record["maturity_month"] = listed.contract.year, listed.contract.month
        if listed.contract.month % 3 == 0:
            record["expiration"] = listed.contract.expires_ns
