"""Round trips: what is bought is sold first in, first out, and each lot's way from entry to exit is one trade's.

Gross is side × (exit − entry) × lots × value of a tick; net is gross less the fees of both sides.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from feedsim.exchange.venue import dollars
from feedsim.lab.trading.history import Fill, History, Products, Statement
from feedsim.lab.trading.prices import Prices


@dataclass(slots=True)
class _Lots:
    """What is left of a fill that opened a position."""

    fill: Fill
    left: int


@dataclass(slots=True, frozen=True)
class Part:
    """Lots that one fill opened and another closed."""

    entry: Fill
    exit: Fill
    lots: int

    def gross(self, products: Products) -> int:
        entry = self.entry
        return entry.side * (self.exit.price - entry.price) * self.lots * products[entry.symbol].tick_value

    @property
    def fees(self) -> int:
        """A fill's fee is so much a lot."""
        return self.lots * (self.entry.fee // self.entry.lots + self.exit.fee // self.exit.lots)


class Matching:
    """Closes the oldest lots of the other side, then opens."""

    def __init__(self, products: Products) -> None:
        self._products = products
        self._open: defaultdict[str, deque[_Lots]] = defaultdict(deque)
        self.realized = self.fees = 0

    def fill(self, fill: Fill) -> list[Part]:
        """What it closes."""
        held, lots, parts = self._open[fill.symbol], fill.lots, []
        self.fees += fill.fee
        while lots and held and held[0].fill.side != fill.side:
            part = Part(held[0].fill, fill, min(lots, held[0].left))
            self.realized += part.gross(self._products)
            parts.append(part)
            lots -= part.lots
            held[0].left -= part.lots
            if not held[0].left:
                held.popleft()
        if lots:
            held.append(_Lots(fill, lots))
        return parts


@dataclass(slots=True, frozen=True)
class Trip:
    """A trade: the lots of one order that another order closed. Money in 1/10,000 dollar, excursions in ticks a lot."""

    account: str
    parts: tuple[Part, ...]
    gross: int
    fees: int
    worst: float
    """Maximum adverse excursion: how far the mark went against the average entry, 0 or less."""
    best: float
    """Maximum favourable excursion, 0 or more."""

    @property
    def net(self) -> int:
        return self.gross - self.fees

    @property
    def lots(self) -> int:
        return sum(part.lots for part in self.parts)

    @property
    def entry(self) -> Fill:
        """The first."""
        return self.parts[0].entry

    @property
    def exit(self) -> Fill:
        """The last."""
        return self.parts[-1].exit

    @property
    def entry_ticks(self) -> float:
        """The average a lot."""
        return sum(part.lots * part.entry.price for part in self.parts) / self.lots

    @property
    def exit_ticks(self) -> float:
        return sum(part.lots * part.exit.price for part in self.parts) / self.lots


def trips_of(history: History, products: Products, prices: dict[str, Prices]) -> list[Trip]:
    """The trades that an epoch closed, in the order of their exits.

    MAE and MFE are min and max over the marks in force from the first entry to the last exit, and the fills
    themselves, of side × (mark − average entry).
    """
    matching = Matching(products)
    for fill in history.before:
        matching.fill(fill)
    together: dict[tuple[int, int], list[Part]] = {}
    for fill in history.fills:
        for part in matching.fill(fill):
            together.setdefault((id(part.entry.order), id(part.exit.order)), []).append(part)
    inside = {id(fill) for fill in history.fills}
    return [_trip(history, parts, products, prices, inside) for parts in together.values()]


def _trip(history: History, parts: list[Part], products: Products, prices: dict[str, Prices], inside: set[int]) -> Trip:
    entry, exit_ = parts[0].entry, parts[-1].exit
    average = sum(part.lots * part.entry.price for part in parts) / sum(part.lots for part in parts)
    since = entry.at.seq if id(entry) in inside else 0  # what an epoch before opened is there from the start
    marks = prices[entry.symbol].mark.between(since, exit_.at.seq)
    traded = [float(fill.price) for part in parts for fill in (part.entry, part.exit)]
    moves = entry.side * (np.concatenate((marks[np.isfinite(marks)], traded)) - average)
    return Trip(
        account=history.account,
        parts=tuple(parts),
        gross=sum(part.gross(products) for part in parts),
        fees=sum(part.fees for part in parts),
        worst=min(0.0, float(moves.min())),
        best=max(0.0, float(moves.max())),
    )


def first_disagreement(history: History, products: Products) -> str | None:
    """Where the exchange said another thing of the account than its fills give; None where all agree to the cent.

    Compared after every fill: realised, fees, and balance = what was paid in + realised − fees.
    """
    matching = Matching(products)
    for fill in history.before:
        matching.fill(fill)
    done = 0
    for statement in history.statements:
        _take(matching, history.fills[done : statement.fills])
        done = statement.fills
        found = _differs(statement, matching, history.paid_in)
        if found is not None:
            return f"{history.account}, private event {statement.event.n}: {found}"
    return None


def _take(matching: Matching, fills: Iterable[Fill]) -> None:
    for fill in fills:
        matching.fill(fill)


def _differs(statement: Statement, matching: Matching, paid_in: int) -> str | None:
    balance = paid_in + matching.realized - matching.fees
    given = {"realized": matching.realized, "fees": matching.fees, "balance": balance}
    for name, amount in given.items():
        said = getattr(statement.event, name)
        if said != dollars(amount):
            return f"{name} was {said:.2f}, the fills give {dollars(amount):.2f}"
    return None
