"""The orders that the synthetic market tells build the books and trades that it tells, at every event."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from feedsim.events import Table
from feedsim.sources.base import Tables
from feedsim.sources.synthetic import SyntheticSource
from feedsim.testing import check_source

HALTING = "circuit_breaker"


@lru_cache(maxsize=2)
def told(name: str, minutes: float) -> Tables:
    source = SyntheticSource(f"synthetic:{name}", minutes=minutes, mbo=True, seed=3)
    assert source.info.end_ns is not None
    return source.read(source.info.end_ns)


def of(tables: Tables, channel: str, code: int) -> Table:
    table = tables[channel]
    return table.take(table.array("symbol") == code)


def rows(table: Table, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(table.array(name).tolist() for name in names), strict=True))


class Book:
    """A book as its reader would build it from the messages alone."""

    def __init__(self) -> None:
        self.orders: dict[int, list[Any]] = {}

    def take(self, action: str, side: int, price: float, size: int, order_id: int) -> None:
        if action == "R":
            self.orders.clear()
        elif action == "A":
            assert order_id not in self.orders
            self.orders[order_id] = [side, price, size]
        elif action == "M":
            assert self.orders[order_id][:2] == [side, price]
            assert 0 < size < self.orders[order_id][2]
            self.orders[order_id][2] = size
        elif action == "C":
            assert self.orders[order_id] == [side, price, size], "what goes goes whole"
            del self.orders[order_id]

    def levels(self, side: int) -> tuple[list[float], list[int], list[int]]:
        by_price: dict[float, list[int]] = defaultdict(list)
        for its_side, price, size in self.orders.values():
            if its_side == side:
                by_price[price].append(size)
        best = sorted(by_price, reverse=side > 0)[:10]
        return best, [sum(by_price[price]) for price in best], [len(by_price[price]) for price in best]


@pytest.mark.parametrize("name", ["normal", HALTING])
@pytest.mark.parametrize("code", [0, 1])
def test_a_book_rebuilt_from_orders_is_the_book_that_is_told(name: str, code: int) -> None:
    """Every l2 row: all ten levels with their sizes and counts, also over a halt."""
    tables = told(name, 1.0)
    messages = rows(of(tables, "mbo", code), "ts", "action", "side", "price", "size", "order_id")
    books = of(tables, "l2", code)
    names = ("bid_px", "bid_sz", "bid_ct", "ask_px", "ask_sz", "ask_ct")
    shown = list(zip(books.array("ts").tolist(), *(books.ragged(column).lists() for column in names), strict=True))
    book, at = Book(), 0
    for ts, *levels in shown:
        while at < len(messages) and messages[at][0] <= ts:
            _, action, *order = messages[at]
            book.take(chr(action), *order)
            at += 1
        assert [*book.levels(1), *book.levels(-1)] == levels
    assert len(shown) > 100


@pytest.mark.parametrize("code", [0, 1])
def test_trades_are_told_as_messages_before_what_they_fill(code: int) -> None:
    """The T messages are the trades; the fills that follow one are as many lots, each of an order that then goes."""
    tables = told("normal", 1.0)
    trades = rows(of(tables, "trade", code), "ts", "price", "size", "side")
    messages = rows(of(tables, "mbo", code), "ts", "action", "price", "size", "side", "order_id")
    assert [(ts, price, size, side) for ts, action, price, size, side, _ in messages if action == ord("T")] == trades
    left = 0
    for before, after in pairwise(messages):
        action = chr(before[1])
        if action == "T":
            assert left == 0
            left = before[3]
            assert chr(after[1]) == "F"
        elif action == "F":
            left -= before[3]
            assert chr(after[1]) in "CM"
            assert after[5] == before[5]
            assert after[4] == before[4]
    assert left == 0


def test_the_last_message_of_an_event_is_flagged() -> None:
    """One flag a time and symbol, on its last row; the sequence counts the events."""
    for code in (0, 1):
        table = of(told("normal", 1.0), "mbo", code)
        ts, flags = table.array("ts"), table.array("flags")
        last = np.append(ts[1:] != ts[:-1], True)
        assert ((flags == 128) == last).all()
        assert (table.array("sequence") == np.append(0, np.cumsum(last)[:-1]) + 1).all()


def test_a_source_with_orders_keeps_the_contract() -> None:
    """Windows, positions and seeks change nothing of what is told."""
    check_source(lambda: SyntheticSource(minutes=0.15, mbo=True))


def test_without_orders_the_rest_is_the_same() -> None:
    """Asking for them changes nothing else."""
    plain = SyntheticSource("synthetic:normal", minutes=1.0, seed=3)
    assert plain.info.end_ns is not None
    tables, more = plain.read(plain.info.end_ns), told("normal", 1.0)
    assert set(more) - set(tables) == {"mbo"}
    for channel, table in tables.items():
        for name in ("ts", "symbol"):
            assert (table.array(name) == more[channel].array(name)).all()
    assert (tables["l1"].array("bid") == more["l1"].array("bid")).all()
