"""Footprints against a count by hand, and against the bars of the same trades (I7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from hypothesis import given

from feedsim.instruments import NS_PER_S
from feedsim.observe import Bars, Footprints
from tests.observe.cases import ANCHORS, RANGE, SYMBOLS, Deal, close_times, deals, rows, run, table

END = RANGE[1]
TF_S = 60


def naive_footprints(found: Sequence[Deal], tf_s: int, until: int) -> list[dict[str, Any]]:
    """Levels of every bar with trades, of trades whose side is known."""
    length = tf_s * NS_PER_S
    told = []
    for start, symbol in sorted({(deal.at // length * length, deal.symbol) for deal in found}):
        if start + length >= until:
            continue
        inside = [deal for deal in found if deal.symbol == symbol and start <= deal.at < start + length]
        sold, bought = Counter[float](), Counter[float]()
        for deal in inside:
            (sold if deal.side < 0 else bought)[deal.price] += deal.size
        levels = sorted(sold.keys() | bought.keys())
        volume = {level: sold[level] + bought[level] for level in levels}
        vwap = sum(Fraction(level) * volume[level] for level in levels) / sum(volume.values())
        told.append(
            {
                "ts": start,
                "avail": start + length,
                "symbol": symbol,
                "bar_start_ts": start,
                "tf_s": tf_s,
                "price_level": levels,
                "bid_volume": [sold[level] for level in levels],
                "ask_volume": [bought[level] for level in levels],
                "delta": sum(bought.values()) - sum(sold.values()),
                "poc": min(levels, key=lambda level: (-volume[level], abs(Fraction(level) - vwap), level)),
                "own": -1,
            }
        )
    return told


@given(found=deals(sides=(-1, 1)))
def test_levels_of_each_bar(found: list[Deal]) -> None:
    """Levels ascend, sells count at the bid and buys at the ask; the POC's ties go to the VWAP, then down."""
    told = rows(*run(Footprints(SYMBOLS, (TF_S,)), table(found), [END]))
    assert told == naive_footprints(found, TF_S, END)


@given(found=deals(close_times, sides=(-1, 1)))
def test_several_lengths(found: list[Deal]) -> None:
    """Several lengths at once are each what they would be alone."""
    end = ANCHORS[0] + 100 * NS_PER_S
    told = rows(*run(Footprints(SYMBOLS, (1, 5)), table(found), [end]))
    for tf_s in (1, 5):
        assert [row for row in told if row["tf_s"] == tf_s] == naive_footprints(found, tf_s, end)


@given(found=deals())
def test_levels_add_up_to_the_bar(found: list[Deal]) -> None:
    """I7, with trades of unknown side: all volume is there, delta = ask − bid, one lot at most beside the bar's."""
    trades = table(found)
    footprints = rows(*run(Footprints(SYMBOLS, (TF_S,)), trades, [END]))
    bars = rows(*run(Bars(SYMBOLS, (TF_S,), flat=False), trades, [END]))
    assert [(row["ts"], row["symbol"]) for row in footprints] == [(row["ts"], row["symbol"]) for row in bars]
    for footprint, bar in zip(footprints, bars, strict=True):
        bid, ask = sum(footprint["bid_volume"]), sum(footprint["ask_volume"])
        assert bid + ask == bar["volume"]
        assert footprint["delta"] == ask - bid
        assert footprint["delta"] - bar["delta"] == (bar["volume"] - bar["delta"]) % 2


@given(found=deals(sides=(0,)))
def test_unknown_side_takes_no_part(found: list[Deal]) -> None:
    """Where no side is known, every level is split into halves, to one lot."""
    for row in rows(*run(Footprints(SYMBOLS, (TF_S,)), table(found), [END])):
        assert all(abs(bid - ask) <= 1 for bid, ask in zip(row["bid_volume"], row["ask_volume"], strict=True))
        assert row["delta"] in (0, 1)
