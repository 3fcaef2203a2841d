"""Confluence: how much of what a trader looks at points one way, 0 to 1.

VWAP's side and slope .2, delta and order flow .25, the leader's drive .2, options context .15, patterns .2; the way is
the one that the first four have more of. Scaled so that an ordinary session has .4 in the mean and rarely .6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feedsim.events.columns import Float64
from feedsim.observe.rolling import unit

_VWAP, _FLOW, _LEADER, _OPTIONS, _PATTERN = 0.2, 0.25, 0.2, 0.15, 0.2


@dataclass(frozen=True, slots=True)
class Scale:
    """What an agreement of nothing scores, and what one of everything has more."""

    at_nothing: float
    gain: float


# `python -m benchmarks.confluence` fits them on ordinary sessions alone: a mean of .4, and .6 where 86 % lie below.
# Thin books have more stacked imbalances and a more one-sided flow, so NQ has a scale of its own.
_SCALE = Scale(-0.08, 1.73)
_NASDAQ_SCALE = Scale(-0.02, 1.30)


@dataclass(slots=True)
class Views:
    """Each −1 (down) … 1 (up); `pattern` 0 … 1."""

    vwap: Float64
    flow: Float64
    leader: Float64
    options: Float64
    pattern: Float64


def agreement(views: Views) -> Float64:
    """The weighted agreement, 0 … 1."""
    leaning = _VWAP * views.vwap + _FLOW * views.flow + _LEADER * views.leader + _OPTIONS * views.options
    way = np.where(leaning >= 0, 1.0, -1.0)
    agreed: Float64 = (
        _VWAP * unit(way * views.vwap)
        + _FLOW * unit(way * views.flow)
        + _LEADER * unit(way * views.leader)
        + _OPTIONS * (1.0 + way * views.options) / 2.0
        + _PATTERN * views.pattern
    )
    return agreed


def scale_of(symbol: str) -> Scale:
    """How a symbol's agreement becomes its score."""
    return _NASDAQ_SCALE if "NQ" in symbol else _SCALE


def score(views: Views, symbol: str) -> Float64:
    """The agreement on the symbol's scale."""
    scale = scale_of(symbol)
    return unit(scale.at_nothing + scale.gain * agreement(views))


def where_agreed(view: Float64, other: npt.NDArray[np.generic]) -> Float64:
    """A view where another has its sign, else 0."""
    return np.where(np.sign(view) * np.sign(other) > 0, view, 0.0)


def signed_unit(values: Float64) -> Float64:
    """Cut to −1 … 1."""
    return np.minimum(np.maximum(values, -1.0), 1.0)
