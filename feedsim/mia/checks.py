"""Arguments that users give in Python, checked before any work is done: ConfigError names field, value and bounds."""

from __future__ import annotations

import math
import operator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from feedsim.errors import ConfigError
from feedsim.instruments import NS_PER_MINUTE, NS_PER_MS, NS_PER_S, format_ns, session_at
from feedsim.market.config import LONGEST_INTERVAL_MS, PRICES, STRONGEST, VIX_BOUNDS, find_scenario
from feedsim.market.scenario import Scenario
from feedsim.sources.market_options import find

LONGEST_BAR_S = 86_400


def number(value: Any, *, field: str, above: float | None = None, least: float = -math.inf, most: float) -> float:
    """A finite number that is more than `above`, at least `least` and at most `most`."""
    allowed = f"a number above {above:g}" if above is not None else f"a number from {least:g}"
    allowed += f" to {most:g}" if math.isfinite(most) else ""
    try:
        if isinstance(value, (bool, str)):
            raise TypeError
        found = float(value)
    except (TypeError, ValueError):
        raise ConfigError(f"{value!r}: expected {allowed}", field=field) from None
    if not (math.isfinite(found) and least <= found <= most and (above is None or found > above)):
        raise ConfigError(f"{value}: expected {allowed}", field=field)
    return found


def whole(value: Any, *, field: str, least: int, most: int) -> int:
    """A whole number from `least` to `most`."""
    try:
        if isinstance(value, bool):
            raise TypeError
        found = operator.index(value)
    except TypeError:
        found = None
    if found is None or not least <= found <= most:
        raise ConfigError(f"{value!r}: expected a whole number from {least} to {most}", field=field)
    return found


def start_of(value: Any, *, field: str = "start") -> int:
    """A time with an offset as epoch nanoseconds, cut to a millisecond: rows tell their times in milliseconds."""
    if not isinstance(value, datetime):
        raise ConfigError(f"{value!r}: expected a datetime with a time zone", field=field)
    if value.utcoffset() is None:
        raise ConfigError(
            f"{value.isoformat()}: expected a time zone, as datetime(…, tzinfo=timezone.utc) has", field=field
        )
    epoch = datetime.fromtimestamp(0, value.tzinfo)
    return (value - epoch) // timedelta(milliseconds=1) * NS_PER_MS


def duration_of(minutes: Any, *, start_ns: int, field: str = "minutes") -> int:
    """A session's length in nanoseconds; some of it must be in open hours."""
    length_ns = round(number(minutes, field=field, above=0.0, most=math.inf) * NS_PER_MINUTE)
    opening_ns = session_at(start_ns).open_ns
    if start_ns + length_ns <= opening_ns:
        raise ConfigError(
            f"{format_ns(start_ns)}: Globex is closed for all of these {minutes:g} minutes;"
            f" it opens at {format_ns(opening_ns)}",
            field="start",
        )
    return length_ns


def bar_length(value: Any, *, length_ns: int, field: str = "bar_tf_s") -> int:
    """Seconds, at most those of the session."""
    return whole(value, field=field, least=1, most=min(max(length_ns // NS_PER_S, 1), LONGEST_BAR_S))


def interval_ms(value: Any, *, field: str) -> int:
    return whole(value, field=field, least=1, most=LONGEST_INTERVAL_MS)


def scenario_of(value: Any) -> str | Scenario:
    """A scenario by its name, the path of a TOML file, or itself. An unknown name is told with the nearest."""
    if isinstance(value, Scenario):
        return value
    if not isinstance(value, str):
        raise ConfigError(f"{value!r}: expected a name, a TOML file or a Scenario", field="scenario")
    found = find(value)
    if isinstance(found, str):
        find_scenario(found)
    return found


def strength_of(value: Any) -> float:
    return number(value, field="strength", least=0.0, most=STRONGEST)


def seed_of(value: Any) -> int:
    return whole(value, field="seed", least=0, most=2**63 - 1)


def vix_of(value: Any) -> float:
    return number(value, field="vix", least=VIX_BOUNDS[0], most=VIX_BOUNDS[1])


def prices_of(given: Any) -> dict[str, float]:
    """Starting prices by symbol, of ES and NQ."""
    prices = dict(PRICES)
    for symbol, value in (given or {}).items():
        if symbol not in PRICES:
            raise ConfigError(f"{symbol!r}: expected {' or '.join(PRICES)}", field="prices")
        prices[symbol] = number(value, field=f"prices.{symbol}", above=0.0, most=math.inf)
    return prices


def price_on(value: Any, tick: float, *, field: str) -> float:
    """A price on the grid of a tick, at least a hundred ticks high."""
    price = number(value, field=field, above=0.0, most=math.inf)
    if price < 100 * tick:
        raise ConfigError(f"{value}: expected at least a hundred ticks of {tick:g}", field=field)
    if Decimal(str(price)) % Decimal(str(tick)):
        raise ConfigError(f"{value}: expected a multiple of the tick {tick:g}", field=field)
    return round(price / tick) * tick
