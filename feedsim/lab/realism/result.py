"""A study's result: each reference value with what was measured, and which of them it is inside."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from feedsim.lab.realism.measuring import Values
from feedsim.lab.realism.targets import NEEDS, Target, targets

Verdict = Literal["inside", "outside", "no band", "not measurable"]
TOO_LITTLE = "too little of it here"


class Row(msgspec.Struct, kw_only=True):
    """One metric. `z` is its distance from the measured value in quarters of the band."""

    block: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    measured: float | None
    z: float | None
    verdict: Verdict
    why: str
    """Why it is not measurable here; empty otherwise."""
    unit: str
    about: str


class Block(msgspec.Struct, kw_only=True):
    """All metrics of a symbol, of the pair, or of the VIX."""

    name: str
    metrics: int
    """With a band and a value."""
    inside: int
    mean_z: float | None
    """Mean of |z|."""
    not_measurable: int

    @property
    def share(self) -> float:
        return self.inside / self.metrics if self.metrics else math.nan


class Result(msgspec.Struct, kw_only=True):
    """What a study found."""

    name: str
    kind: str
    sessions: str
    """What was measured, in words."""
    blocks: list[Block]
    rows: list[Row]
    notes: list[str]


def judged(values: Values, told: Mapping[str, set[str]]) -> list[Row]:
    """Every reference value against what was measured; `told` is by block what its sessions tell."""
    return [_row(target, values.get(target.block, {}), told.get(target.block, set())) for target in targets()]


def _row(target: Target, values: Mapping[str, float], told: set[str]) -> Row:
    value = values.get(target.name, math.nan)
    why = next((NEEDS[need] for need in target.needs if need not in told), "" if math.isfinite(value) else TOO_LITTLE)
    found = None if why else value
    return Row(
        block=target.block,
        metric=target.name,
        value=found,
        low=target.low,
        high=target.high,
        measured=target.measured,
        z=None if found is None else target.z(found),
        verdict=_verdict(target, found),
        why=why,
        unit=target.unit,
        about=target.about,
    )


def _verdict(target: Target, value: float | None) -> Verdict:
    if value is None:
        return "not measurable"
    holds = target.holds(value)
    return "no band" if holds is None else "inside" if holds else "outside"


def blocks_of(rows: Iterable[Row]) -> list[Block]:
    """The sums of the rows, by block in their order."""
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        by_name.setdefault(row.block, []).append(row)
    return [_block(name, mine) for name, mine in by_name.items()]


def _block(name: str, rows: list[Row]) -> Block:
    banded = [row for row in rows if row.verdict in ("inside", "outside")]
    distances = list(_distances(banded))
    return Block(
        name=name,
        metrics=len(banded),
        inside=sum(row.verdict == "inside" for row in banded),
        mean_z=sum(distances) / len(distances) if distances else None,
        not_measurable=sum(row.verdict == "not measurable" for row in rows),
    )


def _distances(rows: Iterable[Row]) -> Iterator[float]:
    return (abs(row.z) for row in rows if row.z is not None)
