"""The chart's clock is found where the data proves it, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.instruments import NS_PER_MINUTE
from feedsim.sources.sierra.clock import BarState, ChartClock, bar_length, bar_start, reconcile
from feedsim.sources.sierra.lines import RECORD, Records
from tests.support.sierra_files import START_NS, rounded

QUARTER_NS = 15 * NS_PER_MINUTE


def _trades(seed: int, minutes: int) -> Records:
    """Five a minute, of prices and sizes that no two minutes share by chance."""
    rng = np.random.default_rng(seed)
    found = np.zeros(5 * minutes, RECORD)
    found["ts"] = START_NS + np.arange(len(found)) * (NS_PER_MINUTE // 5) + NS_PER_MINUTE // 10
    found["bid"] = 5000 + rng.integers(0, 1000, len(found)) / 4
    found["bid_size"] = rng.integers(1, 1000, len(found))
    return found


def _bars(trades: Records, offset_ns: int) -> dict[int, BarState]:
    bars: dict[int, BarState] = {}
    for start in range(0, len(trades), 5):
        part = trades[start : start + 5]
        price = part["bid"].tolist()
        stamp = int(part["ts"][0]) // NS_PER_MINUTE * NS_PER_MINUTE + offset_ns
        bars[stamp] = BarState(price[0], max(price), min(price), price[-1], float(part["bid_size"].sum()), 0, 0)
    return bars


@given(seed=st.integers(0, 2**32), quarters=st.integers(-48, 56), minutes=st.integers(2, 30))
def test_bars_that_equal_the_trades_prove_the_offset(seed: int, quarters: int, minutes: int) -> None:
    """Any time zone, by prices and volumes alone."""
    trades = _trades(seed, minutes)
    clock = reconcile(_bars(trades, quarters * QUARTER_NS), None, NS_PER_MINUTE, trades, None)
    assert clock is not None
    assert clock.offset_ns == quarters * QUARTER_NS


@pytest.mark.parametrize("name", ["open", "high", "low", "close", "volume"])
def test_bars_that_differ_prove_nothing(name: str) -> None:
    """Bars must be those of the trades in each of their values."""
    trades = _trades(1, 10)
    bars = {
        start: bar._replace(**{name: getattr(bar, name) + 1}) for start, bar in _bars(trades, 8 * QUARTER_NS).items()
    }
    assert reconcile(bars, None, NS_PER_MINUTE, trades, None) is None


def test_one_equal_bar_is_chance() -> None:
    """Two must agree."""
    trades = _trades(1, 1)
    assert reconcile(_bars(trades, 0), None, NS_PER_MINUTE, trades, None) is None


def test_the_newest_bar_holds_the_newest_tick() -> None:
    """Where no bars can be compared; not where bars are so long that several offsets would do."""
    newest = START_NS + 8 * QUARTER_NS
    none = _trades(1, 0)
    clock = reconcile({}, newest, NS_PER_MINUTE, none, START_NS + 20_000_000_000)
    assert clock is not None
    assert clock.offset_ns == 8 * QUARTER_NS
    assert reconcile({}, newest, 30 * NS_PER_MINUTE, none, START_NS + 20_000_000_000) is None
    assert reconcile({}, None, NS_PER_MINUTE, none, START_NS) is None


@given(minute=st.integers(0, 10_000))
def test_bar_stamps_are_whole_minutes(minute: int) -> None:
    """However a stamp's last digit was rounded."""
    assert bar_start(rounded(START_NS + minute * NS_PER_MINUTE)) == START_NS + minute * NS_PER_MINUTE


def test_lengths_and_names() -> None:
    """Of bars by their least distance; of clocks as zones are written."""
    assert bar_length(np.array([0, 10, 5]) * NS_PER_MINUTE) == 5 * NS_PER_MINUTE
    assert bar_length(np.array([7])) == NS_PER_MINUTE
    assert ChartClock(-QUARTER_NS * 14, NS_PER_MINUTE, "").name == "UTC-03:30"
