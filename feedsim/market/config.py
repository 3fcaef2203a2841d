"""What a synthetic market is made of, checked before any work is done."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from feedsim.errors import ConfigError
from feedsim.instruments import INSTRUMENTS, NS_PER_S
from feedsim.market.presets import PRESETS, Preset
from feedsim.market.scenario import Scenario
from feedsim.market.scenarios import SCENARIOS

LEADERSHIPS = ("NQ_leads", "ES_leads", "balanced")
STRONGEST = 0.4
LAG_MS = 250.0
VIX_BOUNDS = (9.0, 90.0)
LONGEST_INTERVAL_MS = 3_600_000
START_NS = 1_755_783_000 * NS_PER_S  # 2025-08-21 09:30 in New York
PRICES: Mapping[str, float] = {"ES": 5000.0, "NQ": 18000.0}
FOLLOWS: Mapping[str, str] = {"ES": "ES", "NQ": "NQ", "MES": "ES", "MNQ": "NQ"}
"""Whose latent price a symbol's book follows: a micro that of its big contract."""
DEFAULT_PRESETS: Mapping[str, str] = {"ES": "es_2025", "NQ": "nq_2025", "MES": "mes", "MNQ": "mnq"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketConfig:
    """One synthetic market. Raises ConfigError for what it cannot be."""

    symbols: tuple[str, ...] = ("ES", "NQ")
    scenario: str | Scenario = "normal"
    leadership: str = "NQ_leads"
    strength: float = 0.15
    """How much the leader leads, 0 to 0.4: the follower hears late a share of the common factor that grows with it."""
    lag_ms: float = LAG_MS
    """How late, to 50 ms."""
    vix: float = 15.0
    prices: Mapping[str, float] = field(default_factory=lambda: dict(PRICES))
    """Of ES and NQ at the start, in index points."""
    ticks: Mapping[str, float] = field(default_factory=dict)
    """Where a symbol's tick is not the exchange's."""
    presets: Mapping[str, str | Preset] = field(default_factory=dict)
    """Where a symbol's parameter set is not the default one: a name, or the set itself."""
    lot_scale: float = 1.0
    """Makes market orders larger or smaller."""
    lot_spread: float = 1.0
    """Makes their sizes more or less unequal: a power of size / mean size."""
    l2_interval_ms: int = 100
    legacy_halt: bool = False
    """Whether sessions up to June 2021 have the daily halt that there was then, 16:15 to 16:30."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "symbols", _checked_symbols(self.symbols))
        if isinstance(self.scenario, str):
            find_scenario(self.scenario)
        if self.leadership not in LEADERSHIPS:
            raise ConfigError(f"{self.leadership!r}: expected {', '.join(LEADERSHIPS)}", field="leadership")
        if not 0 <= self.strength <= STRONGEST:
            raise ConfigError(f"{self.strength}: expected 0 to {STRONGEST}", field="strength")
        if not 0 < self.lag_ms <= 10_000:
            raise ConfigError(f"{self.lag_ms}: expected more than 0 and at most 10000 ms", field="lag_ms")
        low, high = VIX_BOUNDS
        if not low <= self.vix <= high:
            raise ConfigError(f"{self.vix}: expected {low:g} to {high:g}", field="vix")
        if not 0 <= self.lot_spread <= 5:
            raise ConfigError(f"{self.lot_spread}: expected 0 to 5", field="lot_spread")
        if not 0 < self.lot_scale <= 100:
            raise ConfigError(f"{self.lot_scale}: expected more than 0 and at most 100", field="lot_scale")
        if not 1 <= self.l2_interval_ms <= LONGEST_INTERVAL_MS:
            raise ConfigError(f"{self.l2_interval_ms}: expected 1 to {LONGEST_INTERVAL_MS} ms", field="l2_interval_ms")
        self._check_prices()
        for symbol, preset in self.presets.items():
            if isinstance(preset, str) and preset not in PRESETS:
                raise ConfigError(f"{preset!r}: expected {', '.join(PRESETS)}", field=f"presets.{symbol}")

    def _check_prices(self) -> None:
        for field_name, known in (("prices", PRICES), ("ticks", FOLLOWS), ("presets", FOLLOWS)):
            for symbol in getattr(self, field_name):
                if symbol not in known:
                    raise ConfigError(f"expected only {', '.join(known)}", field=f"{field_name}.{symbol}")
        for symbol, followed in FOLLOWS.items():
            price, tick = self.price(followed), self.tick(symbol)
            if not 0 < tick < math.inf:
                raise ConfigError(f"{tick}: expected a number above 0", field=f"ticks.{symbol}")
            if not 100 * tick <= price < math.inf:
                raise ConfigError(f"{price}: expected at least a hundred ticks of {tick}", field=f"prices.{followed}")
            if abs(price / tick - round(price / tick)) > 1e-6:  # 5000.3 is not a whole number of floats of 0.1
                raise ConfigError(f"{price}: not a multiple of the tick {tick}", field=f"prices.{followed}")

    def price(self, symbol: str) -> float:
        """Of ES or NQ, at the start."""
        return self.prices.get(symbol, PRICES[symbol])

    def tick(self, symbol: str) -> float:
        """In index points; a micro has that of its big contract."""
        return self.ticks.get(symbol, self.ticks.get(FOLLOWS[symbol], INSTRUMENTS[symbol].tick))

    def preset(self, symbol: str) -> Preset:
        """Its parameter set."""
        preset = self.presets.get(symbol, DEFAULT_PRESETS[symbol])
        return PRESETS[preset] if isinstance(preset, str) else preset

    def preset_name(self, symbol: str) -> str:
        """The name of it, or what it says of itself."""
        preset = self.presets.get(symbol, DEFAULT_PRESETS[symbol])
        return preset if isinstance(preset, str) else preset.about

    def strengths(self) -> tuple[float, float]:
        """How strongly ES and NQ follow: the follower by `strength`."""
        late = {"NQ_leads": (self.strength, 0.0), "ES_leads": (0.0, self.strength), "balanced": (0.0, 0.0)}
        return late[self.leadership]

    def to_json(self) -> dict[str, Any]:
        """As JSON values, from which `from_json` makes an equal one."""
        values: dict[str, Any] = msgspec.to_builtins(self)
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> MarketConfig:
        """Raises ConfigError."""
        try:
            return msgspec.convert(values, cls, str_keys=True)
        except msgspec.ValidationError as error:
            raise ConfigError(str(error), field="market") from None

    def find(self) -> Scenario:
        """The scenario itself."""
        return find_scenario(self.scenario) if isinstance(self.scenario, str) else self.scenario


def find_scenario(name: str) -> Scenario:
    """The scenario of a name. Raises ConfigError that tells the nearest."""
    if name in SCENARIOS:
        return SCENARIOS[name]
    near = difflib.get_close_matches(name, SCENARIOS, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise ConfigError(f"{name!r}: no such scenario; {hint}there is {', '.join(SCENARIOS)}", field="scenario")


def _checked_symbols(symbols: tuple[str, ...]) -> tuple[str, ...]:
    known = ", ".join(FOLLOWS)
    for symbol in symbols:
        if symbol not in FOLLOWS:
            raise ConfigError(f"{symbol!r}: the synthetic market has {known}", field="symbols")
    if not symbols or len(set(symbols)) != len(symbols):
        raise ConfigError(f"{list(symbols)}: expected one or more of {known}, each once", field="symbols")
    return tuple(sorted(symbols))
