"""A study's result as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from feedsim.lab.realism.result import Block, Result, Row

NAMES = {"PAIR": "ES and NQ", "VIX": "VIX"}
MARKS = {"inside": "[green]inside[/green]", "outside": "[red]outside[/red]", "no band": "–"}


def print_result(result: Result, console: Console) -> None:
    """What was measured, block by block; what could not be, and why; the sums."""
    for line in (f"{result.name}  ({result.kind})", result.sessions):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for block in result.blocks:
        rows = [row for row in result.rows if row.block == block.name]
        console.print()
        if any(row.value is not None for row in rows):
            console.print(_table(block, rows))
        for line in _missing(rows):
            console.print(line, markup=False, highlight=False)
    console.print()
    for line in (*map(summary, result.blocks), *(f"note: {note}" for note in result.notes)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _table(block: Block, rows: list[Row]) -> Table:
    title = NAMES.get(block.name, block.name)
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=SIMPLE_HEAD)
    table.show_edge = table.pad_edge = False
    table.padding = (0, 1, 0, 0)
    table.add_column("metric", no_wrap=True, min_width=max(len(row.metric) for row in rows if row.value is not None))
    for name, width in (("value", 9), ("band", 14), ("measured", 8), ("z", 5)):
        table.add_column(name, justify="right", no_wrap=True, min_width=width)
    table.add_column("", no_wrap=True, min_width=len("outside"))
    table.add_column("what it is", style="dim", overflow="ellipsis", no_wrap=True)  # gives way where room is short
    for row in rows:
        if row.value is not None:
            about = f"{row.about}, {row.unit}" if row.unit else row.about
            z = "–" if row.z is None else f"{row.z:+.1f}"
            marks = MARKS[row.verdict]
            table.add_row(row.metric, number(row.value), band(row), number(row.measured), z, marks, about)
    return table


def number(value: float | None) -> str:
    """Four digits; a dash for nothing."""
    return "–" if value is None else f"{value:.4g}"


def band(row: Row) -> str:
    """From low to high."""
    return "–" if row.low is None else f"{number(row.low)} … {number(row.high)}"


def _missing(rows: list[Row]) -> Iterator[str]:
    by_why: dict[str, list[str]] = {}
    for row in rows:
        if row.why:
            by_why.setdefault(row.why, []).append(row.metric)
    for why, names in by_why.items():
        yield f"{rows[0].block}, not measurable here: {why}: {', '.join(folded(names))}"


def folded(names: list[str]) -> list[str]:
    """Half hours of one shape as one name."""
    return list(dict.fromkeys(name.partition(".")[0] if "U_30m" in name else name for name in names))


def summary(block: Block) -> str:
    """A block in one line."""
    name = NAMES.get(block.name, block.name)
    if not block.metrics:
        return f"{name}: nothing of it is measurable here"
    z = "" if block.mean_z is None else f", mean |z| {block.mean_z:.2f}"
    left = f", {block.not_measurable} not measurable here" if block.not_measurable else ""
    return f"{name}: {block.inside} of {block.metrics} inside ({block.share:.0%}){z}{left}"
