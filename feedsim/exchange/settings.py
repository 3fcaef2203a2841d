"""What a user sets of trading."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

FillName = Literal["queue", "touch", "cross", "optimistic", "pessimistic"]
Cancels = Literal["", "share", "behind"]


class TradeSettings(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How orders fill, how long they take, and what an account may do. Money in dollars."""

    fill: Annotated[FillName, Meta(description="when a resting order fills")] = "queue"
    cancels: Annotated[
        Cancels,
        Meta(description="whose cancelled lots were: share of the queue, or always behind; default: by the source"),
    ] = ""
    latency_in: Annotated[str, Meta(description="until an order takes effect: 0, 2ms, lognormal:2ms:0.5, …")] = "0"
    latency_out: Annotated[str, Meta(description="until its owner hears of it: 0, 2ms, lognormal:2ms:0.5, …")] = "0"
    venue: Annotated[str, Meta(description="a TOML file of fees, margins and limits instead of feedsim's own")] = ""
    balance: Annotated[float, Meta(description="dollars that an account begins with", gt=0, le=1e12)] = 100_000.0
    max_position: Annotated[int, Meta(description="lots a symbol, open orders included; 0: no limit", ge=0)] = 0
    max_orders: Annotated[int, Meta(description="open orders an account", ge=1, le=10_000)] = 500
    orders_per_s: Annotated[int, Meta(description="requests an account and second of session; 0: no limit", ge=0)] = 200
    daily_loss: Annotated[
        float, Meta(description="dollars lost in a session that close an account; 0: no limit", ge=0)
    ] = 0
    keep_account: Annotated[bool, Meta(description="positions and cash outlive a seek, a loop and the end")] = False
