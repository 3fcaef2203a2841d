"""What may happen to a book: an order inside the spread, a market order, a limit order, a cancellation, an iceberg.

Each is one event; the chances with which they come depend on the queues, the latent price and the scenario.
"""

from __future__ import annotations

from typing import Any

from feedsim.market.book import (
    CANCEL,
    FILL,
    LEVELS,
    MODIFY,
    SHOWN,
    WIDEST,
    WINDOW,
    drop_filled,
    eat,
    lots,
    outward,
    remove,
    shrink,
)
from feedsim.market.chance import below, exp, exponential, logistic, uniform
from feedsim.market.compiling import compiled
from feedsim.market.filling import add, depth_of, fill_window, usual_depth
from feedsim.market.law import BIRTHS, BIRTHS_UNTIL, CHOICES
from feedsim.market.modulators import (
    CANCEL_EMPTY,
    FLOW_BIAS,
    ICEBERG,
    ICEBERG_OFFSET,
    ICEBERG_REFRESH,
    ICEBERG_RESERVE,
    ICEBERG_SIDE,
    IMBALANCE,
    LOTS,
    QUOTE_TILT,
)
from feedsim.market.telling import write
from feedsim.market.users import fill_user

MOST_PRINTS = 12  # prices that one market order may walk through
DEEPEST_TILT = 1.0  # log of how far a best queue grows beyond its usual depth
THINNING = 0.8  # a fall of depth below this share is more than cancellations one by one can follow


# -------------------------------------------------------------------------------------------------------- the spread


@compiled
def narrow(state: Any, law: Any, moved_by: Any, u: float, now: int, orders: Any) -> None:
    """An order inside the spread: the side that was emptied comes back, or the other one follows it."""
    emptied = state.emptied - 1
    if emptied < 0:
        emptied = 0 if uniform(state.chance) < 0.5 else 1
    follows = law.step_up
    towards = u if emptied == 1 else -u  # a price that left the asks behind goes up
    odds = follows / (1.0 - follows) * exp(law.step_steering * towards)
    side = 1 - emptied if uniform(state.chance) * (1.0 + odds) < odds else emptied
    price = state.best[side] - outward(side)
    size = law.inside_size[below(state.chance, CHOICES)] * min(depth_of(moved_by, side), 1.0)
    add(state, side, price, max(1, int(size + 0.5)), now, orders)
    move_on(state, law)
    state.fresh = side + 1


@compiled
def crosses(state: Any, side: int, price: int) -> bool:
    """Whether an order of a side would trade at once."""
    found: bool = (price - state.best[1 - side]) * outward(side) <= 0
    return found


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


# ---------------------------------------------------------------------------------------------------- market orders


@compiled
def trade(
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
    """Trade `size` lots against a side, price by price."""
    prints = 0
    while size > 0 and prints < MOST_PRINTS:
        price = state.best[side]
        part = min(size, available(state, side))
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
    keep_iceberg(state, law, moved_by, now, orders)
    return prints


@compiled
def available(state: Any, side: int) -> int:
    """Lots that may trade at the best price of a side: at the widest spread it keeps its last one."""
    there = lots(state, state.best[side])
    return there - 1 if state.best[1] - state.best[0] >= WIDEST else there


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


# ---------------------------------------------------------------------------------- limit orders and cancellations


@compiled
def order(state: Any, law: Any, moved_by: Any, imbalance: float, u: float, now: int, orders: Any) -> None:
    """A limit order or a cancellation, by how full its queue is against the depth that it tends to."""
    if state.fresh and state.burst and uniform(state.chance) < law.refill:
        side = state.fresh - 1
        wanted = law.depth[0] * depth_of(moved_by, side)
        if lots(state, state.best[side]) >= wanted:
            state.fresh = 0
            return
        add(state, side, state.best[side], law.order_size[below(state.chance, CHOICES)], now, orders)
        return
    side = below(state.chance, 2)
    level = 0 if uniform(state.chance) < law.at_best else law.level[below(state.chance, CHOICES)]
    price = state.best[side] + level * outward(side)
    depth = usual_depth(law, moved_by, side, level, price)
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
    index = newest(state, price, index)
    if index < 0:
        return
    size = state.sizes[at, index]
    if size > 1 and uniform(state.chance) < law.modify:
        less = 1 + below(state.chance, size - 1)
        write(state, now, MODIFY, state.ids[at, index], side, price, less, orders)
        shrink(state, price, index, less)
        return
    take_away(state, law, moved_by, side, price, index, now, orders)


@compiled
def pull(state: Any, law: Any, moved_by: Any, side: int, now: int, orders: Any) -> None:
    """The newest order at the best price of a side gets out of the price's way."""
    price = state.best[side]
    at = price & (LEVELS - 1)
    last = state.count[at] - 1
    if last == 0 and state.best[1] - state.best[0] >= WIDEST:
        return
    last = newest(state, price, last)
    if last >= 0:
        take_away(state, law, moved_by, side, price, last, now, orders)


@compiled
def thin(state: Any, moved_by: Any, now: int, orders: Any) -> bool:
    """Where a scenario takes depth away at once, the newest orders of every queue of that side go at once."""
    thinned = False
    for side in range(2):
        depth = depth_of(moved_by, side)
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
def take_away(state: Any, law: Any, moved_by: Any, side: int, price: int, index: int, now: int, orders: Any) -> None:
    """An order goes from its place in a queue; if it was the last at the best price, that is gone."""
    at = price & (LEVELS - 1)
    best = price == state.best[side]
    write(state, now, CANCEL, state.ids[at, index], side, price, state.sizes[at, index], orders)
    remove(state, side, price, index)
    if best and state.best[side] != price:
        leave(state, law, moved_by, side, now, orders)


@compiled
def newest(state: Any, price: int, index: int) -> int:
    """The place of an order of the market's own in a queue, from `index` towards older ones; -1 if there is none."""
    at = price & (LEVELS - 1)
    while index >= 0 and state.ids[at, index] < 0:
        index -= 1
    return index


# ---------------------------------------------------------------------------------------------------------- icebergs


@compiled
def keep_iceberg(state: Any, law: Any, moved_by: Any, now: int, orders: Any) -> bool:
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
