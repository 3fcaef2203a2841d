"""Where things stand in an SVG drawing: its rectangles, and coordinates inside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

VIEW = 1200  # units across; the page scales them
LEFT, RIGHT = 4, 76
PLOT_WIDTH = VIEW - LEFT - RIGHT
PRICE_TOP, PRICE_HEIGHT, OTHER_HEIGHT, GAP = 34, 430, 100, 10
GRAPH_HEIGHT = 150
STRIP_HEIGHT, STRIP_GAP = 18, 6
TIMES_HEIGHT, KEY_HEIGHT = 24, 22

Values = npt.NDArray[Any]


class Frame:
    """A rectangle with `columns` across and values low … high upwards."""

    def __init__(self, top: float, height: float, columns: int, low: float, high: float) -> None:
        self.top, self.height, self.columns = top, height, columns
        self.low, self.high = low, high if high > low else low + 1

    def x(self, column: Values | float) -> Values:
        return np.asarray(LEFT + np.asarray(column, np.float64) * PLOT_WIDTH / self.columns)

    def y(self, value: Values | float) -> Values:
        share = (np.asarray(value, np.float64) - self.low) / (self.high - self.low)
        return np.asarray(self.top + self.height * (1 - share))

    def line(self, column: Values, value: Values) -> str:
        """The path of a line; it has gaps where a value is NaN."""
        parts, pen = [], "M"
        for x, y in zip(self.x(column).tolist(), self.y(value).tolist(), strict=True):
            if y != y:
                pen = "M"
                continue
            parts.append(f"{pen}{x:.1f} {y:.1f}")
            pen = "L"
        return "".join(parts)

    @property
    def bottom(self) -> float:
        return self.top + self.height
