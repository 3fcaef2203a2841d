"""Which chart tells a symbol's events, of those that could, and by which clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from feedsim.instruments import root_of
from feedsim.sources.sierra.clock import ChartClock
from feedsim.sources.sierra.files import ALL, TICKS, ChartFile
from feedsim.sources.sierra.lines import Line


class Routes(NamedTuple):
    """Decided once, before anything is read."""

    symbols: tuple[str, ...]
    ticks: dict[str, int]
    """Chart of a symbol's quotes and trades."""
    depth: dict[str, int]
    channels: frozenset[str]
    clock: Callable[[str, int], ChartClock | None]
    """Of a (day, chart)."""

    def reads(self, file: ChartFile) -> bool:
        """Whether a file can have lines that are told."""
        if file.type == "basedata":
            return False
        if file.type in TICKS:
            return file.chart in self.ticks.values()
        return file.type in (ALL, "vix", "menthorq") or file.chart in self.depth.values()

    def tells_tick(self, chart: int, line: Line) -> bool:
        """Whether a quote or trade comes from its symbol's chart."""
        return line.sym is not None and self.ticks.get(root_of(line.sym)) == chart
