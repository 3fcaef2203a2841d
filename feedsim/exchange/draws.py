"""Random numbers that depend on nothing but a seed and what they are drawn for, never on what was drawn before."""

from __future__ import annotations

_MASK = 2**64 - 1
_UNIT = 1.0 / 2**53


def uniform(seed: int, *drawn_for: int) -> float:
    """A number in [0, 1), a multiple of 2**-53: SplitMix64 (Steele, Lea and Flood 2014) over the words."""
    value = _mixed(seed & _MASK)
    for word in drawn_for:
        value = _mixed(value ^ (word & _MASK))
    return (value >> 11) * _UNIT


def _mixed(value: int) -> int:
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
