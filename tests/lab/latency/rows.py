"""Rows of orders as a server would have them."""

from __future__ import annotations

from typing import Any

from feedsim.wire.reactions import Reaction

MS = 1_000_000


def order(written_ms: float, reaction_ms: float, **given: Any) -> Reaction:
    """An order `reaction_ms` after an event that left at `written_ms`."""
    written_ns = round(written_ms * MS)
    fields: dict[str, Any] = {"n": 1, "session": "live", "client": 1, "op": "order.new", "seq": 1, "channel": "l1"}
    fields |= {"inferred": False, "due_ns": 0, "kernel_ns": 0, "window": "", "clients": 1, "rate": 10}
    times = {"written_ns": written_ns, "arrived_ns": written_ns + round(reaction_ms * MS)}
    return Reaction(**{**fields, **times, **given})


def every(step_ms: float, reactions_ms: list[float], **given: Any) -> list[Reaction]:
    """Orders to events that left at a steady rate."""
    return [order(at * step_ms, reaction_ms, n=at + 1, **given) for at, reaction_ms in enumerate(reactions_ms)]
