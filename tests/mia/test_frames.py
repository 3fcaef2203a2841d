"""The tables of a session agree with each other and with the trades, to the lot."""

from __future__ import annotations

import gc
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from feedsim.mia import Session, generate
from feedsim.mia.frames import NAMES, WINDOWS, Frames

START_MS = 1_755_783_000_000
KEYS = ["ts", "symbol"]
LISTS = ["bid_px", "bid_sz", "ask_px", "ask_sz"]


def test_all_tables_are_there_in_their_order(frames: Frames) -> None:
    """The order in which the seed API has them, the windows after them."""
    assert tuple(frames) == (*NAMES, WINDOWS)


@pytest.mark.parametrize(("table", "every_ms"), [("l1", 200), ("l2", 100), ("bars", 1000), ("ground_truth", 1000)])
def test_rows_are_on_their_grid(table: str, every_ms: int, frames: Frames) -> None:
    """One a time and symbol, by time and then symbol, without a hole."""
    frame = frames[table]
    times = np.arange(START_MS, START_MS + 6 * 60_000, every_ms)
    assert frame["ts"].tolist() == np.repeat(times, 2).tolist()
    assert frame["symbol"].tolist() == ["ES", "NQ"] * len(times)


def test_l1_is_the_top_of_l2(frames: Frames) -> None:
    """At every time that both have."""
    l1, l2 = frames["l1"], frames["l2"]
    both = l1.merge(l2, on=KEYS)
    assert len(both) == len(l1)
    for side in ("bid", "ask"):
        assert (both[side] == [prices[0] for prices in both[f"{side}_px"]]).all()
        assert (both[f"{side}_size"] == [sizes[0] for sizes in both[f"{side}_sz"]]).all()


def test_books_are_sorted_and_full(frames: Frames) -> None:
    """Ten levels a side, prices outward, bid below ask, sizes above zero, on the tick; mid and spread are theirs."""
    l2 = frames["l2"]
    bid, bid_sz, ask, ask_sz = (np.array(l2[name].tolist()) for name in LISTS)
    assert all(type(row) is list for name in LISTS for row in l2[name])
    assert bid.shape == ask.shape == bid_sz.shape == ask_sz.shape == (len(l2), 10)
    assert (l2["levels"] == 10).all()
    assert (np.diff(bid) < 0).all()
    assert (np.diff(ask) > 0).all()
    assert (bid[:, 0] < ask[:, 0]).all()
    assert ((bid_sz >= 1) & (ask_sz >= 1)).all()
    assert ((bid * 4 % 1 == 0) & (ask * 4 % 1 == 0)).all()
    assert (l2["mid"] * 2 == bid[:, 0] + ask[:, 0]).all()
    assert (l2["spread"] == ask[:, 0] - bid[:, 0]).all()


def test_last_price_is_that_of_the_last_trade(session: Session, frames: Frames) -> None:
    """Before the first trade it is the starting price."""
    trades = session.trades()
    for symbol, starting in (("ES", 5000.0), ("NQ", 18000.0)):
        l1 = frames["l1"][frames["l1"]["symbol"] == symbol]
        of = trades[trades["symbol"] == symbol]
        # A trade's time in ms is cut: one in the same ms as a row may be after it, so these rows are left out.
        rows = l1[~l1["ts"].isin(of["ts"])]
        at = np.searchsorted(of["ts"], rows["ts"], side="right")
        assert rows["last_price"].tolist() == np.array([starting, *of["price"]])[at].tolist()
        assert rows["last_size"].tolist() == np.array([1, *of["size"]])[at].tolist()


@pytest.mark.parametrize("name", ["session", "quiet"])
def test_bars_are_the_trades(name: str, request: pytest.FixtureRequest) -> None:
    """Open, high, low, close, volume, delta and count by pandas' own grouping; flat where nothing traded."""
    session: Session = request.getfixturevalue(name)
    trades = session.trades()
    trades["ts"] = trades["ts"] // 1000 * 1000
    trades["signed"] = trades["size"] * trades["side"]
    grouped = trades.groupby(KEYS)
    expected = grouped["price"].agg(["first", "max", "min", "last"])
    bars = session.frames()["bars"].set_index(KEYS)
    traded = bars.loc[expected.index]
    assert (traded[["open", "high", "low", "close"]].to_numpy() == expected.to_numpy()).all()
    for column, sums in (("volume", grouped["size"].sum()), ("delta", grouped["signed"].sum())):
        assert (traded[column] == sums).all()
    assert (traded["trades"] == grouped.size()).all()
    flat = bars[~bars.index.isin(expected.index)]
    assert len(flat) > 0 or name != "quiet"
    assert (flat[["volume", "delta", "trades"]] == 0).all(axis=None)
    assert (flat[["open", "high", "low"]].eq(flat["close"], axis=0)).all(axis=None)


def test_vwap_is_that_of_all_trades_so_far(session: Session, frames: Frames) -> None:
    """Σpv / Σv since the session's first trade, and its volume-weighted deviation."""
    trades = session.trades().query("symbol == 'ES'")
    bars = frames["bars"].query("symbol == 'ES'")
    before = trades["ts"].to_numpy() // 1000 * 1000
    for row in bars.iloc[[50, 200, 359]].itertuples():
        upto = trades[before <= row.ts]
        vwap = np.average(upto["price"], weights=upto["size"])
        deviation = np.sqrt(np.average((upto["price"] - vwap) ** 2, weights=upto["size"]))
        assert row.vwap == pytest.approx(vwap, abs=1e-9)
        assert row.vwap_sd2 == pytest.approx(vwap + 2 * deviation, abs=1e-6)
        assert row.vwap_dn1 == pytest.approx(vwap - deviation, abs=1e-6)


def test_footprint_adds_up_to_the_bars(frames: Frames) -> None:
    """A row for each price of a bar: volumes and deltas add up, prices are the bar's."""
    levels = frames["footprint"]
    sums = levels.groupby(["bar_start_ts", "symbol"]).agg(
        bid=("bid_volume", "sum"),
        ask=("ask_volume", "sum"),
        delta=("delta", "sum"),
        low=("price_level", "min"),
        high=("price_level", "max"),
    )
    bars = frames["bars"].set_index(KEYS).query("volume > 0")
    assert sums.index.tolist() == bars.index.tolist()
    assert (sums["bid"] + sums["ask"] == bars["volume"].to_numpy()).all()
    assert (sums["delta"] == bars["delta"].to_numpy()).all()
    assert (sums[["low", "high"]].to_numpy() == bars[["low", "high"]].to_numpy()).all()
    assert (levels["delta"] == levels["ask_volume"] - levels["bid_volume"]).all()


def test_truth_has_phases_and_windows(frames: Frames) -> None:
    """Null outside of windows; an outcome stands in the last row of a window alone."""
    truth = frames["ground_truth"].query("symbol == 'ES'")
    inside = truth["window_id"].notna()
    assert 0 < inside.sum() < len(truth)
    assert (truth["phase"].notna() == inside).all()
    closing = truth[truth["outcome"].notna()]
    assert len(closing)
    following = truth["window_id"].shift(-1).loc[closing.index]
    assert (following.fillna(-1) != closing["window_id"]).all()


@pytest.mark.parametrize("tf_s", [1, 5, 7, 60])
def test_bars_of_any_length_hold_what_is_over(tf_s: int) -> None:
    """Counted from the start, whole ones only: what is left at the end is in none."""
    start = datetime(2025, 8, 21, 14, 0, 3, 500_000, tzinfo=UTC)
    session = generate(minutes=2, seed=4, start=start, bar_tf_s=tf_s)
    bars, trades = session.frames()["bars"], session.trades()
    start_ms = session.start_ns // 10**6
    assert bars["ts"].tolist() == np.repeat(start_ms + np.arange(120 // tf_s) * tf_s * 1000, 2).tolist()
    over = trades[trades["ts"] < start_ms + 120 // tf_s * tf_s * 1000]
    number = (over["ts"] - start_ms) // (tf_s * 1000)
    sums = over.groupby([number, "symbol"])["size"].sum()
    traded = bars[bars["volume"] > 0]
    assert traded["volume"].tolist() == sums.tolist()


def test_a_longer_session_begins_with_a_shorter_one() -> None:
    """From an hour on nothing that is told depends on what comes after."""
    short, long = (
        generate(scenario="trend_up", minutes=minutes, seed=2, l2_interval_ms=60_000) for minutes in (60, 61)
    )
    longer = long.frames()
    for name, frame in short.frames().items():
        if name != WINDOWS:
            pd.testing.assert_frame_equal(longer[name].iloc[: len(frame)], frame)


def test_parts_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rows in whatever parts the market is read."""
    whole = generate(scenario="news_spike", minutes=3, seed=9).frames()
    monkeypatch.setattr("feedsim.mia.told.PART_NS", 7_300_000_000)
    for name, frame in generate(scenario="news_spike", minutes=3, seed=9).frames().items():
        pd.testing.assert_frame_equal(frame, whole[name])


def test_the_break_has_no_rows() -> None:
    """Globex closes from 17:00 to 18:00 New York time: nothing is told of it, and nothing is missing after it."""
    session = generate(minutes=62, seed=3, start=datetime(2025, 8, 21, 20, 59, tzinfo=UTC), l2_interval_ms=1000)
    frames = session.frames()
    for name in ("l1", "l2", "bars", "ground_truth"):
        minutes = ((frames[name]["ts"] - session.start_ns // 10**6) // 60_000).unique()
        assert minutes.tolist() == [0, 61], name
        assert not frames[name][["ts", "symbol"]].isna().any(axis=None)
    assert not frames["bars"].isna().any(axis=None)


def test_collection_goes_on_afterwards(session: Session) -> None:
    """Making the tables pauses the collector only if it runs, and only for as long."""
    gc.disable()
    session.frames()
    assert not gc.isenabled()
    gc.enable()
    session.frames()
    assert gc.isenabled()
