"""What a scenario is: windows of phases that lean on modulators, told in a table or a TOML file by the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from feedsim.errors import ConfigError
from feedsim.market.modulators import LEANABLE
from feedsim.market.scenario_bounds import (
    LONGEST_S,
    SHORTEST,
    bounds_of,
    check,
    check_label,
    check_range,
    check_times,
)

LARGEST_NEWS = 20.0
FARTHEST_ICEBERG = 10.0  # ticks behind the best price
MOST_LOTS = 1e6

Range = tuple[float, float]
"""Drawn evenly between the two."""


class Decay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An amount of `peak` at the phase's start that goes back to neutral as (1 + t / tau_s) ** -power."""

    peak: float
    tau_s: float
    power: float = 1.0

    def __post_init__(self) -> None:
        check("tau_s", [self.tau_s], SHORTEST)
        check("power", [self.power], (0.0, 10.0))


Amount = float | Range | Decay


class Iceberg(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A hidden order some ticks behind the best price of its side; `refresh` lots of it are shown at a time."""

    side: Literal["bid", "ask"]
    offset: Range
    reserve: Range
    refresh: Range

    def __post_init__(self) -> None:
        check_range("iceberg.offset", self.offset, (0.0, FARTHEST_ICEBERG))
        check_range("iceberg.reserve", self.reserve, (1.0, MOST_LOTS))
        check_range("iceberg.refresh", self.refresh, (1.0, MOST_LOTS))


class Phase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One part of a window. Times are in seconds of a session of an hour or more; a shorter one has shorter windows."""

    name: str
    seconds: Range
    lean: dict[str, Amount] = {}
    """Modulators (market/modulators.py) by name."""
    ramp_s: float = 6.0
    iceberg: Iceberg | None = None
    confidence: float = 0.0
    """Of the window's label while the phase lasts; 0 tells no label."""
    onset_s: float = 0.0
    """How long after the phase's start a perfect detector could know it: the label begins then."""
    label_s: float | None = None
    """How long the label stays; None for the whole phase."""

    def __post_init__(self) -> None:
        _check_words(self.lean)
        check_range("seconds", self.seconds, SHORTEST)
        check("confidence", [self.confidence], (0.0, 1.0))
        check_times("ramp_s, onset_s, label_s", self.ramp_s, self.onset_s, self.label_s)


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pattern that comes again and again at random times, and what the truth says of it."""

    phases: tuple[Phase, ...]
    gap_s: Range
    """From the end of one to the start of the next."""
    label: str = "none"
    side: int = 0
    repeat: tuple[int, int] = (1, 1)
    """How many times the phases up to `last` are gone through."""
    last: tuple[Phase, ...] = ()
    """Phases that come once, after the repeated ones."""
    fails: float = 0.0
    """Probability that `failing` comes in the place of `last`: a hard negative."""
    failing: tuple[Phase, ...] = ()
    label_from_round: int = 1
    """The round of the repeated phases from which the label is told."""
    early_s: float = 0.0
    """How much of its beginning may lie before the session's start."""
    mirror: float = 0.0
    """Probability that buyers and sellers change places."""
    fill: bool = False
    """Whether it takes up the whole block, so that no true window has to be placed."""

    def __post_init__(self) -> None:
        if not self.phases:
            raise ConfigError("none: expected one or more", field="phases")
        check_range("gap_s", self.gap_s, (0.0, LONGEST_S))
        check_range("repeat", self.repeat, (1, 1000))
        check("fails, mirror", (self.fails, self.mirror), (0.0, 1.0))
        check_times("early_s", self.early_s)
        check_label(self.label, self.side)


class News(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Figures at a time that the user sets: a lull before it, then what the scenario news_spike has."""

    at: str | float
    """New York time (`14:00`), the first one after the session's start; or minutes since that start."""
    size: float = 1.0
    """Of the jump: 1 is 36 to 60 ticks of ES at 5,000 points and a VIX of 15; negative falls."""

    def __post_init__(self) -> None:
        if not 0 < abs(self.size) <= LARGEST_NEWS:
            raise ConfigError(f"{self.size}: expected -{LARGEST_NEWS:g} to {LARGEST_NEWS:g}, not 0", field="news.size")


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A name, a sentence, what leans all the time, its windows, and news at set times."""

    name: str
    about: str
    always: dict[str, Amount] = {}
    windows: tuple[Window, ...] = ()
    news: tuple[News, ...] = ()

    def __post_init__(self) -> None:
        _check_words(self.always)


def _check_words(lean: Mapping[str, Amount]) -> None:
    for name in lean:
        if name not in LEANABLE:
            raise ConfigError(f"{name!r}: no such modulator; there is {', '.join(LEANABLE)}", field="lean")
    for name, amount in lean.items():
        if isinstance(amount, tuple):
            check_range(name, amount, bounds_of(name))
        else:
            check(name, [amount.peak if isinstance(amount, Decay) else amount], bounds_of(name))


def mirrored(lean: Mapping[str, Amount]) -> dict[str, Amount]:
    """The same with buyers and sellers in each other's place."""
    swapped = {"depth_bid": "depth_ask", "depth_ask": "depth_bid"}
    return {swapped.get(name, name): _negated(amount) if name in SIGNED else amount for name, amount in lean.items()}


SIGNED = frozenset({"mu", "flow_bias", "quote_tilt", "jump"})


def _negated(amount: Amount) -> Amount:
    if isinstance(amount, Decay):
        return Decay(peak=-amount.peak, tau_s=amount.tau_s, power=amount.power)
    if isinstance(amount, tuple):
        return (-amount[0], -amount[1])
    return -amount
