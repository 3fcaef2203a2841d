"""Within what the numbers of a scenario make sense; outside, a book could not be kept or time would not go on."""

from __future__ import annotations

import math
from collections.abc import Iterable

from feedsim.errors import ConfigError
from feedsim.market.modulators import NEUTRAL

LABELS = ("none", "long_bias", "short_bias", "divergence_warning")
LONGEST_S = 86_400.0
Bounds = tuple[float, float]

_FACTOR: Bounds = (0.001, 1000.0)
_PULL: Bounds = (0.0, 10.0)  # a second; stable at the step of the latent price
_ADDENDS = {
    "mu": (-1000.0, 1000.0),
    "flow_bias": (-100.0, 100.0),
    "quote_tilt": (-100.0, 100.0),
    "cancel_empty": (0.0, 1.0),
    "jump": (-10_000.0, 10_000.0),
    "pin_weight": _PULL,
    "revert": _PULL,
    "to_vwap": _PULL,
    "vix_drift": (-10_000.0, 10_000.0),
    "halt": (0.0, 1.0),
}


def bounds_of(modulator: str) -> Bounds:
    """Of what a scenario may lean on a modulator; what halves or doubles stays above 0, but how queues weigh."""
    if modulator == "imbalance_mult":
        return (0.0, _FACTOR[1])
    return _FACTOR if NEUTRAL[modulator] == 1.0 else _ADDENDS[modulator]


def check(field: str, values: Iterable[float], bounds: Bounds) -> None:
    """Raises ConfigError for the first value outside."""
    low, high = bounds
    for value in values:
        if not low <= value <= high:
            raise ConfigError(f"{value}: expected {low:g} to {high:g}", field=field)


def check_range(field: str, values: tuple[float, float], bounds: Bounds) -> None:
    """The same for what is drawn between two, the lower one first."""
    check(field, values, bounds)
    if values[0] > values[1]:
        raise ConfigError(f"{list(values)}: expected the lower one first", field=field)


def check_times(field: str, *values: float | None) -> None:
    """Seconds, or none."""
    check(field, (value for value in values if value is not None), (0.0, LONGEST_S))


def check_label(label: str, side: int) -> None:
    if label not in LABELS:
        raise ConfigError(f"{label!r}: expected {', '.join(LABELS)}", field="label")
    if side not in (-1, 0, 1) or (side == 0) != (label == "none"):
        raise ConfigError(f"{side}: expected -1 or 1 with a label, 0 without one", field="side")


SHORTEST: Bounds = (math.nextafter(0.0, 1.0), LONGEST_S)
"""Of what must take time."""
