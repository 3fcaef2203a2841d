"""Every code of a refusal: what brings it about, and that the docs' table names it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.exchange.rejects import ENDED, REFUSED
from feedsim.wire.messages import Bracket, CancelAll, Error, Flatten, OrderCancel, OrderEvent, OrderNew, OrderReplace
from tests.exchange.pit import Pit, account, fills, position, states

DOCS = Path(__file__).parents[2] / "docs" / "trading.md"


def _halted(phase: str) -> Callable[[], list[Any]]:
    def ask() -> list[Any]:
        pit = Pit()
        pit.phase(phase)
        return pit.new()

    return ask


def _twice(change: dict[str, Any]) -> list[Any]:
    pit = Pit()
    pit.new(price=4999.0)
    return pit.new(**{"price": 4999.0, **change})


def _after_fill(request: Any) -> list[Any]:
    pit = Pit()
    pit.new()
    return pit.ask(request)


def _resting(request: Any) -> list[Any]:
    pit = Pit()
    pit.new(price=4999.0, quantity=3)
    return pit.ask(request)


def _lost() -> list[Any]:
    pit = Pit(latency_in="5ms")
    pit.new()
    pit.exchange.on_epoch(2)
    return pit.hear()


def _broke() -> list[Any]:
    pit = Pit(daily_loss=100)
    pit.new(quantity=5)
    pit.trade(4999.0, 1, -1)
    return pit.new("p")


def _over() -> list[Any]:
    pit = Pit()
    pit.exchange.on_end()
    return pit.new()


def _many(count: int, **settings: Any) -> list[Any]:
    pit = Pit(**settings)
    return [event for number in range(count) for event in pit.new(f"o{number}", price=4999.0)]


CASES: list[tuple[str, Callable[[], list[Any]]]] = [
    ("unknown_symbol", lambda: Pit().new(symbol="CL")),
    ("no_market", lambda: Pit(told=False).new()),
    ("no_market", lambda: Pit().new(symbol="NQ")),
    *(
        ("quantity", lambda quantity=quantity: Pit().new(quantity=quantity))
        for quantity in (0, -1, 1.5, 0.999, math.nan, math.inf, -math.inf)
    ),
    ("quantity_limit", lambda: Pit().new(quantity=2001)),
    ("quantity_limit", lambda: Pit().new(quantity=1e300)),
    ("price", lambda: Pit().new(type="limit")),
    ("price", lambda: Pit().new(type="market", price=5000.0)),
    ("price", lambda: Pit().new(price=-5000.0)),
    ("price", lambda: Pit().new(price=0.0)),
    ("price", lambda: Pit().new(price=math.nan)),
    ("price", lambda: Pit().new(type="stop")),
    ("off_tick", lambda: Pit().new(price=5000.1)),
    ("off_tick", lambda: Pit().new(price=1e300)),
    ("off_tick", lambda: Pit().new(type="stop", stop_price=5000.33)),
    ("stop_side", lambda: Pit().new(type="stop", stop_price=5000.0)),
    ("stop_side", lambda: Pit().new(side="sell", type="stop", stop_price=5001.0)),
    ("bracket", lambda: Pit().new(bracket=Bracket())),
    ("bracket", lambda: Pit().new(bracket=Bracket(stop_loss=5001.0))),
    ("bracket", lambda: Pit().new(price=4999.0, bracket=Bracket(take_profit=4998.0))),
    ("bracket", lambda: Pit().new("x" * 59, bracket=Bracket(stop_loss=4990.0))),
    ("post_only", lambda: Pit().new(price=5000.25, post_only=True)),
    ("post_only", lambda: Pit().new(post_only=True)),
    ("reduce_only", lambda: Pit().new(reduce_only=True)),
    ("tif", lambda: Pit().new(type="stop", stop_price=5001.0, tif="ioc")),
    ("duplicate_id", lambda: _twice({"side": "sell"})),
    ("unknown_order", lambda: Pit().ask(OrderCancel(client_order_id="who"))),
    ("too_late", lambda: _after_fill(OrderCancel(client_order_id="o"))),
    ("too_late", lambda: _after_fill(OrderReplace(client_order_id="o", quantity=3))),
    ("no_change", lambda: _resting(OrderReplace(client_order_id="o"))),
    ("no_change", lambda: _resting(OrderReplace(client_order_id="o", stop_price=5001.0))),
    ("halted", _halted("halt")),
    ("closed", _halted("closed")),
    ("closed", _over),
    ("auction", _halted("auction")),
    ("price_band", lambda: Pit().new(price=5013.0)),
    ("price_band", lambda: Pit().new(side="sell", price=4987.0)),
    ("price_limit", lambda: Pit().new(price=100.0)),
    ("throttle", lambda: _many(6, orders_per_s=5)),
    ("too_many_orders", lambda: _many(6, max_orders=5)),
    ("position_limit", lambda: Pit(max_position=2).new(quantity=3)),
    ("margin", lambda: Pit().new(quantity=201)),
    ("closing_only", _broke),
    ("epoch", _lost),
]


@pytest.mark.parametrize(("code", "ask"), CASES, ids=[f"{code}-{n}" for n, (code, _) in enumerate(CASES)])
def test_refused(code: str, ask: Callable[[], list[Any]]) -> None:
    """A code and a sentence; nothing trades."""
    last = [event for event in ask() if isinstance(event, OrderEvent | Error)][-1]
    if isinstance(last, OrderEvent):
        assert (last.state, last.reason) == ("rejected", code)
        assert len(last.message) > 10
        assert math.isfinite(last.quantity)
    else:
        assert last.code == "order_rejected"
        assert re.match(rf"{code}: .{{10,}}", last.message)


def test_every_code_has_a_case() -> None:
    """No code without an example."""
    assert {code for code, _ in CASES} == set(REFUSED)


def test_docs_name_every_code() -> None:
    """The tables of docs/trading.md are the codes, with their meaning."""
    refusals = DOCS.read_text("utf-8").split("## Refusals")[1]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|$", refusals, re.MULTILINE)
    assert rows == [*REFUSED.items(), *ENDED.items()]


def test_an_id_again_tells_the_state() -> None:
    """The same order sent twice is entered once, and its state is told."""
    again = _twice({"quantity": 1})
    assert states(again) == [("o", "new", "")]
    pit = Pit()
    pit.new()
    assert states(pit.new()) == [("o", "filled", "")]
    assert fills(pit.new()) == []


def test_ten_thousand_orders_at_once() -> None:
    """Each is answered; no more are open than allowed, and all of them can be taken out."""
    pit = Pit(max_orders=500, orders_per_s=0)
    told = [pit.new(f"o{number}", price=4999.0)[0] for number in range(10_000)]
    assert [event.state for event in told].count("rejected") == 9_500 + (500 - 200)  # margin for 200 lots
    gone = pit.ask(CancelAll(id=9))
    assert states(gone) == [(f"o{number}", "cancelled", "request") for number in range(200)]
    assert account(gone).margin == 0
    assert account(gone).id == 9


@given(
    quantity=st.floats(),
    price=st.none() | st.floats(),
    stop=st.none() | st.floats(),
    kind=st.sampled_from(("market", "limit", "stop", "stop_limit")),
)
def test_no_number_breaks_it(quantity: float, price: float | None, stop: float | None, kind: Any) -> None:
    """Whatever numbers an order has, it is answered, and the account goes on."""
    pit = Pit()
    told = pit.ask(
        OrderNew(
            client_order_id="x", symbol="ES", side="buy", type=kind, quantity=quantity, price=price, stop_price=stop
        )
    )
    assert states(told)[0][0] == "x"
    assert position(pit.new("y", quantity=2)).quantity >= 2


def test_flatten_in_a_halt() -> None:
    """Orders go, the position stays, and a sentence says why."""
    pit = Pit()
    pit.new(quantity=2)
    pit.new("r", price=4999.0)
    pit.phase("halt")
    told = pit.ask(Flatten(id=3))
    assert states(told) == [("r", "cancelled", "flatten")]
    assert isinstance(told[-1], Error)
    assert told[-1].message.startswith("halted: ")
