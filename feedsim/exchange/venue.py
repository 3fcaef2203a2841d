"""The venue: what can be traded, in which steps, at what cost and within which limits; a table that users replace.

Money is whole 1/10,000ths of a dollar, so that no sum is rounded.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from feedsim.errors import ConfigError
from feedsim.instruments import INSTRUMENTS

PER_DOLLAR = 10_000
_TABLE = Path(__file__).with_name("venue.toml")

Dollars = Annotated[float, Meta(ge=0, le=1e9)]


class _Row(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    commission: Dollars
    exchange: Dollars
    nfa: Dollars
    margin_day: Dollars
    margin_overnight: Dollars
    band: Annotated[float, Meta(gt=0)]
    max_quantity: Annotated[int, Meta(ge=1, le=1_000_000)]
    tick: Annotated[float, Meta(gt=0)] | None = None
    multiplier: Annotated[float, Meta(gt=0)] | None = None


class _Table(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    as_of: str
    overnight_minutes: Annotated[int, Meta(ge=0, le=1440)]
    products: dict[str, _Row]


def money(dollars: float) -> int:
    """Dollars as whole 1/10,000ths."""
    return round(dollars * PER_DOLLAR)


def dollars(amount: int) -> float:
    return amount / PER_DOLLAR


@dataclass(frozen=True)
class Product:
    """One symbol. `tick` in points; fees and margins in 1/10,000 dollar a lot, fees also a side."""

    symbol: str
    tick: float
    tick_value: int
    """1/10,000 dollar a tick and lot."""
    commission: int
    exchange: int
    nfa: int
    margin_day: int
    margin_overnight: int
    band: int
    """Ticks."""
    max_quantity: int

    @cached_property
    def fee(self) -> int:
        """A lot and side."""
        return self.commission + self.exchange + self.nfa

    def ticks(self, price: float) -> int | None:
        """A price in ticks; None for one that is between two."""
        if not math.isfinite(price) or abs(price) > 1e12:
            return None
        ticks = round(price / self.tick)
        return ticks if abs(ticks * self.tick - price) <= 1e-6 * self.tick else None

    def price(self, ticks: int) -> float:
        return ticks * self.tick


@dataclass(frozen=True)
class Venue:
    """The products by symbol, and when the overnight margin begins, in minutes before the close."""

    as_of: str
    overnight_minutes: int
    products: dict[str, Product]


def read_venue(file: str = "") -> Venue:
    """The venue of a TOML file, or feedsim's own. Raises ConfigError."""
    path = Path(file) if file else _TABLE
    try:
        table = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _Table)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(path), field="venue") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not valid TOML: {error}", file=str(path), field="venue") from None
    except msgspec.ValidationError as error:
        raise ConfigError(str(error), file=str(path), field="venue") from None
    products = {symbol: _product(symbol, row, str(path)) for symbol, row in table.products.items()}
    return Venue(table.as_of, table.overnight_minutes, products)


def _product(symbol: str, row: _Row, file: str) -> Product:
    known = INSTRUMENTS.get(symbol)
    tick = row.tick or (known.tick if known else None)
    multiplier = row.multiplier or (known.multiplier if known else None)
    if tick is None or multiplier is None:
        raise ConfigError("a product that feedsim does not know needs tick and multiplier", file=file, field=symbol)
    return Product(
        symbol=symbol,
        tick=tick,
        tick_value=money(tick * multiplier),
        commission=money(row.commission),
        exchange=money(row.exchange),
        nfa=money(row.nfa),
        margin_day=money(row.margin_day),
        margin_overnight=money(row.margin_overnight),
        band=round(row.band / tick),
        max_quantity=row.max_quantity,
    )
