"""The order log: all that takes effect, each with its place on the tape. Tape and log fix every fill."""

from __future__ import annotations

from typing import Literal

import msgspec

from feedsim.wire.messages import AccountQuery, CancelAll, Flatten, OrderCancel, OrderNew, OrderReplace

OrderRequest = OrderNew | OrderReplace | OrderCancel | CancelAll | Flatten | AccountQuery

What = Literal["open", "request", "disconnect", "lost", "epoch", "end"]


class LogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that took effect after the event `after_seq` of an epoch, at session time `ns`."""

    epoch: int
    after_seq: int
    ns: int
    what: What
    """An account is opened, asks for something, loses its last connection, or asked for it in an epoch that is over;
    an epoch begins, the session ends."""
    account: str = ""
    request: OrderRequest | None = None
    into: int | None = None
    """The epoch that begins."""
