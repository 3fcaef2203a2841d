"""Quarterly contracts of a root: their names, when they expire, when the market rolls to the next, and at what price.

Equity index futures expire on the third Friday of March, June, September and December at 09:30 New York time; the
market rolls eight days before, on a Thursday.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from feedsim.instruments.hours import has_session, trading_day

_LETTERS = {3: "H", 6: "M", 9: "U", 12: "Z"}
_FRIDAY = 4
_ROLL = timedelta(days=8)  # before the third Friday
_DAY = timedelta(days=1)

CARRY = 0.042  # a year: short rate less dividend yield of the S&P 500, 2024-25; about 0.046 for the Nasdaq-100
SPREAD_TICK = 0.05  # index points: calendar spreads trade on this grid


@dataclass(frozen=True, slots=True)
class Contract:
    """The contract of a root that is delivered in one of the four months."""

    root: str
    year: int
    month: int

    @property
    def name(self) -> str:
        """As exchanges and platforms write it, with two digits of the year: `ESU25`."""
        return f"{self.root}{_LETTERS[self.month]}{self.year % 100:02d}"

    @property
    def expiry(self) -> date:
        """The last day: the third Friday, or the last full session before where that is a holiday (2026-06-18)."""
        day = _third_friday(self.year, self.month)
        while not has_session(day) or trading_day(day).closes_early:
            day -= _DAY
        return day

    @property
    def expires_ns(self) -> int:
        """When trading ends: the regular open of the last day, ns UTC."""
        return trading_day(self.expiry).rth_open_ns

    @property
    def roll(self) -> date:
        """From this session on the next contract is the front one."""
        return _third_friday(self.year, self.month) - _ROLL

    @property
    def next(self) -> Contract:
        """The contract that expires three months later."""
        last = self.month == max(_LETTERS)
        return Contract(self.root, self.year + last, min(_LETTERS) if last else self.month + 3)


def front_on(root: str, day: date) -> Contract:
    """The most traded contract of a root on a date."""
    return next(contract for contract in _quarters(root, day.year) if day < contract.roll)


def front_contract(root: str, day: date) -> str:
    """The raw name of the front contract on a date: `front_contract("ES", date(2025, 8, 21))` is `ESU25`."""
    return front_on(root, day).name


def roll_basis(price: float, day: date, *, carry: float = CARRY) -> float:
    """Index points by which the next contract is dearer than the front one on a date: P × (r − q) × T, on its grid.

    T is the time between the two expiries; `carry` is r − q, a year. An estimate, not a quote.
    """
    front = front_on("", day)
    years = (front.next.expiry - front.expiry).days / 365
    return round(round(price * carry * years / SPREAD_TICK) * SPREAD_TICK, 2)


def _third_friday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(_FRIDAY - first.weekday()) % 7 + 14)


def _quarters(root: str, year: int) -> Iterator[Contract]:
    contract = Contract(root, year, min(_LETTERS))
    while True:
        yield contract
        contract = contract.next
