"""One line for each figure: what was measured, what it is, what it must reach, whether it does, and what it took.

All lines are printed as one table; those with a key are also kept in a file that programs can read.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table


class Figure(NamedTuple):
    """`ratio` is the figure over its limit: at most 1 is well. None for what is shown beside it."""

    name: str
    shown: str
    must: str = ""
    ratio: float | None = None
    key: str = ""
    """Its name in the file of results; without one it is only printed."""
    value: float = 0.0
    unit: str = ""
    goal: float | None = None
    better: Literal["lower", "higher"] = "lower"
    spent: str = ""
    """CPU seconds of what was measured, and the seconds by the clock that it took."""

    @property
    def met(self) -> bool:
        return self.ratio is None or self.ratio <= 1


def against(
    name: str, value: float, limit: float, *, unit: str = "", digits: int = 2, key: str = "", spent: str = ""
) -> Figure:
    """A figure that must not be above a limit."""
    shown, must = f"{value:,.{digits}f}{unit}", f"≤ {limit:g}{unit}"
    return Figure(name, shown, must, value / limit, key, value, unit.strip(), limit, "lower", spent)


def at_least(
    name: str, value: float, limit: float, *, unit: str = "", digits: int = 2, key: str = "", spent: str = ""
) -> Figure:
    """A figure that must not be below a limit."""
    ratio = limit / value if value > 0 else 99.0
    shown, must = f"{value:,.{digits}f}{unit}", f"≥ {limit:g}{unit}"
    return Figure(name, shown, must, ratio, key, value, unit.strip(), limit, "higher", spent)


def within(
    name: str, value: float, low: float, high: float, *, unit: str = "", digits: int = 2, key: str = "", spent: str = ""
) -> Figure:
    """A figure that must lie in a band; its ratio is 1 at either end."""
    ratio = abs(value - (low + high) / 2) / ((high - low) / 2)
    shown, must = f"{value:,.{digits}f}{unit}", f"{low:g}-{high:g}{unit}"
    return Figure(name, shown, must, ratio, key, value, unit.strip(), high, "lower", spent)


def beside(name: str, shown: str, *, spent: str = "") -> Figure:
    """A figure that nothing is promised of."""
    return Figure(name, shown, spent=spent)


def told(
    name: str,
    value: float,
    *,
    key: str,
    better: Literal["lower", "higher"],
    unit: str = "",
    digits: int = 2,
    spent: str = "",
) -> Figure:
    """A figure that is kept, and that nothing is promised of."""
    return Figure(name, f"{value:,.{digits}f}{unit}", "", None, key, value, unit.strip(), None, better, spent)


def print_figures(told: Mapping[str, Sequence[Figure]]) -> bool:
    """Print one table of what each benchmark found; whether everything reaches what it must."""
    table = Table()
    table.add_column("figure")
    for column in ("measured", "must be", "of the limit", "CPU s in s"):
        table.add_column(column, justify="right")
    for title, figures in told.items():
        table.add_section()
        table.add_row(f"[bold]{title}[/]")
        for figure in figures:
            ratio = "" if figure.ratio is None else f"[{'green' if figure.met else 'red'}]{figure.ratio:.2f}×[/]"
            table.add_row(figure.name, figure.shown, figure.must, ratio, figure.spent)
    Console().print(table)
    return all(figure.met for figures in told.values() for figure in figures)


def write_results(path: Path, told: Mapping[str, Sequence[Figure]]) -> None:
    """Write the figures that have a key; those of a benchmark that was not run stay as they are in the file."""
    kept: dict[str, Any] = {}
    if path.exists():
        kept = {result["name"]: result for result in msgspec.json.decode(path.read_bytes())["results"]}
    for figures in told.values():
        kept |= {figure.key: _result(figure) for figure in figures if figure.key}
    data = {"machine": _machine(), "results": list(kept.values())}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(data), indent=2) + b"\n")


def _result(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.key,
        "value": float(f"{figure.value:.4g}"),
        "unit": figure.unit,
        "goal": figure.goal,
        "better": figure.better,
        "met": None if figure.goal is None else figure.met,
    }


def _machine() -> dict[str, Any]:
    """What the figures depend on, and nothing that tells whose machine it was."""
    return {
        "cores": os.cpu_count(),
        "cpu": _cpu_model(),
        "os": platform.system(),
        "python": platform.python_version(),
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
