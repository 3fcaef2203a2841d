"""A result as one HTML page: plots and the table. It loads nothing and needs no script."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence

from feedsim.lab.latency.plots import COLOURS, histogram_chart, percentiles_chart
from feedsim.lab.latency.result import Result
from feedsim.lab.latency.units import shown
from feedsim.lab.template import filled

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
