"""What a session tells, in the words of the reference values' `needs`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from feedsim.lab.realism.arrays import Int64, Session

MICRO_NS, MILLI_NS = 100_000, 1_000_000
LEAST_GAPS = 20


def tells(session: Session) -> set[str]:
    """Of one symbol, without what takes whole sessions or both symbols."""
    found: set[str] = set()
    if session.quotes is not None and len(session.quotes):
        found |= {"quotes", *_when(session)}
        if not _sampled(session.quotes.ts):
            found.add("changes")
    if session.trades is not None and len(session.trades):
        found.add("trades")
        if bool(np.any(session.trades.side)):
            found.add("sides")
    if session.books is not None and len(session.books):
        found.add("books")
    if session.orders is not None and len(session.orders):
        found.add("orders")
    if session.vix is not None and len(session.vix.ts):
        found.add("vix")
    return found | _fineness(session)


def tells_pair(sessions: Mapping[str, Session]) -> bool:
    """Whether ES and NQ are both there."""
    both = [sessions.get(symbol) for symbol in ("ES", "NQ")]
    return all(session is not None and session.quotes is not None and len(session.quotes) for session in both)


def _when(session: Session) -> set[str]:
    day = session.day
    if day is None:
        return {"day"}
    regular = session.start_ns < day.rth_close_ns and session.end_ns > day.rth_open_ns
    night = session.start_ns < day.rth_open_ns or session.end_ns > day.rth_close_ns
    return ({"day"} if regular else set()) | ({"night"} if night else set())


def _fineness(session: Session) -> set[str]:
    """By the shortest time between two rows that differ in it."""
    times = [part.ts for part in (session.trades, session.quotes) if part is not None]
    gaps = np.concatenate([np.diff(ts) for ts in times]) if times else np.empty(0, np.int64)
    gaps = gaps[gaps > 0]
    if not len(gaps):
        return set()
    least = int(gaps.min())
    return {name for name, limit in (("milliseconds", MILLI_NS), ("microseconds", MICRO_NS)) if least <= limit}


def _sampled(ts: Int64) -> bool:
    """Whether most rows follow the one before at one interval of a millisecond or more."""
    gaps = np.diff(ts)
    if len(gaps) < LEAST_GAPS:
        return False
    usual, counts = np.unique(gaps, return_counts=True)
    at = int(np.argmax(counts))
    return int(usual[at]) >= MILLI_NS and 2 * int(counts[at]) > len(gaps)
