"""The law of one symbol's market: a queue-reactive order book that a latent price steers.

Orders come, trade and go one by one, each by chance that depends on the queues (Huang, Lehalle and Rosenbaum 2015);
a clock of bursts and a hum says when. The latent price and the modulators of a scenario lean on those chances, and
nothing else moves a price. Time is in ns; what is told does not depend on how time is cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.instruments import NS_PER_S
from feedsim.market.book import (
    BOOK,
    QUEUE,
    REACH,
    USER_PRICE,
    USER_RESTS,
    USER_SIDE,
    USERS,
    WINDOW,
    clear,
    lots,
    outward,
)
from feedsim.market.chance import below, exp, exponential, stream, uniform
from feedsim.market.compiling import compiled
from feedsim.market.factors import STEP_NS
from feedsim.market.filling import add, depth_of, fill_window
from feedsim.market.happening import (
    MOST_PRINTS,
    crosses,
    keep_iceberg,
    narrow,
    order,
    pull,
    thin,
    trade,
    walk,
)
from feedsim.market.law import CHOICES, LN10
from feedsim.market.modulators import HALT, INSIDE, TRADES
from feedsim.market.reaction import REACTION, leaning
from feedsim.market.telling import L1_FIELDS, L2_WIDTH, log_gone, tell_l1, tell_l2
from feedsim.market.users import TOLD

FORMAT = 6
"""Of the state and of what is told: another one, other bytes."""

NEVER = 1 << 62
MOST_HURRY = 40.0  # ticks of the latent price beyond which it is no busier
LOG_ROOM = 2 * (REACH + WINDOW) * QUEUE  # rows of the log that one event may need

STATE = np.dtype(
    [
        *BOOK,
        ("chance", "u8", 4),
        ("next_ns", "i8"),
        ("l2_ns", "i8"),
        ("open", "i8"),
        ("halted", "i8"),
        ("auction", "i8"),
        ("memory", "f8", 3),
        ("excited", "f8"),
        ("burst", "i8"),
        ("after", "i8"),
        ("emptied", "i8"),
        ("fresh", "i8"),
        ("thinned", "f8", 2),
        ("iceberg", "i8"),
        ("iceberg_price", "i8"),
        ("iceberg_side", "i8"),
        ("iceberg_left", "i8"),
        ("events", "i8"),
        ("logged", "i8"),
        ("trades", "i8"),
        ("last_price", "i8"),
        ("last_size", "i8"),
        ("l1", "i8", len(L1_FIELDS)),
        ("l2", "i8", L2_WIDTH),
        *TOLD,
        *REACTION,
        ("due_ns", "i8"),
        ("lowest", "f8"),
        ("highest", "f8"),
    ],
    align=True,
)
"""After the book: when the next event comes and the next L2 row is due; whether the book is open or halted, and the
lots of the auction after a halt; the last three signs; what excites trades; the burst that goes on, and whether a trade
or a move began it; the side that was emptied last and the one with a new best price (plus 1; 0 is none); the depth that
each side was thinned to; the iceberg; counts; what was told last; what is told to users and how the latent price reacts
to them; when a new book found orders of users that cross it (0: none); within what the latent price stays then."""


def new_state(symbol: str, seed: int, start_ns: int) -> npt.NDArray[Any]:
    """One record of STATE whose book opens at `start_ns`."""
    state = np.zeros(1, STATE)
    state["chance"] = stream(seed, f"orders {symbol}")
    state["next_ns"] = start_ns
    state["l2_ns"] = NEVER
    state["next_id"] = 1
    return state


@compiled
def advance(
    state: Any,
    law: Any,
    x: Any,
    busy: Any,
    modulators: Any,
    grid_ns: int,
    until_ns: int,
    l2_every_ns: int,
    trades: Any,
    l1: Any,
    l2: Any,
    orders: Any,
) -> Any:
    """Run up to `until_ns`, within the minute whose latent prices, activity and modulators are given from `grid_ns` on.

    `x` (ticks) and `busy` have a value every STEP_NS, `modulators` a row a second. Fills the first rows of `trades`,
    `l1`, `l2` and, if it has any, `orders` (int64, a row as the …_FIELDS say); tells how many of each. While a table
    was filled there may be more before `until_ns`: then `state.next_ns` is before it.
    """
    traded, quoted, shown = 0, 0, 0
    state.logged = 0
    while traded + MOST_PRINTS <= len(trades) and quoted < len(l1) and shown < len(l2):
        if len(orders) and state.logged + LOG_ROOM > len(orders):
            break
        if state.users and (state.due_ns or state.told + USERS > len(state.told_rows)):
            break
        if state.l2_ns < state.next_ns:
            if state.l2_ns >= until_ns:
                break
            shown += tell_l2(state, l2[shown])
            state.l2_ns = NEVER
            continue
        now = state.next_ns
        if now >= until_ns:
            break
        second = (now - grid_ns) // NS_PER_S
        moved_by = modulators[second]
        if moved_by[HALT]:
            state.halted = 1
            state.open = 0
            state.user[: state.users, USER_RESTS] = 0
            state.next_ns = grid_ns + (second + 1) * NS_PER_S
            continue
        step = (now - grid_ns) // STEP_NS
        steers = x[step]
        if state.leaning:
            steers = min(max(steers + leaning(state, now), state.lowest), state.highest)
        if state.open:
            traded += _happen(state, law, moved_by, steers, now, trades, traded, orders)
            state.events += 1
            state.l2_ns = min(state.l2_ns, -(-now // l2_every_ns) * l2_every_ns)
        else:
            _open(state, law, moved_by, steers, now, orders)
            state.l2_ns = now
        quoted += tell_l1(state, now, l1[quoted])
        away = max(abs(steers - 0.5 * (state.best[0] + state.best[1])) - law.dead_zone, 0.0)
        hurry = 1.0 + law.urgency * min(away, MOST_HURRY)
        state.next_ns = now + gap_after(state, law, moved_by, busy[step] * hurry)
    return traded, quoted, shown, state.logged


@compiled
def gap_after(state: Any, law: Any, moved_by: Any, busy: float) -> int:
    """The time to the next event: at once while the spread of a large tick is wide or a burst goes on, else a hum."""
    if law.large_tick and state.best[1] - state.best[0] > 1:
        gap: int = law.wide_gap[below(state.chance, CHOICES)]
        slow = min(law.wide_slow / (busy * busy), 1.0)
        if uniform(state.chance) >= (1.0 - slow) * min(moved_by[INSIDE], 1.0):
            gap *= int(exp(LN10 * (2.0 + 2.0 * uniform(state.chance))))
        return gap
    burst = law.burst_after if state.after else law.burst
    if state.burst > 0:
        state.burst -= 1
    elif uniform(state.chance) >= burst:
        state.after = 0
        state.fresh = 0
        return 1 + int(exponential(state.chance) / (law.hum * busy) * NS_PER_S)
    at_once: int = law.burst_gap[below(state.chance, CHOICES)]
    return at_once


@compiled
def _open(state: Any, law: Any, moved_by: Any, x: float, now: int, orders: Any) -> None:
    """A new book around the latent price; of the old one nothing is left."""
    for side in range(2):
        for ticks in range(REACH if len(orders) else 0):
            log_gone(state, side, state.best[side] + ticks * outward(side), now, orders)
    clear(state, int(x))
    state.open = 1
    state.burst = 0
    state.emptied = 0
    state.fresh = 0
    state.iceberg = 0
    for side in range(2):
        state.thinned[side] = depth_of(moved_by, side)
        fill_window(state, law, moved_by, side, now, orders)
    if state.halted:
        state.halted = 0
        state.auction = int(law.trade_cap * (1.0 + uniform(state.chance)))
        side = below(state.chance, 2)
        add(state, side, state.best[side], 2 * state.auction, now, orders)
        state.emptied = side + 1
    for index in range(state.users):
        if crosses(state, state.user[index, USER_SIDE], state.user[index, USER_PRICE]):
            state.due_ns = now


@compiled
def _happen(state: Any, law: Any, moved_by: Any, x: float, now: int, trades: Any, traded: int, orders: Any) -> int:
    """One event; how many prints it made."""
    if state.auction:
        size, state.auction = state.auction, 0
        return walk(state, law, moved_by, state.emptied - 1, size, now, trades, traded, orders)
    bid, ask = state.best[0], state.best[1]
    if thin(state, moved_by, now, orders) or keep_iceberg(state, law, moved_by, now, orders):
        return 0
    bids, asks = lots(state, bid), lots(state, ask)
    imbalance = (bids - asks) / (bids + asks)
    u = steering(law, x - 0.5 * (bid + ask))
    wide = ask - bid - 1
    if wide > 0 and uniform(state.chance) < law.inside * wide * wide * moved_by[INSIDE] * (1.0 + law.chase * abs(u)):
        narrow(state, law, moved_by, u, now, orders)
        return 0
    if uniform(state.chance) < law.pull * abs(u):
        pull(state, law, moved_by, 1 if u > 0 else 0, now, orders)
        return 0
    excited = state.excited
    state.excited *= law.excitation_decay
    if uniform(state.chance) < law.trade * moved_by[TRADES] * (1.0 + law.excitation * excited):
        return trade(state, law, moved_by, imbalance, u, now, trades, traded, orders)
    order(state, law, moved_by, imbalance, u, now, orders)
    return 0


@compiled
def steering(law: Any, distance: float) -> float:
    """How far the latent price is from the mid, beyond the dead zone and up to a limit."""
    beyond = abs(distance) - law.dead_zone
    if beyond <= 0.0:
        return 0.0
    limited: float = min(beyond, law.steering_limit)
    return limited if distance > 0 else -limited
