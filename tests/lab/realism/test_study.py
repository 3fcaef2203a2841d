"""Sessions of the market and of tapes, from their rows to what is measured."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from feedsim.instruments import NS_PER_S, trading_day
from feedsim.lab.realism import measure
from feedsim.lab.realism.arrays import Session
from feedsim.lab.realism.gathered import Gathering
from feedsim.lab.realism.generated import generated, sheets_with_log
from feedsim.lab.realism.plots import plots_of
from feedsim.lab.realism.result import TOO_LITTLE
from feedsim.lab.realism.study import Protocol, Study, start_of, study_market, study_tape
from feedsim.market.config import MarketConfig
from feedsim.playback.tape import Tape, TapeConfig
from feedsim.sources.synthetic import SyntheticSource
from tests.lab.realism.made import DAY

START_NS = start_of(DAY, 0, 60)
MINUTES = 2.0
NORMAL = MarketConfig()


def bare(source: SyntheticSource) -> Tape:
    return Tape(source, TapeConfig(bar_tf_s=(), footprint_tf_s=(), features_every_s=0))


@pytest.fixture(scope="module")
def sessions() -> dict[str, Session]:
    return generated(NORMAL, seed=5, start_ns=START_NS, minutes=MINUTES, sheets=sheets_with_log())


def test_a_tape_tells_the_same_session(sessions: dict[str, Session]) -> None:
    """Trades, quotes, books and VIX of the market itself and of its events are equal to the row."""
    source = SyntheticSource(config=NORMAL, seed=5, start_ns=START_NS, minutes=MINUTES)
    (gathered,) = Gathering(bare(source)).stretches()
    assert set(gathered) == set(sessions)
    for symbol, mine in sessions.items():
        its = gathered[symbol]
        assert (its.start_ns, its.end_ns) == (mine.start_ns, mine.end_ns)
        for part in ("trades", "quotes", "books"):
            for field in fields(getattr(mine, part)):
                left, right = (getattr(getattr(of, part), field.name) for of in (mine, its))
                assert np.array_equal(left, right), (symbol, part, field.name)
        assert mine.vix is not None
        assert its.vix is not None
        assert np.array_equal(mine.vix.vix, its.vix.vix)


def test_sessions_are_pooled_from_a_generator(sessions: dict[str, Session]) -> None:
    """The same session twice has the same shares as once."""
    once, twice = measure([sessions]), measure(sessions for _ in range(2))
    for name in ("spread1_time", "mo_p1", "lo_at_best", "submsec_book_gap_share", "mo_size_mean", "L2_L1"):
        assert twice["ES"][name] == pytest.approx(once["ES"][name])


def test_metrics_lie_in_their_ranges(sessions: dict[str, Session]) -> None:
    """Shares from 0 to 1, correlations from −1 to 1, whatever the session."""
    found = measure([sessions])["NQ"]
    for name in ("spread1_share", "zero_1s", "mo_p1", "depl_by_trade", "gap_top10", "lo_at_best", "ofi_r2.1"):
        assert 0 <= found[name] <= 1
    for name in ("corr_bidask_size", "sign_acf.1"):
        assert -1 <= found[name] <= 1


def test_a_study_of_a_market() -> None:
    """Everything that short sessions tell is judged, and steps are told; what takes more says so."""
    steps: list[tuple[int, int]] = []
    protocol = Protocol(seeds=1, minute_seeds=2, minutes=MINUTES, days=0)
    study = study_market(NORMAL, protocol, seed=3, start_ns=START_NS, on_step=lambda *at: steps.append(at))
    assert steps == [(1, 2), (2, 2)]
    result = study.result(name="synthetic:", kind="synthetic", sessions="", notes=[])
    assert [block.name for block in result.blocks] == ["ES", "NQ", "PAIR", "VIX"]
    told = {(row.block, row.metric): row for row in result.rows}
    assert told["ES", "lo_size_mean"].value is not None
    assert "whole sessions" in told["ES", "first5"].why
    assert study.facts.symbols["ES"].minutes.count == 4
    alone = study_market(NORMAL, protocol._replace(minute_seeds=0), seed=3, start_ns=START_NS)
    assert study.facts.symbols["ES"].trades == alone.facts.symbols["ES"].trades > 0
    drawn = dict(plots_of(study))
    assert {"ES", "NQ"} <= set(drawn)
    assert all(picture.startswith("<svg") for pictures in drawn.values() for picture in pictures)


def test_whole_sessions_of_a_market() -> None:
    """A night and a day of NQ: their spread is told, their shape once there are some of them."""
    protocol = Protocol(seeds=1, minute_seeds=0, minutes=0.1, days=1)
    study = study_market(MarketConfig(symbols=("NQ",)), protocol, seed=3, start_ns=START_NS)
    assert study.days["NQ"].count == 1
    quoting = study.facts.symbols["NQ"].quoting
    night_ns = DAY.close_ns - DAY.open_ns - (DAY.rth_close_ns - DAY.rth_open_ns)
    # A quote counts where it begins.
    assert quoting.night_by_spread.sum() == pytest.approx(night_ns, abs=60 * NS_PER_S)
    assert quoting.time_by_spread.sum() <= 6 * NS_PER_S
    result = study.result(name="", kind="", sessions="", notes=[])
    assert next(row.why for row in result.rows if row.metric == "first5") == TOO_LITTLE


def test_a_study_of_a_tape_knows_no_orders() -> None:
    """And says so."""
    source = SyntheticSource(config=NORMAL, seed=5, start_ns=START_NS, minutes=MINUTES)
    result = study_tape(Gathering(bare(source))).result(name="", kind="", sessions="", notes=[])
    told = {(row.block, row.metric): row for row in result.rows}
    assert "orders themselves" in told["ES", "life_median_s"].why
    assert told["ES", "mo_p1"].value is not None
    assert told["PAIR", "corr_100ms"].value is not None


def test_a_study_of_nothing_judges_nothing() -> None:
    """No blocks rather than rows of dashes."""
    result = Study().result(name="", kind="", sessions="", notes=[])
    assert (result.blocks, result.rows) == ([], [])


@pytest.mark.parametrize("minutes", [10, 60, 360])
def test_sessions_lie_in_regular_trading_without_its_edges(minutes: float) -> None:
    """They begin at 09:45 one after the other and end by 15:45, whatever their number."""
    quarter = 15 * 60 * NS_PER_S
    starts = [start_of(DAY, index, minutes) for index in range(50)]
    assert starts[0] == DAY.rth_open_ns + quarter
    assert max(starts) + minutes * 60 * NS_PER_S <= DAY.rth_close_ns - quarter
    assert len(set(starts)) == min(360 // minutes, 50)


def test_each_trading_day_is_a_stretch() -> None:
    """A tape over a break: two of them, none with rows of the other."""
    day = trading_day(DAY.date)
    source = SyntheticSource(
        config=MarketConfig(symbols=("ES",)), seed=1, start_ns=day.close_ns - 30 * NS_PER_S, minutes=61
    )
    first, second = Gathering(bare(source)).stretches()
    assert first["ES"].day == day
    assert first["ES"].end_ns == day.close_ns
    assert second["ES"].quotes is not None
    assert second["ES"].start_ns == day.close_ns + 3600 * NS_PER_S
    assert second["ES"].quotes.ts[0] >= second["ES"].start_ns
