"""What was measured: series of latencies under names, what to know of them, and the gate that they pass or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from feedsim.lab.latency.histogram import Latencies


@dataclass(frozen=True, slots=True)
class Series:
    """Latencies of one kind; `key` is its name in a check and in JSON."""

    key: str
    name: str
    latencies: Latencies
    drawn: bool = False
    """It is of the few that tell the story: it has a line in the plot and a file of its own."""


@dataclass(slots=True)
class Result:
    """`gate` is the series that a check means which names none."""

    title: str
    about: list[str]
    gate: str
    series: list[Series]
    notes: list[str] = field(default_factory=list)

    def find(self, key: str) -> Series | None:
        return next((series for series in self.series if series.key == key), None)

    @property
    def drawn(self) -> list[Series]:
        """The gate's first."""
        shown = [series for series in self.series if series.drawn and series.latencies.count]
        return sorted(shown, key=lambda series: series.key != self.gate)

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "title": self.title,
            "about": self.about,
            "gate": self.gate,
            "series": {series.key: msgspec.to_builtins(series.latencies.summary()) for series in self.series},
            "notes": self.notes,
        }
