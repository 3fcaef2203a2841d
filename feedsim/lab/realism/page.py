"""A study as one HTML page: plots beside the reference values, and the table. It loads nothing and needs no script."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from pathlib import Path

from feedsim.errors import ConfigError
from feedsim.lab.drawing import BUY, GRID, SELL, VWAP
from feedsim.lab.realism.plots import plots_of
from feedsim.lab.realism.result import Result, Row
from feedsim.lab.realism.study import Study
from feedsim.lab.realism.tables import NAMES, band, number, summary
from feedsim.lab.template import filled

SCALE = 140  # units across; the band is its middle half


def write_page(result: Result, study: Study, path: Path) -> None:
    """Raises ConfigError where it cannot be written."""
    values = {
        "title": html.escape(result.name),
        "sessions": html.escape(result.sessions),
        "sums": "\n".join(f"<p>{html.escape(summary(block))}</p>" for block in result.blocks),
        "blocks": "\n".join(_blocks(result, study)),
        "notes": "\n".join(f"<p>{html.escape(note)}</p>" for note in result.notes),
    }
    try:
        path.write_text(filled("feedsim.lab.realism", values), "utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}", field="html") from None


def _blocks(result: Result, study: Study) -> Iterator[str]:
    plots = dict(plots_of(study))
    names = [NAMES.get(block.name, block.name) for block in result.blocks]
    rows = {NAMES.get(block.name, block.name): block.name for block in result.blocks}
    for name in dict.fromkeys((*names, *plots)):
        yield f"<h2>{html.escape(name)}</h2>"
        if name in plots:
            yield f'<div class="plots">{"".join(plots[name])}</div>'
        if name in rows:
            yield from _table(row for row in result.rows if row.block == rows[name])


def _table(rows: Iterable[Row]) -> Iterator[str]:
    yield "<table><tr><th>metric</th>"
    yield from (f'<th class="number">{name}</th>' for name in ("value", "band", "measured", "z"))
    yield "<th></th><th></th><th>what it is</th></tr>"
    yield from map(_row, rows)
    yield "</table>"


def _row(row: Row) -> str:
    z = "–" if row.z is None else f"{row.z:+.1f}"
    numbers = (number(row.value), band(row), number(row.measured), z)
    cells = "".join(f'<td class="number">{text}</td>' for text in numbers)
    about = f"{row.about}, {row.unit}" if row.unit else row.about
    about = f"{about} ({row.why})" if row.why else about
    verdict = f'<td class="{row.verdict}">{row.verdict}</td>'
    return f"<tr><td>{row.metric}</td>{cells}{verdict}<td>{_scale(row)}</td><td>{html.escape(about)}</td></tr>"


def _scale(row: Row) -> str:
    """Where the value lies: the band is the middle half, what is farther out stands at the edge."""
    if row.value is None or row.low is None or row.high is None:
        return ""
    width = row.high - row.low
    parts = [f'<rect x="{SCALE / 4}" width="{SCALE / 2}" y="2" height="8" fill="{VWAP}" opacity=".22"/>']
    shown = [(row.value, BUY if row.verdict == "inside" else SELL)]
    if row.measured is not None:
        shown.insert(0, (row.measured, VWAP))
    for value, colour in shown:
        x = SCALE * min(max(0.25 + (value - row.low) / width / 2, 0.02), 0.98)
        parts.append(f'<circle cx="{x:.1f}" cy="6" r="3.5" fill="{colour}"/>')
    line = f'<path d="M0 6H{SCALE}" stroke="{GRID}"/>'
    return f'<svg class="scale" viewBox="0 0 {SCALE} 12">{line}{"".join(parts)}</svg>'
