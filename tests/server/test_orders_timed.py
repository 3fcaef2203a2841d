"""Orders that reach an exchange are timed by what they name; what is no reaction is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from feedsim.events import Chunk
from feedsim.hub.desk import Desk
from feedsim.wire import messages as m
from tests.server.talking import Serve, talking


class Acknowledging:
    """An exchange that takes every request and says so."""

    next_due_ns: int | None = None

    def __init__(self) -> None:
        self._heard: list[tuple[str, m.Private | m.Error]] = []

    def open_account(self, account: str) -> None: ...
    def knows(self, account: str) -> bool:
        return bool(account)

    def enter(self, account: str, request: Any, *, now_ns: int, head_seq: int) -> None:  # noqa: ARG002 # its signature
        self._heard.append((account, m.Error(id=request.id, code="order_rejected", message="taken")))

    def first_that_matters(self, chunk: Chunk, lo: int, hi: int) -> int:  # noqa: ARG002 # its signature
        return hi

    def on_told(self, chunk: Chunk, lo: int, hi: int) -> None: ...
    def advance(self, now_ns: int) -> None: ...
    def on_idle(self) -> None: ...
    def take(self) -> Sequence[tuple[str, m.Private | m.Error]]:
        heard, self._heard = self._heard, []
        return heard

    def since(self, account: str, n: int) -> Sequence[m.Private]:  # noqa: ARG002 # its signature
        return ()

    def cancel_on_disconnect(self, account: str, *, now_ns: int, head_seq: int) -> None: ...
    def on_epoch(self, epoch: int) -> None: ...
    def on_end(self) -> None: ...


async def test_orders_are_timed_and_queries_are_not(serve: Serve) -> None:
    """New, replace and cancel by what they saw; cancel_all and flatten, which name nothing, by what was sent last."""
    async with serve(speed=50.0) as service:
        live = service.sessions.live
        live.desk = Desk(Acknowledging(), live.player, live.ring, wall_us=lambda: 0)
        async with talking(service) as talk:
            await talk.send("subscribe", channels=["trade"])
            seen = (await talk.events(3))[2]["seq"]
            new = {"client_order_id": "a", "symbol": "ES", "side": "buy", "quantity": 1}
            await talk.ask("order.new", **new, seen_seq=seen)
            await talk.ask("order.replace", client_order_id="a", quantity=2, seen_seq=seen)
            await talk.ask("order.cancel", client_order_id="a", seen_seq=seen)
            await talk.ask("account")
            await talk.ask("order.cancel_all")
            await talk.ask("flatten")
            await talk.ask("order.new", **new)
            await talk.ask("ping")
        rows = service.reactions.after(0)
    assert [(row.op, row.inferred) for row in rows] == [
        ("order.new", False),
        ("order.replace", False),
        ("order.cancel", False),
        ("order.cancel_all", True),
        ("flatten", True),
        ("order.new", True),
    ]
    assert {row.seq for row in rows[:3]} == {seen}
    assert {row.channel for row in rows} == {"trade"}
    assert all(row.reaction_ns > 0 for row in rows)
    assert len({row.client for row in rows}) == 1
