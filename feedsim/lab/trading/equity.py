"""The equity curve of accounts, marked at every price of the tape, and what is read from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from feedsim.events.columns import Float64, Int64
from feedsim.exchange.venue import PER_DOLLAR
from feedsim.lab.trading.history import Fill, History, Products
from feedsim.lab.trading.prices import Prices


@dataclass(slots=True, frozen=True)
class Curve:
    """Equity in 1/10,000 dollar after each thing that changed it.

    `key` is 2 × seq for the mark that an event made, and 2 × seq + 1 for the fills after it.
    """

    key: Int64
    ns: Int64
    value: Int64

    def at(self, key: Int64) -> Int64:
        return self.value[np.searchsorted(self.key, key, side="right") - 1]

    def at_ns(self, ns: Int64) -> Int64:
        return self.value[np.maximum(np.searchsorted(self.ns, ns, side="right") - 1, 0)]


class Drawdown(NamedTuple):
    """The greatest fall of equity from a peak: max over t of (max over s ≤ t of E(s)) − E(t)."""

    amount: int
    peak_ns: int
    trough_ns: int


def curve_of(history: History, products: Products, prices: dict[str, Prices], start_ns: int) -> Curve:
    """E = paid in + Σ fills (−side × lots × price × tick value − fee) + Σ symbols position × mark × tick value."""
    parts = [_Flow(symbol, history, products, prices[symbol]) for symbol in history.symbols]
    keys = np.unique(np.concatenate([np.zeros(1, np.int64), *(part.keys for part in parts)]))
    value = np.full(len(keys), history.paid_in, np.int64)
    ns = np.full(len(keys), start_ns, np.int64)
    for part in parts:
        value += part.value(keys)
        ns = np.maximum(ns, part.ns(keys))
    return Curve(keys, ns, value)


class _Flow:
    """One symbol's cash and position of an account, after each of its fills; what came before is at 0."""

    def __init__(self, symbol: str, history: History, products: Products, prices: Prices) -> None:
        before = [fill for fill in history.before if fill.symbol == symbol]
        fills = [*before, *(fill for fill in history.fills if fill.symbol == symbol)]
        self._tick_value = products[symbol].tick_value
        self._mark = prices.mark
        later = [2 * fill.at.seq + 1 for fill in fills[len(before) :]]
        self._key = np.array([*(0 for _ in before), *later], np.int64)
        self._ns = np.array([*(0 for _ in before), *(fill.at.ns for fill in fills[len(before) :])], np.int64)
        self._price = np.array([fill.price for fill in fills], np.float64)
        self._position = np.cumsum([fill.side * fill.lots for fill in fills])
        self._cash = np.cumsum([_cash(fill, self._tick_value) for fill in fills])
        marks = 2 * prices.mark.seq
        self.keys = np.concatenate((self._key, marks[marks > self._key[0]]))

    def value(self, keys: Int64) -> Int64:
        last = np.searchsorted(self._key, keys, side="right") - 1
        begun = last >= 0
        mark = self._mark.at(keys // 2)
        mark = np.where(np.isfinite(mark), mark, self._price[last])  # before any price it is worth what it cost
        held = np.rint(self._position[last] * mark * self._tick_value).astype(np.int64)
        return np.where(begun, self._cash[last] + held, 0)

    def ns(self, keys: Int64) -> Int64:
        fill = np.searchsorted(self._key, keys, side="right") - 1
        mark = np.searchsorted(self._mark.seq, keys // 2, side="right") - 1
        filled = np.where(fill >= 0, self._ns[fill], 0)
        return np.maximum(filled, np.where(mark >= 0, self._mark.ns[np.maximum(mark, 0)], 0))


def _cash(fill: Fill, tick_value: int) -> int:
    return -fill.side * fill.lots * fill.price * tick_value - fill.fee


def together(curves: Sequence[Curve]) -> Curve:
    """The sum of accounts."""
    keys = np.unique(np.concatenate([curve.key for curve in curves]))
    ns = np.max([curve.ns[np.searchsorted(curve.key, keys, side="right") - 1] for curve in curves], axis=0)
    return Curve(keys, ns, np.sum([curve.at(keys) for curve in curves], axis=0))


def drawdown(curve: Curve) -> Drawdown:
    peaks = np.maximum.accumulate(curve.value)
    trough = int(np.argmax(peaks - curve.value))
    peak = int(np.argmax(curve.value[: trough + 1]))
    return Drawdown(int(peaks[trough] - curve.value[trough]), int(curve.ns[peak]), int(curve.ns[trough]))


Span = tuple[int, int]


def exposure(history: History, start_ns: int, end_ns: int) -> list[Span]:
    """[from, to) in which the account had a position in anything (ns)."""
    spans: list[Span] = []
    held: dict[str, int] = {}
    since: int | None = None
    for place, fill in enumerate(history.traded):
        held[fill.symbol] = held.get(fill.symbol, 0) + fill.side * fill.lots
        at = start_ns if place < len(history.before) else fill.at.ns
        if any(held.values()) and since is None:
            since = at
        elif not any(held.values()) and since is not None:
            spans.append((since, at))
            since = None
    return spans if since is None else [*spans, (since, max(end_ns, since))]


def covered_ns(spans: Sequence[Span]) -> int:
    """The time in at least one of them."""
    total, reached = 0, 0
    for start, end in sorted(spans):
        total += max(end - max(start, reached), 0)
        reached = max(reached, end)
    return total


def in_dollars(curve: Curve, ns: Int64) -> Float64:
    """Equity at some times."""
    return curve.at_ns(ns) / PER_DOLLAR
