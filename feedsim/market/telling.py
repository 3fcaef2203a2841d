"""What one symbol's market tells, as rows of int64: prices in ticks, sizes in lots. Compiled functions on its state."""

from __future__ import annotations

from typing import Any

from feedsim.market.book import CANCEL, LEVELS, REACH, SHOWN, lots, outward
from feedsim.market.compiling import compiled

TRADE_FIELDS = ("ts", "price", "size", "side", "trade_id")
L1_FIELDS = ("ts", "bid", "ask", "bid_size", "ask_size", "last_price", "last_size")
L2_FIELDS = ("ts", *(f"{side}_{what}" for side in ("bid", "ask") for what in ("px", "sz", "ct")))
"""All but the time SHOWN values wide, the best level first."""
L2_WIDTH = 1 + (len(L2_FIELDS) - 1) * SHOWN


@compiled
def tell_l1(state: Any, now: int, row: Any) -> int:
    """One row if anything of it changed, else none."""
    bid, ask = state.best[0], state.best[1]
    row[0], row[1], row[2] = now, bid, ask
    row[3], row[4] = lots(state, bid), lots(state, ask)
    row[5], row[6] = state.last_price, state.last_size
    return _keep_if_changed(state.l1, row)


@compiled
def tell_l2(state: Any, row: Any) -> int:
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


# ------------------------------------------------------------------------------------------------- the log of orders


@compiled
def write(state: Any, now: int, kind: int, order_id: int, side: int, price: int, size: int, orders: Any) -> None:
    if len(orders):
        row = orders[state.logged]
        row[0], row[1], row[2], row[3], row[4], row[5] = now, kind, order_id, side, price, size
        state.logged += 1


@compiled
def log_forgotten(state: Any, side: int, price: int, now: int, orders: Any) -> None:
    """An order at `price` puts out of reach what is farthest behind: the log is told that this goes."""
    step = outward(side)
    far = state.best[side] + (REACH - 1) * step
    while len(orders) and (far - price) * step >= REACH:
        log_gone(state, side, far, now, orders)
        far -= step


@compiled
def log_gone(state: Any, side: int, price: int, now: int, orders: Any) -> None:
    at = price & (LEVELS - 1)
    for index in range(state.count[at]):
        write(state, now, CANCEL, state.ids[at, index], side, price, state.sizes[at, index], orders)
