"""A recording's calibration from its tape to a table: what `feedsim calibrate` does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from feedsim.errors import ConfigError, SourceError
from feedsim.instruments import format_ns
from feedsim.lab.calibration import Search, compared, counted, metrics_of, wanted
from feedsim.lab.realism.arrays import Session
from feedsim.lab.realism.gathered import Gathering
from feedsim.lab.realism.tables import number
from feedsim.market.config import DEFAULT_PRESETS, FOLLOWS, PRICES, MarketConfig
from feedsim.market.preset_file import Calibration
from feedsim.market.presets import PRESETS
from feedsim.playback.tape import Tape


class Wishes(Protocol):
    """What the user says."""

    symbol: str
    seconds: float
    seed: int
    vix: float


def calibrated(tape: Tape, wishes: Wishes, *, on_step: Callable[[int, int], None]) -> Calibration:
    """Raises SourceError for a recording without trades and quotes of the symbol, ConfigError for an unknown symbol."""
    symbol = wishes.symbol or tape.symbols[0]
    if symbol not in FOLLOWS:
        raise ConfigError(f"{symbol!r}: expected {', '.join(FOLLOWS)}", field="symbol")
    sessions = [stretch[symbol] for stretch in Gathering(tape).stretches() if symbol in stretch]
    _check(sessions, symbol, tape)
    measured = metrics_of(symbol, sessions)
    start_ns, end_ns = sessions[0].start_ns, sessions[-1].end_ns
    search = Search(symbol, _market(symbol, sessions, wishes.vix), measured, start_ns=start_ns, seed=wishes.seed)
    first = PRESETS[DEFAULT_PRESETS[symbol]]
    before = search.metrics(first)
    preset = counted(first, symbol, sessions, before, measured)
    if search.distance(before) <= search.distance_of(preset):
        preset = first
    whole = max(round(wishes.seconds), 1)
    preset = search.run(preset, wishes.seconds, lambda passed, _: on_step(round(passed), whole))
    names = dict(wanted(symbol, measured))
    return Calibration(
        symbol=symbol,
        source=tape.info.name,
        sessions=f"{len(sessions)} from {format_ns(start_ns)} to {format_ns(end_ns)}, {search.tried} sets tried",
        orders=sum(len(session.trades) for session in sessions if session.trades is not None),
        quotes=sum(len(session.quotes) for session in sessions if session.quotes is not None),
        preset=preset,
        table=compared(names, measured, before, search.metrics(preset)),
    )


def _check(sessions: list[Session], symbol: str, tape: Tape) -> None:
    told = [s for s in sessions if s.trades is not None and len(s.trades) and s.quotes is not None and len(s.quotes)]
    if not told:
        raise SourceError(f"no trades and quotes of {symbol} to calibrate on", file=tape.info.name)


def _market(symbol: str, sessions: list[Session], vix: float) -> MarketConfig:
    """The default market at the recording's price."""
    quotes = next(session.quotes for session in sessions if session.quotes is not None and len(session.quotes))
    followed = FOLLOWS[symbol]
    prices = {**PRICES, followed: float(quotes.bid[0]) * MarketConfig().tick(followed)}
    return MarketConfig(prices=prices, vix=vix)


def print_calibration(found: Calibration, console: Console) -> None:
    """Each metric as recorded, as the default set has it, and as fitted."""
    console.print(
        f"{found.symbol} of {found.source}: {found.orders:,} trades, {found.quotes:,} quotes; {found.sessions}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    table = Table(box=SIMPLE_HEAD, header_style="dim")
    table.add_column("metric")
    for name in ("recorded", "default set", "fitted"):
        table.add_column(name, justify="right")
    for row in found.table:
        table.add_row(row.metric, *(number(value) for value in (row.measured, row.before, row.fitted)))
    console.print(table)
