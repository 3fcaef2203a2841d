"""A result as one HTML page: percentiles, the histogram, the table. It loads nothing and needs no script."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Iterator, Sequence

from feedsim.lab.drawing import BUY, PIN, SELL, VWAP
from feedsim.lab.latency.histogram import LONGEST_NS, Latencies
from feedsim.lab.latency.result import Result, Series
from feedsim.lab.latency.units import shown
from feedsim.lab.realism.charts import Chart
from feedsim.lab.template import filled

COLOURS = (BUY, VWAP, PIN, SELL)
NINES = 5  # decades of 1 / (1 - percentile): up to 99.999 %
POINTS_A_DECADE = 12
BARS_A_DECADE = 8
HEADS = ("", "count", "p50", "p90", "p99", "p99.9", "p99.99", "max")


def page_of(result: Result) -> str:
    """The whole page."""
    return page(
        title=result.title,
        about=result.about,
        key="   ".join(colour_key(series.name.strip() for series in result.drawn)),
        plots=[percentiles_chart(result.drawn).svg(), histogram_chart(result.drawn).svg()] if result.drawn else [],
        table=table(HEADS, _rows(result)),
        notes=result.notes,
    )


def page(*, title: str, about: Iterable[str], key: str, plots: Iterable[str], table: str, notes: Iterable[str]) -> str:
    """A page of drawings and a table; `key`, `plots` and `table` are HTML, all else is text."""
    values = {
        "title": html.escape(title),
        "about": "\n".join(f"<p>{html.escape(line)}</p>" for line in about),
        "key": key,
        "plots": "\n".join(plots),
        "table": table,
        "notes": "\n".join(f"<p>{html.escape(note)}</p>" for note in notes),
    }
    return filled("feedsim.lab.latency", values)


def colour_key(names: Iterable[str]) -> Iterator[str]:
    """Which colour is what."""
    for name, colour in zip(names, COLOURS, strict=False):
        yield f'<span style="color:{colour}">■</span> {html.escape(name)} &nbsp;'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column is text, the others are numbers."""
    lines = ["<table><tr>" + "".join(_cell(head, at, "th") for at, head in enumerate(heads)) + "</tr>"]
    lines += ["<tr>" + "".join(_cell(text, at, "td") for at, text in enumerate(row)) + "</tr>" for row in rows]
    return "\n".join([*lines, "</table>"])


def _cell(text: str, at: int, kind: str) -> str:
    return f"<{kind}{' class=number' if at else ''}>{html.escape(text)}</{kind}>"


def _rows(result: Result) -> Iterator[list[str]]:
    for series in result.series:
        facts = series.latencies.summary()
        if facts.count:
            values = (facts.p50_ns, facts.p90_ns, facts.p99_ns, facts.p99_9_ns, facts.p99_99_ns, facts.max_ns)
            yield [series.name, f"{facts.count:,}", *map(shown, values)]


# ------------------------------------------------------------------------------------------------------------ drawing


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
    low, high = math.floor(min(ends)), math.ceil(max(ends) + 0.01)
    bounds = [low + at / BARS_A_DECADE for at in range((high - low) * BARS_A_DECADE + 1)]
    shares = [series.latencies.shares([10 ** (bound + 6) for bound in bounds]) for series in drawn]
    most = max(max(share) for share in shares)
    chart = Chart("share of all by latency", x=(low, high), y=(0, 1.08 * most), under="ms")
    centres = [bound + 0.5 / BARS_A_DECADE for bound in bounds[:-1]]
    chart.bars(centres, shares[0], width=1 / BARS_A_DECADE, colour=COLOURS[0])
    for share, colour in zip(shares[1:], COLOURS[1:], strict=False):
        chart.line(centres, share, colour)
    marks = range(low, high + 1)
    chart.labels(marks, [f"{10.0**mark:g}" for mark in marks])
    return chart


def _ends(latencies: Latencies) -> list[float]:
    return _log10_ms(latencies.percentiles([0.1, 100.0]))


def _log10_ms(values_ns: Iterable[int]) -> list[float]:
    return [math.log10(min(max(value, 100), LONGEST_NS)) - 6 for value in values_ns]


def _span(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return low - 0.1, max(high + 0.1, low + 0.5)
