"""Exchanges for sessions, and the log of what is traded beside a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from feedsim.config import ServeSettings, TradeSettings
from feedsim.playback.tape import Tape

if TYPE_CHECKING:
    from feedsim.exchange import Exchange
    from feedsim.tap.orders import OrderJournal


def open_exchange(settings: ServeSettings, tape: Tape, *, journal: OrderJournal | None = None) -> Exchange | None:
    """The exchange of a session, in the shadow of its tape; None where nobody trades. Raises ConfigError."""
    if not settings.orders:
        return None
    from feedsim.exchange import Exchange, ignore

    return Exchange(
        tape.symbols,
        settings=settings,
        seed=settings.seed,
        generated=_is_generated(tape),
        on_log=ignore if journal is None else journal.on_log,
    )


def open_journal(settings: ServeSettings, directory: Path, tape: Tape) -> OrderJournal | None:
    """The order log beside the recording of a session that is traded on."""
    if not settings.orders:
        return None
    from feedsim.tap.orders import OrderJournal, Venue

    trading = TradeSettings(**{name: getattr(settings, name) for name in TradeSettings.__struct_fields__})
    return OrderJournal(directory, Venue(settings=trading, symbols=tape.symbols, generated=_is_generated(tape)))


def _is_generated(tape: Tape) -> bool:
    return tape.info.kind == "synthetic"
