"""The futures that feedsim knows: contract specifications, contracts by date, and the hours in which they trade."""

from feedsim.instruments.contracts import Contract, front_contract, front_on, roll_basis
from feedsim.instruments.hours import (
    EXCHANGE_TZ,
    NS_PER_MINUTE,
    NS_PER_MS,
    NS_PER_S,
    TradingDay,
    format_ns,
    has_session,
    is_open,
    legacy_halt,
    next_rth_open,
    session_at,
    trading_day,
    trading_days_from,
)
from feedsim.instruments.roots import INSTRUMENTS, Instrument, root_of

__all__ = [
    "EXCHANGE_TZ",
    "INSTRUMENTS",
    "NS_PER_MINUTE",
    "NS_PER_MS",
    "NS_PER_S",
    "Contract",
    "Instrument",
    "TradingDay",
    "format_ns",
    "front_contract",
    "front_on",
    "has_session",
    "is_open",
    "legacy_halt",
    "next_rth_open",
    "roll_basis",
    "root_of",
    "session_at",
    "trading_day",
    "trading_days_from",
]
