"""What is drawn on and below the prices of a picture besides the market: fills, trades, lines over time."""

from __future__ import annotations

from dataclasses import dataclass, field

from feedsim.events.columns import Float64


@dataclass(frozen=True, slots=True)
class FillMark:
    """A fill; `column` may be between two of the picture."""

    column: float
    price: float
    side: int
    maker: bool
    says: str


@dataclass(frozen=True, slots=True)
class TripMark:
    """A trade from its entry to its exit, as (column, price)."""

    entry: tuple[float, float]
    exit: tuple[float, float]
    won: bool
    says: str


@dataclass(frozen=True, slots=True)
class Line:
    """A value at the end of each column; NaN where there is none."""

    name: str
    colour: str
    values: Float64


@dataclass(frozen=True, slots=True)
class Graph:
    """A panel of its own below the prices: lines, and where they begin."""

    name: str
    lines: tuple[Line, ...]
    base: float

    def range(self) -> tuple[float, float]:
        """What its axis must show, with room for its name."""
        values = [value for line in self.lines for value in line.values.tolist() if value == value]
        low, high = min(self.base, *values), max(self.base, *values)
        span = max(high - low, 1e-6)
        return low - 0.08 * span, high + 0.24 * span


@dataclass(slots=True)
class Overlay:
    """Of one symbol."""

    fills: list[FillMark] = field(default_factory=list)
    trips: list[TripMark] = field(default_factory=list)
    beside: Line | None = None
    """Another price, drawn beside the symbol's own."""
    graphs: list[Graph] = field(default_factory=list)
