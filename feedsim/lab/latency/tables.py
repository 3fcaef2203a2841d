"""A result as a table for a terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from feedsim.lab.latency.result import Result
from feedsim.lab.latency.units import shown


def print_latencies(result: Result, console: Console) -> None:
    """Title, what it is of, a row for each series, what to know."""
    for line in (result.title, *result.about):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    table = Table(box=SIMPLE_HEAD, header_style="dim", show_edge=False, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in ("count", "p50", "p90", "p99", "p99.9", "p99.99", "max"):
        table.add_column(name, justify="right", no_wrap=True)
    for series in result.series:
        facts = series.latencies.summary()
        if facts.count:
            values = (facts.p50_ns, facts.p90_ns, facts.p99_ns, facts.p99_9_ns, facts.p99_99_ns, facts.max_ns)
            table.add_row(series.name, f"{facts.count:,}", *map(shown, values))
    console.print(table)
    for note in result.notes:
        console.print(f"note: {note}", markup=False, highlight=False, soft_wrap=True)
