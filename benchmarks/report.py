"""One line for each figure: what was measured, what it is, what it must reach, and whether it does."""

from __future__ import annotations

from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Figure(NamedTuple):
    """`ratio` is the figure over its limit: at most 1 is well. None for what is shown beside it."""

    name: str
    shown: str
    must: str = ""
    ratio: float | None = None


def against(name: str, value: float, limit: float, *, unit: str = "", digits: int = 2) -> Figure:
    """A figure that must not be above a limit."""
    return Figure(name, f"{value:,.{digits}f}{unit}", f"≤ {limit:g}{unit}", value / limit)


def at_least(name: str, value: float, limit: float, *, unit: str = "", digits: int = 2) -> Figure:
    """A figure that must not be below a limit."""
    return Figure(name, f"{value:,.{digits}f}{unit}", f"≥ {limit:g}{unit}", limit / value if value > 0 else 99.0)


def within(name: str, value: float, low: float, high: float, *, unit: str = "", digits: int = 2) -> Figure:
    """A figure that must lie in a band; its ratio is 1 at either end."""
    ratio = abs(value - (low + high) / 2) / ((high - low) / 2)
    return Figure(name, f"{value:,.{digits}f}{unit}", f"{low:g}-{high:g}{unit}", ratio)


def beside(name: str, shown: str) -> Figure:
    """A figure that nothing is promised of."""
    return Figure(name, shown)


def print_figures(title: str, figures: list[Figure]) -> bool:
    """Print a table; whether everything reaches what it must."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("figure")
    for column in ("measured", "must be", "of the limit"):
        table.add_column(column, justify="right")
    for figure in figures:
        reached = figure.ratio is None or figure.ratio <= 1
        ratio = "" if figure.ratio is None else f"[{'green' if reached else 'red'}]{figure.ratio:.2f}×[/]"
        table.add_row(figure.name, figure.shown, figure.must, ratio)
    Console().print(table)
    return all(figure.ratio is None or figure.ratio <= 1 for figure in figures)
