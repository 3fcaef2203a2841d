"""A preset as one record of tables for compiled code: what is drawn often is drawn from a table."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.market.book import WINDOW
from feedsim.market.chance import exp, log, normal, stream, total, uniform
from feedsim.market.presets import AMOUNTS, SHARES, Preset, Weights

CHOICES = 4096
BIRTHS = 1024
BIRTHS_UNTIL = 8.0
LN10 = 2.302585092994046
ROUND_TRIP = (0.45, 5.08, 0.13)
"""Share of the gaps inside a burst that are the exchange's round trip; mean and deviation of their log10 ns."""

_ELSEWHERE = frozenset({"fast_sd", "slow_sd", "birth_exponent"})  # in the factors, and as a table
_NUMBERS = tuple(name for name in (*SHARES, *AMOUNTS) if name not in _ELSEWHERE)

LAW = np.dtype(
    [
        *((name, "f8") for name in _NUMBERS),
        ("large_tick", "i8"),
        ("trade_cap", "i8"),
        ("depth", "f8", WINDOW),
        ("level", "i8", CHOICES),
        ("birth", "f8", BIRTHS + 1),
        ("burst_gap", "i8", CHOICES),
        ("wide_gap", "i8", CHOICES),
        ("trade_size", "i8", CHOICES),
        ("order_size", "i8", CHOICES),
        ("inside_size", "i8", CHOICES),
    ],
    align=True,
)


def law_record(preset: Preset, *, lot_scale: float = 1.0, lot_spread: float = 1.0) -> npt.NDArray[Any]:
    """One record of LAW; `lot_scale` makes market orders larger or smaller, `lot_spread` more or less unequal."""
    law = np.zeros(1, LAW)
    for name in _NUMBERS:
        law[name] = getattr(preset, name)
    law["large_tick"] = preset.wide_log10_ns > 0
    law["trade_cap"] = preset.trade_cap
    deep = [preset.depth[-1]] * (WINDOW - len(preset.depth))
    law["depth"] = [*preset.depth, *deep]
    law["level"] = choices({level + 1: weight for level, weight in enumerate(preset.behind)})
    law["birth"] = _births(preset.birth_exponent)
    chances = stream(0, "tables")
    law["burst_gap"] = [_burst_gap(chances) for _ in range(CHOICES)]
    law["wide_gap"] = [int(exp(LN10 * (preset.wide_log10_ns + 0.35 * normal(chances)))) + 1 for _ in range(CHOICES)]
    law["trade_size"] = [max(round(size * lot_scale), 1) for size in _spread(_trade_sizes(preset), lot_spread)]
    law["order_size"] = choices(preset.order_size)
    law["inside_size"] = choices(preset.inside_size)
    return law


def choices(weights: Weights) -> list[int]:
    """The values by their weights, as CHOICES equally likely entries."""
    all_of_them, reached = total(weights.values()), 0.0
    entries: list[int] = []
    for value, weight in weights.items():
        reached += weight
        entries += [value] * (math.floor(CHOICES * reached / all_of_them + 0.5) - len(entries))
    return entries


def _births(exponent: float) -> list[float]:
    """1 / (1 + r ** exponent) at BIRTHS + 1 ratios r from 0 to BIRTHS_UNTIL."""
    ratios = [BIRTHS_UNTIL * step / BIRTHS for step in range(1, BIRTHS + 1)]
    return [1.0, *(1.0 / (1.0 + exp(exponent * log(ratio))) for ratio in ratios)]


def _burst_gap(chances: Any) -> int:
    share, mean, deviation = ROUND_TRIP
    in_time = uniform(chances) < share
    log10_ns = mean + deviation * normal(chances) if in_time else 3.0 + 2.6 * uniform(chances)
    return int(exp(LN10 * log10_ns)) + 1


def _spread(sizes: list[int], by: float) -> list[float]:
    """Sizes whose logarithms lie `by` times as far from that of their mean."""
    mean = total(sizes) / len(sizes)
    if by == 1.0:
        return [float(size) for size in sizes]
    return [mean * exp(by * log(max(size, 1) / mean)) for size in sizes]


def _trade_sizes(preset: Preset) -> list[int]:
    """The atoms by their weights in thousands; what these leave is a Pareto law up to the cap."""
    atoms = [size for size, weight in preset.trade_size.items() for _ in range(round(CHOICES * weight / 1000))]
    tail = CHOICES - len(atoms)
    for step in range(tail):
        left = 1.0 - (step + 0.5) / tail
        size = preset.trade_tail_from * exp(-log(left) / preset.trade_tail)
        atoms.append(min(int(size), preset.trade_cap))
    return atoms
