"""The chart files that the live bot's study wrote, against plain readings of them by json alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedsim.observe import Bars
from feedsim.sources.base import Tables
from feedsim.sources.sierra.source import SierraSource
from feedsim.testing import check_source
from tests.support.shared_data import SIERRA, needs_sierra

pytestmark = needs_sierra

MINUTE_NS = 60 * 10**9
CHART_IS_AHEAD_NS = 2 * 3600 * 10**9


def _lines(kind: str) -> Iterator[dict[str, Any]]:
    (path,) = SIERRA.rglob(f"chart_3_{kind}_2*.jsonl")
    with path.open() as file:
        yield from map(json.loads, file)


def _ns(line: dict[str, Any]) -> int:
    return int((Decimal(repr(line["t"])) - 25_569) * 86_400 * 10**9)


@pytest.fixture(scope="module")
def written() -> dict[int, dict[str, Any]]:
    """Quotes and trades by seq, in its order, each as it was written first."""
    found: dict[int, dict[str, Any]] = {}
    for kind in ("quote", "trade"):
        for line in _lines(kind):
            found.setdefault(line["seq"], line)
    return dict(sorted(found.items()))


@pytest.fixture(scope="module")
def source() -> SierraSource:
    return SierraSource(SIERRA)


@pytest.fixture(scope="module")
def told(source: SierraSource) -> Tables:
    assert source.info.end_ns is not None
    return source.read(source.info.end_ns)


def test_every_distinct_record_is_told_once(written: dict[int, dict[str, Any]], told: Tables) -> None:
    """All 6,188 distinct quotes and trades come, and none besides."""
    assert len(written) == 6188
    own = np.sort(np.concatenate((told["trade"].own, told["l1"].own)))
    seq = own & ((1 << 40) - 1)
    assert seq.tolist() == list(written)


def test_trades_are_as_written(written: dict[int, dict[str, Any]], told: Tables) -> None:
    """Seq, price, size and aggressor of each trade, in seq order."""
    trades = told["trade"]
    names = ("trade_id", "price", "size", "side")
    rows = list(zip(*(trades.array(name).tolist() for name in names), strict=True))
    assert rows == [
        (seq, line["px"], line["vol"], {"BUY": 1, "SELL": -1}[line["side"]])
        for seq, line in written.items()
        if line["type"] == "trade"
    ]


def test_quotes_carry_the_trade_before_them(written: dict[int, dict[str, Any]], told: Tables) -> None:
    """Each quote as written, with price and size of the trade that is before it in the seq."""
    expected, last = [], (None, None)
    for line in written.values():
        if line["type"] == "trade":
            last = (line["px"], line["vol"])
        else:
            expected.append((line["bid"], line["ask"], line["bq"], line["aq"], *last))
    quotes = told["l1"]
    names = ("bid", "ask", "bid_size", "ask_size", "last_price", "last_size")
    assert expected[0][4] is not None, "the recording begins with a trade, so no quote is without"
    assert list(zip(*(quotes.array(name).tolist() for name in names), strict=True)) == expected


def test_time_never_runs_back_along_the_seq(written: dict[int, dict[str, Any]], told: Tables) -> None:
    """A record's time is the latest stamp up to it in the seq, exactly."""
    own = np.concatenate((told["trade"].own, told["l1"].own))
    ts = np.concatenate((told["trade"].array("ts"), told["l1"].array("ts")))[np.argsort(own)]
    stamps = [_ns(line) for line in written.values()]
    assert ts.tolist() == np.maximum.accumulate(stamps).tolist()


def test_records_written_again_are_counted(source: SierraSource, told: Tables) -> None:
    """The study wrote its last 5,000 records twice: the notes say how many were left out."""
    lines = sum(1 for kind in ("quote", "trade") for _ in _lines(kind))
    again = lines - 6188
    assert again == 5000
    assert f"chart 3: {again:,} records that were written again are left out" in source.info.notes


def test_clocks_are_reconciled(source: SierraSource, told: Tables) -> None:
    """The file's own bars, moved by the chart's offset, are those that the trades of their minute make."""
    bars = source.own_bars()
    made: dict[int, list[tuple[float, int]]] = {}
    trades = told["trade"]
    for ns, price, size in zip(*(trades.array(name).tolist() for name in ("ts", "price", "size")), strict=True):
        made.setdefault(ns // MINUTE_NS * MINUTE_NS, []).append((price, size))
    starts = sorted({round(_ns(line) / MINUTE_NS) * MINUTE_NS - CHART_IS_AHEAD_NS for line in _lines("basedata")})
    assert bars.array("ts").tolist() == starts
    compared = 0
    for row, start in enumerate(starts):
        prices = [price for price, _ in made[start]]
        ohlc = [bars.array(name)[row] for name in ("open", "high", "low", "close")]
        if bars.array("volume")[row] == sum(size for _, size in made[start]):
            compared += 1
            assert ohlc == [prices[0], max(prices), min(prices), prices[-1]]
    assert compared >= 2
    assert any("UTC+02:00" in note for note in source.info.notes)


def test_own_bars_equal_the_observed_ones(source: SierraSource, told: Tables) -> None:
    """What the tape computes from the trades is what the study wrote of the same minutes."""
    assert source.info.end_ns is not None
    computed = Bars(source.info.symbols, (60,)).observe(told["trade"], source.info.end_ns + MINUTE_NS)
    names = ("ts", "open", "high", "low", "close", "volume", "delta")
    rows = {tuple(row) for row in zip(*(computed.array(name).tolist() for name in names), strict=True)}
    own = source.own_bars()
    assert {tuple(row) for row in zip(*(own.array(name).tolist() for name in names), strict=True)} <= rows


def test_depth_is_folded_by_the_minute(source: SierraSource, told: Tables) -> None:
    """One coarse book a minute, at its end; each of its levels is the newest line of some level of its side."""
    books = told["l2"]
    by_minute: dict[int, list[dict[str, Any]]] = {}
    for line in _lines("depth"):
        start = round(_ns(line) / MINUTE_NS) * MINUTE_NS - CHART_IS_AHEAD_NS
        by_minute.setdefault(start, []).append(line)
    assert source.info.end_ns is not None
    ends = [min(start + MINUTE_NS, source.info.end_ns - 1) for start in sorted(by_minute)]
    assert books.avail.tolist() == ends
    assert books.array("coarse").all()
    newest: dict[tuple[str, int], tuple[float, int]] = {}
    for row, start in enumerate(sorted(by_minute)):
        for line in by_minute[start]:
            newest[line["side"], line["lvl"]] = (line["price"], line["size"])
        for side, name in (("BID", "bid"), ("ASK", "ask")):
            price, size = (books.ragged(f"{name}_{what}").lists()[row] or [] for what in ("px", "sz"))
            assert set(zip(price, size, strict=True)) <= {at for (of, _), at in newest.items() if of == side}
            assert price == sorted(price, reverse=side == "BID")
            assert len(price) >= 5


def test_symbols_and_contracts(source: SierraSource) -> None:
    """The root is told, and the raw name kept."""
    assert source.info.symbols == ("ES",)
    assert source.info.contracts == {"ES": "ESZ25_FUT_CME"}


def test_it_holds_to_the_contract() -> None:
    """check_source finds nothing on the recorded files."""
    check_source(lambda: SierraSource(SIERRA), window_ns=5 * 10**9, max_rows=2500)


def test_a_single_file_can_be_read() -> None:
    """The trades alone are a source too: their own bars and depth are not there, the trades all are."""
    (path,) = SIERRA.rglob("chart_3_trade_2*.jsonl")
    source = SierraSource(Path(path))
    told = source.read(1 << 62)
    assert list(told) == ["trade"]
    assert len(told["trade"]) == len({line["seq"] for line in _lines("trade")})
