"""The extended truth: what it tells is what the quotes and the schedule say, and no event tells it before."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.events import SCHEMAS
from feedsim.market.config import START_NS
from feedsim.market.market import SymbolMarket
from feedsim.market.scenarios import SCENARIOS
from feedsim.market.sheets import Sheets
from feedsim.mia import Session, generate
from feedsim.mia.windows import FORWARD_S, FUTURE, spans_of

S = 10**9
MS = 10**6
TICK = 0.25


@cache
def _made(scenario: str, minutes: float, seed: int) -> Session:
    return generate(scenario=scenario, minutes=minutes, seed=seed, l1_interval_ms=1000, l2_interval_ms=1000)


def _windows(session: Session) -> pd.DataFrame:
    return session.frames()["windows"]


def _rows(frame: pd.DataFrame) -> list[Any]:
    """As tuples with names."""
    return list(frame.itertuples())


def _mid(l1: pd.DataFrame, ts: int) -> float:
    """Of the last change of the quotes up to a time in ns."""
    row = l1.iloc[int(np.searchsorted(l1["ts"], ts, side="right")) - 1]
    return float(row["bid"] + row["ask"]) / 2


@pytest.mark.parametrize("scenario", ["orderflow_accumulation", "news_spike", "delta_divergence", "trend_down"])
def test_what_came_of_a_window_is_in_the_quotes(scenario: str) -> None:
    """Moves and returns are those of the market's own L1 rows; where the session ends before, they are missing."""
    session = _made(scenario, 12, 5)
    table = session.open().read(session.end_ns)["l1"]
    raw = pd.DataFrame({name: table.array(name) for name in ("ts", "symbol", "bid", "ask")})
    l1 = {symbol: raw[raw["symbol"] == code] for code, symbol in enumerate(("ES", "NQ"))}
    windows = _windows(session)
    assert len(windows)
    for row in _rows(windows):
        start = max(row.t_start * MS, session.start_ns)
        before = _mid(l1[row.symbol], start)
        for seconds in FORWARD_S:
            told = getattr(row, f"realised_fwd_{seconds}s")
            if start + seconds * S < session.end_ns:
                assert told == _mid(l1[row.symbol], start + seconds * S) / before - 1
            else:
                assert np.isnan(told)
        if row.t_end * MS < session.end_ns:
            assert row.realised_move == (_mid(l1[row.symbol], row.t_end * MS) - before) / TICK
        else:
            assert np.isnan(row.realised_move)


@pytest.mark.parametrize("scenario", ["orderflow_accumulation", "orderflow_distribution"])
def test_the_level_is_that_of_the_hidden_order(scenario: str) -> None:
    """The price at which the market's own iceberg stands, for the rest of the window too."""
    session = _made(scenario, 30, 3)
    windows = _windows(session).query("symbol == 'ES'")
    source = session.open()
    market = SymbolMarket("ES", source.config, source.schedule, seed=3, start_ns=START_NS)
    sheets, found = Sheets(), 0
    for row in _rows(windows):
        if row.phase == "absorption" and row.t_start * MS > START_NS:
            for _ in market.run(row.t_start * MS + S, sheets):
                pass
            level = float(market._state.iceberg_price) * TICK
            assert row.level == level
            found += 1
        elif found:
            same = windows[(windows["window_id"] == row.window_id) & (windows["t_start"] <= row.t_start)]
            assert row.level == same[same["phase"] == "absorption"]["level"].iloc[-1]
    assert found >= 2


@pytest.mark.parametrize("scenario", ["orderflow_accumulation", "news_spike", "delta_divergence", "trend_up"])
def test_it_agrees_with_the_truth_events(scenario: str) -> None:
    """A truth row with a window lies in the phase that the table has for it, under the same outcome."""
    frames = _made(scenario, 12, 5).frames()
    windows, truth = frames["windows"], frames["ground_truth"]
    for row in _rows(truth[truth["window_id"].notna()].iloc[::17]):
        own = windows[(windows["window_id"] == row.window_id) & (windows["symbol"] == row.symbol)]
        within = own[(own["t_start"] <= row.ts) & (row.ts < own["t_end"])]
        assert within["phase"].tolist() == [row.phase]
        assert row.label in ("none", within["label"].iloc[0])
    for row in _rows(truth[truth["outcome"].notna()]):
        own = windows[(windows["window_id"] == row.window_id) & (windows["symbol"] == row.symbol)]
        assert set(own["outcome"]) == {row.outcome}
        assert own["t_end"].max() == row.ts + 1000


def test_a_shorter_session_knows_less_and_nothing_else() -> None:
    """Cut at 60 minutes: the same rows, without what came after; no outcome of a window that is not over."""
    short, long = (_windows(_made("orderflow_accumulation", minutes, 6)) for minutes in (60, 75))
    assert 0 < len(short) < len(long)
    known = [name for name in short if name not in FUTURE]
    pd.testing.assert_frame_equal(short[known], long[known].iloc[: len(short)])
    for name in FUTURE:
        there = short[name].notna()
        assert (short[name][there] == long[name].iloc[: len(short)][there]).all()
    end_ms = (START_NS + 3600 * S) // MS
    ends = short.groupby(["window_id", "symbol"])["t_end"].transform("max")
    assert (short["outcome"].isna() == (ends > end_ms)).all()
    assert set(short["outcome"].dropna()) <= {"held", "failed"}
    assert (ends > end_ms).any(), "a window of this seed goes on beyond the hour"


def test_the_stream_has_none_of_it() -> None:
    """Truth events keep their fields: an outcome, in the closing row, is all that they tell of what came."""
    assert set(FUTURE) & set(SCHEMAS["truth"].names) == {"outcome"}
    assert not {"t_end", "level", "magnitude_true", "mu_true"} & set(SCHEMAS["truth"].names)
    assert _windows(_made("news_spike", 12, 5)).attrs["future"] == list(FUTURE)


def test_what_was_meant_is_in_ticks() -> None:
    """A jump of 36 to 60 ticks of ES at 5,000 points and a VIX of 15, four and a half times as many of NQ's."""
    windows = _windows(_made("news_spike", 60, 7)).query("phase == 'shock'")
    assert len(windows) >= 2
    es, nq = (windows[windows["symbol"] == symbol]["magnitude_true"].to_numpy() for symbol in ("ES", "NQ"))
    assert ((np.abs(es) > 36 * 0.8) & (np.abs(es) < 60 * 1.2)).all()
    assert nq == pytest.approx(es * 18000 / 5000 * 1.25, rel=0.02)
    seconds = (windows["t_end"] - windows["t_start"]) / 1000
    assert windows["mu_true"].to_numpy() == pytest.approx((windows["magnitude_true"] / seconds).to_numpy())
    assert (np.sign(windows["magnitude_true"]) == windows["side"]).all()


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(SCENARIOS)), st.integers(0, 2**31), st.floats(5, 300))
def test_phases_of_a_window_follow_each_other(scenario: str, seed: int, minutes: float) -> None:
    """Without a hole, in order, each of a positive length, and none that the session does not touch."""
    schedule = generate(scenario=scenario, minutes=minutes, seed=seed).open().schedule
    seconds = round(minutes * 60)
    last: dict[int, int] = {}
    for span in spans_of(schedule, seconds):
        assert span.start < min(span.end, seconds)
        assert span.end > 0
        window = span.window.window_id
        assert last.get(window, span.start) == span.start
        last[window] = span.end
        assert span.end <= span.ends
