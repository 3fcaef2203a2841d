"""What each kind of order does, by hand: types, times in force, brackets, changes, epochs, and what accounts hear."""

from __future__ import annotations

import msgspec
import pytest

from feedsim.wire.messages import (
    AccountEvent,
    AccountQuery,
    Bracket,
    CancelAll,
    Flatten,
    OrderCancel,
    OrderEvent,
    OrderReplace,
    PositionEvent,
    Private,
)
from tests.exchange.pit import MS, Pit, account, fills, position, states

BRACKET = Bracket(stop_loss=4998.0, take_profit=5001.0)


def test_a_market_order_walks_the_book() -> None:
    """Best first, ten lots a level; what there is not waits for new lots."""
    pit = Pit()
    told = pit.new(quantity=55)
    assert fills(told) == [("o", "buy", 5000.25 + step * 0.25, 10) for step in range(5)]
    assert states(told)[-1] == ("o", "partially_filled", "")
    assert fills(pit.quote(5000.0, 5000.25)) == []
    assert fills(pit.quote(5000.0, 5000.25, ask_size=13)) == [("o", "buy", 5000.25, 3)]
    assert fills(pit.quote(5000.0, 5000.25, ask_size=20)) == [("o", "buy", 5000.25, 2)]


def test_each_lot_is_used_once_an_account() -> None:
    """What one account took is there for another, and comes back for itself when the level grows."""
    pit = Pit()
    pit.exchange.open_account("b")
    assert fills(pit.new("x", quantity=10, price=5000.25)) == [("x", "buy", 5000.25, 10)]
    assert fills(pit.new("y", quantity=4, price=5000.25, tif="ioc")) == []
    pit.quote(5000.0, 5000.25, ask_size=7)
    assert fills(pit.new("z", quantity=4, price=5000.25, tif="ioc")) == []
    pit.quote(5000.0, 5000.25, ask_size=9)
    assert fills(pit.new("w", quantity=4, price=5000.25, tif="ioc")) == [("w", "buy", 5000.25, 2)]


def test_a_limit_order_waits_its_turn() -> None:
    """Ten lots are before it; trades take them, then it; a trade through its price takes the rest as far as it goes."""
    pit = Pit(cancels="behind")
    assert states(pit.new(quantity=8, price=5000.0)) == [("o", "new", "")]
    assert fills(pit.trade(5000.0, 6, -1)) == []
    pit.quote(5000.0, 5000.25, bid_size=4)
    told = pit.trade(5000.0, 7, -1)
    assert fills(told) == [("o", "buy", 5000.0, 3)]
    assert [event.liquidity for event in told if hasattr(event, "liquidity")] == ["maker"]
    assert fills(pit.trade(4999.75, 2, -1)) == [("o", "buy", 5000.0, 2)]
    assert fills(pit.quote(4999.0, 5000.0, ask_size=9)) == [("o", "buy", 5000.0, 3)]


@pytest.mark.parametrize(
    ("model", "at_price", "through"),
    [("queue", 0, 5), ("pessimistic", 0, 5), ("touch", 5, 0), ("cross", 0, 8), ("optimistic", 8, 0)],
)
def test_fill_models(model: str, at_price: int, through: int) -> None:
    """An order for 8 behind ten lots: what it gets of 5 that trade at its price, then of 5 beyond it."""
    pit = Pit(fill=model)
    pit.new(quantity=8, price=5000.0)
    assert sum(lots for *_, lots in fills(pit.trade(5000.0, 5, -1))) == at_price
    got = sum(lots for *_, lots in fills(pit.trade(4999.75, 5, -1)))
    assert got == (through if at_price == 0 else min(5, 8 - at_price))


def test_pessimistic_is_last_in_the_queue() -> None:
    """Whoever comes later is put before it."""
    pit = Pit(fill="pessimistic")
    pit.new(quantity=1, price=5000.0)
    pit.quote(5000.0, 5000.25, bid_size=30)
    assert fills(pit.trade(5000.0, 29, -1)) == []
    pit.quote(5000.0, 5000.25, bid_size=1)
    assert fills(pit.trade(5000.0, 2, -1)) == [("o", "buy", 5000.0, 1)]


@pytest.mark.parametrize(("tif", "got", "end"), [("ioc", 10, "ioc"), ("fok", 0, "fok")])
def test_now_or_never(tif: str, got: int, end: str) -> None:
    """ioc takes what there is, fok all or nothing."""
    told = Pit().new(quantity=12, price=5000.25, tif=tif)
    assert sum(lots for *_, lots in fills(told)) == got
    assert states(told)[-1] == ("o", "cancelled", end)


def test_fill_or_kill_fills() -> None:
    """Where all of it can trade at once it does."""
    assert states(Pit().new(quantity=20, price=5000.5, tif="fok"))[-1] == ("o", "filled", "")


def test_stops() -> None:
    """A trade at the stop makes a stop a market order and a stop limit a limit order."""
    pit = Pit()
    pit.new("s", type="stop", stop_price=5000.5, quantity=2)
    pit.new("l", type="stop_limit", stop_price=5000.5, price=5000.5, quantity=2)
    assert fills(pit.quote(5000.25, 5000.5)) == []
    told = pit.trade(5000.5, 1, 1)
    assert fills(told) == [("s", "buy", 5000.5, 2), ("l", "buy", 5000.5, 2)]
    assert [event.triggered for event in told if isinstance(event, OrderEvent)] == [True] * 4


def test_a_bracket_follows_partial_fills() -> None:
    """Its exits cover what is filled; what one closes the other lets go."""
    pit = Pit()
    pit.new(quantity=4, price=4999.75, bracket=BRACKET)
    pit.quote(4999.75, 5000.0, bid_size=1)
    told = pit.trade(4999.5, 3, -1)
    assert states(told)[1:] == [("o.sl.1", "new", ""), ("o.tp.1", "new", "")]
    assert [e.quantity for e in told if isinstance(e, OrderEvent) and e.parent == "o"] == [3, 3]
    told = pit.trade(4999.5, 3, -1)
    assert states(told) == [("o", "filled", ""), ("o.sl.1", "replaced", ""), ("o.tp.1", "replaced", "")]
    pit.quote(5000.75, 5001.25)
    told = pit.trade(5001.25, 1, 1)
    assert fills(told) == [("o.tp.1", "sell", 5001.0, 1)]
    assert states(told)[-1] == ("o.sl.1", "replaced", "oco")
    assert fills(pit.trade(4998.0, 1, -1)) == []
    told = pit.quote(4997.75, 4998.0)
    assert fills(told) == [("o.sl.1", "sell", 4997.75, 3)]
    assert states(told)[-1] == ("o.tp.1", "cancelled", "oco")
    assert position(told).quantity == 0


def test_reduce_only_never_turns_a_position() -> None:
    """When the position shrinks so does it; without one it goes."""
    pit = Pit()
    pit.new(quantity=5)
    pit.new("r", "sell", 5, price=5002.0, reduce_only=True)
    assert states(pit.new("x", "sell", 3))[-1] == ("r", "replaced", "position_closed")
    assert states(pit.new("y", "sell", 2))[-1] == ("r", "cancelled", "position_closed")


def test_replace_keeps_or_loses_the_place() -> None:
    """Fewer lots at the price keep it; more lots go to the end."""
    pit = Pit(cancels="behind")
    pit.new("a", quantity=5, price=5000.0)
    pit.new("b", quantity=5, price=5000.0)
    pit.quote(5000.0, 5000.25, bid_size=30)
    assert states(pit.ask(OrderReplace(client_order_id="a", quantity=2))) == [("a", "replaced", "")]
    pit.ask(OrderReplace(client_order_id="b", quantity=6))
    assert fills(pit.trade(5000.0, 20, -1)) == [("a", "buy", 5000.0, 2)]


def test_a_replaced_price_may_trade_at_once() -> None:
    """As a new order would."""
    pit = Pit()
    pit.new(quantity=3, price=4999.0)
    assert fills(pit.ask(OrderReplace(client_order_id="o", price=5000.25))) == [("o", "buy", 5000.25, 3)]


def test_flatten() -> None:
    """Orders go, positions are closed at the market, and the account is told last with the request's id."""
    pit = Pit()
    pit.new(quantity=2)
    pit.new("r", price=4999.0)
    told = pit.ask(Flatten(id=8))
    assert fills(told) == [("flatten.1", "sell", 5000.0, 2)]
    assert states(told)[0] == ("r", "cancelled", "flatten")
    assert position(told).quantity == 0
    assert account(told).id == 8
    assert account(told).margin == 0
    # Two lots bought at 5000.25 and sold at 5000.00 of 12.50 dollars a tick, and four fees of 2.69.
    assert account(told).equity == 100_000 - 25 - 4 * 2.69


def test_day_orders_end_with_the_day() -> None:
    """At the close; those good till cancelled stay."""
    pit = Pit()
    pit.new("d", price=4999.0)
    pit.new("g", price=4999.0, tif="gtc")
    assert states(pit.phase("closed")) == [("d", "expired", "day")]


@pytest.mark.parametrize("keep", [False, True])
def test_a_new_epoch(keep: bool) -> None:
    """Orders expire; the account begins anew, or goes on with keep_account."""
    pit = Pit(keep_account=keep)
    pit.new(quantity=2)
    pit.new("r", price=4999.0)
    pit.exchange.on_epoch(2)
    told = pit.hear()
    assert states(told) == [("r", "expired", "epoch")]
    assert account(told).reason == "epoch"
    assert account(told).fees == (5.38 if keep else 0)
    assert [event.quantity for event in told if isinstance(event, PositionEvent)] == ([] if keep else [0])
    pit.exchange.on_epoch(2)
    assert pit.hear() == []


@pytest.mark.parametrize(("keep", "left"), [(False, []), (True, ["g"])])
def test_the_end(keep: bool, left: list[str]) -> None:
    """Day orders end with the session, the others unless the account is kept."""
    pit = Pit(keep_account=keep)
    pit.new("d", price=4999.0)
    pit.new("g", price=4999.0, tif="gtc")
    pit.exchange.on_end()
    ended = [name for name, state, reason in states(pit.hear()) if (state, reason) == ("expired", "session_end")]
    assert ended == [name for name in ("d", "g") if name not in left]


def test_cancel_on_disconnect() -> None:
    """Only for who asked."""
    pit = Pit()
    pit.new(price=4999.0)
    pit.exchange.cancel_on_disconnect("a", now_ns=pit.now_ns, head_seq=3)
    assert pit.hear() == []
    pit.ask(AccountQuery(cancel_on_disconnect=True))
    pit.exchange.cancel_on_disconnect("a", now_ns=pit.now_ns, head_seq=3)
    assert states(pit.hear()) == [("o", "cancelled", "disconnect")]


def test_account_query() -> None:
    """Open orders and positions, then the account."""
    pit = Pit()
    pit.new(quantity=2)
    pit.new("r", price=4999.0)
    told = pit.ask(AccountQuery(id=4, orders=True))
    assert [type(event) for event in told] == [OrderEvent, PositionEvent, AccountEvent]
    assert account(told).margin == 3 * 500


def test_resume_tells_what_was_missed() -> None:
    """From n on; where that is not known the state, as of the last n."""
    pit = Pit()
    told = pit.new(quantity=2)
    assert pit.exchange.since("a", 1) == told[1:]
    assert pit.exchange.since("a", len(told)) == []
    state = pit.exchange.since("a", len(told) + 5)
    assert [type(event) for event in state] == [PositionEvent, AccountEvent]
    assert {event.n for event in state} == {len(told)}


def test_delays() -> None:
    """An order takes effect and is heard of after its delays, at the place on the tape where it was then."""
    pit = Pit(latency_in="5ms", latency_out="2ms")
    assert pit.new(quantity=2) == []
    sent = pit.now_ns
    assert pit.exchange.next_due_ns == sent + 5 * MS
    pit.quote(5001.0, 5001.25, after_ns=4 * MS)
    assert pit.quote(5003.0, 5003.25, after_ns=2 * MS) == []
    pit.exchange.advance(sent + 7 * MS)
    told = pit.hear()
    assert fills(told) == [("o", "buy", 5001.25, 2)]
    assert {(event.after_seq, event.ts) for event in told if isinstance(event, Private)} == {(4, sent + 5 * MS)}


def test_daily_loss() -> None:
    """The account may only close when it is reached; its other orders go."""
    pit = Pit(daily_loss=100)
    pit.new(quantity=5)
    pit.new("r", price=4999.0)
    told = pit.trade(4999.75, 1, -1)
    assert states(told) == [("r", "cancelled", "closing_only")]
    assert (account(told).state, account(told).reason) == ("closing_only", "daily_loss")
    assert states(pit.new("c", "sell", 5))[-1] == ("c", "filled", "")


def test_nobody_touches_the_orders_of_another() -> None:
    """An account's ids are its own."""
    pit = Pit()
    pit.exchange.open_account("b")
    pit.new(price=4999.0)
    assert pit.ask(OrderCancel(client_order_id="o"), "b")[0].message.startswith("unknown_order")
    pit.ask(CancelAll(), "b")
    assert states(pit.ask(OrderCancel(client_order_id="o"))) == [("o", "cancelled", "request")]


def test_the_log_goes_through_a_file() -> None:
    """Its entries are values that msgspec writes and reads."""
    pit = Pit()
    pit.new(price=4999.0, bracket=BRACKET)
    kind = type(pit.log[0])
    assert [msgspec.json.decode(msgspec.json.encode(entry), type=kind) for entry in pit.log] == pit.log
