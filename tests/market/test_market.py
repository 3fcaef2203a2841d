"""One symbol's market through its sessions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.instruments import is_open, session_at
from feedsim.market.market import Sheets
from tests.market.runs import HOUR_NS, NINE_THIRTY_NS, SECOND_NS, Told, market, run

DAY_NS = 24 * HOUR_NS
SIXTEEN_59_NS = NINE_THIRTY_NS + 7 * HOUR_NS + 29 * 60 * SECOND_NS
FRIDAY_16_59_NS = SIXTEEN_59_NS + DAY_NS

SPAN_NS = 90 * SECOND_NS
offsets = st.lists(st.integers(0, SPAN_NS), max_size=6)
few = settings(max_examples=25, deadline=None)


@few
@given(offsets, st.sampled_from([NINE_THIRTY_NS, SIXTEEN_59_NS]), st.integers(0, 2**63 - 1))
def test_windows_do_not_matter(cuts: list[int], start_ns: int, seed: int) -> None:
    """However time is cut, over a close and an opening as well, the rows are the same."""
    end_ns = start_ns + HOUR_NS + SPAN_NS if start_ns == SIXTEEN_59_NS else start_ns + SPAN_NS
    times = [*(start_ns + cut for cut in cuts), *(end_ns - cut for cut in cuts), end_ns]
    whole = run(market(seed=seed, start_ns=start_ns), [end_ns])
    assert run(market(seed=seed, start_ns=start_ns), times).same(whole)


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_room_does_not_matter(rows: int) -> None:
    """However few rows there is room for at once, the rows are the same."""
    end_ns = NINE_THIRTY_NS + 20 * SECOND_NS
    small = Sheets(trades=rows, l1=rows, l2=rows)
    assert run(market(), [end_ns], small).same(run(market(), [end_ns]))


@few
@given(offsets.filter(bool), st.integers(0, 1000))
def test_a_saved_state_goes_on_alike(cuts: list[int], seed: int) -> None:
    """Put back into the same market or into another, and whatever that one did before."""
    end_ns = NINE_THIRTY_NS + SPAN_NS
    one, other = market(seed=seed), market(seed=seed)
    for cut in cuts:
        run(one, [NINE_THIRTY_NS + cut])
        state = one.save()
        rest = run(one, [end_ns])
        other.restore(state)
        assert run(other, [end_ns]).same(rest)
        one.restore(state)
        assert run(one, [end_ns]).same(rest)
        one.restore(state)


def test_a_state_is_small() -> None:
    """A few KiB, so that many can be kept."""
    of = market()
    run(of, [NINE_THIRTY_NS + 600 * SECOND_NS])
    assert len(of.save()) < 16 << 10


@pytest.mark.parametrize("start_ns", [SIXTEEN_59_NS, FRIDAY_16_59_NS], ids=["daily break", "weekend"])
def test_closed_hours_have_nothing(start_ns: int) -> None:
    """The rows end before the close; the next are the book and its top at the very opening."""
    close_ns = session_at(start_ns).close_ns
    opening_ns = session_at(close_ns).open_ns
    told = run(market(start_ns=start_ns), [opening_ns + 5 * SECOND_NS])
    for rows in (told.l1, told.l2):
        assert all(map(is_open, rows[:, 0].tolist()))
        before, after = rows[rows[:, 0] < close_ns], rows[rows[:, 0] >= close_ns]
        assert len(before) > 10
        assert after[0, 0] == opening_ns


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
    """The first minute after 09:30 has many times the trades of one at midnight."""
    day = run(market(), [NINE_THIRTY_NS + 60 * SECOND_NS])
    midnight_ns = NINE_THIRTY_NS - 9 * HOUR_NS - 1800 * SECOND_NS
    night = run(market(start_ns=midnight_ns), [midnight_ns + 60 * SECOND_NS])
    assert len(day.l1) > 5 * len(night.l1) > 0


def test_seeds_and_symbols_differ() -> None:
    """No two markets tell the same."""
    end_ns = [NINE_THIRTY_NS + 5 * SECOND_NS]
    told: list[Told] = [
        run(market(symbol, seed=seed), end_ns) for symbol in ("ES", "MES", "NQ", "MNQ") for seed in (1, 2)
    ]
    first = {rows.l1[:50].tobytes() for rows in told}
    assert len(first) == len(told)


@pytest.mark.parametrize(("big", "micro"), [("ES", "MES"), ("NQ", "MNQ")])
def test_a_micro_follows_its_big_contract(big: str, micro: str) -> None:
    """Their prices stay within ticks of each other through the day; their orders are their own."""
    times = [NINE_THIRTY_NS + minutes * 60 * SECOND_NS for minutes in range(10, 90, 10)]
    prices = []
    for symbol in (big, micro):
        of = market(symbol)
        prices.append([run(of, [ns]).l1[-1, 1:3].mean() for ns in times])
    far = np.abs(np.diff(prices, axis=0))
    assert far.max() < np.ptp(prices[0]) / 2
