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
    ADD,
    BOOK,
    CANCEL,
    FILL,
    LEVELS,
    MODIFY,
    QUEUE,
    REACH,
    SHOWN,
    USER_ID,
    USER_LEFT,
    USER_PRICE,
    USER_RESTS,
    USER_SIDE,
    USERS,
    WIDEST,
    WINDOW,
    clear,
    drop_filled,
    eat,
    first_empty,
    lots,
    outward,
    place,
    remove,
    shrink,
)
from feedsim.market.chance import below, exp, exponential, logistic, stream, uniform
from feedsim.market.compiling import compiled
from feedsim.market.factors import STEP_NS
from feedsim.market.law import BIRTHS, BIRTHS_UNTIL, CHOICES, LN10
from feedsim.market.modulators import (
    CANCEL_EMPTY,
    DEPTH_ASK,
    DEPTH_BID,
    FLOW_BIAS,
    HALT,
    ICEBERG,
    ICEBERG_OFFSET,
    ICEBERG_REFRESH,
    ICEBERG_RESERVE,
    ICEBERG_SIDE,
    IMBALANCE,
    INSIDE,
    LOTS,
    QUOTE_TILT,
    TRADES,
)
from feedsim.market.reaction import REACTION, leaning
from feedsim.market.users import TOLD, fill_user

FORMAT = 4
"""Of the state and of what is told: another one, other bytes."""

NEVER = 1 << 62
MOST_PRINTS = 12  # prices that one market order may walk through
MOST_HURRY = 40.0  # ticks of the latent price beyond which it is no busier
DEEPEST_TILT = 1.0  # log of how far a best queue grows beyond its usual depth
OTHER_PRICES = 0.92  # depth where the number is not round
THINNING = 0.8  # a fall of depth below this share is more than cancellations one by one can follow
LOG_ROOM = 2 * (REACH + WINDOW) * QUEUE  # rows of the log that one event may need

# What is told, as rows of int64: prices in ticks, sizes in lots.
TRADE_FIELDS = ("ts", "price", "size", "side", "trade_id")
L1_FIELDS = ("ts", "bid", "ask", "bid_size", "ask_size", "last_price", "last_size")
L2_FIELDS = ("ts", *(f"{side}_{what}" for side in ("bid", "ask") for what in ("px", "sz", "ct")))
"""All but the time SHOWN values wide, the best level first."""
L2_WIDTH = 1 + (len(L2_FIELDS) - 1) * SHOWN

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
            shown += _tell_l2(state, l2[shown])
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
        if uniform(state.chance) >= (1.0 - law.wide_slow) * min(moved_by[INSIDE], 1.0):
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


# ------------------------------------------------------------------------------------------------------ what happens


@compiled
def _open(state: Any, law: Any, moved_by: Any, x: float, now: int, orders: Any) -> None:
    """A new book around the latent price; of the old one nothing is left."""
    for side in range(2):
        for ticks in range(REACH if len(orders) else 0):
            _log_gone(state, side, state.best[side] + ticks * outward(side), now, orders)
    clear(state, int(x))
    state.open = 1
    state.burst = 0
    state.emptied = 0
    state.fresh = 0
    state.iceberg = 0
    for side in range(2):
        state.thinned[side] = moved_by[DEPTH_ASK if side else DEPTH_BID]
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
def crosses(state: Any, side: int, price: int) -> bool:
    """Whether an order of a side would trade at once."""
    found: bool = (price - state.best[1 - side]) * outward(side) <= 0
    return found


@compiled
def _happen(state: Any, law: Any, moved_by: Any, x: float, now: int, trades: Any, traded: int, orders: Any) -> int:
    """One event; how many prints it made."""
    if state.auction:
        size, state.auction = state.auction, 0
        return walk(state, law, moved_by, state.emptied - 1, size, now, trades, traded, orders)
    bid, ask = state.best[0], state.best[1]
    if _thin(state, moved_by, now, orders) or _keep_iceberg(state, law, moved_by, now, orders):
        return 0
    bids, asks = lots(state, bid), lots(state, ask)
    imbalance = (bids - asks) / (bids + asks)
    u = _steering(law, x - 0.5 * (bid + ask))
    wide = ask - bid - 1
    if wide > 0 and uniform(state.chance) < law.inside * wide * wide * moved_by[INSIDE] * (1.0 + law.chase * abs(u)):
        _narrow(state, law, moved_by, u, now, orders)
        return 0
    if uniform(state.chance) < law.pull * abs(u):
        _pull(state, law, moved_by, 1 if u > 0 else 0, now, orders)
        return 0
    excited = state.excited
    state.excited *= law.excitation_decay
    if uniform(state.chance) < law.trade * moved_by[TRADES] * (1.0 + law.excitation * excited):
        return _trade(state, law, moved_by, imbalance, u, now, trades, traded, orders)
    _order(state, law, moved_by, imbalance, u, now, orders)
    return 0


@compiled
def _steering(law: Any, distance: float) -> float:
    """How far the latent price is from the mid, beyond the dead zone and up to a limit."""
    beyond = abs(distance) - law.dead_zone
    if beyond <= 0.0:
        return 0.0
    limited: float = min(beyond, law.steering_limit)
    return limited if distance > 0 else -limited


@compiled
def _narrow(state: Any, law: Any, moved_by: Any, u: float, now: int, orders: Any) -> None:
    """An order inside the spread: the side that was emptied comes back, or the other one follows it."""
    emptied = state.emptied - 1
    if emptied < 0:
        emptied = 0 if uniform(state.chance) < 0.5 else 1
    follows = law.step_up
    towards = u if emptied == 1 else -u  # a price that left the asks behind goes up
    odds = follows / (1.0 - follows) * exp(law.step_steering * towards)
    side = 1 - emptied if uniform(state.chance) * (1.0 + odds) < odds else emptied
    price = state.best[side] - outward(side)
    size = law.inside_size[below(state.chance, CHOICES)] * min(moved_by[DEPTH_ASK if side else DEPTH_BID], 1.0)
    add(state, side, price, max(1, int(size + 0.5)), now, orders)
    move_on(state, law)
    state.fresh = side + 1


@compiled
def _trade(
    state: Any, law: Any, moved_by: Any, imbalance: float, u: float, now: int, trades: Any, traded: int, orders: Any
) -> int:
    """A market order; it may go through several prices, each a print."""
    memory = 0.5 * state.memory[0] + 0.3 * state.memory[1] + 0.2 * state.memory[2]
    odds = law.sign_imbalance * moved_by[IMBALANCE] * imbalance + law.sign_memory * memory
    odds += law.sign_steering * u + moved_by[FLOW_BIAS]
    side = 1 if uniform(state.chance) < logistic(odds) else 0
    there = lots(state, state.best[side])
    if uniform(state.chance) < law.take_all * exp(-there / law.take_all_lots):
        size = there
    else:
        size = max(1, int(law.trade_size[below(state.chance, CHOICES)] * moved_by[LOTS] + 0.5))
    if size > there and uniform(state.chance) >= law.through:
        size = there
    prints = walk(state, law, moved_by, side, size, now, trades, traded, orders)
    if prints:
        excite(state, law, side)
    return prints


@compiled
def excite(state: Any, law: Any, side: int) -> None:
    """A market order that took from a side is remembered, and others follow it at once."""
    state.memory[2], state.memory[1], state.memory[0] = state.memory[1], state.memory[0], outward(side)
    state.excited = 1.0
    state.after = 1
    state.burst = max(state.burst, int(exponential(state.chance) * law.burst_trade))


@compiled
def walk(
    state: Any, law: Any, moved_by: Any, side: int, size: int, now: int, trades: Any, traded: int, orders: Any
) -> int:
    """Trade `size` lots against a side, price by price. At the widest spread a side keeps its last lot."""
    prints = 0
    while size > 0 and prints < MOST_PRINTS:
        price = state.best[side]
        there = lots(state, price)
        if state.best[1] - state.best[0] >= WIDEST:
            there -= 1
        part = min(size, there)
        if part <= 0:
            break
        _fill_orders(state, side, price, part, now, orders)
        size -= part
        state.trades += 1
        state.last_price = price
        state.last_size = part
        row = trades[traded + prints]
        row[0], row[1], row[2], row[3], row[4] = now, price, part, outward(side), state.trades
        prints += 1
        if state.best[side] != price:
            if state.iceberg and price == state.iceberg_price and _renew_iceberg(state, law, moved_by, now, orders):
                continue
            leave(state, law, moved_by, side, now, orders)
    _keep_iceberg(state, law, moved_by, now, orders)
    return prints


@compiled
def _fill_orders(state: Any, side: int, price: int, size: int, now: int, orders: Any) -> None:
    at = price & (LEVELS - 1)
    first = state.sizes[at, 0]
    done = eat(state, side, size)
    if len(orders):
        left = size
        for index in range(done):
            traded = first if index == 0 else state.sizes[at, index]
            write(state, now, FILL, state.ids[at, index], side, price, traded, orders)
            left -= traded
        if left:
            write(state, now, FILL, state.ids[at, done], side, price, left, orders)
    if state.users:
        left = size
        for index in range(done + 1):
            traded = left if index == done else first if index == 0 else state.sizes[at, index]
            if traded and state.ids[at, index] < 0:
                fill_user(state, state.ids[at, index], traded, now)
            left -= traded
    drop_filled(state, side, done)


@compiled
def _order(state: Any, law: Any, moved_by: Any, imbalance: float, u: float, now: int, orders: Any) -> None:
    """A limit order or a cancellation, by how full its queue is against the depth that it tends to."""
    if state.fresh and state.burst and uniform(state.chance) < law.refill:
        side = state.fresh - 1
        wanted = law.depth[0] * moved_by[DEPTH_ASK if side else DEPTH_BID]
        if lots(state, state.best[side]) >= wanted:
            state.fresh = 0
            return
        add(state, side, state.best[side], law.order_size[below(state.chance, CHOICES)], now, orders)
        return
    side = below(state.chance, 2)
    level = 0 if uniform(state.chance) < law.at_best else law.level[below(state.chance, CHOICES)]
    price = state.best[side] + level * outward(side)
    depth = law.depth[level] * _roundness(law, price) * moved_by[DEPTH_ASK if side else DEPTH_BID]
    if level == 0:
        tilt = law.tilt_imbalance * imbalance + law.tilt_steering * u + moved_by[QUOTE_TILT]
        depth *= exp(min(-tilt if side else tilt, DEEPEST_TILT))
    ratio = lots(state, price) / depth
    birth = law.birth[int(min(ratio, BIRTHS_UNTIL) * (BIRTHS / BIRTHS_UNTIL))]
    if uniform(state.chance) < birth:
        add(state, side, price, law.order_size[below(state.chance, CHOICES)], now, orders)
    else:
        _cancel(state, law, moved_by, side, price, now, orders)


@compiled
def _cancel(state: Any, law: Any, moved_by: Any, side: int, price: int, now: int, orders: Any) -> None:
    at = price & (LEVELS - 1)
    count = state.count[at]
    if count == 0:
        return
    best = price == state.best[side]
    if count == 1:
        if not best and state.levels[side] <= SHOWN:
            return
        widest = best and state.best[1] - state.best[0] >= WIDEST
        if widest or uniform(state.chance) >= max(law.cancel_last, moved_by[CANCEL_EMPTY]):
            return
    back = uniform(state.chance)
    index = count - 1 - int(count * back * back * back)  # rather the newest: most orders live short
    while index >= 0 and state.ids[at, index] < 0:
        index -= 1
    if index < 0:
        return
    size = state.sizes[at, index]
    if size > 1 and uniform(state.chance) < law.modify:
        less = 1 + below(state.chance, size - 1)
        write(state, now, MODIFY, state.ids[at, index], side, price, less, orders)
        shrink(state, price, index, less)
        return
    write(state, now, CANCEL, state.ids[at, index], side, price, size, orders)
    remove(state, side, price, index)
    if best and state.best[side] != price:
        leave(state, law, moved_by, side, now, orders)


@compiled
def _pull(state: Any, law: Any, moved_by: Any, side: int, now: int, orders: Any) -> None:
    """The newest order at the best price of a side gets out of the price's way."""
    price = state.best[side]
    at = price & (LEVELS - 1)
    last = state.count[at] - 1
    if last == 0 and state.best[1] - state.best[0] >= WIDEST:
        return
    while last >= 0 and state.ids[at, last] < 0:
        last -= 1
    if last < 0:
        return
    write(state, now, CANCEL, state.ids[at, last], side, price, state.sizes[at, last], orders)
    remove(state, side, price, last)
    if state.best[side] != price:
        leave(state, law, moved_by, side, now, orders)


@compiled
def leave(state: Any, law: Any, moved_by: Any, side: int, now: int, orders: Any) -> None:
    """The best price of a side is gone: the window behind it is filled up, and what follows comes at once."""
    fill_window(state, law, moved_by, side, now, orders)
    state.emptied = side + 1
    state.fresh = 0
    move_on(state, law)


@compiled
def move_on(state: Any, law: Any) -> None:
    state.after = 1
    state.burst = max(state.burst, int(exponential(state.chance) * law.burst_move))


@compiled
def fill_window(state: Any, law: Any, moved_by: Any, side: int, now: int, orders: Any) -> None:
    """Give the prices that came into the window of a side their orders, and a side at least what is shown of it."""
    step = outward(side)
    while (state.best[side] + (WINDOW - 1) * step - state.edge[side]) * step > 0:
        state.edge[side] += step
        _fill_price(state, law, moved_by, side, state.edge[side], now, orders)
    while state.levels[side] < SHOWN:
        _fill_price(state, law, moved_by, side, first_empty(state, side), now, orders)


@compiled
def _fill_price(state: Any, law: Any, moved_by: Any, side: int, price: int, now: int, orders: Any) -> None:
    if state.users:
        _return_users(state, side, price, now, orders)
    level = min(abs(price - state.best[side]), WINDOW - 1)
    wanted = law.depth[level] * _roundness(law, price) * (0.6 + 0.8 * uniform(state.chance))
    wanted = max(1, int(wanted * moved_by[DEPTH_ASK if side else DEPTH_BID] + 0.5))
    while wanted > 0:
        size = min(wanted, law.order_size[below(state.chance, CHOICES)])
        add(state, side, price, size, now, orders)
        wanted -= size


@compiled
def _return_users(state: Any, side: int, price: int, now: int, orders: Any) -> None:
    """Orders of users that waited for a price stand there before those of others."""
    for index in range(state.users):
        waits = not state.user[index, USER_RESTS] and state.user[index, USER_SIDE] == side
        if waits and state.user[index, USER_PRICE] == price:
            order_id, size = state.user[index, USER_ID], state.user[index, USER_LEFT]
            state.user[index, USER_RESTS] = place(state, side, price, size, order_id)
            write(state, now, ADD, order_id, side, price, size, orders)


@compiled
def _thin(state: Any, moved_by: Any, now: int, orders: Any) -> bool:
    """Where a scenario takes depth away at once, the newest orders of every queue of that side go at once."""
    thinned = False
    for side in range(2):
        depth = moved_by[DEPTH_ASK if side else DEPTH_BID]
        if depth >= THINNING * state.thinned[side]:
            state.thinned[side] = max(depth, state.thinned[side])
            continue
        share = depth / state.thinned[side]
        state.thinned[side] = depth
        step = outward(side)
        for level in range(WINDOW):
            price = state.best[side] + level * step
            at = price & (LEVELS - 1)
            wanted = max(1, int(lots(state, price) * share))
            last = state.count[at] - 1
            while last > 0 and lots(state, price) > wanted:
                if state.ids[at, last] > 0:
                    write(state, now, CANCEL, state.ids[at, last], side, price, state.sizes[at, last], orders)
                    remove(state, side, price, last)
                    thinned = True
                last -= 1
    return thinned


@compiled
def _roundness(law: Any, price: int) -> float:
    """People like round numbers: how much deeper a queue is there."""
    if price % 20 == 0:
        five: float = law.round_five
        return five
    return law.round_one if price % 4 == 0 else OTHER_PRICES


@compiled
def add(state: Any, side: int, price: int, size: int, now: int, orders: Any) -> None:
    log_forgotten(state, side, price, now, orders)
    if place(state, side, price, size, state.next_id):
        write(state, now, ADD, state.next_id, side, price, size, orders)
        state.next_id += 1


@compiled
def log_forgotten(state: Any, side: int, price: int, now: int, orders: Any) -> None:
    """An order at `price` puts out of reach what is farthest behind: the log is told that this goes."""
    step = outward(side)
    far = state.best[side] + (REACH - 1) * step
    while len(orders) and (far - price) * step >= REACH:
        _log_gone(state, side, far, now, orders)
        far -= step


@compiled
def _log_gone(state: Any, side: int, price: int, now: int, orders: Any) -> None:
    at = price & (LEVELS - 1)
    for index in range(state.count[at]):
        write(state, now, CANCEL, state.ids[at, index], side, price, state.sizes[at, index], orders)


@compiled
def write(state: Any, now: int, kind: int, order_id: int, side: int, price: int, size: int, orders: Any) -> None:
    if len(orders):
        row = orders[state.logged]
        row[0], row[1], row[2], row[3], row[4], row[5] = now, kind, order_id, side, price, size
        state.logged += 1


# ---------------------------------------------------------------------------------------------------------- icebergs


@compiled
def _keep_iceberg(state: Any, law: Any, moved_by: Any, now: int, orders: Any) -> bool:
    """Begin or end the iceberg as the schedule says; show more of it where nobody stands before it."""
    if state.iceberg != moved_by[ICEBERG]:
        state.iceberg = int(moved_by[ICEBERG])
        state.iceberg_side = int(moved_by[ICEBERG_SIDE])
        state.iceberg_price = state.best[state.iceberg_side] + int(moved_by[ICEBERG_OFFSET]) * outward(
            state.iceberg_side
        )
        state.iceberg_left = int(moved_by[ICEBERG_RESERVE])
    side = state.iceberg_side
    behind = (state.iceberg_price - state.best[side]) * outward(side) > 0
    if state.iceberg and not behind and lots(state, state.iceberg_price) < moved_by[ICEBERG_REFRESH]:
        return _renew_iceberg(state, law, moved_by, now, orders)
    return False


@compiled
def _renew_iceberg(state: Any, law: Any, moved_by: Any, now: int, orders: Any) -> bool:
    size = min(state.iceberg_left, int(moved_by[ICEBERG_REFRESH]))
    side = state.iceberg_side
    if size <= 0 or crosses(state, side, state.iceberg_price):
        return False
    add(state, side, state.iceberg_price, size, now, orders)
    fill_window(state, law, moved_by, side, now, orders)
    state.iceberg_left -= size
    return True


# ---------------------------------------------------------------------------------------------------- what is told


@compiled
def tell_l1(state: Any, now: int, row: Any) -> int:
    """One row if anything of it changed, else none."""
    bid, ask = state.best[0], state.best[1]
    row[0], row[1], row[2] = now, bid, ask
    row[3], row[4] = lots(state, bid), lots(state, ask)
    row[5], row[6] = state.last_price, state.last_size
    return _keep_if_changed(state.l1, row)


@compiled
def _tell_l2(state: Any, row: Any) -> int:
    """One row if any of the levels shown changed, else none."""
    row[0] = state.l2_ns
    for side in range(2):
        at = 1 + 3 * SHOWN * side
        price = state.best[side]
        for level in range(SHOWN):
            while state.count[price & (LEVELS - 1)] == 0:
                price += outward(side)
            row[at + level] = price
            row[at + SHOWN + level] = lots(state, price)
            row[at + 2 * SHOWN + level] = state.count[price & (LEVELS - 1)]
            price += outward(side)
    return _keep_if_changed(state.l2, row)


@compiled
def _keep_if_changed(told: Any, row: Any) -> int:
    changed = 0
    for index in range(1, len(row)):
        if told[index] != row[index]:
            changed = 1
        told[index] = row[index]
    return changed
