"""Accounts over epochs: what a seek ends, and what it leaves."""

from __future__ import annotations

from copy import copy

import pytest

from feedsim.exchange import Exchange, TradeSettings
from feedsim.exchange.venue import dollars
from feedsim.lab.trading.equity import curve_of, exposure
from feedsim.lab.trading.trips import first_disagreement, trips_of
from feedsim.wire.messages import OrderNew
from tests.exchange.flows import Run, walk
from tests.lab.trading.runs import PRODUCTS, histories, prices


def sought(*, keep: bool) -> Run:
    """ES is bought in one epoch and sold in the next, which tells the same."""
    told = Run()
    tape = walk(1)
    settings = TradeSettings(keep_account=keep)
    exchange = Exchange(("ES", "NQ"), settings=settings, on_log=told.log.append)
    exchange.open_account("ann")
    for epoch, side in ((1, "buy"), (2, "sell")):
        exchange.on_epoch(epoch)
        chunk = copy(tape[0])
        chunk.epoch = epoch
        exchange.on_told(chunk, 0, len(chunk))
        order = OrderNew(client_order_id=side, symbol="ES", side=side, quantity=2)  # type: ignore[arg-type]
        exchange.enter("ann", order, now_ns=int(chunk.avail[-1]), head_seq=chunk.last_seq)
        told.heard += exchange.take()
    exchange.on_end()
    told.heard += exchange.take()
    return told


@pytest.mark.parametrize("keep", [False, True])
def test_an_epoch_begins_with_what_was_kept(keep: bool) -> None:
    """With `keep_account` the sale closes what was bought before and the account is flat, without it opens a short."""
    told = sought(keep=keep)
    first, second = histories(told, keep=keep)
    assert (first.epoch, second.epoch) == (1, 2)
    assert [order.id for order in second.orders.values()] == ["sell"]
    assert first_disagreement(first, PRODUCTS) is first_disagreement(second, PRODUCTS) is None
    market = prices(walk(1)[:1])
    trips = trips_of(second, PRODUCTS, market)
    assert [trip.lots for trip in trips] == ([2] if keep else [])
    curve = curve_of(second, PRODUCTS, market, 0)
    assert dollars(int(curve.value[-1])) == second.statements[-1].event.equity
    end_ns = second.fills[-1].at.ns + 5
    assert exposure(second, 7, end_ns) == [(7, end_ns - 5) if keep else (end_ns - 5, end_ns)]
