"""A study of a source: its sessions measured, pooled and judged.

A generated market is studied by the protocol of the reference values: sessions of several seeds at different hours of
regular trading, more of them for what a minute tells, and whole days in a row where those are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from feedsim.instruments import NS_PER_MINUTE, TradingDay, session_at, trading_days_from
from feedsim.lab.realism.arrays import Session
from feedsim.lab.realism.days import Days, PairDays, VixDays
from feedsim.lab.realism.gathered import Gathering
from feedsim.lab.realism.generated import generated, generated_days, sheets_with_log
from feedsim.lab.realism.measuring import Facts, Values
from feedsim.lab.realism.minutes import Minutes, minutes_of
from feedsim.lab.realism.result import Result, blocks_of, judged
from feedsim.lab.realism.telling import tells, tells_pair
from feedsim.market.config import FOLLOWS, MarketConfig
from feedsim.playback.tape import Tape

MARGIN_MINUTES = 15.0  # between regular trading's open, or its close, and the sessions
LONGEST_MINUTES = 360.0  # of a session within it


class Protocol(NamedTuple):
    """How much of a generated market is measured."""

    seeds: int = 8
    """Sessions for everything."""
    minute_seeds: int = 30
    """Sessions for what minutes and the pair tell, the former included."""
    minutes: float = 60.0
    days: int = 0
    """Whole sessions in a row."""


class Study:
    """All facts of the sessions that were added."""

    def __init__(self) -> None:
        self.facts = Facts()
        self.days: dict[str, Days] = {}
        self._pair_days, self._vix_days = PairDays(), VixDays()
        self._told: dict[str, set[str]] = {}

    def add(self, sessions: Mapping[str, Session], *, only_minutes: bool = False) -> None:
        """The sessions of one stretch of time."""
        self.facts.add(sessions, only_minutes=only_minutes)
        for symbol, session in sessions.items():
            self._tell(symbol, tells(session))
        if tells_pair(sessions):
            self._tell("PAIR", {"pair", *tells(sessions["ES"]) & tells(sessions["NQ"])})
        if "ES" in sessions:
            self._tell("VIX", tells(sessions["ES"]) & {"vix"})

    def _tell(self, block: str, words: set[str]) -> None:
        self._told.setdefault(block, set()).update(words)

    def add_day(self, sessions: Mapping[str, Session], day: TradingDay) -> None:
        """The same stretch, if it has all of regular trading, for what takes whole days."""
        minutes = {symbol: minutes_of(session) for symbol, session in sessions.items() if session.quotes is not None}
        for symbol, of_symbol in minutes.items():
            self._add_day(symbol, sessions[symbol], of_symbol, day)
        if "ES" in minutes and "NQ" in minutes:
            self._pair_days.add(minutes["ES"], minutes["NQ"], day)
            self._tell("PAIR", self._told.get("ES", set()) & {"days"})

    def _add_day(self, symbol: str, session: Session, minutes: Minutes, day: TradingDay) -> None:
        if not self.days.setdefault(symbol, Days()).add(minutes, day):
            return
        self._tell(symbol, {"days"})
        if symbol == "ES":
            self._vix_days.add(session, minutes, day)
            self._tell("VIX", {"days"})

    def add_night(self, sessions: Mapping[str, Session]) -> None:
        """What the spread does outside of regular trading, of whole sessions."""
        for symbol, session in sessions.items():
            if session.quotes is not None and len(session.quotes):
                self.facts.add_night(symbol, session)
                self._tell(symbol, {"night"})

    def values(self) -> Values:
        values = self.facts.values()
        for symbol, days in self.days.items():
            values.setdefault(symbol, {}).update(days.values())
        values["PAIR"].update(self._pair_days.values())
        values["VIX"].update(self._vix_days.values())
        return values

    def result(self, *, name: str, kind: str, sessions: str, notes: list[str]) -> Result:
        """Judged by the bands of ES, NQ, the pair and the VIX; blocks without any session are left out."""
        there = [row for row in judged(self.values(), self._told) if self._told.get(row.block)]
        return Result(name=name, kind=kind, sessions=sessions, blocks=blocks_of(there), rows=there, notes=notes)


# -------------------------------------------------------------------------------------------------- a generated market


def start_of(day: TradingDay, index: int, minutes: float) -> int:
    """When session `index` begins: one after the other through regular trading, without its first and last quarter."""
    margin_ns = round(MARGIN_MINUTES * NS_PER_MINUTE)
    first_ns, length_ns = day.rth_open_ns + margin_ns, round(minutes * NS_PER_MINUTE)
    places = max((day.rth_close_ns - margin_ns - first_ns) // length_ns, 1)
    return first_ns + index % places * length_ns


def study_market(
    config: MarketConfig,
    protocol: Protocol,
    *,
    seed: int,
    start_ns: int,
    fixed_start: bool = False,
    on_step: Callable[[int, int], None] | None = None,
) -> Study:
    """Sessions of seeds from `seed` on, all at `start_ns` or spread over regular trading of its day.

    `on_step` is told how many of how many steps are done.
    """
    study = Study()
    sheets = sheets_with_log()
    day = session_at(start_ns)
    sessions = max(protocol.seeds, protocol.minute_seeds)
    steps = sessions + protocol.days
    for index in range(sessions):
        at = start_ns if fixed_start else start_of(day, index, protocol.minutes)
        made = generated(config, seed=seed + index, start_ns=at, minutes=protocol.minutes, sheets=sheets)
        study.add(made, only_minutes=index >= protocol.seeds)
        if on_step is not None:
            on_step(index + 1, steps)
    for index, (made, of_day) in enumerate(generated_days(config, seed=seed, days=_days(day, protocol.days))):
        study.add_day(made, of_day)
        study.add_night(made)
        if on_step is not None:
            on_step(sessions + index + 1, steps)
    return study


def _days(first: TradingDay, count: int) -> Iterator[TradingDay]:
    """Sessions in a row that have all of regular trading."""
    for _, day in zip(range(count), trading_days_from(first.open_ns), strict=False):
        yield day


def told_of(config: MarketConfig, protocol: Protocol, *, seed: int, fixed_start: bool) -> str:
    """What is measured, in words."""
    presets = ", ".join(f"{symbol} as {config.preset_name(symbol)}" for symbol in config.symbols)
    when = "all at one time" if fixed_start else "through regular trading"
    most = max(protocol.seeds, protocol.minute_seeds)
    more = f", {most} for minutes and the pair" if most > protocol.seeds else ""
    days = f"; {protocol.days} whole sessions in a row" if protocol.days else ""
    return f"{protocol.seeds} seeds from {seed} of {protocol.minutes:g} min {when}{more}{days}; {presets}"


# ----------------------------------------------------------------------------------------------------- any other source


def study_tape(gathering: Gathering) -> Study:
    """All that a tape with an end holds."""
    study = Study()
    for sessions in gathering.stretches():
        study.add(sessions)
        day = next(session.day for session in sessions.values())
        if day is not None:
            study.add_day(sessions, day)
    return study


def notes_on(tape: Tape, gathering: Gathering) -> list[str]:
    """What to know of the figures."""
    notes = list(tape.source.info.notes)
    if gathering.off_tick:
        share = gathering.off_tick / gathering.prices
        notes.append(f"{share:.1%} of the prices are off the tick: they count as the nearest on it")
    others = [symbol for symbol in tape.symbols if symbol not in FOLLOWS or FOLLOWS[symbol] != symbol]
    if others:
        notes.append(f"there are reference values for ES and NQ, none for {', '.join(others)}")
    return notes
