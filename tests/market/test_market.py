"""One symbol's market through its sessions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.instruments import is_open, session_at
from feedsim.market.config import MarketConfig
from feedsim.market.happening import MOST_PRINTS
from feedsim.market.kernel import LOG_ROOM
from feedsim.market.modulators import JUMP
from feedsim.market.scenarios import SCENARIOS
from feedsim.market.sheets import Sheets
from tests.market import invariants
from tests.market.runs import (
    HOUR_NS,
    MINUTE_NS,
    NINE_THIRTY_NS,
    SECOND_NS,
    SYMBOLS,
    Told,
    logging_sheets,
    market,
    run,
)

DAY_NS = 24 * HOUR_NS
SIXTEEN_59_NS = NINE_THIRTY_NS + 7 * HOUR_NS + 29 * MINUTE_NS
FRIDAY_16_59_NS = SIXTEEN_59_NS + DAY_NS

SPAN_NS = 90 * SECOND_NS
offsets = st.lists(st.integers(0, SPAN_NS), max_size=6)
scenarios = st.sampled_from(sorted(SCENARIOS))
symbols = st.sampled_from(SYMBOLS)
few = settings(max_examples=10, deadline=None)


@few
@given(offsets, st.sampled_from([NINE_THIRTY_NS, NINE_THIRTY_NS + 123_456_789, SIXTEEN_59_NS]), scenarios, symbols)
def test_windows_do_not_matter(cuts: list[int], start_ns: int, scenario: str, symbol: str) -> None:
    """However time is cut, over a close and an opening as well, the rows are the same, and so is the log."""
    end_ns = start_ns + HOUR_NS + SPAN_NS if start_ns == SIXTEEN_59_NS else start_ns + SPAN_NS
    times = [*(start_ns + cut for cut in cuts), *(end_ns - cut for cut in cuts), end_ns]
    settings: dict[str, Any] = {"start_ns": start_ns, "minutes": 1.5, "config": MarketConfig(scenario=scenario)}
    whole = run(market(symbol, **settings), [end_ns], logging_sheets())
    assert run(market(symbol, **settings), times, logging_sheets()).same(whole)
    assert len(whole.orders) > len(whole.l1) > 0


@few
@given(st.integers(0, SPAN_NS), scenarios, symbols, st.integers(0, 2**63 - 1))
def test_nothing_looks_ahead(cut: int, scenario: str, symbol: str, seed: int) -> None:
    """A session that is read up to a time has the rows before it of one that goes on."""
    config = MarketConfig(scenario=scenario)
    end_ns = NINE_THIRTY_NS + SPAN_NS
    whole = run(market(symbol, seed=seed, config=config), [end_ns])
    part = run(market(symbol, seed=seed, config=config), [NINE_THIRTY_NS + cut])
    assert part.same(whole.before(NINE_THIRTY_NS + cut))


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_room_does_not_matter(rows: int) -> None:
    """However few rows there is room for at once, the rows are the same."""
    end_ns = NINE_THIRTY_NS + 20 * SECOND_NS
    small = Sheets(trades=MOST_PRINTS, l1=rows, l2=rows)
    assert run(market(), [end_ns], small).same(run(market(), [end_ns]))


def test_a_log_does_not_matter() -> None:
    """Kept or not, and however little room there is for it, the same is told."""
    end_ns = NINE_THIRTY_NS + 20 * SECOND_NS
    told = run(market(), [end_ns], logging_sheets())
    assert run(market(), [end_ns], Sheets(orders=LOG_ROOM)).same(told)
    assert Told(*run(market(), [end_ns])[:3], told.orders).same(told)


@few
@given(offsets.filter(bool), scenarios, symbols, st.integers(0, 1000))
def test_a_saved_state_goes_on_alike(cuts: list[int], scenario: str, symbol: str, seed: int) -> None:
    """Put back into the same market or into another, and whatever that one did before."""
    end_ns = NINE_THIRTY_NS + SPAN_NS
    config = MarketConfig(scenario=scenario)
    one, other = (market(symbol, seed=seed, minutes=1.5, config=config) for _ in range(2))
    for cut in cuts:
        run(one, [NINE_THIRTY_NS + cut])
        state = one.save()
        rest = run(one, [end_ns], logging_sheets())
        other.restore(state)
        assert other.save() == state
        assert run(other, [end_ns], logging_sheets()).same(rest)
        one.restore(state)
        assert run(one, [end_ns], logging_sheets()).same(rest)
        one.restore(state)


def test_a_state_is_small() -> None:
    """Some KiB, so that many can be kept."""
    of = market()
    run(of, [NINE_THIRTY_NS + 600 * SECOND_NS])
    assert len(of.save()) < 64 << 10


@pytest.mark.parametrize("start_ns", [SIXTEEN_59_NS, FRIDAY_16_59_NS], ids=["daily break", "weekend"])
def test_closed_hours_have_nothing(start_ns: int) -> None:
    """The rows end before the close; the next are the book and its top at the very opening."""
    close_ns = session_at(start_ns).close_ns
    opening_ns = session_at(close_ns).open_ns
    told = run(market(start_ns=start_ns), [opening_ns + 5 * SECOND_NS], logging_sheets())
    for rows in (told.l1, told.l2):
        assert all(map(is_open, rows[:, 0].tolist()))
        before, after = rows[rows[:, 0] < close_ns], rows[rows[:, 0] >= close_ns]
        assert len(before) > 10
        assert after[0, 0] == opening_ns
    invariants.check_all(told, start_ns, opening_ns + 5 * SECOND_NS)
    assert invariants.openings(told) == [opening_ns]


def test_a_start_in_closed_hours_waits_for_the_opening() -> None:
    """Nothing before it, the first book at it."""
    saturday_ns = FRIDAY_16_59_NS + 20 * HOUR_NS
    of = market(start_ns=saturday_ns)
    assert not any(map(len, run(of, [saturday_ns + HOUR_NS])))
    opening_ns = session_at(saturday_ns).open_ns
    assert run(of, [opening_ns + SECOND_NS]).l1[0, 0] == opening_ns


def test_trades_are_numbered_on_through_the_break() -> None:
    """The next session's first trade follows the last."""
    told = run(market(start_ns=SIXTEEN_59_NS), [SIXTEEN_59_NS + HOUR_NS + 300 * SECOND_NS])
    assert told.trades[:, 4].tolist() == list(range(1, len(told.trades) + 1))


def test_nights_are_quieter() -> None:
    """The first minute after 09:30 has many times the quotes of one at midnight."""
    day = run(market(), [NINE_THIRTY_NS + MINUTE_NS])
    midnight_ns = NINE_THIRTY_NS - 9 * HOUR_NS - HOUR_NS // 2
    night = run(market(start_ns=midnight_ns), [midnight_ns + MINUTE_NS])
    assert len(day.l1) > 5 * len(night.l1) > 0


def test_seeds_and_symbols_differ() -> None:
    """No two markets tell the same."""
    end_ns = [NINE_THIRTY_NS + 5 * SECOND_NS]
    told: list[Told] = [run(market(symbol, seed=seed), end_ns) for symbol in SYMBOLS for seed in (1, 2)]
    first = {rows.l1[:50].tobytes() for rows in told}
    assert len(first) == len(told)


@pytest.mark.parametrize(("big", "micro"), [("ES", "MES"), ("NQ", "MNQ")])
def test_a_micro_follows_its_big_contract(big: str, micro: str) -> None:
    """Their prices stay near each other, far nearer than they wander; their orders are their own."""
    times = [NINE_THIRTY_NS + minutes * MINUTE_NS for minutes in range(2, 40, 2)]
    prices = []
    for symbol in (big, micro):
        of = market(symbol)
        prices.append([run(of, [ns]).l1[-1, 1:3].mean() for ns in times])
    far = np.abs(np.diff(prices, axis=0))
    assert far.max() < np.ptp(prices[0]) / 2


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_context_is_known_before_its_second(symbol: str) -> None:
    """A row a second of the VIX and the options, the same however far the market was run, and finite."""
    one, other = market(symbol), market(symbol)
    run(one, [NINE_THIRTY_NS + 1])
    run(other, [NINE_THIRTY_NS + 5 * MINUTE_NS])
    (times, rows), *_ = one.context
    assert times.tolist() == [NINE_THIRTY_NS + second * SECOND_NS for second in range(60)]
    assert np.isfinite(rows).all()
    assert np.array_equal(other.context[0][1], rows)
    assert len(other.context) == 5


@few
@given(st.integers(0, 59), st.integers(0, 2**63 - 1))
def test_context_does_not_look_ahead(second: int, seed: int) -> None:
    """What leans on the market from a second on does not change what was known until then, and changes it after."""
    known = []
    for jump in (0.0, 400.0):
        of = market(seed=seed)
        rows = of._schedule.block(0).rows
        rows[second, JUMP] = jump
        run(of, [NINE_THIRTY_NS + MINUTE_NS + 1])
        known.append(np.concatenate([part for _, part in of.context]))
    assert np.array_equal(known[0][: second + 1], known[1][: second + 1])
    assert not np.array_equal(known[0][second + 1], known[1][second + 1])
