"""Layouts and codes are those of the vendor's package."""

from __future__ import annotations

from typing import Any

import databento_dbn as dbn
import numpy as np
import pytest

from feedsim.dbn import layout

RECORDS = {
    "TradeMsg": layout.TRADE,
    "MBP1Msg": layout.MBP1,
    "MBP10Msg": layout.MBP10,
    "BBOMsg": layout.BBO,
    "MBOMsg": layout.MBO,
    "OHLCVMsg": layout.OHLCV,
    "StatusMsg": layout.STATUS,
    "InstrumentDefMsg": layout.DEFINITION,
    "SymbolMappingMsg": layout.MAPPING,
    "SystemMsg": layout.SYSTEM,
    "ErrorMsg": layout.ERROR,
}


def places(dtype: np.dtype[Any]) -> list[tuple[str, int, int]]:
    """Name, offset and size of every field, with the levels' fields one by one."""
    found: list[tuple[str, int, int]] = []
    assert dtype.fields is not None
    for name in dtype.names or ():
        field, offset = dtype.fields[name][:2]
        if field.subdtype is None:
            found.append((name, offset, field.itemsize))
            continue
        level, (depth,) = field.subdtype
        found += [
            (f"{inner}_{number:02d}", offset + number * level.itemsize + at, size)
            for number in range(depth)
            for inner, at, size in places(level)
        ]
    return found


@pytest.mark.parametrize("name", RECORDS)
def test_every_field_has_the_vendors_place(name: str) -> None:
    """In order, name, offset and size."""
    record = getattr(dbn, name)
    assert places(RECORDS[name]) == places(np.dtype(record._dtypes))
    assert RECORDS[name].itemsize == record.size_hint


def test_schemas_have_the_vendors_types() -> None:
    """Every schema of the package is known, served or not; types are its own."""
    assert {str(schema) for schema in dbn.Schema.variants()} == {*layout.SCHEMAS, *layout.OTHER_SCHEMAS}
    for name, schema in layout.SCHEMAS.items():
        if name not in ("trades", "tbbo", "definition"):
            assert int(dbn.RType.from_schema(dbn.Schema.from_str(name))) == schema.rtype
    kinds = {"trades": dbn.RType.MBP_0, "tbbo": dbn.RType.MBP_1, "definition": dbn.RType.INSTRUMENT_DEF}
    assert {name: layout.SCHEMAS[name].rtype for name in kinds} == {name: int(kind) for name, kind in kinds.items()}


def test_codes_are_the_vendors() -> None:
    """System and error codes, symbology, actions, sides, flags, and what undefined is."""
    for name in ("HEARTBEAT", "SUBSCRIPTION_ACK", "SLOW_READER_WARNING", "REPLAY_COMPLETED", "END_OF_INTERVAL"):
        assert getattr(layout, name) == int(getattr(dbn.SystemCode, name))
    errors = {
        "AUTH_FAILED": layout.AUTH_FAILED,
        "SYMBOL_RESOLUTION_FAILED": layout.SYMBOL_RESOLUTION_FAILED,
        "INVALID_SUBSCRIPTION": layout.INVALID_SUBSCRIPTION,
        "INTERNAL_ERROR": layout.INTERNAL_ERROR,
        "SKIPPED_RECORDS_AFTER_SLOW_READING": layout.SKIPPED_RECORDS,
        "REPLAY_DATA_AGED_OUT": layout.AGED_OUT,
    }
    assert errors == {name: int(getattr(dbn.ErrorCode, name)) for name in errors}
    assert {name: int(dbn.SType.from_str(name)) for name in layout.STYPES} == layout.STYPES
    for name in ("ADD", "CANCEL", "MODIFY", "FILL", "CLEAR"):
        assert chr(getattr(layout, name)) == str(getattr(dbn.Action, name))
    assert chr(layout.TRADED) == str(dbn.Action.TRADE)
    assert [chr(side) for side in (layout.BID, layout.ASK, layout.NO_SIDE)] == ["B", "A", "N"]
    assert (layout.F_LAST, layout.F_SNAPSHOT, layout.F_BAD_TS_RECV) == (dbn.F_LAST, dbn.F_SNAPSHOT, dbn.F_BAD_TS_RECV)
    assert (layout.UNDEF_PRICE, layout.UNDEF_TIMESTAMP) == (dbn.UNDEF_PRICE, dbn.UNDEF_TIMESTAMP)
    assert (dbn.FIXED_PRICE_SCALE, dbn.DBN_VERSION) == (layout.PRICE_SCALE, layout.VERSION)
    actions = dbn.StatusAction
    expected = {
        "pre_open": actions.PRE_OPEN,
        "auction": actions.CROSS,
        "open": actions.TRADING,
        "halt": actions.HALT,
        "closed": actions.CLOSE,
    }
    assert {name: int(action) for name, action in expected.items()} == layout.STATUS_ACTIONS
    reasons = dbn.StatusReason
    assert int(reasons.MARKET_WIDE_HALT_LEVEL1) == layout.REASON_LEVEL_1
    assert (int(reasons.SCHEDULED), int(reasons.MARKET_EVENT)) == (layout.REASON_SCHEDULED, layout.REASON_MARKET_EVENT)
