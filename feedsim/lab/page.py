"""A picture as one HTML file: drawings in SVG that need no script, and a crosshair that tells the values.

Nothing is loaded from anywhere; the depth is a PNG inside the page.
"""

from __future__ import annotations

import html
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.instruments import NS_PER_MS
from feedsim.lab.overlay import Line
from feedsim.lab.picture import Panel, Picture, held
from feedsim.lab.spans import Span
from feedsim.lab.svg import drawing_of
from feedsim.lab.svg_frame import LEFT, PLOT_WIDTH, VIEW
from feedsim.lab.template import filled


def paint_html(picture: Picture, path: Path, *, style: str = "", before: str = "", after: str = "") -> None:
    """Draw into `path`, with HTML of its own before and after the drawings. Raises OSError."""
    # In JSON as in text: no value of the source can end the element that it stands in.
    data = msgspec.json.encode(_data(picture)).decode().replace("<", "\\u003c")
    values = {
        "title": html.escape(picture.title),
        "subtitle": html.escape(picture.subtitle),
        "style": style,
        "before": before,
        "after": after,
        "panels": "\n".join(drawing_of(picture, panel, place) for place, panel in enumerate(picture.panels)),
        "data": data,
    }
    path.write_text(filled("feedsim.lab", values), "utf-8")


def _data(picture: Picture) -> dict[str, object]:
    """What the crosshair tells; times in ms."""
    return {
        "start_ms": picture.start_ns // NS_PER_MS,
        "length_ms": picture.length_ns / NS_PER_MS,
        "columns": picture.columns,
        "with_flow": picture.with_flow,
        "view": VIEW,
        "left": LEFT,
        "width": PLOT_WIDTH,
        "panels": [{**_series(panel), "told": _told(picture, panel)} for panel in picture.panels],
    }


def _series(panel: Panel) -> dict[str, object]:
    return {
        "symbol": panel.symbol,
        "label": panel.price_label,
        "price": _rounded(panel.price()),
        "vwap": _rounded(held(panel.vwap)),
        "sd": _rounded(held(panel.sd)),
        "bought": panel.bought.tolist(),
        "sold": panel.sold.tolist(),
        "other": panel.other.tolist(),
        "cumulative_delta": panel.cumulative_delta().tolist(),
        "lines": [[line.name, _rounded(line.values)] for line in _lines(panel)],
    }


def _lines(panel: Panel) -> list[Line]:
    overlay = panel.overlay
    lines = [line for graph in overlay.graphs for line in graph.lines]
    return lines if overlay.beside is None else [overlay.beside, *lines]


def _rounded(values: npt.NDArray[np.float64]) -> list[float | None]:
    return [None if value != value else round(value, 4) for value in values.tolist()]


def _told(picture: Picture, panel: Panel) -> list[tuple[float, float, str]]:
    """Labels, phases and pauses: from which column to which."""
    spans: list[Span] = [*panel.spans.labels, *panel.spans.phases, *panel.spans.pauses(picture.end_ns)]
    return [(*picture.place(span), span.name) for span in spans]
