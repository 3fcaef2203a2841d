"""A symbol's seconds against a slow reading: every trade and every reading of the quotes by a loop."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.instruments import NS_PER_MS, NS_PER_S
from feedsim.observe.seconds import GRID_NS, PER_S, Track
from tests.observe.markets import START_NS, quotes, trades

SECONDS = 3
times = st.integers(0, SECONDS * 40 - 1).map(lambda k: START_NS + k * 25 * NS_PER_MS)
quoted = st.lists(st.tuples(times, st.just(0), st.integers(100, 104)), min_size=1, max_size=30).map(sorted)
traded = st.lists(
    st.tuples(times, st.just(0), st.integers(100, 105), st.integers(1, 9), st.sampled_from((-1, 0, 1))), max_size=30
).map(sorted)


def _gain(better: int, size: int, before: int) -> int:
    return (size if better >= 0 else 0) - (before if better <= 0 else 0)


@given(bids=quoted, deals=traded)
@settings(max_examples=40)
def test_seconds_by_a_loop(bids: list[tuple[int, int, int]], deals: list[tuple[int, int, int, int, int]]) -> None:
    """Mids and their changes as read just before every tenth of a second, order flow between readings, lots by side."""
    table = quotes(bids)
    sizes = [10 + k % 7 for k in range(len(bids))]
    table.columns["bid_size"] = np.array(sizes)
    track = Track("ES", origin_ns=0)
    track.hear_quotes(table, np.arange(len(bids)))
    track.hear_trades(trades(deals), np.arange(len(deals)))
    told = track.tell(START_NS, SECONDS)
    mids, moves, flows, last = [], [], [], None
    for reading in range(START_NS + GRID_NS, START_NS + SECONDS * NS_PER_S + 1, GRID_NS):
        known = [(bid, size) for (at, _, bid), size in zip(bids, sizes, strict=True) if at < reading]
        now = known[-1] if known else None
        mids.append(0 if now is None else 2 * now[0] + 1)
        if now is None or last is None:
            moves.append(0)
            flows.append(0)
        else:
            moves.append(2 * (now[0] - last[0]))
            flows.append(_gain(now[0] - last[0], now[1], last[1]) - _gain(last[0] - now[0], 10, 10))
        last = now
    assert told.mid.tolist() == mids[PER_S - 1 :: PER_S]
    assert told.moves.tolist() == moves
    assert told.ofi.tolist() == [sum(flows[k : k + PER_S]) for k in range(0, len(flows), PER_S)]
    heard = [deal for deal in deals if deal[0] >= bids[0][0]]
    for k in range(SECONDS):
        inside = [deal for deal in heard if 0 <= deal[0] - START_NS - k * NS_PER_S < NS_PER_S]
        assert told.volume[k] == sum(size for *_, size, _ in inside)
        assert told.bought[k] == sum(size for *_, size, side in inside if side == 1)
        assert told.sold[k] == sum(size for *_, size, side in inside if side == -1)
        so_far = [deal for deal in heard if deal[0] < START_NS + (k + 1) * NS_PER_S]
        assert told.lots[k] == sum(size for *_, size, _ in so_far)
        assert told.lots_price[k] == sum(size * (price - heard[0][2]) for _, _, price, size, _ in so_far)
