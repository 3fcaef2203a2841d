"""Slippage, queue times, fill ratio and exposure on a tape made by hand."""

from __future__ import annotations

import pytest

from feedsim.lab.trading.report import TradingReport
from feedsim.wire.messages import Bracket, OrderCancel, OrderNew
from tests.exchange.flows import Asked, hand_made, run
from tests.lab.made import quotes, trades
from tests.lab.trading.runs import study

BOTH = ("ES", "NQ")
# Event by event: seq 1 … 10.
TAPE = hand_made(
    quotes(
        [
            (0, 10.0, 10.25, 5, 5),
            (1000, 10.25, 10.5, 5, 5),
            (2000, 10.25, 10.5, 5, 5),
            (3000, 10.0, 10.25, 3, 5),
            (5000, 10.0, 10.25, 1, 5),
            (9000, 10.0, 10.25, 1, 5),
        ],
        BOTH,
    ),
    trades([(500, 10.25, 1, 1), (4000, 10.0, 2, -1), (6000, 10.0, 3, -1), (8000, 10.0, 1, -1)], BOTH),
)


def told(*flow: Asked) -> TradingReport:
    chunk = TAPE
    return study((chunk,), run((chunk,), list(flow))).finish()


def after(seq: int, request: OrderNew | OrderCancel, account: str = "ann") -> Asked:
    """A request that comes just after an event."""
    return Asked(seq / len(TAPE), account, request)


def test_a_taker_is_measured_against_three_mids() -> None:
    """Bought at 10.50 at a mid of 10.375, for an event at which it was 10.125: half a tick, and one and a half."""
    buy = OrderNew(client_order_id="a", symbol="ES", side="buy", quantity=2, seen_seq=1)
    report = told(after(4, buy))
    (fill,) = report.fills
    assert (fill.price, fill.mid, fill.arrival, fill.decision) == (10.5, 10.375, 10.375, 10.125)
    assert (fill.against_mid, fill.against_arrival, fill.against_decision) == (0.5, 0.5, 1.5)
    takers = report.together.takers
    assert (takers.lots, takers.against_decision, takers.decision_dollars) == (2, 1.5, 1.5 * 12.5 * 2)
    assert report.together.maker_share == 0.0


def test_what_it_reacted_to_is_known_only_where_it_was_named() -> None:
    """Without `seen_seq`, and with one that is not told yet, there is no decision price."""
    for seen in (None, 9):
        buy = OrderNew(client_order_id="a", symbol="ES", side="buy", quantity=1, seen_seq=seen)
        assert told(after(4, buy)).together.takers.against_decision is None


def test_a_maker_waits() -> None:
    """A bid behind 3 lots at 3 s: 2 of them trade at 4 s, the last one and 2 of its own at 6 s, 1 more at 8 s."""
    rests = OrderNew(client_order_id="a", symbol="ES", side="buy", type="limit", quantity=9, price=10.0)
    report = told(after(5, rests), after(10, OrderCancel(client_order_id="a")))
    assert [(fill.quantity, fill.liquidity, fill.waited_s) for fill in report.fills] == [
        (2, "maker", 3.0),
        (1, "maker", 5.0),
    ]
    one = report.together
    assert one.maker_share == 1.0
    assert (one.asked_lots, one.filled_lots) == (9, 3)
    assert (one.queue.fills, one.queue.median_s, one.queue.longest_s) == (2, 4.0, 5.0)
    assert one.makers.against_mid == -0.5
    assert one.exposure_s == pytest.approx(3.0)


def test_the_exits_of_a_bracket_are_not_asked_for() -> None:
    """One of the two is always cancelled: the fill ratio is of what the client sent. A reject is counted by itself."""
    bracket = Bracket(stop_loss=9.5, take_profit=11.0)
    buy = OrderNew(client_order_id="a", symbol="ES", side="buy", quantity=1, bracket=bracket)
    wrong = OrderNew(client_order_id="b", symbol="ES", side="buy", type="limit", quantity=1, price=10.01)
    one = told(after(4, buy), after(5, wrong)).together
    assert (one.orders, one.rejected, one.fill_ratio) == (1, 1, 1.0)


def test_accounts_are_numbered() -> None:
    """Their names let anybody trade for them: no report tells one."""
    buy = OrderNew(client_order_id="a", symbol="ES", side="buy", quantity=1)
    report = told(after(4, buy, "ben"))
    assert [one.account for one in report.accounts] == ["account 2"]
    assert "ben" not in repr(report)
