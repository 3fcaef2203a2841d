"""Features: the same however time is cut, nothing from the future, and what constructed markets must show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.events import Table
from feedsim.instruments import NS_PER_MS, NS_PER_S
from feedsim.observe import Leadership
from tests.observe.cases import SYMBOLS, ns, rows
from tests.observe.markets import START_NS, Tables, of, quotes, random_market, tell, trades, within

SECONDS = 90
END_NS = START_NS + SECONDS * NS_PER_S
MARKET = random_market(1, seconds=SECONDS)
BEFORE_CLOSE_NS = ns("2025-08-21T16:59:10")
"""From here two hours reach over the daily break."""


def features(**options: Any) -> Leadership:
    return Leadership(SYMBOLS, with_context=True, **options)


def whole(tables: Tables, until_ns: int, **options: Any) -> Table:
    return features(**options).observe(tables, until_ns)


moments = st.integers(0, SECONDS * 20 - 1).map(lambda k: START_NS + k * 50 * NS_PER_MS)
cuts = st.lists(st.one_of(moments, moments.map(lambda at: at + 1)), max_size=10).map(sorted)
EXPECTED = rows(whole(MARKET, END_NS))


@given(untils=cuts)
@settings(max_examples=30)
def test_windows_do_not_matter(untils: list[int]) -> None:
    """However the time is cut, the same rows to the bit."""
    assert rows(*tell(features(), MARKET, [*untils, END_NS])) == EXPECTED


@given(untils=cuts, at=moments)
@settings(max_examples=20)
def test_a_saved_state_goes_on(untils: list[int], at: int) -> None:
    """Another observer with the state of the first tells what the first would have."""
    first, second = features(), features()
    before = tell(first, MARKET, [*[until for until in untils if until < at], at])
    second.restore(first.save())
    after = tell(second, MARKET, [*[until for until in untils if until > at], END_NS], since_ns=at)
    assert rows(*before, *after) == EXPECTED


@given(at=moments)
@settings(max_examples=20)
def test_no_look_ahead(at: int) -> None:
    """What comes at or after a time changes no row up to it; the context of that very time is told before it."""
    seen = {name: table.take(table.avail < at + (name == "context")) for name, table in MARKET.items()}
    told = [row for row in rows(whole(seen, END_NS)) if row["avail"] <= at]
    assert told == [row for row in EXPECTED if row["avail"] <= at]


@given(at=st.integers(0, 7300), seed=st.integers(0, 3))
@settings(max_examples=8, deadline=None)
def test_the_daily_break_does_not_matter_either(at: int, seed: int) -> None:
    """Cut anywhere around a close and the next opening, the same rows; none while it is closed."""
    until = BEFORE_CLOSE_NS + 7300 * NS_PER_S
    late = random_market(seed + 9, seconds=40, start_ns=BEFORE_CLOSE_NS)
    early = random_market(seed, seconds=60, start_ns=BEFORE_CLOSE_NS + 3640 * NS_PER_S)
    market = {name: Table.concatenate([late[name], early[name]]) for name in late}
    expected = whole(market, until)
    assert rows(*tell(features(), market, [BEFORE_CLOSE_NS + at * NS_PER_S, until])) == rows(expected)
    close, opening = ns("2025-08-21T17:00:00"), ns("2025-08-21T18:00:00")
    assert not ((expected.avail >= close) & (expected.avail < opening)).any()
    assert {close - NS_PER_S, opening} <= set(expected.avail.tolist())


@pytest.mark.parametrize("at", [3700, 4900])
def test_a_saved_state_knows_its_session_and_the_volatility_before(at: int) -> None:
    """Saved in the session after a break, quiet for long and then wild: what follows is the same."""
    bids = [20_000 + k % 3 for k in range(3000)] + [20_000 + 9 * (k % 5) for k in range(600)]
    before = [(BEFORE_CLOSE_NS + k * NS_PER_S, code, 20_000 + 4 * (k % 7)) for k in range(40) for code in (0, 1)]
    after = [
        (BEFORE_CLOSE_NS + (3650 + k) * NS_PER_S, code, bid) for k, bid in enumerate(bids[1500:]) for code in (0, 1)
    ]
    market = {"l1": quotes(before + after)}
    middle, until = BEFORE_CLOSE_NS + at * NS_PER_S, BEFORE_CLOSE_NS + 5700 * NS_PER_S
    first, second = features(), features()
    told = tell(first, market, [middle])
    second.restore(first.save())
    told += tell(second, market, [until], since_ns=middle)
    expected = whole(market, until)
    assert "high_vol" in set(expected.array("volatility_regime"))
    assert rows(*told) == rows(expected)


def test_a_row_a_second_and_symbol_from_its_first_quote() -> None:
    """Each symbol on every whole second since it was first quoted; with `every_s`, on its multiples."""
    at = [START_NS + 2 * NS_PER_S, START_NS + 4 * NS_PER_S + 1]
    market = {"l1": quotes([(at[0], 0, 20_000), (at[1], 1, 72_000)])}
    told = whole(market, START_NS + 8 * NS_PER_S)
    seconds = {code: ((told.avail[told.array("symbol") == code] - START_NS) // NS_PER_S).tolist() for code in (0, 1)}
    assert seconds == {0: [2, 3, 4, 5, 6, 7], 1: [5, 6, 7]}
    sparse = whole(MARKET, END_NS, every_s=5)
    assert rows(sparse) == [row for row in EXPECTED if row["avail"] // NS_PER_S % 5 == 0]
    shifted = whole(MARKET, END_NS, every_s=5, anchor_ns=START_NS + NS_PER_S)
    assert rows(shifted) == [row for row in EXPECTED if (row["avail"] - START_NS) // NS_PER_S % 5 == 1]


@pytest.mark.parametrize("seed", range(4))
def test_values_are_where_they_must_be(seed: int) -> None:
    """Scores in 0 … 1, imbalances in −1 … 1, six decimals, nothing missing, and the two symbols' strengths make one."""
    told = whole(random_market(seed, seconds=400), START_NS + 400 * NS_PER_S)
    for name in ("confluence_score", "delta_divergence", "sierra_pattern_strength", "leadership_strength"):
        assert ((told.array(name) >= 0) & (told.array(name) <= 1)).all()
    for name in ("delta_divergence_signed", "volume_imbalance", "options_flow_bias"):
        assert (np.abs(told.array(name)) <= 1).all()
    assert ((told.array("gamma_proximity") >= 0) & (told.array("gamma_proximity") <= 1)).all()
    assert (np.abs(told.array("delta_divergence_signed")) == told.array("delta_divergence")).all()
    assert set(told.array("volatility_regime")) <= {"low_vol", "normal_vol", "high_vol"}
    assert np.unique(told.array("sierra_pattern_strength")).size > 10
    each = [of(told, symbol, "leadership_strength")[-390:] for symbol in SYMBOLS]
    assert np.allclose(each[0] + each[1], 1.0, atol=1.1e-6)


def test_options_are_null_without_a_context() -> None:
    """And only they; mode and parameter are those that were given, null on a recording."""
    market = {name: MARKET[name] for name in ("l1", "trade")}
    told = Leadership(SYMBOLS).observe(market, END_NS)
    assert np.isnan(told.array("options_flow_bias")).all()
    assert np.isnan(told.array("gamma_proximity")).all()
    assert not np.isnan(told.array("confluence_score")).any()
    assert set(told.array("leadership_mode")) == {None}
    assert np.isnan(told.array("leadership_strength_param")).all()
    given_ = Leadership(SYMBOLS, mode="NQ_leads", strength=0.3).observe(market, END_NS)
    assert set(given_.array("leadership_mode")) == {"NQ_leads"}
    assert set(given_.array("leadership_strength_param")) == {0.3}
    assert (of(given_, "NQ", "leadership_strength")[0], of(given_, "ES", "leadership_strength")[0]) == (0.8, 0.2)


def _delayed(leader: int, delay_ms: int = 250) -> Tables:
    """Both walk the same way, one `delay_ms` after the other."""
    rng = np.random.default_rng(5)
    at = START_NS + np.cumsum(rng.integers(40, 260, 2000)) * NS_PER_MS
    bid = 20_000 + np.cumsum(rng.choice((-1, 1), 2000))
    late = at + delay_ms * NS_PER_MS
    found = [(t, leader, b) for t, b in zip(at.tolist(), bid.tolist(), strict=True)]
    found += [(t, 1 - leader, b) for t, b in zip(late.tolist(), bid.tolist(), strict=True)]
    return {"l1": quotes(sorted(found))}


@pytest.mark.parametrize("leader", [0, 1])
def test_who_moves_first_leads(leader: int) -> None:
    """NQ's path is ES's 250 ms later, or the other way round."""
    told = whole(_delayed(leader), START_NS + 200 * NS_PER_S)
    strength = of(told, SYMBOLS[leader], "leadership_strength")[70:]
    assert strength.min() > 0.7


def test_volume_imbalance_is_an_average_over_ten_seconds() -> None:
    """By hand: delta and volume of the seconds before, each a tenth less for every second since."""
    deals = [
        (START_NS + k * NS_PER_S + 1, 0, 20_001, size, side) for k, size, side in ((1, 10, 1), (2, 4, -1), (5, 6, 0))
    ]
    market = {"l1": quotes([(START_NS, 0, 20_000)]), "trade": trades(deals)}
    told = of(whole(market, START_NS + 8 * NS_PER_S), "ES", "volume_imbalance").tolist()
    delta, volume, expected = 0.0, 0.0, []
    for second in range(8):
        here = {2: (10, 10), 3: (-4, 4)}.get(second, (0, 0))
        delta, volume = delta * 0.9 + here[0], volume * 0.9 + here[1]
        expected.append(delta / (volume + 1))
    assert told == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("step", "side", "sign"), [(1, -1, 1), (-1, 1, -1), (1, 1, 0), (-1, -1, 0)])
def test_divergence_is_price_against_delta(step: int, side: int, sign: int) -> None:
    """Up on selling is positive (bearish), down on buying negative; where both agree there is none."""
    wobble = [(START_NS + k * NS_PER_S, 0, 20_000 + k % 2) for k in range(300)]
    moving = [(START_NS + (300 + k) * NS_PER_S, 0, 20_000 + step * k) for k in range(60)]
    deals = [(at + 1, 0, bid, 5, side) for at, _, bid in wobble + moving]
    market = {"l1": quotes(wobble + moving), "trade": trades(deals)}
    last = of(whole(market, START_NS + 359 * NS_PER_S), "ES", "delta_divergence_signed")[-1]
    assert last == sign


def test_a_wild_hour_is_told_from_a_quiet_one() -> None:
    """After half an hour of one tick up and down, ten minutes of twenty ticks are high_vol, and not before."""
    rng = np.random.default_rng(2)
    quiet = 20_000 + rng.integers(-1, 2, 1800)
    wild = 20_000 + np.cumsum(rng.integers(-20, 21, 600))
    bids = np.concatenate((quiet, wild)).tolist()
    market = {"l1": quotes([(START_NS + k * NS_PER_S, 0, bid) for k, bid in enumerate(bids)])}
    told = of(whole(market, START_NS + 2400 * NS_PER_S), "ES", "volatility_regime")
    assert set(told[900:1800]) == {"normal_vol"}
    assert set(told[1900:]) == {"high_vol"}


def test_a_tick_is_learnt_where_it_is_not_known() -> None:
    """An instrument that is not in the table has rows from its first quote with a spread on."""
    locked = quotes([(START_NS, 0, 400)], symbols=("XY",), spread=0)
    wide = quotes([(START_NS + (2 + k) * NS_PER_S, 0, 400 + k % 3) for k in range(90)], symbols=("XY",), spread=2)
    market = {"l1": Table.concatenate([locked, wide])}
    told = Leadership(("XY",)).observe(market, START_NS + 92 * NS_PER_S)
    assert int(told.avail[0]) == START_NS + 2 * NS_PER_S
    assert set(told.array("leadership_strength")) == {0.5}


def test_nothing_is_told_before_any_quote() -> None:
    """Trades alone make no features."""
    assert len(whole(within({"trade": MARKET["trade"]}, 0, END_NS), END_NS)) == 0
