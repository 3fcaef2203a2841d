"""The settings of a generated session under the names of the seed API, and the session that they describe."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedsim.errors import ConfigError
from feedsim.instruments import root_of
from feedsim.market.config import MarketConfig
from feedsim.mia import checks
from feedsim.mia.session import Session

MOST_LEVELS = 10
MEAN_LOTS, DEVIATION_LOTS = 3.0, 2.0  # what stands for the calibrated sizes of market orders
MOST_UNEQUAL = 5.0
VIX_LOW, VIX_HIGH = 10.0, 50.0
_ES, _NQ = ("ES", "MES"), ("NQ", "MNQ")


@dataclass
class GenConfig:
    """May be changed between calls; it is checked when it is used.

    `symbol_es` and `symbol_nq` are the names in the tables: contract names of ES, MES, NQ and MNQ choose that market,
    any other name the big one.
    """

    start: datetime
    minutes: float = 120
    symbol_es: str = "ES"
    symbol_nq: str = "NQ"
    tick_size: float = 0.25
    es_start_price: float = 5000.0
    nq_start_price: float = 18000.0
    l1_interval_ms: int = 200
    l2_interval_ms: int = 100
    bar_tf_s: int = 1
    book_levels: int = MOST_LEVELS
    base_size_mean: float = 3
    """Lots of a market order: 3 is the calibrated law, 6 twice as many."""
    base_size_std: float = 2
    """How unequal they are: 2 to a mean of 3 is the calibrated law, 0 makes them all alike."""
    vix_start: float = 15.0


def open_market(config: Any, *, seed: Any, scenario: Any, leadership: Any, strength: Any) -> Session:
    """The session that a GenConfig, or anything with its attributes, describes. Raises ConfigError."""
    start_ns = checks.start_of(config.start)
    length_ns = checks.duration_of(config.minutes, start_ns=start_ns)
    symbols = _symbols(config)
    tick = checks.number(config.tick_size, field="tick_size", above=0.0, most=math.inf)
    prices = {
        name: checks.price_on(getattr(config, field), tick, field=field)
        for name, field in (("ES", "es_start_price"), ("NQ", "nq_start_price"))
    }
    mean = checks.number(config.base_size_mean, field="base_size_mean", above=0.0, most=100 * MEAN_LOTS)
    deviation = checks.number(config.base_size_std, field="base_size_std", least=0.0, most=100 * DEVIATION_LOTS)
    market = MarketConfig(
        symbols=symbols,
        scenario=checks.scenario_of(scenario),
        leadership=leadership,
        strength=checks.strength_of(strength),
        vix=checks.number(config.vix_start, field="vix_start", least=VIX_LOW, most=VIX_HIGH),
        prices=prices,
        ticks=dict.fromkeys(("ES", "NQ", *symbols), tick),
        lot_scale=mean / MEAN_LOTS,
        lot_spread=min((deviation / mean) / (DEVIATION_LOTS / MEAN_LOTS), MOST_UNEQUAL),
        l2_interval_ms=checks.interval_ms(config.l2_interval_ms, field="l2_interval_ms"),
    )
    return Session(
        market=market,
        seed=checks.seed_of(seed),
        start_ns=start_ns,
        length_ns=length_ns,
        l1_interval_ms=checks.interval_ms(config.l1_interval_ms, field="l1_interval_ms"),
        bar_tf_s=checks.bar_length(config.bar_tf_s, length_ns=length_ns),
    )


def levels_of(config: Any) -> int:
    """How many levels of the book are wanted. Raises ConfigError."""
    return checks.whole(config.book_levels, field="book_levels", least=1, most=MOST_LEVELS)


def _symbols(config: Any) -> tuple[str, ...]:
    """The market behind each of the two names."""
    names = {field: getattr(config, field) for field in ("symbol_es", "symbol_nq")}
    for field, name in names.items():
        if not isinstance(name, str) or not name:
            raise ConfigError(f"{name!r}: expected a name", field=field)
    if names["symbol_es"] == names["symbol_nq"]:
        raise ConfigError(f"{names['symbol_nq']!r}: expected another name than that of symbol_es", field="symbol_nq")
    return _market("symbol_es", names["symbol_es"], _ES, _NQ), _market("symbol_nq", names["symbol_nq"], _NQ, _ES)


def _market(field: str, name: str, own: tuple[str, ...], other: tuple[str, ...]) -> str:
    root = root_of(name)
    if root in other:
        raise ConfigError(f"{name!r}: expected a contract of {' or '.join(own)}, or a name of your own", field=field)
    return root if root in own else own[0]
