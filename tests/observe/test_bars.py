"""Bars against a reading of every trade, one by one, in exact fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from feedsim.events import Table
from feedsim.instruments import NS_PER_S
from feedsim.observe import Bars
from tests.observe.cases import (
    ANCHORS,
    RANGE,
    SYMBOLS,
    Deal,
    close_times,
    deals,
    has_open_time,
    ns,
    rows,
    run,
    session_open,
    table,
)

END = RANGE[1]


def naive_bar(before: Sequence[Deal], inside: Sequence[Deal], start: int, tf_s: int) -> dict[str, Any]:
    """A bar from all trades of its symbol before its start and inside it."""
    end = start + tf_s * NS_PER_S
    prices = [deal.price for deal in inside] or [before[-1].price]
    session = [deal for deal in (*before, *inside) if session_open(deal.at) == session_open(end - 1)]
    bar = {
        "open": prices[0],
        "high": max(prices),
        "low": min(prices),
        "close": prices[-1],
        "volume": sum(deal.size for deal in inside),
        "delta": sum(deal.size * deal.side for deal in inside),
        "trades": len(inside),
        "cum_delta": sum(deal.size * deal.side for deal in session),
    }
    return {"ts": start, "avail": end, "tf_s": tf_s, **bar, **naive_bands(session)}


def naive_bands(session: Sequence[Deal]) -> dict[str, float | None]:
    names = ("vwap", "vwap_sd1", "vwap_sd2", "vwap_dn1", "vwap_dn2")
    volume = sum(deal.size for deal in session)
    if not volume:
        return dict.fromkeys(names)
    vwap = sum(Fraction(deal.price) * deal.size for deal in session) / volume
    sd = math.sqrt(sum(Fraction(deal.price) ** 2 * deal.size for deal in session) / volume - vwap**2)
    mean = float(vwap)
    return dict(zip(names, (mean, mean + sd, mean + 2 * sd, mean - sd, mean - 2 * sd), strict=True))


def naive_bars(found: Sequence[Deal], tf_s: int, until: int, *, flat: bool) -> list[dict[str, Any]]:
    length = tf_s * NS_PER_S
    told = []
    for symbol in range(len(SYMBOLS)):
        own = [deal for deal in found if deal.symbol == symbol]
        start = own[0].at // length * length if own else until
        while start + length < until:
            before = [deal for deal in own if deal.at < start]
            inside = [deal for deal in own if start <= deal.at < start + length]
            if inside or (flat and has_open_time(start, length)):
                told.append({"symbol": symbol, **naive_bar(before, inside, start, tf_s)})
            start += length
    return sorted(told, key=lambda bar: (bar["avail"], bar["symbol"]))


def assert_same(told: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert len(told) == len(expected)
    for row, wanted in zip(told, expected, strict=True):
        for name, value in wanted.items():
            exact = not name.startswith("vwap") or value is None
            assert row[name] == (value if exact else pytest.approx(value, rel=1e-12)), name


@given(found=deals())
def test_bars_over_days(found: list[Deal]) -> None:
    """Hourly bars across a break, a weekend and two sessions are those of the trades, flat ones in open hours only."""
    told = rows(*run(Bars(SYMBOLS, (3600,)), table(found), [END]))
    assert_same(told, naive_bars(found, 3600, END, flat=True))


@given(found=deals())
def test_bars_longer_than_the_break(found: list[Deal]) -> None:
    """A bar that begins in one session and ends in another has the later one's VWAP and cumulative delta."""
    told = rows(*run(Bars(SYMBOLS, (14_400,)), table(found), [END]))
    assert_same(told, naive_bars(found, 14_400, END, flat=True))


@given(found=deals(close_times))
def test_bars_of_seconds(found: list[Deal]) -> None:
    """Several lengths at once are each what they would be alone."""
    end = ANCHORS[0] + 100 * NS_PER_S + 1
    told = rows(*run(Bars(SYMBOLS, (1, 5, 60)), table(found), [end]))
    for tf_s in (1, 5, 60):
        assert_same([row for row in told if row["tf_s"] == tf_s], naive_bars(found, tf_s, end, flat=True))


@given(found=deals())
def test_bars_with_trades_only(found: list[Deal]) -> None:
    """Without flat bars there is one for every window with trades, in closed hours too."""
    told = rows(*run(Bars(SYMBOLS, (1,), flat=False), table(found), [END]))
    windows = {(deal.at // NS_PER_S * NS_PER_S, deal.symbol) for deal in found}
    assert {(row["ts"], row["symbol"]) for row in told} == windows
    assert sum(row["volume"] for row in told) == sum(deal.size for deal in found)
    assert sum(row["trades"] for row in told) == len(found)


@given(found=deals(close_times))
def test_the_bar_at_the_edge_is_not_told(found: list[Deal]) -> None:
    """A bar is available at its end, so it is told only in a window that reaches beyond it."""
    edge = ANCHORS[0] // (60 * NS_PER_S) * 60 * NS_PER_S + 60 * NS_PER_S
    observer = Bars(SYMBOLS, (60,))
    trades = table([deal for deal in found if deal.at < edge])
    assert len(observer.observe(trades, edge)) == 0
    told = observer.observe(Table.empty("trade", SYMBOLS), edge + 1)
    assert len(told) == len(set(trades.array("symbol").tolist()))
    assert (told.avail == edge).all()


def test_flat_bars_of_a_weekend() -> None:
    """From Friday's close to Sunday's opening there is no flat bar; on Sunday VWAP is null and the delta 0."""
    last = ns("2025-08-22T16:58:30")
    found = [Deal(last, 0, 5000.0, 3, 1)]
    told = rows(*run(Bars(SYMBOLS, (60,)), table(found), [ns("2025-08-24T18:02:00") + 1]))
    minutes = ("2025-08-22T16:58:00", "2025-08-22T16:59:00", "2025-08-24T18:00:00", "2025-08-24T18:01:00")
    assert [row["ts"] for row in told] == [ns(minute) for minute in minutes]
    assert [row["vwap"] for row in told] == [5000.0, 5000.0, None, None]
    assert [row["cum_delta"] for row in told] == [3, 3, 0, 0]
    assert [row["close"] for row in told] == [5000.0] * 4


def test_sums_of_on_tick_prices_are_exact() -> None:
    """After many trades the VWAP is the float nearest to the true one, or next to it, and the bands as near."""
    rng = np.random.default_rng(5)
    count = 200_000
    start = ns("2025-08-21T09:30:00")
    at = start + np.sort(rng.integers(0, 3600 * NS_PER_S, count))
    price = 20_000 + rng.integers(-200, 200, count) * 0.25
    size = rng.integers(1, 50, count)
    columns = {"ts": at, "symbol": np.zeros(count), "price": price, "size": size, "side": np.ones(count)}
    trades = Table.build("trade", SYMBOLS, {**columns, "trade_id": range(count)})
    told = Bars(SYMBOLS, (3600,)).observe(trades, ns("2025-08-21T11:00:00") + 1)
    ticks, lots = (price * 4).astype(np.int64), size
    volume, moment = int(lots.sum()), int((lots * ticks).sum())
    square = int((lots * ticks * ticks).sum())
    vwap = Fraction(moment, 4 * volume)
    sd = math.sqrt(Fraction(square, 16 * volume) - vwap**2)
    assert told.array("vwap")[-1] == pytest.approx(float(vwap), abs=4e-12)
    assert told.array("vwap_sd2")[-1] == pytest.approx(float(vwap) + 2 * sd, abs=1e-11)
