"""Orders of a user in a source that is a market: what became of them, in prices and words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol, runtime_checkable

from feedsim.errors import ConfigError

SIDES = ("buy", "sell")
KINDS = ("rests", "cancelled", "reduced", "filled", "ended")
"""What happened to an order: `rests` is what did not trade at once, in its queue or where the book does not reach yet;
`ended` is what the session's end took."""


class UserEvent(NamedTuple):
    """Something that happened to an order of a user."""

    ts: int
    symbol: str
    what: str
    """One of KINDS."""
    order_id: int
    side: str
    price: float | None
    """None where a market order did not find enough."""
    size: int
    aggressor: bool
    """Whether a fill took liquidity."""


class Happened(NamedTuple):
    """What an order did when it came."""

    ts: int
    refused: str
    """Why nothing was done: closed, halted, too many orders, id in use, unknown order; empty if it was."""
    events: tuple[UserEvent, ...]

    @property
    def filled(self) -> int:
        """Lots."""
        return sum(event.size for event in self.events if event.what == "filled")


@runtime_checkable
class OrderTaking(Protocol):
    """What a source has that is a market: orders enter at its read position."""

    def inject(
        self, symbol: str, *, order_id: int, side: str, size: int, price: float | None = None, rests: bool = True
    ) -> Happened: ...
    def cancel(self, symbol: str, order_id: int) -> Happened: ...
    def reduce(self, symbol: str, order_id: int, size: int) -> Happened: ...
    def cancel_resting(self) -> None: ...
    def take_user_events(self) -> list[UserEvent]: ...
    def prepare_orders(self) -> None: ...


def user_events(rows: Iterable[Any], symbol: str, tick: float, *, priced: int) -> list[UserEvent]:
    """Rows of a market, columns as USER_ROW_FIELDS; prices of `priced` ticks or more, up or down, are none."""
    return [
        UserEvent(
            ts=ts,
            symbol=symbol,
            what=KINDS[kind],
            order_id=order_id,
            side=SIDES[side],
            price=price * tick if abs(price) < priced else None,
            size=size,
            aggressor=bool(aggressor),
        )
        for ts, kind, order_id, side, price, size, aggressor in (row.tolist() for row in rows)
    ]


def checked(side: str, size: int, price: float | None, tick: float, order_id: int) -> tuple[int, int | None]:
    """The market's number of a side, and the price in ticks. Raises ConfigError."""
    if side not in SIDES:
        raise ConfigError(f"{side!r}: expected {' or '.join(SIDES)}", field="side")
    if size < 1 or size != int(size):
        raise ConfigError(f"{size}: expected a whole number of lots from 1 on", field="size")
    if order_id >= 0:
        raise ConfigError(f"{order_id}: expected a number below 0", field="order_id")
    if price is None:
        return SIDES.index(side), None
    ticks = round(price / tick)
    if ticks < 1 or abs(ticks * tick - price) > 1e-6 * tick:
        raise ConfigError(f"{price:g}: expected a multiple of {tick:g} above 0", field="price")
    return SIDES.index(side), ticks
