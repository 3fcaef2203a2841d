"""What an inspection counts in sessions whose defects are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.events import INT_NULL
from feedsim.instruments import NS_PER_S
from feedsim.lab import inspection
from feedsim.lab.inspection import Inspection, inspect_tape
from feedsim.lab.own_bars import BarComparison
from feedsim.lab.report import Report
from feedsim.playback.tape import Tape
from feedsim.sources.base import Tables
from feedsim.sources.recording import RecordingSource
from tests.lab.made import (
    MS,
    TICK,
    SourceWithBars,
    bars,
    books,
    market,
    quotes,
    tape_of,
    trades,
)
from tests.support.chunks import START_NS
from tests.support.recordings import record

SECONDS = 20


def _breaches(report: Report) -> dict[str, int]:
    return {text: count for count, text in report.breaches() if count}


def _report(tables: Tables, *, seconds: int = SECONDS) -> Report:
    symbols = next(iter(tables.values())).symbols
    return inspect_tape(tape_of(tables, seconds=seconds, symbols=symbols))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_a_true_market_has_no_breach(seed: int) -> None:
    """Where l1 is the top of l2 and trades print at the touch, nothing is found, and every row is counted."""
    tables = market(seed, seconds=SECONDS)
    report = _report(tables)
    assert _breaches(report) == {}
    for channel, table in tables.items():
        assert sum(facts.rows for facts in report.streams if facts.channel == channel) == len(table)
    assert sum(facts.volume for facts in report.trades) == tables["trade"].array("size").sum()
    assert all(facts.at_touch == facts.trades for facts in report.trades)


def _crossed(tables: Tables, rows: np.ndarray) -> None:
    ask, bid = tables["l1"].array("ask"), tables["l1"].array("bid")
    ask[rows] = bid[rows] - TICK


def _off_tick(tables: Tables, rows: np.ndarray) -> None:
    tables["l1"].array("last_price")[rows] = 5000.1


def _through(tables: Tables, rows: np.ndarray) -> None:
    trade = tables["trade"]
    trade.array("price")[rows] += 40 * TICK * trade.array("side")[rows]


def _inside(tables: Tables, rows: np.ndarray) -> None:
    tables["trade"].array("side")[rows] *= -1


def _other_size(tables: Tables, rows: np.ndarray) -> None:
    tables["l1"].array("bid_size")[rows] += 1


def _other_price(tables: Tables, rows: np.ndarray) -> None:
    tables["l1"].array("bid")[rows] -= TICK


def _unsorted(tables: Tables, rows: np.ndarray) -> None:
    prices = tables["l2"].ragged("bid_px").values.reshape(-1, 10)
    prices[rows, 4] = prices[rows, 3]


def _backwards(tables: Tables, rows: np.ndarray) -> None:
    tables["l2"].array("ts")[rows] -= NS_PER_S


DEFECTS = {
    "ES: quotes are crossed": ("l1", _crossed),
    "ES: l1 rows have prices off tick": ("l1", _off_tick),
    "ES: trades print through the touch": ("trade", _through),
    "ES: trades print inside the spread or at the wrong side": ("trade", _inside),
    "ES: l1 sizes are not those of the top of l2": ("l1", _other_size),
    "ES: l1 prices are not the top of l2": ("l1", _other_price),
    "ES: books have levels out of order": ("l2", _unsorted),
    "ES: l2 rows are earlier than the row before": ("l2", _backwards),
}


@pytest.mark.parametrize("says", DEFECTS)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 12))
@settings(max_examples=8, deadline=None)
def test_planted_defects_are_counted(says: str, seed: int, count: int) -> None:
    """Each kind of defect is counted as often as it was put there, among rows that are right."""
    channel, plant = DEFECTS[says]
    tables = market(seed, seconds=SECONDS, symbols=("ES",))
    rng = np.random.default_rng(seed)
    # Not the first row, and no two side by side: a time that goes back is one defect, not two.
    candidates = np.arange(1, len(tables[channel]), 2)
    rows = rng.choice(candidates, min(count, len(candidates)), replace=False)
    plant(tables, rows)
    assert _breaches(_report(tables))[says] == len(rows)


@given(seed=st.integers(0, 2**32), rows=st.integers(1, 60))
@settings(max_examples=15, deadline=None)
def test_the_report_does_not_depend_on_the_chunks(seed: int, rows: int) -> None:
    """However the tape is cut, the same is counted, in data that is full of defects and sweeps."""
    tables = _full_of_defects(seed)
    whole = _report(tables)
    tape = tape_of(tables, seconds=SECONDS)
    counted = Inspection(tape)
    while (chunk := tape.advance(rows)) is not None:
        counted.add(chunk)
    assert counted.report() == whole
    assert len(_breaches(whole)) > 5


def _full_of_defects(seed: int) -> Tables:
    tables = market(seed, seconds=SECONDS, symbols=("ES",))
    rng = np.random.default_rng(seed)
    for channel, plant in DEFECTS.values():
        plant(tables, rng.choice(len(tables[channel]), 10, replace=False))
    trade = tables["trade"]
    sweeps = np.arange(1, len(trade), 3)
    for name in ("side", "size"):
        trade.array(name)[sweeps] = trade.array(name)[sweeps - 1]
    trade.array("price")[sweeps] = trade.array("price")[sweeps - 1] + TICK * trade.array("side")[sweeps - 1]
    trade.avail[sweeps] = trade.avail[sweeps - 1]
    return tables


def test_rates_times_and_nulls_of_a_stream() -> None:
    """First and last time, the fullest second and the null fields are those of the rows."""
    rows = [(0, 10.0, 10.25, 1, 1), (900, 10.0, 10.25, 1, 1), (1000, 10.0, 10.25, 1, 1), (3999, 10.0, 10.25, 1, 1)]
    table = quotes(rows)
    table.array("last_price")[2:] = 10.0
    (l1,) = [facts for facts in _report({"l1": table}).streams if facts.channel == "l1"]
    assert (l1.first_ns, l1.last_ns) == (START_NS, START_NS + 3999 * MS)
    assert l1.peak_per_s == 2
    assert l1.per_s == pytest.approx(4 / 3.999)
    assert l1.nulls == {"last_price": 2, "last_size": 4}


def test_spreads_in_ticks() -> None:
    """Median, p99 and ends of the spread are in ticks; crossed, locked and one-sided quotes are told apart."""
    tight = [(at, 10.0, 10.25, 1, 1) for at in range(10, 60)]
    wide = [(at, 10.0, 11.0, 1, 1) for at in range(60, 109)]
    odd = [(1, 10.0, 10.0, 1, 1), (2, 10.25, 10.0, 1, 1), (3, np.nan, 10.0, 1, 1), (4, 10.0, 10.25, 0, 1)]
    (facts,) = _report({"l1": quotes([*odd, *tight, *wide])}).quotes
    assert (facts.spread_min, facts.spread_median, facts.spread_p99, facts.spread_max) == (-1.0, 1.0, 4.0, 4.0)
    assert (facts.locked, facts.crossed, facts.one_sided) == (1, 1, 2)


def test_a_sweep_goes_on_at_the_next_level() -> None:
    """What one aggressor takes behind the touch, at one time, is no breach; what comes later is."""
    quote = quotes([(0, 10.0, 10.25, 1, 1)])
    sweep = trades([(5, 10.25, 1, 1), (5, 10.5, 2, 1), (5, 10.75, 1, 1), (6, 10.75, 1, 1)])
    (facts,) = _report({"l1": quote, "trade": sweep}).trades
    assert (facts.at_touch, facts.through) == (3, 1)


def test_trades_without_a_quote_are_not_judged() -> None:
    """Before the first l1, or against one without prices, a trade is neither right nor wrong."""
    quote = quotes([(10, 10.0, 10.25, 1, 1), (20, np.nan, np.nan, 0, 0)])
    (facts,) = _report({"l1": quote, "trade": trades([(5, 99.0, 1, 1), (15, 10.25, 1, 1), (25, 99.0, 1, 1)])}).trades
    assert (facts.unquoted, facts.at_touch) == (2, 1)


def test_coarse_books_are_not_compared() -> None:
    """A book of which only the minute is known says nothing about the quote of a moment."""
    rows = [(10, [9.0, 8.75], [1, 1], [9.5], [1]), (20, [9.0], [1], [9.5, 9.75], [1, 1])]
    quote = quotes([(0, 10.0, 10.25, 1, 1)])
    (coarse,) = _report({"l1": quote, "l2": books(rows, coarse=True)}).books
    (exact,) = _report({"l1": quote, "l2": books(rows)}).books
    assert (coarse.coarse, coarse.compared, coarse.price_differs) == (2, 0, 0)
    assert (exact.coarse, exact.compared, exact.price_differs) == (0, 2, 2)
    assert (exact.levels_min, exact.levels_max) == (2, 2)


def test_own_bars_are_compared_with_the_trades() -> None:
    """Equal bars, bars that differ, bars without trades and trades without a bar are each counted.

    Trades after the last own bar are no hole: chart files end with the bars that were written.
    """
    source = SourceWithBars(
        {
            "trade": trades(
                [(100, 10.0, 2, 1), (1100, 11.0, 1, -1), (2100, 12.0, 1, 1), (4100, 13.0, 1, 1), (5100, 9.0, 1, 1)]
            )
        },
        ("ES",),
        end_ns=START_NS + 7 * NS_PER_S,
    )
    source.bars = bars(
        [
            (0, 10.0, 10.0, 10.0, 10.0, 2, 2),
            (1000, 11.0, 11.5, 11.0, 11.0, 1, INT_NULL),  # another high; its delta is not known
            (3000, 12.0, 12.0, 12.0, 12.0, 5, 0),  # nothing traded here
            (4000, 13.0, 13.0, 13.0, 13.0, 1, 1),
        ]
    )
    report = inspect_tape(Tape(source))
    (facts,) = report.bars
    assert (facts.compared, facts.equal, facts.differing) == (3, 2, {"high": 1})
    assert (facts.own_only, facts.computed_only) == (1, 1)
    assert _breaches(report) == {
        "ES 1 s: own bars differ from the trades in high": 1,
        "ES 1 s: own bars have volume where there are no trades": 1,
        "ES 1 s: own bars are missing where there are trades": 1,
    }


@pytest.mark.parametrize("broken", [False, True])
def test_bars_of_a_recording_are_computed_again(broken: bool, tmp_path: Path) -> None:
    """A recording's bars are held against its own trades."""
    tape = tape_of(market(1, seconds=SECONDS), seconds=SECONDS, symbols=("ES", "NQ"))
    chunks = []
    while (chunk := tape.advance(512)) is not None:
        chunks.append(chunk)
    if broken:
        table = next(chunk.tables["bar"].table for chunk in chunks if "bar" in chunk.tables)
        table.array("volume")[0] += 1
    record(tmp_path / "r", chunks)
    report = inspect_tape(Tape(RecordingSource(tmp_path / "r")))
    compared = [facts for facts in report.bars if facts.compared]
    assert {(facts.symbol, facts.tf_s) for facts in compared} == {("ES", 1), ("NQ", 1), ("ES", 60), ("NQ", 60)}
    assert sum(facts.compared - facts.equal for facts in compared) == broken


def test_each_chunk_is_handed_on_after_it_was_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever listens gets every event once, in chunks of the wanted size."""
    monkeypatch.setattr(inspection, "CHUNK_ROWS", 64)
    seen: list[int] = []
    report = inspect_tape(
        tape_of(market(2, seconds=SECONDS), seconds=SECONDS, symbols=("ES", "NQ")),
        on_chunk=lambda chunk: seen.extend(range(chunk.first_seq, chunk.last_seq + 1)),
    )
    assert seen == list(range(1, report.events + 1))


@given(seed=st.integers(0, 2**32), cut=st.integers(0, 12))
@settings(max_examples=40, deadline=None)
def test_bars_are_compared_whatever_the_windows(seed: int, cut: int) -> None:
    """What is found does not depend on when the two tellings are settled, and nothing found is kept."""
    rng = np.random.default_rng(seed)
    own, computed = (
        bars([(1000 * start, 1.0, 1.0, 1.0, 1.0, int(rng.integers(0, 3)), 0) for start in starts])
        for starts in (np.flatnonzero(rng.random(12) < 0.6).tolist() for _ in range(2))
    )
    whole, windows = (BarComparison(("ES",), start_ns=START_NS) for _ in range(2))
    whole.add_own(own)
    whole.add_computed(computed)
    for lo, hi in ((0, cut), (cut, 99)):
        until = START_NS + hi * NS_PER_S
        for table, add in ((own, windows.add_own), (computed, windows.add_computed)):
            ends = table.avail - START_NS
            add(table.take((ends >= lo * NS_PER_S) & (ends < hi * NS_PER_S)))
        windows.settle(until)
    assert windows.facts() == whole.facts()
    assert not any(windows._waiting)
