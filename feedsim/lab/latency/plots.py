"""The plots of latencies, for a page or as one SVG file: by percentile, and how often each was seen."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence

from feedsim.lab.drawing import BUY, FAINT, INK, PAPER, PIN, SELL, VWAP
from feedsim.lab.latency.histogram import LONGEST_NS, Latencies
from feedsim.lab.latency.result import Result, Series
from feedsim.lab.realism.charts import HEIGHT, WIDTH, Chart

COLOURS = (BUY, VWAP, PIN, SELL)
NINES = 5  # decades of 1 / (1 - percentile): up to 99.999 %
POINTS_A_DECADE = 12
BARS_A_DECADE = 8
GAP, HEAD = 12, 56
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'
STYLE = (
    f"text {{ font: 10.5px {FONT}; fill: {FAINT}; }} .name {{ font-size: 12px; font-weight: 600; fill: {INK}; }}"
    f" .title {{ font-size: 15px; font-weight: 700; fill: {INK}; }}"
)


def percentiles_chart(drawn: Sequence[Series]) -> Chart:
    """Latency by percentile, with as much room for each further nine."""
    decades = min(max(math.log10(max(series.latencies.count for series in drawn)), 1.0), float(NINES))
    places = [at / POINTS_A_DECADE for at in range(int(decades * POINTS_A_DECADE) + 1)]
    lines = [_log10_ms(series.latencies.percentiles([100 * (1 - 10**-place) for place in places])) for series in drawn]
    low, high = _span([value for line in lines for value in line])
    chart = Chart("latency by percentile, ms", x=(0, decades), y=(low, high), under="percentile", decades=True)
    for line, colour in zip(lines, COLOURS, strict=False):
        chart.line(places, line, colour)
    nines = ("0", "90", "99", "99.9", "99.99", "99.999")
    chart.labels(range(int(decades) + 1), [f"{nine} %" for nine in nines[: int(decades) + 1]])
    return chart


def histogram_chart(drawn: Sequence[Series]) -> Chart:
    """How often each latency was seen; the axis is logarithmic."""
    ends = [end for series in drawn for end in _ends(series.latencies)]
    low = math.floor(min(ends))
    steps = math.ceil((max(ends) - low) * BARS_A_DECADE + 0.01)
    bounds = [low + at / BARS_A_DECADE for at in range(steps + 1)]
    high = bounds[-1]
    shares = [series.latencies.shares([10 ** (bound + 6) for bound in bounds]) for series in drawn]
    most = max(max(share) for share in shares)
    chart = Chart("share of all by latency", x=(low, high), y=(0, 1.08 * most), under="ms")
    centres = [bound + 0.5 / BARS_A_DECADE for bound in bounds[:-1]]
    chart.bars(centres, shares[0], width=1 / BARS_A_DECADE, colour=COLOURS[0])
    for share, colour in zip(shares[1:], COLOURS[1:], strict=False):
        chart.line(centres, share, colour)
    marks = range(low, math.floor(high) + 1)
    chart.labels(marks, [f"{10.0**mark:g}" for mark in marks])
    return chart


def _ends(latencies: Latencies) -> list[float]:
    return _log10_ms(latencies.percentiles([0.1, 100.0]))


def _log10_ms(values_ns: Iterable[int]) -> list[float]:
    return [math.log10(min(max(value, 100), LONGEST_NS)) - 6 for value in values_ns]


def _span(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return low - 0.1, max(high + 0.1, low + 0.5)


# ------------------------------------------------------------------------------------------------------------ a file


def drawing_of(result: Result) -> str:
    """A result's plots as an SVG file."""
    drawn = result.drawn
    plots = [percentiles_chart(drawn).svg(), histogram_chart(drawn).svg()] if drawn else []
    colours = dict(zip((series.name.strip() for series in drawn), COLOURS, strict=False))
    return drawing(result.title, colours, plots)


def drawing(title: str, colours: Mapping[str, str], plots: Sequence[str]) -> str:
    """Plots side by side under a title and a key of colours, as an SVG file."""
    width, height = max(len(plots), 1) * (WIDTH + GAP) + GAP, HEIGHT + HEAD
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f'<style>{STYLE}</style><rect width="{width}" height="{height}" fill="{PAPER}"/>',
        f'<text class="title" x="{GAP}" y="24">{html.escape(title)}</text>',
        *_key(colours),
    ]
    for at, plot in enumerate(plots):
        place = f'x="{GAP + at * (WIDTH + GAP)}" y="{HEAD - 4}" width="{WIDTH}" height="{HEIGHT}" '
        parts.append(plot.replace("<svg ", f"<svg {place}", 1))
    return "\n".join([*parts, "</svg>", ""])


def _key(colours: Mapping[str, str]) -> Iterable[str]:
    x = float(GAP)
    for name, colour in colours.items():
        yield f'<rect x="{x:.0f}" y="36" width="9" height="9" fill="{colour}"/>'
        yield f'<text x="{x + 14:.0f}" y="45">{html.escape(name)}</text>'
        x += 30 + 5.6 * len(name)
