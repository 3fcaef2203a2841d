"""The last quote and trade of each symbol at the ends of whole intervals, while the market is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.dbn.before import Before, Levels, by_symbol, quotes_of, sales_of
from feedsim.dbn.layout import UNDEF_PRICE
from feedsim.events import Chunk
from feedsim.events.columns import Int64
from feedsim.instruments import NS_PER_S, session_at


@dataclass(frozen=True, slots=True)
class Samples:
    """A row a symbol that has a quote and an interval, by (end, symbol)."""

    end_ns: Int64
    at: Int64
    """The position of the first event that is not in the interval any more."""
    symbol: Int64
    quotes: Levels
    sales: npt.NDArray[Any]


def sampled(chunk: Chunk, before: Before, interval_s: int) -> Samples | None:
    """What intervals that ended since the event before the chunk had at their ends: all that was available earlier."""
    ends = _ends(before.now or int(chunk.avail[0]), int(chunk.avail[-1]), interval_s * NS_PER_S)
    if not len(ends):
        return None
    at = np.searchsorted(chunk.avail, ends)
    quotes = np.repeat(before.quotes[:, None], len(ends), axis=1)
    sales = np.repeat(before.sales[:, None], len(ends), axis=1)
    for channel, state, of in (("l1", quotes, quotes_of), ("trade", sales, sales_of)):
        if channel in chunk.tables:
            part = chunk.tables[channel]
            for code, rows in by_symbol(part.table):
                last = np.searchsorted(part.seq[rows] - chunk.first_seq, at) - 1
                known = last >= 0
                chosen, which = np.unique(rows[last[known]], return_inverse=True)
                state[code, known] = of(part.table.take(chosen))[which]
    there = quotes["bid_px"][:, :, 0].T != UNDEF_PRICE
    interval, symbol = np.nonzero(there)
    return Samples(ends[interval], at[interval], symbol, quotes[symbol, interval], sales[symbol, interval])


def _ends(after_ns: int, until_ns: int, length_ns: int) -> Int64:
    """The multiples of a length in (after, until] that lie in sessions."""
    found: list[Int64] = []
    at = after_ns + 1
    while at <= until_ns:
        session = session_at(at)
        first, last = max(at, session.open_ns + 1), min(until_ns, session.close_ns)
        found.append(np.arange(-(-first // length_ns) * length_ns, last + 1, length_ns))
        at = session.close_ns + 1
    return np.concatenate(found) if found else np.empty(0, np.int64)
