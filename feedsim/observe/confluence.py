"""Confluence: how much of what a trader looks at points one way, 0 to 1.

VWAP's side and slope .2, delta and order flow .25, the leader's move .2, options context .15, patterns .2; the way is
the one that the first four have more of. Scaled so that an ordinary session has .4 in the mean and rarely .6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from feedsim.events.columns import Float64
from feedsim.observe.rolling import unit

_VWAP, _FLOW, _LEADER, _OPTIONS, _PATTERN = 0.2, 0.25, 0.2, 0.15, 0.2
# Fitted on ordinary sessions.
_AT_NOTHING, _GAIN = 0.08, 0.96


@dataclass(slots=True)
class Views:
    """Each −1 (down) … 1 (up); `pattern` 0 … 1."""

    vwap: Float64
    flow: Float64
    leader: Float64
    options: Float64
    pattern: Float64


def score(views: Views) -> Float64:
    """The weighted agreement."""
    leaning = _VWAP * views.vwap + _FLOW * views.flow + _LEADER * views.leader + _OPTIONS * views.options
    way = np.where(leaning >= 0, 1.0, -1.0)
    agreed = (
        _VWAP * unit(way * views.vwap)
        + _FLOW * unit(way * views.flow)
        + _LEADER * unit(way * views.leader)
        + _OPTIONS * (1.0 + way * views.options) / 2.0
        + _PATTERN * views.pattern
    )
    return unit(_AT_NOTHING + _GAIN * agreed)


def both(first: Float64, second: Float64) -> Float64:
    """Two views as one: their mean where they agree, else 0."""
    return np.where(first * second > 0, (first + second) / 2.0, 0.0)


def signed_unit(values: Float64) -> Float64:
    """Cut to −1 … 1."""
    return np.minimum(np.maximum(values, -1.0), 1.0)
