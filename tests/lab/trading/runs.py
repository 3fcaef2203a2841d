"""Runs for the report: an order log and the tape that it was made on, read as the report reads them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from feedsim.events import Chunk
from feedsim.exchange.venue import read_venue
from feedsim.lab.trading.history import History, read_histories
from feedsim.lab.trading.prices import Prices
from feedsim.lab.trading.study import Run as Traded
from feedsim.lab.trading.study import Study
from feedsim.wire.messages import Private
from tests.exchange.flows import Run

VENUE = read_venue()
PRODUCTS = VENUE.products


def histories(told: Run, *, keep: bool = False) -> list[History]:
    """What the accounts did, as their log tells it."""
    heard = [(account, event) for account, event in told.heard if isinstance(event, Private)]
    return read_histories(told.log, heard, PRODUCTS, balance=100_000, keep=keep)


def prices(tape: Sequence[Chunk], symbols: Sequence[str] = ("ES", "NQ")) -> dict[str, Prices]:
    """Of a whole tape."""
    found = {symbol: Prices(symbol, PRODUCTS[symbol].tick) for symbol in symbols}
    for one in found.values():
        for chunk in tape:
            one.add(chunk, chunk.first_seq + np.arange(len(chunk)))
        one.close()
    return found


def study(tape: Sequence[Chunk], told: Run) -> Study:
    """All of a run, told."""
    traded = Traded(
        name="run",
        source="made",
        epoch=1,
        start_ns=int(tape[0].avail[0]),
        end_ns=int(tape[-1].avail[-1]) + 1,
        in_market=False,
        venue=VENUE,
        histories=[history for history in histories(told) if history.orders],
    )
    found = Study(traded, channels=("trade", "l1"))
    for chunk in tape:
        found.add(chunk, chunk.first_seq + np.arange(len(chunk)))
    return found
