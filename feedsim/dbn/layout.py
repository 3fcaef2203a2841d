"""The records of DBN version 3 as NumPy dtypes, and the codes in them.

Field names are those of the `databento-dbn` package, which is the authority: a test compares every layout and code with
it. Prices are int64 in units of 1e-9, times are uint64 nanoseconds UTC.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

VERSION = 3
PRICE_SCALE = 1_000_000_000
UNDEF_PRICE = (1 << 63) - 1
UNDEF_TIMESTAMP = (1 << 64) - 1
DEPTH = 10  # levels of mbp-10
WORD_BYTES = 4  # a record's length is told in these

F_LAST = 128  # the last record of one event of an instrument
F_SNAPSHOT = 32
F_BAD_TS_RECV = 8

_HEADER = [("length", "u1"), ("rtype", "u1"), ("publisher_id", "<u2"), ("instrument_id", "<u4"), ("ts_event", "<u8")]
_EVENT = [
    *_HEADER,
    ("price", "<i8"),
    ("size", "<u4"),
    ("action", "u1"),
    ("side", "u1"),
    ("flags", "u1"),
    ("depth", "u1"),
    ("ts_recv", "<u8"),
    ("ts_in_delta", "<i4"),
    ("sequence", "<u4"),
]
LEVEL = np.dtype(
    [
        ("bid_px", "<i8"),
        ("ask_px", "<i8"),
        ("bid_sz", "<u4"),
        ("ask_sz", "<u4"),
        ("bid_ct", "<u4"),
        ("ask_ct", "<u4"),
    ]
)
TRADE = np.dtype(_EVENT)
MBP1 = np.dtype([*_EVENT, ("levels", LEVEL, (1,))])
MBP10 = np.dtype([*_EVENT, ("levels", LEVEL, (DEPTH,))])
BBO = np.dtype(
    [
        *_HEADER,
        ("price", "<i8"),
        ("size", "<u4"),
        ("_reserved1", "u1"),
        ("side", "u1"),
        ("flags", "u1"),
        ("_reserved2", "u1"),
        ("ts_recv", "<u8"),
        ("_reserved3", "V4"),
        ("sequence", "<u4"),
        ("levels", LEVEL, (1,)),
    ]
)
MBO = np.dtype(
    [
        *_HEADER,
        ("order_id", "<u8"),
        ("price", "<i8"),
        ("size", "<u4"),
        ("flags", "u1"),
        ("channel_id", "u1"),
        ("action", "u1"),
        ("side", "u1"),
        ("ts_recv", "<u8"),
        ("ts_in_delta", "<i4"),
        ("sequence", "<u4"),
    ]
)
OHLCV = np.dtype(
    [*_HEADER, ("open", "<i8"), ("high", "<i8"), ("low", "<i8"), ("close", "<i8"), ("volume", "<u8")],
)
STATUS = np.dtype(
    [
        *_HEADER,
        ("ts_recv", "<u8"),
        ("action", "<u2"),
        ("reason", "<u2"),
        ("trading_event", "<u2"),
        ("is_trading", "u1"),
        ("is_quoting", "u1"),
        ("is_short_sell_restricted", "u1"),
        ("_reserved", "V7"),
    ]
)
MAPPING = np.dtype(
    [
        *_HEADER,
        ("stype_in", "u1"),
        ("stype_in_symbol", "S71"),
        ("stype_out", "u1"),
        ("stype_out_symbol", "S71"),
        ("start_ts", "<u8"),
        ("end_ts", "<u8"),
    ]
)
SYSTEM = np.dtype([*_HEADER, ("msg", "S303"), ("code", "u1")])
ERROR = np.dtype([*_HEADER, ("err", "S302"), ("code", "u1"), ("is_last", "u1")])
DEFINITION = np.dtype(
    [
        *_HEADER,
        ("ts_recv", "<u8"),
        ("min_price_increment", "<i8"),
        ("display_factor", "<i8"),
        ("expiration", "<u8"),
        ("activation", "<u8"),
        ("high_limit_price", "<i8"),
        ("low_limit_price", "<i8"),
        ("max_price_variation", "<i8"),
        ("unit_of_measure_qty", "<i8"),
        ("min_price_increment_amount", "<i8"),
        ("price_ratio", "<i8"),
        ("strike_price", "<i8"),
        ("raw_instrument_id", "<u8"),
        ("leg_price", "<i8"),
        ("leg_delta", "<i8"),
        ("inst_attrib_value", "<i4"),
        ("underlying_id", "<u4"),
        ("market_depth_implied", "<i4"),
        ("market_depth", "<i4"),
        ("market_segment_id", "<u4"),
        ("max_trade_vol", "<u4"),
        ("min_lot_size", "<i4"),
        ("min_lot_size_block", "<i4"),
        ("min_lot_size_round_lot", "<i4"),
        ("min_trade_vol", "<u4"),
        ("contract_multiplier", "<i4"),
        ("decay_quantity", "<i4"),
        ("original_contract_size", "<i4"),
        ("leg_instrument_id", "<u4"),
        ("leg_ratio_price_numerator", "<i4"),
        ("leg_ratio_price_denominator", "<i4"),
        ("leg_ratio_qty_numerator", "<i4"),
        ("leg_ratio_qty_denominator", "<i4"),
        ("leg_underlying_id", "<u4"),
        ("appl_id", "<i2"),
        ("maturity_year", "<u2"),
        ("decay_start_date", "<u2"),
        ("channel_id", "<u2"),
        ("leg_count", "<u2"),
        ("leg_index", "<u2"),
        ("currency", "S4"),
        ("settl_currency", "S4"),
        ("secsubtype", "S6"),
        ("raw_symbol", "S71"),
        ("group", "S21"),
        ("exchange", "S5"),
        ("asset", "S11"),
        ("cfi", "S7"),
        ("security_type", "S7"),
        ("unit_of_measure", "S31"),
        ("underlying", "S21"),
        ("strike_price_currency", "S4"),
        ("leg_raw_symbol", "S71"),
        ("instrument_class", "S1"),
        ("match_algorithm", "S1"),
        ("main_fraction", "u1"),
        ("price_display_format", "u1"),
        ("sub_fraction", "u1"),
        ("underlying_product", "u1"),
        ("security_update_action", "S1"),
        ("maturity_month", "u1"),
        ("maturity_day", "u1"),
        ("maturity_week", "u1"),
        ("user_defined_instrument", "S1"),
        ("contract_multiplier_unit", "i1"),
        ("flow_schedule_type", "i1"),
        ("tick_rule", "u1"),
        ("leg_instrument_class", "S1"),
        ("leg_side", "S1"),
        ("_reserved", "V17"),
    ]
)


class Schema(NamedTuple):
    """A kind of data that can be asked for: its record, the record's type, and the interval of sampled ones."""

    name: str
    record: np.dtype[Any]
    rtype: int
    interval_s: int = 0


SCHEMAS: dict[str, Schema] = {
    schema.name: schema
    for schema in (
        Schema("mbo", MBO, 160),
        Schema("mbp-1", MBP1, 1),
        Schema("mbp-10", MBP10, 10),
        Schema("tbbo", MBP1, 1),
        Schema("trades", TRADE, 0),
        Schema("bbo-1s", BBO, 195, 1),
        Schema("bbo-1m", BBO, 196, 60),
        Schema("ohlcv-1s", OHLCV, 32, 1),
        Schema("ohlcv-1m", OHLCV, 33, 60),
        Schema("ohlcv-1h", OHLCV, 34, 3600),
        Schema("ohlcv-1d", OHLCV, 35, 86_400),
        Schema("definition", DEFINITION, 19),
        Schema("status", STATUS, 18),
    )
}
OTHER_SCHEMAS = ("statistics", "imbalance", "ohlcv-eod", "cmbp-1", "cbbo-1s", "cbbo-1m", "tcbbo")
"""What the format has besides."""

RTYPE_ERROR, RTYPE_MAPPING, RTYPE_SYSTEM = 21, 22, 23
HEARTBEAT, SUBSCRIPTION_ACK, SLOW_READER_WARNING, REPLAY_COMPLETED, END_OF_INTERVAL = range(5)
AUTH_FAILED, _, _, SYMBOL_RESOLUTION_FAILED, INVALID_SUBSCRIPTION, INTERNAL_ERROR, SKIPPED_RECORDS, AGED_OUT = range(
    1, 9
)
STYPES = {"instrument_id": 0, "raw_symbol": 1, "continuous": 3, "parent": 4}

ADD, CANCEL, MODIFY, TRADED, FILL, CLEAR = map(ord, "ACMTFR")
BID, ASK, NO_SIDE = map(ord, "BAN")
STATUS_ACTIONS = {"pre_open": 1, "auction": 4, "open": 7, "halt": 8, "closed": 12}
REASON_SCHEDULED, REASON_MARKET_EVENT, REASON_LEVEL_1 = 1, 3, 120


def new_records(dtype: np.dtype[Any], count: int, rtype: int, *, publisher_id: int = 0) -> np.ndarray[Any, Any]:
    """Records of zeros whose length, type and publisher are set."""
    records = np.zeros(count, dtype)
    records["length"] = dtype.itemsize // WORD_BYTES
    records["rtype"] = rtype
    records["publisher_id"] = publisher_id
    return records
