"""The reference values: for each block (ES, NQ, PAIR, VIX) and metric a band, the measured value, and what it needs."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec

NEEDS: Mapping[str, str] = {
    "quotes": "no quotes here",
    "trades": "no trades here",
    "sides": "no trades with their aggressor's side here",
    "books": "no books of ten levels here",
    "orders": "the orders themselves are not told; a generated session has them",
    "milliseconds": "times are too coarse: orders of one time cannot be told apart",
    "microseconds": "times are too coarse",
    "changes": "quotes come on a fixed interval, not at every change",
    "day": "nothing of regular trading here",
    "night": "nothing outside of regular trading here (--days makes whole sessions of a generated market)",
    "days": "takes whole sessions (--days makes them of a generated market)",
    "pair": "ES and NQ are not both here with quotes",
    "vix": "no VIX beside ES here",
}
"""What a source must tell, and what is said where it does not."""

HALF_HOURS = tuple(f"{minute // 60:02}:{minute % 60:02}" for minute in range(9 * 60 + 30, 16 * 60, 30))
PLACES = 2


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One metric's band; bounds or the measured value are None where nobody knows them."""

    block: str
    name: str
    low: float | None
    high: float | None
    measured: float | None
    unit: str
    needs: tuple[str, ...]
    about: str

    def z(self, value: float) -> float | None:
        """Distance from the measured value in quarters of the band."""
        if self.measured is None or self.low is None or self.high is None:
            return None
        return (value - self.measured) / ((self.high - self.low) / 4)

    def holds(self, value: float) -> bool | None:
        """Whether a value is inside; None without a band."""
        if self.low is None or self.high is None:
            return None
        return self.low <= value <= self.high


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("feedsim.lab.realism").joinpath("targets.toml").read_text("utf-8"))


@cache
def targets() -> tuple[Target, ...]:
    """All of them, by block in the order of the table."""
    return tuple(_targets())


def curve(block: str, name: str) -> list[float]:
    """Measured values that a plot shows; empty where there are none."""
    values: list[float] = _file()["curves"].get(block, {}).get(name, [])
    return values


def _targets() -> Iterator[Target]:
    shapes = _file()["shapes"]
    for block, bands in _file()["bands"].items():
        for name, band in bands.items():
            yield _target(block, name, band)
        for name, values in shapes.get(block, {}).items():
            for clock, value in zip(HALF_HOURS, values, strict=True):
                far = value * shapes["tolerance"]
                band = [round(value - far, PLACES), round(value + far, PLACES), value]
                yield _target(block, f"{name}.{clock}", band)


def _target(block: str, name: str, band: list[float]) -> Target:
    metric = _file()["metrics"][name.partition(".")[0]]
    low, high, measured = (None if math.isnan(value) else float(value) for value in band)
    return Target(
        block=block,
        name=name,
        low=low,
        high=high,
        measured=measured,
        unit=metric["unit"],
        needs=tuple(metric["needs"]),
        about=metric["about"],
    )
