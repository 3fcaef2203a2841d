"""Charts from events: bars of the trades, changes of depth, VWAP, value area, VIX and option levels, and the quirks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest

from feedsim.bridges.sierra.options import Options, charts_of
from feedsim.bridges.sierra.telling import TOLD, Charts
from feedsim.config import SierraQuirk
from feedsim.errors import ConfigError
from feedsim.events import L2, Bar, Chunk, Context, Event, Profile, Trade
from feedsim.playback.tape import Tape, TapeConfig
from tests.support.memory_source import START_NS, small_session

MINUTE_NS = 60 * 10**9
OPEN_I = 930
"""09:30 in minutes since 18:00."""


def charts(*quirks: SierraQuirk, keys: Any = "recorded", symbols: tuple[str, ...] = ("ES", "NQ")) -> Charts:
    options = Options(keys=keys, quirks=frozenset(quirks), charts=charts_of(symbols, {}))
    return Charts(options, {"ES": "ESU25"}, vwap_tf_s=1)


def written(told: Charts, events: Iterable[Event], *, shift_ns: int = 0) -> list[dict[str, Any]]:
    return [json.loads(line.text(0)) for event in events for line in told.lines(event, shift_ns)]


def trade(ns: int, price: float, size: int = 1, side: int = 1, symbol: str = "ES") -> Trade:
    return Trade(0, 0, ns, symbol, price, size, side, 1)


def book(ns: int, bids: list[tuple[float, int]], asks: list[tuple[float, int]], *, coarse: bool = False) -> L2:
    (bid_px, bid_sz), (ask_px, ask_sz) = ([list(part) for part in zip(*side, strict=True)] for side in (bids, asks))
    return L2(0, 0, ns, "ES", len(bids), bid_px, bid_sz, ask_px, ask_sz, None, None, coarse=coarse)


def test_the_last_state_of_every_bar_is_the_tapes_own_bar() -> None:
    """Prices, volumes by side and delta of bars of a minute that are computed from the same trades."""
    tape = Tape(small_session(seconds=300, rate=5), TapeConfig(bar_tf_s=(60,), flat_bars=False))
    last: dict[tuple[str, int], dict[str, Any]] = {}
    bars: dict[tuple[str, int], Bar] = {}
    told = charts()
    for event in told_by(tape):
        for line in written(told, [event]):
            if line["type"] == "basedata":
                last[line["sym"][:2], line["i"]] = line
        if isinstance(event, Bar) and event.volume:
            bars[event.symbol, OPEN_I + (event.ts - START_NS) // MINUTE_NS] = event
    assert set(bars) == set(last)
    assert len(bars) >= 8
    for key, bar in bars.items():
        line = last[key]
        assert [line[name] for name in "ohlc"] == [bar.open, bar.high, bar.low, bar.close]
        assert (line["v"], line["askvol"] - line["bidvol"]) == (bar.volume, bar.delta)


def told_by(tape: Tape) -> Iterable[Event]:
    chunk: Chunk | None
    for _ in tape.roll_to(tape.start_ns):
        pass
    while (chunk := tape.advance(500)) is not None:
        yield from chunk.events(channels=TOLD)


def test_cumulative_delta_goes_on_from_the_sessions() -> None:
    """A bar says what was before the first trade that was told here."""
    told = charts()
    event = Bar(0, 0, START_NS, "ES", 1, None, None, None, None, 0, None, None, None, None, None, 0, 500, 0)
    lines = written(told, [event, trade(START_NS + 10**9, 5000.0, 3, -1)])
    assert [line["close"] for line in lines if line["type"] == "cumulative_delta"] == [497]
    assert [line["cumulative_delta"] for line in lines if line["type"] == "nbcv"] == [497]


def test_a_trade_makes_lines_of_its_bar_and_a_trade_of_no_side_has_none() -> None:
    """Its type, its aggressor, and the bar that it belongs to."""
    lines = written(charts(), [trade(START_NS + 61 * 10**9, 5000.0, 2, 0)])
    assert [line["type"] for line in lines] == ["trade", "basedata", "nbcv", "cumulative_delta"]
    assert (lines[0]["side"], lines[0]["tt"], lines[0]["sym"]) == ("UNKNOWN", 0, "ESU25_FUT_CME")
    assert (lines[1]["i"], lines[1]["v"], lines[1]["bidvol"], lines[1]["askvol"]) == (OPEN_I + 1, 2, 0, 0)


def test_depth_is_told_where_it_changed() -> None:
    """A level whose price or size changed, and one that is gone, with a size of 0."""
    told = charts()
    first = book(START_NS, [(4999.75, 3), (4999.5, 4)], [(5000.0, 5), (5000.25, 6)])
    then = book(START_NS + 1, [(4999.75, 2)], [(5000.25, 6), (5000.5, 1)])
    written(told, [first])
    lines = [(line["side"], line["lvl"], line["price"], line["size"]) for line in written(told, [then])]
    assert lines == [("BID", 1, 4999.75, 2), ("BID", 2, 4999.5, 0), ("ASK", 1, 5000.25, 6), ("ASK", 2, 5000.5, 1)]
    assert written(told, [then]) == []


def test_a_coarse_book_hangs_on_the_bar_that_ends_with_it() -> None:
    """Any other on the bar that it falls into."""
    sides = [(4999.75, 3)], [(5000.0, 5)]
    (bid, _) = written(charts(keys="superset"), [book(START_NS, *sides, coarse=True)])
    (own, _) = written(charts(keys="superset"), [book(START_NS, *sides)])
    assert (bid["i"], own["i"]) == (OPEN_I - 1, OPEN_I)


def test_vwap_has_three_bands_each_side() -> None:
    """At the distance of its first; told when it changed."""
    bar = Bar(
        0, 0, START_NS, "ES", 1, 5000.0, 5000.0, 5000.0, 5000.0, 1, 5000.0, 5001.0, 5002.0, 4999.0, 4998.0, 1, 1, 1
    )
    told = charts()
    (line,) = written(told, [bar])
    assert {name: line[name] for name in ("v", "up1", "up2", "up3", "dn1", "dn2", "dn3")} == {
        "v": 5000.0, "up1": 5001.0, "up2": 5002.0, "up3": 5003.0, "dn1": 4999.0, "dn2": 4998.0, "dn3": 4997.0
    }  # fmt: skip
    assert written(told, [bar]) == []
    (swapped,) = written(charts("swapped_bands"), [bar])
    assert (swapped["up1"], swapped["dn3"]) == (4999.0, 5003.0)


def test_value_area_is_both_sessions() -> None:
    """What is not known yet is 0."""
    event = Profile(0, 0, START_NS + MINUTE_NS, "ES", 5000.0, 5002.0, 4998.0, 0, 0, None, 0, 0, 0, 4990.0, None, 4980.0)
    (line,) = written(charts(), [event])
    names = ("vah", "val", "vpoc", "pvah", "pval", "ppoc")
    assert [line[name] for name in names] == [5002.0, 4998.0, 5000.0, 0.0, 4980.0, 4990.0]
    assert line["i"] == OPEN_I


CONTEXT = partial(
    Context, 0, 0, START_NS + 1, vix=14.66, gamma_flip=None, put_wall=4900.0, pin_strength=None, put_call_ratio=None,
    gamma_exposure=None, dealer_position=None, gamma_flip_level=4950.0, pin_levels=[5000.0, 5010.0], put_walls=None,
    call_walls=[5100.0, 5050.0], vol_trigger=None,
)  # fmt: skip


def test_context_is_the_vix_and_option_levels_by_the_providers_names() -> None:
    """Told when they change; each future has its own study on the chart of levels."""
    told = charts()
    lines = written(told, [CONTEXT(symbol="ES", call_wall=5100.0)])
    assert [(line["type"], line["chart"], line.get("last")) for line in lines[:1]] == [("vix", 8, 14.66)]
    assert {line["level_type"]: line["price"] for line in lines[1:]} == {
        "call_resistance": 5100.0, "put_support": 4900.0, "hvl": 4950.0, "call_resistance_0dte": 5050.0,
        "gamma_wall_0dte": 5000.0, "gex_1": 5010.0,
    }  # fmt: skip
    assert {(line["chart"], line["study_id"], line["sym"]) for line in lines[1:]} == {(10, 1, "ESU25_FUT_CME")}
    (change,) = written(told, [CONTEXT(symbol="ES", call_wall=5110.0)])
    assert (change["level_type"], change["price"]) == ("call_resistance", 5110.0)
    assert {line["study_id"] for line in written(told, [CONTEXT(symbol="NQ", call_wall=5110.0)])} == {2}


def test_quirk_local_time_moves_what_hangs_on_bars_and_not_the_ticks() -> None:
    """As the real charts of a study two hours ahead."""
    plain, quirky = (written(charts(*quirks), [trade(START_NS, 5000.0)]) for quirks in ((), ("local_time",)))
    moved = [round((b["t"] - a["t"]) * 24, 3) for a, b in zip(plain, quirky, strict=True)]
    assert moved == [0, 2, 2, 2]


def test_quirk_no_level_2_leaves_a_hole_in_the_book() -> None:
    """Level 2 of the file is the book's third."""
    bids = [(4999.75, 1), (4999.5, 2), (4999.25, 3)]
    lines = written(charts("no_level_2"), [book(START_NS, bids, [(5000.0, 5)])])
    assert [(line["lvl"], line["price"]) for line in lines if line["side"] == "BID"] == [(1, 4999.75), (2, 4999.25)]


def test_quirk_divided_prices_is_of_high_prices_alone() -> None:
    """NQ's 23,000 are 230, ES's 5,000 are themselves, in every line."""
    es, nq = (
        written(charts("divided_prices"), [trade(START_NS, price, symbol=symbol)])
        for symbol, price in (("ES", 5000.0), ("NQ", 23_000.0))
    )
    assert (es[0]["px"], nq[0]["px"], nq[1]["h"]) == (5000.0, 230.0, 230.0)


def test_quirk_vix_without_sym() -> None:
    """The key is not there."""
    with_sym, without = (
        written(charts(*quirks), [CONTEXT(symbol="ES", call_wall=1.0)])[0] for quirks in ((), ("vix_without_sym",))
    )
    assert with_sym.pop("sym") == "VIX"
    assert with_sym == without


def test_the_shift_of_a_session_that_happens_now_is_in_every_stamp() -> None:
    """A day later, all lines are."""
    day_ns = 24 * 60 * MINUTE_NS
    plain, moved = (written(charts(), [trade(START_NS, 5000.0)], shift_ns=shift) for shift in (0, day_ns))
    assert [b["t"] - a["t"] for a, b in zip(plain, moved, strict=True)] == [1.0] * 4


def test_charts_have_the_bots_numbers_and_others_where_given() -> None:
    """A symbol without one gets a free one."""
    assert charts_of(("ES", "NQ"), {}) == {"ES": 3, "NQ": 4, "vix": 8, "levels": 10}
    assert charts_of(("ES", "XX"), {"ES": 11}) == {"ES": 11, "XX": 12, "vix": 8, "levels": 10}


@pytest.mark.parametrize(
    ("given", "problem"),
    [({"CL": 5}, "'CL': there are ES, NQ"), ({"ES": 0}, "1 to 999"), ({"ES": 4}, "ES and NQ would share a chart")],
)
def test_charts_that_cannot_be_are_refused(given: dict[str, int], problem: str) -> None:
    """With what is allowed."""
    with pytest.raises(ConfigError, match=problem):
        charts_of(("ES", "NQ"), given)
