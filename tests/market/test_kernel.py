"""What the law tells is one truth: quotes, books and trades of the same queues, and of nothing but them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.market.book import FILL, LEVELS, REACH, SHOWN, WIDEST
from feedsim.market.config import DEFAULT_PRESETS
from feedsim.market.factors import STEP_NS
from feedsim.market.happening import MOST_PRINTS
from feedsim.market.kernel import LOG_ROOM, advance, new_state
from feedsim.market.law import law_record
from feedsim.market.modulators import FLOW_BIAS, HALT, NEUTRAL, TRADES
from feedsim.market.presets import PRESETS
from tests.market import invariants
from tests.market.runs import (
    HOUR_NS,
    L2_EVERY_NS,
    MINUTE_NS,
    NINE_THIRTY_NS,
    SECOND_NS,
    SYMBOLS,
    WIDTHS,
    Told,
    market,
    run,
    session,
)

START_NS = NINE_THIRTY_NS
END_NS = START_NS + 3 * MINUTE_NS
STEPS = MINUTE_NS // STEP_NS
PRICE = 20_000  # ticks
NAMES = list(NEUTRAL)
ROOM = (999, 9999, 999, 2 * LOG_ROOM)

every_symbol = pytest.mark.parametrize("symbol", SYMBOLS)


# ------------------------------------------------------------------------------------------------ an ordinary session


@every_symbol
def test_times_rise(symbol: str) -> None:
    """No two L1 or L2 rows are told at one time, and none outside the time that was asked for."""
    invariants.check_times(session(symbol, "normal", 3), START_NS, END_NS)


@every_symbol
def test_quotes_are_sound(symbol: str) -> None:
    """Bid below ask always, told when it changes and only then, with the newest trade."""
    invariants.check_quotes(session(symbol, "normal", 3))


@every_symbol
def test_books_are_whole(symbol: str) -> None:
    """Ten sorted levels a side, whose top is the L1 at that time, on their grid after the first."""
    told = session(symbol, "normal", 3)
    invariants.check_books(told, L2_EVERY_NS)
    assert told.l2[0, 0] == told.l1[0, 0] == START_NS


@every_symbol
def test_a_trade_prints_at_the_touch(symbol: str) -> None:
    """Buyers pay the ask and sellers get the bid told last, which shrinks by what they took."""
    told = session(symbol, "normal", 3)
    invariants.check_prints(told)
    invariants.check_trade_ids(told)
    assert {1, -1} == set(told.trades[:, 3].tolist())


@pytest.mark.parametrize("symbol", ["ES", "NQ"])
def test_the_log_rebuilds_the_book(symbol: str) -> None:
    """A book of plain dicts that applies the log is every L1 and L2 row, and its fills are the trades."""
    invariants.Replay().check(session(symbol, "normal", 3))


def test_an_order_may_walk_through_prices() -> None:
    """It prints once a price, at one time, each at the touch that the print before it left."""
    told = session("NQ", "normal", 3)
    walks = np.flatnonzero(np.diff(told.trades[:, 0]) == 0)
    assert len(walks) > 10
    steps = (told.trades[walks + 1, 1] - told.trades[walks, 1]) * told.trades[walks, 3]
    assert (steps > 0).all(), "without an iceberg there is nothing left at the first price"
    fills = told.orders[told.orders[:, 1] == FILL]
    assert fills[:, 5].sum() == told.trades[:, 2].sum()


def test_outside_trades_and_moves_one_side_changes() -> None:
    """One order at a time: an L1 row without a trade changes one side, unless orders of both were taken out at once."""
    told = session("ES", "normal", 3)
    changed = [(np.diff(told.l1[:, fields], axis=0) != 0).any(axis=1) for fields in invariants.SIDES]
    assert not (changed[0] & changed[1]).any()


# -------------------------------------------------------------------------------------------- any steering whatsoever


def _record(preset: str, seed: int) -> tuple[Any, Any]:
    law = law_record(PRESETS[preset]).view(np.recarray)[0]
    return new_state(preset, seed, START_NS).view(np.recarray)[0], law


def _rows(**changed: float) -> npt.NDArray[np.float64]:
    """Modulators of a minute."""
    rows = np.tile(np.array(list(NEUTRAL.values())), (60, 1))
    for name, value in changed.items():
        rows[:, NAMES.index(name)] = value
    return rows


def _run(
    state: Any, law: Any, rows: npt.NDArray[np.float64], x: npt.NDArray[np.float64], until_ns: int, busy: float = 1.0
) -> Told:
    """The first minute up to some time, from wherever the state is."""
    parts = [[np.empty((0, width), np.int64) for width in WIDTHS]]
    sheets = [np.zeros((length, width), np.int64) for length, width in zip(ROOM, WIDTHS, strict=True)]
    while state.next_ns < until_ns or state.l2_ns < min(until_ns, state.next_ns):
        told = advance(state, law, x, np.full(STEPS, busy), rows, START_NS, until_ns, L2_EVERY_NS, *sheets)
        parts.append([sheet[:count].copy() for sheet, count in zip(sheets, told, strict=True)])
    return Told(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _check_state(state: Any) -> None:
    """The counts of the book are those of its queues, within reach, with what is shown of each side."""
    bid, ask = state.best.tolist()
    assert 0 < ask - bid < WIDEST + REACH
    seen = 0
    for side, prices in enumerate((range(bid, bid - REACH, -1), range(ask, ask + REACH))):
        at = np.array(prices) & (LEVELS - 1)
        assert state.count[at[0]] > 0
        assert state.levels[side] == np.count_nonzero(state.count[at]) >= SHOWN
        assert all(state.volume[i] == state.sizes[i, : state.count[i]].sum() for i in at)
        assert all((state.sizes[i, : state.count[i]] > 0).all() for i in at)
        seen += int(state.count[at].sum())
    assert state.count.sum() == seen, "there are orders out of reach"


RANGES = {
    "flow_bias": (-4.0, 4.0),
    "imbalance_mult": (0.0, 2.0),
    "quote_tilt": (-3.0, 3.0),
    "depth_bid": (0.02, 4.0),
    "depth_ask": (0.02, 4.0),
    "cancel_empty": (0.0, 1.0),
    "inside_mult": (0.05, 2.0),
    "trade_mult": (0.1, 8.0),
    "lot_mult": (0.2, 20.0),
}


@st.composite
def steerings(draw: st.DrawFn) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Modulators and latent prices of a few seconds, in sections: leans of all kinds, icebergs, halts, jumps."""
    rows, x = _rows(), np.full(STEPS, float(PRICE))
    for start in range(0, 8, 2):
        section = slice(start, start + 2)
        for name, (low, high) in RANGES.items():
            if draw(st.booleans()):
                rows[section, NAMES.index(name)] = draw(st.floats(low, high))
        if draw(st.booleans()):
            rows[section, NAMES.index("iceberg")] = start + 1
            for name, values in (("side", (0, 1)), ("offset", (0, 6)), ("reserve", (1, 4000)), ("refresh", (1, 200))):
                rows[section, NAMES.index(f"iceberg_{name}")] = draw(st.integers(*values))
        rows[section, HALT] = draw(st.sampled_from([0, 0, 0, 6]))
        x[start * 20 :] += draw(st.floats(-60, 60))
    return rows, x


@settings(max_examples=10)
@given(steerings(), st.sampled_from(sorted(PRESETS)), st.integers(0, 2**63 - 1), st.sampled_from([1.0, 6.0]))
def test_no_steering_breaks_the_book(
    steering: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]], preset: str, seed: int, busy: float
) -> None:
    """Whatever leans on it, what is told keeps every invariant, and the log rebuilds it."""
    state, law = _record(preset, seed)
    rows, x = steering
    parts = []
    for second in range(1, 9):
        parts.append(_run(state, law, rows, x, START_NS + second * SECOND_NS, busy))
        if state.open:
            _check_state(state)
    told = Told(*(np.concatenate(each) for each in zip(*parts, strict=True)))
    invariants.check_all(told, START_NS, START_NS + 8 * SECOND_NS)


@pytest.mark.parametrize("preset", ["es_2025", "nq_2025"])
def test_the_widest_spread_is_kept(preset: str) -> None:
    """Where all orders but the last would go and none comes inside, the book does not come apart."""
    state, law = _record(preset, 1)
    rows = _rows(cancel_empty=1.0, inside_mult=0.0, depth_bid=0.01, depth_ask=0.01, trade_mult=5.0)
    law.inside = law.wide_slow = law.refill = law.chase = 0.0
    widest = 0
    for second in range(1, 40):
        _run(state, law, rows, np.full(STEPS, float(PRICE)), START_NS + second * SECOND_NS)
        _check_state(state)
        widest = max(widest, int(state.best[1] - state.best[0]))
    assert widest >= WIDEST


@pytest.mark.parametrize("preset", ["es_stress_2022", "nq_2025"])
def test_a_side_always_has_what_is_shown(preset: str) -> None:
    """Where queues are empty more often than not and the price goes up and down, ten levels are there."""
    state, law = _record(preset, 2)
    rows = _rows(cancel_empty=1.0, depth_bid=0.01, depth_ask=0.01, inside_mult=3.0)
    x = PRICE + np.where(np.arange(STEPS) // 20 % 2, 12.0, -12.0)
    for part in range(1, 200):
        _run(state, law, rows, x, START_NS + part * SECOND_NS // 10, busy=10.0)
        _check_state(state)


@pytest.mark.parametrize("halted", [slice(0, 2), slice(3, 5)])
def test_nothing_happens_in_a_halt(halted: slice) -> None:
    """No trade and no quote, and the first book after it is a new one around the latent price, with an auction."""
    state, law = _record("es_2025", 5)
    rows = _rows()
    rows[halted, HALT] = 6
    x = np.full(STEPS, float(PRICE))
    x[halted.start * 20 + 10 :] = PRICE - 500
    told = _run(state, law, rows, x, START_NS + 10 * SECOND_NS)
    since, until = START_NS + halted.start * SECOND_NS, START_NS + halted.stop * SECOND_NS
    for table in (told.trades, told.l1, told.orders):
        assert not ((table[:, 0] >= since) & (table[:, 0] < until)).any()
    after = told.l1[told.l1[:, 0] >= until]
    assert after[0, 0] == until
    assert abs(after[0, 1] - (PRICE - 500)) <= 1
    trades = told.trades[told.trades[:, 0] >= until]
    assert trades[0, 2] >= PRESETS["es_2025"].trade_cap
    invariants.check_all(told, START_NS, START_NS + 10 * SECOND_NS)
    assert len(invariants.openings(told)) == (1 if halted.start else 0)


def test_an_iceberg_is_not_passed_until_it_is_sold() -> None:
    """Far more trades at its price than was ever shown there, and no price beyond it before that."""
    state, law = _record("es_2025", 11)
    reserve, refresh = 3000, 50
    rows = _rows(flow_bias=2.5, trade_mult=3.0, cancel_empty=1.0, depth_ask=0.05)  # what it shows is cancelled too
    for name, value in (("", 1), ("_side", 1), ("_offset", 2), ("_reserve", reserve), ("_refresh", refresh)):
        rows[5:, NAMES.index(f"iceberg{name}")] = value
    x = np.full(STEPS, float(PRICE))
    x[5 * 20 :] = PRICE + 8
    before = _run(state, law, rows, x, START_NS + 5 * SECOND_NS)
    told = _run(state, law, rows, x, START_NS + MINUTE_NS)
    price = int(invariants.in_force(before.l1, np.array([START_NS + 5 * SECOND_NS]))[0, 2])
    iceberg = int(state.iceberg_price)
    assert abs(iceberg - price - 2) <= 1
    bought = told.trades[(told.trades[:, 1] == iceberg) & (told.trades[:, 3] == 1)]
    beyond = told.trades[told.trades[:, 1] > iceberg]
    if len(beyond):
        bought = bought[bought[:, 0] <= beyond[0, 0]]
        assert state.iceberg_left == 0
    assert bought[:, 2].sum() > 5 * refresh


def test_leans_lean() -> None:
    """With the same chances, a bias to buy makes more buys, and more trades are more trades."""
    sums: dict[str, tuple[int, int]] = {}
    for name, column, value in (("neutral", TRADES, 1.0), ("trades", TRADES, 3.0), ("buys", FLOW_BIAS, 2.0)):
        sides = []
        for seed in range(3, 6):
            state, law = _record("es_2025", seed)
            rows = _rows()
            rows[:, column] = value
            trades = _run(state, law, rows, np.full(STEPS, float(PRICE)), START_NS + MINUTE_NS).trades
            sides += trades[:, 3].tolist()
        sums[name] = len(sides), sum(sides)
    assert sums["trades"][0] > 1.5 * sums["neutral"][0]
    assert sums["buys"][1] > sums["neutral"][1] + 0.1 * sums["neutral"][0], "though the latent price stands"


@pytest.mark.parametrize("preset", ["es_2025", "nq_2025"])
@pytest.mark.parametrize("move", [-40, 40])
def test_the_price_follows_the_latent_price(preset: str, move: int) -> None:
    """Nothing else moves a price, and within half a minute it is near."""
    state, law = _record(preset, 2)
    x = np.full(STEPS, float(PRICE))
    x[10 * 20 :] += move
    told = _run(state, law, _rows(), x, START_NS + MINUTE_NS)
    mids = told.l1[:, 1:3].mean(axis=1)
    seconds = (told.l1[:, 0] - START_NS) / SECOND_NS
    assert abs(mids[seconds < 10] - PRICE).max() < 0.5 * abs(move)
    assert abs(mids[seconds > 45] - PRICE - move).mean() < 0.3 * abs(move)


@pytest.mark.parametrize("symbol", ["ES", "NQ"])
def test_rates_are_those_of_a_live_feed(symbol: str) -> None:
    """Some trades a second, many quotes to each, and ten books a second where there is one change in each interval."""
    told = session(symbol, "normal", 3)
    trades, l1, l2 = (len(rows) / 180 for rows in told[:3])
    assert 1 < trades < l1
    assert 30 < l1 < 3000
    assert 5 < l2 <= 10.1


def test_a_wide_spread_lasts_at_night() -> None:
    """ES stands at more than a tick for a few percent of the night, and for less than one of the day."""
    shares = []
    for start_ns in (NINE_THIRTY_NS + 2 * HOUR_NS, NINE_THIRTY_NS - 7 * HOUR_NS):
        wide = 0
        for seed in range(3):
            l1 = run(market(seed=seed, start_ns=start_ns), [start_ns + 10 * MINUTE_NS]).l1
            lasted = np.diff(l1[:, 0], append=start_ns + 10 * MINUTE_NS)
            wide += int(lasted[l1[:, 2] - l1[:, 1] > 1].sum())
        shares.append(wide / (30 * MINUTE_NS))
    assert shares[0] < 0.015
    assert 0.005 < shares[1] < 0.08


def test_a_walk_has_room() -> None:
    """The most prints of one order fit what is kept free for them."""
    told = session("NQ", "flash_crash", 3)
    _, counts = np.unique(told.trades[:, 0], return_counts=True)
    assert 1 < counts.max() <= MOST_PRINTS


def test_all_default_presets_are_there() -> None:
    """Each symbol's law is in the table."""
    assert set(DEFAULT_PRESETS) == set(SYMBOLS)
    assert set(DEFAULT_PRESETS.values()) <= set(PRESETS)
