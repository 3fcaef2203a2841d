"""Small charts in SVG: lines, bars and points over a scale, with bands and values to compare with."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

import numpy as np

from feedsim.lab.axes import round_marks
from feedsim.lab.drawing import BUY, GRID, GROUND, NEUTRAL, VWAP

WIDTH, HEIGHT = 380, 240
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 30, 34
OURS, REAL = BUY, VWAP
"""Colours of what was measured here, and of the reference."""

Values = Sequence[float]


class Chart:
    """One chart; values outside of its ranges are clipped, NaN is a gap."""

    def __init__(
        self, title: str, *, x: tuple[float, float], y: tuple[float, float], under: str = "", decades: bool = False
    ) -> None:
        """`under` says what the x axis is; with `decades` y is the log10 of what its marks tell."""
        self._x, self._y = x, y
        self._parts: list[str] = []
        self._labels: list[str] = []
        self._title = title
        self._under = under
        self._decades = decades

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a value is drawn."""
        across = (x - self._x[0]) / (self._x[1] - self._x[0])
        up = (y - self._y[0]) / (self._y[1] - self._y[0])
        across, up = min(max(across, 0.0), 1.0), min(max(up, 0.0), 1.0)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    def line(self, xs: Values, ys: Values, colour: str = OURS, *, dashed: bool = False) -> None:
        path, pen = [], "M"
        for x, y in zip(xs, ys, strict=True):
            if y != y:
                pen = "M"
                continue
            path.append("{}{:.1f} {:.1f}".format(pen, *self.at(x, y)))
            pen = "L"
        style = ' stroke-dasharray="4 3"' if dashed else ""
        self._parts.append(f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="1.6"{style}/>')

    def points(self, xs: Values, ys: Values, colour: str = OURS, *, radius: float = 3) -> None:
        for x, y in zip(xs, ys, strict=True):
            if y == y:
                across, down = self.at(x, y)
                self._parts.append(f'<circle cx="{across:.1f}" cy="{down:.1f}" r="{radius}" fill="{colour}"/>')

    def bars(self, xs: Values, ys: Values, *, width: float, colour: str = OURS) -> None:
        """`width` is in units of x."""
        zero = self.at(self._x[0], max(self._y[0], 0.0))[1]
        for x, y in zip(xs, ys, strict=True):
            if y == y:
                (left, down), (right, _) = self.at(x - width / 2, y), self.at(x + width / 2, y)
                size = f'width="{right - left:.1f}" height="{abs(zero - down):.1f}"'
                self._parts.append(
                    f'<rect x="{left:.1f}" y="{min(down, zero):.1f}" {size} fill="{colour}" opacity=".75"/>'
                )

    def band(self, x: float, low: float, high: float, *, width: float) -> None:
        """The reference band of a value at x."""
        (left, bottom), (right, top) = self.at(x - width / 2, low), self.at(x + width / 2, high)
        size = f'width="{right - left:.1f}" height="{max(bottom - top, 1):.1f}"'
        self._parts.append(f'<rect x="{left:.1f}" y="{top:.1f}" {size} fill="{REAL}" opacity=".22"/>')

    def upright(self, x: float, name: str) -> None:
        """A line that marks a value of x."""
        across, down = self.at(x, self._y[1])
        self._parts.append(
            f'<path d="M{across:.1f} {down:.1f}V{HEIGHT - BOTTOM}" stroke="{REAL}" stroke-dasharray="3 3"/>'
            f'<text x="{across + 4:.1f}" y="{down + 11:.1f}">{html.escape(name)}</text>'
        )

    def label(self, x: float, name: str) -> None:
        """A mark of the x axis."""
        across, _ = self.at(x, self._y[0])
        anchor = f'x="{across:.1f}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle"'
        self._labels.append(f"<text {anchor}>{html.escape(name)}</text>")

    def labels(self, xs: Iterable[float], names: Iterable[str]) -> None:
        for x, name in zip(xs, names, strict=True):
            self.label(x, name)

    def svg(self) -> str:
        """The whole drawing."""
        ground = f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}"'
        parts = [
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(self._title)}">',
            f'{ground} fill="{GROUND}"/>',
            *self._marks(),
            f'<text class="name" x="{LEFT}" y="18">{html.escape(self._title)}</text>',
            f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 4}" text-anchor="end">{html.escape(self._under)}</text>',
            *self._labels,
            *self._parts,
            "</svg>",
        ]
        return "\n".join(parts)

    def _marks(self) -> Iterable[str]:
        for value in round_marks(*self._y, 5):
            y = self.at(self._x[0], value)[1]
            colour = NEUTRAL if value == 0 else GRID
            yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{colour}"/>'
            yield f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{self._told(value)}</text>'

    def _told(self, value: float) -> str:
        return f"{10.0**value:.4g}" if self._decades else f"{value:.4g}"


def reach(*parts: Iterable[float], least: float = 0.0) -> tuple[float, float]:
    """A range from `least` or below to a little above all values that are there."""
    values = np.array([value for part in parts for value in part if np.isfinite(value)])
    high = float(values.max()) if len(values) else 1.0
    low = min(float(values.min()), least) if len(values) else least
    return low, high + 0.08 * (high - low) if high > low else low + 1.0
