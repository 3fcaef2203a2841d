"""Exchanges for sessions, and the log of what is traded beside a recording."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from feedsim.config import ServeSettings, TradeSettings
from feedsim.events import Chunk
from feedsim.playback.player import Player
from feedsim.playback.tape import Tape

if TYPE_CHECKING:
    from feedsim.app.again import Again
    from feedsim.app.source_market import SourceMarket
    from feedsim.exchange import Exchange
    from feedsim.tap.orders import OrderJournal


def moves_market(settings: TradeSettings, *, private: bool) -> bool:
    """Whether orders enter the market itself."""
    wanted = settings.impact == "shared" or (settings.impact == "private" and private)
    return settings.orders and wanted and settings.source.startswith("synthetic:")


def exchange_maker(
    settings: TradeSettings, *, journal: OrderJournal | None = None
) -> Callable[[Player | Again], Exchange] | None:
    """Makes the exchange of a session for its player; None where nobody trades.

    Where the player takes orders they enter the market, else they fill in the shadow of the tape. Raises ConfigError.
    """
    if not settings.orders:
        return None
    from feedsim.exchange import Exchange
    from feedsim.exchange.injected import InjectedMatching

    def make(player: Player | Again) -> Exchange:
        market = _market_of(player)
        return Exchange(
            player.tape.symbols,
            settings=settings,
            matching=None if market is None else InjectedMatching(market),
            seed=settings.seed,
            generated=is_generated(player.tape),
            on_log=None if journal is None else journal.on_log,
        )

    return make


def _market_of(player: Player | Again) -> SourceMarket | None:
    from feedsim.app.source_market import SourceMarket
    from feedsim.sources.injected import OrderTaking

    source, ahead = player.tape.source, player.lookahead
    if not player.takes_orders or not isinstance(source, OrderTaking):
        return None
    market, on_read = SourceMarket(player, source), ahead.on_read

    def read(chunk: Chunk) -> None:
        market.on_read()
        on_read(chunk)

    ahead.on_read = read
    return market


def open_journal(settings: ServeSettings, directory: Path, tape: Tape) -> OrderJournal | None:
    """The order log beside the recording of a session that is traded on."""
    if not settings.orders:
        return None
    from feedsim.tap.orders import OrderJournal, Venue

    trading = TradeSettings(**{name: getattr(settings, name) for name in TradeSettings.__struct_fields__})
    venue = Venue(
        settings=trading,
        symbols=tape.symbols,
        generated=is_generated(tape),
        in_market=moves_market(settings, private=False),
    )
    return OrderJournal(directory, venue)


def is_generated(tape: Tape) -> bool:
    """Whether it is the tape of the synthetic market."""
    return tape.info.kind == "synthetic"
