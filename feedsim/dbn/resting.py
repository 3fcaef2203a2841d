"""The orders that rest in the books of a session, kept from its rows of mbo, in the order of their priority."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.dbn.before import fixed
from feedsim.dbn.layout import ADD, CANCEL, CLEAR, MODIFY
from feedsim.events import Table

ORDER = np.dtype(
    [
        ("order_id", "<i8"),
        ("symbol", "<i8"),
        ("action", "<i8"),
        ("side", "<i8"),
        ("price", "<i8"),
        ("size", "<i8"),
        ("ts", "<i8"),
        ("sequence", "<i8"),
        ("since", "<i8"),
    ]
)
"""`since` counts rows of the session: who came first is served first. `price` is in units of 1e-9."""


class Resting:
    """The state at one place on the tape. Nothing of it is ever changed."""

    def __init__(self, orders: npt.NDArray[Any] | None = None, rows: int = 0) -> None:
        self.orders = np.empty(0, ORDER) if orders is None else orders
        """By priority; all are additions."""
        self._rows = rows

    def after(self, table: Table) -> Resting:
        """The state behind some more rows."""
        rows = np.concatenate((self.orders, self._taken(table)))
        kept = _in_turn(rows[_not_cleared(rows)])
        return Resting(kept, self._rows + len(table))

    def _taken(self, table: Table) -> npt.NDArray[Any]:
        """The rows that change a book."""
        at = np.flatnonzero(np.isin(table.array("action"), (ADD, CANCEL, MODIFY, CLEAR)))
        rows = np.empty(len(at), ORDER)
        for name in ("order_id", "symbol", "action", "side", "size", "ts", "sequence"):
            rows[name] = table.array(name)[at]
        rows["price"] = fixed(table.array("price")[at])
        rows["since"] = self._rows + at
        return rows


def _not_cleared(rows: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """What came after the last clear of its symbol."""
    place = np.arange(len(rows))
    kept: npt.NDArray[np.bool_] = rows["action"] != CLEAR
    for symbol in np.unique(rows["symbol"][~kept]).tolist():
        mine = rows["symbol"] == symbol
        kept &= ~mine | (place > np.flatnonzero(mine & (rows["action"] == CLEAR))[-1])
    return kept


def _in_turn(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What is left of each order when all its rows have happened."""
    rows = rows[np.lexsort((rows["order_id"], rows["symbol"]))]
    if not len(rows):
        return rows
    first = np.append(True, ~_same_order(rows[1:], rows[:-1]))
    ends = np.flatnonzero(np.append(first[1:], True))
    sets = rows["action"] != CANCEL
    last = np.maximum.accumulate(np.where(sets, np.arange(len(rows)), -1))[ends]
    gone = np.cumsum(np.where(sets, 0, rows["size"]))
    orders = rows[last]
    there = (last >= 0) & _same_order(orders, rows[ends])
    orders["size"] -= gone[ends] - gone[last]
    orders["action"], orders["since"] = ADD, _since(rows, first)[last]
    orders = orders[there & (orders["size"] > 0)]
    return orders[np.argsort(orders["since"], kind="stable")]


def _same_order(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    same: npt.NDArray[np.bool_] = left["order_id"] == right["order_id"]
    same &= left["symbol"] == right["symbol"]
    return same


def _since(rows: npt.NDArray[Any], first: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """An order that is modified keeps its place if its price stays and it does not grow."""
    since: npt.NDArray[np.int64] = rows["since"].copy()
    for at in np.flatnonzero((rows["action"] == MODIFY) & ~first).tolist():
        before = rows[at - 1]
        if before["action"] != CANCEL and before["price"] == rows["price"][at] and before["size"] >= rows["size"][at]:
            since[at] = since[at - 1]
    return since
