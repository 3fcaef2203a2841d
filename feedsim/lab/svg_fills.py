"""Fills and trades over the prices of an SVG drawing, and the graphs below them."""

from __future__ import annotations

import html
from collections.abc import Iterator

import numpy as np

from feedsim.lab.drawing import BUY, GROUND, NEUTRAL, PAPER, PRICE, SELL
from feedsim.lab.overlay import Graph, Line, Overlay
from feedsim.lab.svg_frame import LEFT, PLOT_WIDTH, Frame

HALF, HIGH = 6.0, 10.0  # units: half the width of a mark, and its height


def draw_trips(frame: Frame, overlay: Overlay) -> Iterator[str]:
    """A dashed line from entry to exit, by what came of it."""
    for trip in overlay.trips:
        (x, y), (to_x, to_y) = (
            (float(frame.x(column)), float(frame.y(price))) for column, price in (trip.entry, trip.exit)
        )
        path = f'<path class="trip" d="M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}" fill="none"'
        yield f'{path} stroke="{PAPER}" stroke-width="4" opacity=".55"/>'
        colour = BUY if trip.won else SELL
        title = f"<title>{html.escape(trip.says)}</title>"
        yield f'{path} stroke="{colour}" stroke-width="2" stroke-dasharray="6 3">{title}</path>'


def draw_fills(frame: Frame, overlay: Overlay) -> Iterator[str]:
    """A mark that points at the price, from below where it was bought, hollow where it was waited for."""
    for fill in overlay.fills:
        x, y = float(frame.x(fill.column)), float(frame.y(fill.price))
        colour, down = (BUY, 1) if fill.side > 0 else (SELL, -1)
        inside = PAPER if fill.maker else colour
        yield (
            f'<path class="fill" d="M{x:.1f} {y:.1f}l{HALF} {down * HIGH}h{-2 * HALF}z" fill="{inside}" '
            f'stroke="{colour if fill.maker else PRICE}" stroke-width="{2 if fill.maker else 1}">'
            f"<title>{html.escape(fill.says)}</title></path>"
        )


def draw_beside(frame: Frame, line: Line) -> Iterator[str]:
    """Another price, dashed."""
    path = frame.line(np.arange(frame.columns) + 0.5, line.values)
    yield f'<path d="{path}" fill="none" stroke="{GROUND}" stroke-width="4" opacity=".6"/>'
    yield f'<path d="{path}" fill="none" stroke="{line.colour}" stroke-width="1.6" stroke-dasharray="5 3"/>'


def draw_graph(frame: Frame, graph: Graph) -> Iterator[str]:
    """Lines, with what is above and below their beginning in its colour where there is one line."""
    edges = np.repeat(np.arange(frame.columns + 1), 2)[1:-1]
    base = float(frame.y(graph.base))
    if len(graph.lines) == 1:
        steps = np.nan_to_num(np.repeat(graph.lines[0].values, 2), nan=graph.base)
        for side, colour in ((1, BUY), (-1, SELL)):
            area = frame.line(edges, np.where((steps - graph.base) * side > 0, steps, graph.base))
            yield f'<path d="M{LEFT} {base:.1f}{area.replace("M", "L")}V{base:.1f}z" fill="{colour}" opacity=".28"/>'
    yield f'<path d="M{LEFT} {base:.1f}h{PLOT_WIDTH}" stroke="{NEUTRAL}"/>'
    for line in graph.lines:
        path = frame.line(edges, np.repeat(line.values, 2))
        yield f'<path d="{path}" fill="none" stroke="{line.colour}" stroke-width="1.4" stroke-linejoin="round"/>'


def graph_name(graph: Graph) -> str:
    """What it shows; with several lines each in its colour."""
    if len(graph.lines) == 1:
        return html.escape(graph.name)
    names = "  ".join(f'<tspan style="fill:{line.colour}">{html.escape(line.name)}</tspan>' for line in graph.lines)
    return f"{html.escape(graph.name)}:  {names}"
