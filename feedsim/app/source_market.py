"""The market behind a session's player: orders enter its source at times that are not told yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from feedsim.exchange.injected import Happened
from feedsim.instruments import INSTRUMENTS

if TYPE_CHECKING:
    from feedsim.app.again import Again
    from feedsim.playback.player import Player
    from feedsim.sources.injected import Happened as Done
    from feedsim.sources.injected import OrderTaking, UserEvent

SIDES = {1: "buy", -1: "sell"}


class SourceMarket:
    """`feedsim.exchange.injected.Market`: what the source does to orders, known as far as it is read."""

    def __init__(self, player: Player | Again, source: OrderTaking) -> None:
        self._player, self._source = player, source
        self._events: defaultdict[str, list[UserEvent]] = defaultdict(list)
        self._given_ns: defaultdict[str, int] = defaultdict(int)
        """`happened` was asked up to here."""
        source.prepare_orders()

    def on_read(self) -> None:
        """The source was read further."""
        for event in self._source.take_user_events():
            self._events[event.symbol].append(event)

    def enter(
        self, ns: int, symbol: str, number: int, side: int, lots: int, price: int | None, *, rests: bool
    ) -> list[tuple[int, int]] | None:
        tick = INSTRUMENTS[symbol].tick
        at = None if price is None else price * tick
        inject = partial(
            self._source.inject, symbol, order_id=-number, side=SIDES[side], size=lots, price=at, rests=rests
        )
        done = self._do(ns, inject)
        if done.refused:
            return None
        return [
            (round(event.price / tick), event.size)
            for event in done.events
            if event.what == "filled" and event.price is not None
        ]

    def cancel(self, ns: int, symbol: str, number: int) -> None:
        self._do(ns, partial(self._source.cancel, symbol, -number))

    def reduce(self, ns: int, symbol: str, number: int, lots: int) -> None:
        self._do(ns, partial(self._source.reduce, symbol, -number, lots))

    def happened(self, symbol: str, ns: int) -> list[Happened]:
        events, tick = self._events[symbol], INSTRUMENTS[symbol].tick
        due = [event for event in events if event.ts <= ns]
        self._events[symbol] = events[len(due) :]
        self._given_ns[symbol] = max(self._given_ns[symbol], ns)
        return [
            Happened(-event.order_id, round((event.price or 0) / tick), event.size if event.what == "filled" else 0)
            for event in due
            if event.what in ("filled", "ended")
        ]

    def clear(self) -> None:
        self._source.cancel_resting()
        self._source.take_user_events()
        self._events.clear()
        self._given_ns.clear()

    def _do(self, ns: int, what: Callable[[], Done]) -> Done:
        """Change the source at a time, and know again what happens to orders up to there."""

        def change(again_ns: int) -> Done:
            self._read_again(again_ns)
            return what()

        return self._player.amend(ns, change)

    def _read_again(self, again_ns: int) -> None:
        """What was known from `again_ns` on is void; the source tells it again as far as it still happens."""
        for symbol, events in self._events.items():
            self._events[symbol] = [event for event in events if event.ts < again_ns]
        for event in self._source.take_user_events():
            if event.ts > self._given_ns[event.symbol]:
                self._events[event.symbol].append(event)
