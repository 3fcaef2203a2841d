"""One generated session, whole: made in parts so that what is not told is not kept, told as DataFrames.

Rows are sampled from the market's own events; a session is the beginning of any longer one of the same arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from math import gcd
from typing import TYPE_CHECKING

from feedsim.errors import ConfigError
from feedsim.instruments import NS_PER_MINUTE, NS_PER_MS
from feedsim.market.config import LAG_MS, START_NS, MarketConfig
from feedsim.market.scenario import Scenario
from feedsim.mia import checks

if TYPE_CHECKING:
    import pandas as pd

    from feedsim.mia.told import Told
    from feedsim.sources.synthetic import SyntheticSource


@dataclass(frozen=True, kw_only=True)
class Session:
    """What fixes a session. Making it is put off until its rows are asked for, and done once."""

    market: MarketConfig
    seed: int
    start_ns: int
    length_ns: int
    l1_interval_ms: int = 200
    bar_tf_s: int = 1

    @property
    def end_ns(self) -> int:
        return self.start_ns + self.length_ns

    def open(self) -> SyntheticSource:
        """The market itself, at the session's start: all its events, as `feedsim.replay` has them."""
        from feedsim.sources.synthetic import SyntheticSource

        # Books are told at multiples of the interval since the epoch, and are wanted at multiples since the start.
        every_ms = self.market.l2_interval_ms
        market = replace(self.market, l2_interval_ms=gcd(every_ms, self.start_ns // NS_PER_MS))
        minutes = self.length_ns / NS_PER_MINUTE
        return SyntheticSource(config=market, seed=self.seed, minutes=minutes, start_ns=self.start_ns)

    @cached_property
    def told(self) -> Told:
        """The session's tables, as columns."""
        from feedsim.mia.told import tell

        return tell(self)

    def frames(self) -> dict[str, pd.DataFrame]:
        """l1, l2, bars, footprint, context, leadership_features, ground_truth and windows, by time and symbol; in ms.

        L1 and L2 stand as at every interval, bars are exact, the footprint has a row for each price of a bar, context
        and truth one a second and symbol, windows one for each phase of a window. New DataFrames at each call.
        """
        from feedsim.mia.frames import session_frames

        return session_frames(self)

    def trades(self) -> pd.DataFrame:
        """Every trade: ts (ms), symbol, price, size, side (1 the buyer was the aggressor, -1 the seller), trade_id."""
        from feedsim.mia.frames import trade_frame

        return trade_frame(self)


def generate(
    *,
    scenario: str | Scenario = "normal",
    minutes: float = 120,
    seed: int = 0,
    start: datetime | None = None,
    symbols: Sequence[str] = ("ES", "NQ"),
    leadership: str = "NQ_leads",
    strength: float = 0.15,
    lag_ms: float = LAG_MS,
    vix: float = 15.0,
    prices: Mapping[str, float] | None = None,
    presets: Mapping[str, str] | None = None,
    l1_interval_ms: int = 200,
    l2_interval_ms: int = 100,
    bar_tf_s: int = 1,
) -> Session:
    """A session of the synthetic market, of which `frames()` gives DataFrames.

    `scenario` is a name, a TOML file or a Scenario; `start` has a time zone and is 2025-08-21 09:30 in New York by
    default; `prices` are those of ES and NQ at the start, `presets` name the parameter sets of symbols, `lag_ms` is how
    late the follower hears. Raises ConfigError before any work is done.
    """
    start_ns = START_NS if start is None else checks.start_of(start)
    length_ns = checks.duration_of(minutes, start_ns=start_ns)
    market = MarketConfig(
        symbols=_names(symbols),
        scenario=checks.scenario_of(scenario),
        leadership=leadership,
        strength=checks.strength_of(strength),
        vix=checks.vix_of(vix),
        l2_interval_ms=checks.interval_ms(l2_interval_ms, field="l2_interval_ms"),
        lag_ms=checks.number(lag_ms, field="lag_ms", above=0.0, most=10_000.0),
        prices=checks.prices_of(prices),
        presets=dict(presets or {}),
    )
    return Session(
        market=market,
        seed=checks.seed_of(seed),
        start_ns=start_ns,
        length_ns=length_ns,
        l1_interval_ms=checks.interval_ms(l1_interval_ms, field="l1_interval_ms"),
        bar_tf_s=checks.bar_length(bar_tf_s, length_ns=length_ns),
    )


def _names(symbols: Sequence[str]) -> tuple[str, ...]:
    if isinstance(symbols, str) or not all(isinstance(symbol, str) for symbol in symbols):
        raise ConfigError(f'{symbols!r}: expected a list of names, as ["ES", "NQ"]', field="symbols")
    return tuple(symbols)
