"""The queue model against the queue: the synthetic market's log says who was ahead of whom."""

from __future__ import annotations

import pytest

from feedsim.exchange import TradeSettings
from tests.support.true_queue import ahead_of_truth, model, phantoms, truth

SECONDS = 30


@pytest.mark.parametrize("fill", ["queue", "pessimistic"])
@pytest.mark.parametrize("symbol", ["ES", "NQ"])
@pytest.mark.parametrize("seed", [1, 2])
def test_never_ahead_of_first_come_first_served(symbol: str, seed: int, fill: str) -> None:
    """No order has ever more lots filled than it would have had in the queue itself; most are filled at last."""
    orders = phantoms(60, SECONDS, seed)
    truth(orders, symbol, seconds=SECONDS, seed=seed)
    model(orders, symbol, TradeSettings(fill=fill), seconds=SECONDS, seed=seed)  # type: ignore[arg-type]
    true, filled = sum(not order.left for order in orders), sum(bool(order.model) for order in orders)
    assert [order for order in orders if ahead_of_truth(order)] == []
    assert true > 10
    assert filled > true // 2


def test_the_share_rule_may_be_ahead() -> None:
    """Where cancelled lots count as ahead by their share of the queue, some orders are: that is for recordings."""
    orders = phantoms(60, SECONDS, 1)
    truth(orders, "ES", seconds=SECONDS, seed=1)
    model(orders, "ES", TradeSettings(cancels="share"), seconds=SECONDS, seed=1)
    assert any(ahead_of_truth(order) for order in orders)
