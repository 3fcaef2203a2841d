"""The report of a run as it is printed and kept: for each account and together, money in dollars, times in ns UTC.

Everything is a figure of the order log and the tape; docs/report.md defines each.
"""

from __future__ import annotations

import msgspec

from feedsim.lab.trading.costs import Slippage, Waits
from feedsim.lab.trading.impact import Impact


class TripRow(msgspec.Struct, kw_only=True, frozen=True):
    """A round trip: the lots of one order that another closed; excursions in ticks and in dollars."""

    account: str
    symbol: str
    side: str
    quantity: int
    entry_ns: int
    exit_ns: int
    entry_price: float
    exit_price: float
    entry_order: str
    exit_order: str
    gross: float
    fees: float
    net: float
    mae_ticks: float
    mfe_ticks: float
    mae: float
    mfe: float


class FillRow(msgspec.Struct, kw_only=True, frozen=True):
    """A fill; mids in points, slippage in ticks a lot."""

    account: str
    order: str
    symbol: str
    ns: int
    after_seq: int
    side: str
    price: float
    quantity: int
    fee: float
    liquidity: str
    waited_s: float | None
    mid: float | None
    arrival: float | None
    decision: float | None
    against_mid: float | None
    against_arrival: float | None
    against_decision: float | None


class Figures(msgspec.Struct, kw_only=True, frozen=True):
    """One account, or all together. Money in dollars."""

    account: str
    trades: int
    wins: int
    gross: float
    """Of closed trades."""
    fees: float
    """Of all fills, those of open positions too."""
    net: float
    """Gross less fees, closed trades and open positions."""
    open_lots: int
    open_profit: float
    """Of what is still open, at the last mark, without fees."""
    equity: float
    profit_factor: float | None
    """Net won over net lost."""
    best_trade: float | None
    worst_trade: float | None
    drawdown: float
    peak_ns: int
    trough_ns: int
    orders: int
    """Accepted; exits that the exchange made for brackets are not counted."""
    rejected: int
    asked_lots: int
    filled_lots: int
    """Of those orders."""
    fill_ratio: float | None
    fills: int
    lots: int
    """Of all fills."""
    maker_share: float | None
    takers: Slippage
    makers: Slippage
    queue: Waits
    exposure_s: float
    exposure_share: float


class EquityRows(msgspec.Struct, kw_only=True, frozen=True):
    """An account's equity (dollars) at some times."""

    account: str
    ends_ns: list[int]
    equity: list[float]


class TradingReport(msgspec.Struct, kw_only=True, frozen=True):
    """A run; `source` is what its tape was made of."""

    name: str
    source: str
    epoch: int
    start_ns: int
    end_ns: int
    symbols: list[str]
    in_market: bool
    together: Figures
    accounts: list[Figures]
    trips: list[TripRow]
    fills: list[FillRow]
    equity: list[EquityRows]
    impact: list[Impact]
    notes: list[str]
