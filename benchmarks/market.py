"""How fast the synthetic market is made: events of the book a second on one core, and a session of DataFrames."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from benchmarks.report import Figure, against, at_least, beside
from feedsim.market.config import START_NS, MarketConfig
from feedsim.market.market import SymbolMarket
from feedsim.market.schedule import Schedule
from feedsim.market.sheets import Sheets
from feedsim.mia import GenConfig, MIA_IA_DataGenerator

ROUNDS = 5  # the best counts: what disturbs only adds
HOUR_NS = 3600 * 1_000_000_000


def run() -> list[Figure]:
    es, nq = _events_per_s("ES"), _events_per_s("NQ")
    session_s = min(_timed(_session) for _ in range(ROUNDS))
    return [
        at_least(
            "book events a second of CPU, ten levels kept (the slower of ES and NQ)",
            min(es, nq),
            3e6,
            digits=0,
            key="market_book_events_per_s",
        ),
        beside("  ES, NQ", f"{es / 1e6:.2f} M, {nq / 1e6:.2f} M"),
        against(
            "120 minutes through generate_realistic_session, warm",
            session_s,
            2.5,
            unit=" s",
            key="session_120min_s",
        ),
        beside("  seconds of session in one second", f"{7200 / session_s:,.0f}"),
    ]


def _events_per_s(symbol: str) -> float:
    """Of an hour of one symbol, with its rows of trades, L1 and L2; processor time."""
    config = MarketConfig(symbols=(symbol,))
    sheets = Sheets()
    best = 0.0
    for _ in range(ROUNDS):
        schedule = Schedule(config.find(), seed=1, minutes=None)
        market = SymbolMarket(symbol, config, schedule, seed=1, start_ns=START_NS)
        for _ in market.run(START_NS + HOUR_NS // 60, sheets):
            pass
        before, started = market.events, time.process_time()
        for _ in market.run(START_NS + HOUR_NS, sheets):
            pass
        best = max(best, (market.events - before) / (time.process_time() - started))
    return best


def _session() -> None:
    start = datetime(2025, 8, 21, 13, 30, tzinfo=UTC)
    MIA_IA_DataGenerator(seed=1).generate_realistic_session(GenConfig(start=start, minutes=120))


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
