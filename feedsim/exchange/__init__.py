"""Paper trading: orders, accounts, fees and limits, filled from what a session tells. Pure: time is an argument."""

from feedsim.config import TradeSettings
from feedsim.exchange.exchange import Exchange
from feedsim.exchange.log import LogEntry, OrderRequest
from feedsim.exchange.matching import Fill, Matching
from feedsim.exchange.replaying import replay

__all__ = [
    "Exchange",
    "Fill",
    "LogEntry",
    "Matching",
    "OrderRequest",
    "TradeSettings",
    "replay",
]
