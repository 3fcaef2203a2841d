"""Fills and trades over the prices of a PNG, and the graphs below them."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from matplotlib.patheffects import Normal, Stroke

from feedsim.lab.drawing import BUY, NEUTRAL, PAPER, PRICE, SELL
from feedsim.lab.overlay import Graph, Line, Overlay

SIZE = 210.0  # of a mark, square points
_HALO = [Stroke(linewidth=3.4, foreground=PAPER, alpha=0.6), Normal()]


def draw_trips(axes: Axes, overlay: Overlay) -> None:
    """A dashed line from entry to exit, by what came of it."""
    named: set[bool] = set()
    for trip in overlay.trips:
        columns, prices = zip(trip.entry, trip.exit, strict=True)
        name = ("trade that won" if trip.won else "trade that lost") if trip.won not in named else "_"
        named.add(trip.won)
        axes.plot(
            columns,
            prices,
            color=BUY if trip.won else SELL,
            linewidth=1.6,
            linestyle=(0, (4, 2)),
            zorder=5,
            label=name,
            path_effects=_HALO,
        )


def draw_fills(axes: Axes, overlay: Overlay) -> None:
    """A mark that points at the price, from below where it was bought, hollow where it was waited for."""
    for side, colour, verb in ((1, BUY, "bought"), (-1, SELL, "sold")):
        for maker in (False, True):
            fills = [fill for fill in overlay.fills if (fill.side, fill.maker) == (side, maker)]
            if fills:
                axes.scatter(
                    [fill.column for fill in fills],
                    [fill.price for fill in fills],
                    s=SIZE,
                    marker=MarkerStyle(_POINTING[side]),
                    color=PAPER if maker else colour,
                    edgecolors=colour if maker else PRICE,
                    linewidths=1.3 if maker else 0.7,
                    zorder=6,
                    label=f"{verb}, resting" if maker else verb,
                )


# Their tips are at the price.
_POINTING = MappingProxyType({side: Path([(0, 0), (3, -side * 5), (-3, -side * 5), (0, 0)]) for side in (1, -1)})


def draw_beside(axes: Axes, line: Line) -> None:
    """Another price, dashed."""
    columns = np.arange(len(line.values)) + 0.5
    axes.plot(
        columns, line.values, color=line.colour, linewidth=1.3, linestyle=(0, (4, 2)), zorder=3.9, label=line.name,
        path_effects=_HALO,
    )  # fmt: skip


def draw_graph(axes: Axes, graph: Graph) -> None:
    """Lines, with what is above and below their beginning in its colour where there is one line."""
    edges = np.arange(len(graph.lines[0].values))
    if len(graph.lines) == 1:
        values = np.nan_to_num(graph.lines[0].values, nan=graph.base)
        for side, colour in ((1, BUY), (-1, SELL)):
            part = np.where((values - graph.base) * side > 0, values, graph.base)
            axes.fill_between(edges, part, graph.base, step="post", color=colour, alpha=0.28, linewidth=0)
    for line in graph.lines:
        axes.plot(edges, line.values, color=line.colour, linewidth=1.2, drawstyle="steps-post", label=line.name)
    axes.axhline(graph.base, color=NEUTRAL, linewidth=0.8)
    axes.set_ylim(*graph.range())
