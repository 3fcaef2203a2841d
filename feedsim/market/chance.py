"""Random streams and the few functions of them that the market needs, the same to the bit on every machine (law 3).

Only integer operations, + − × ÷ √ and the exact `frexp` are used. A stream is the state of xoshiro256++ (Blackman and
Vigna 2019): four uint64, changed in place.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from feedsim.market.compiling import compiled

UInt64 = npt.NDArray[np.uint64]

_MASK = 2**64 - 1
_UNIT = 1.0 / 2**53
_ROOT_HALF = 0.7071067811865476
# ln 2 in two parts; the first has 32 bits, so that its product with any exponent is exact.
_LN2_HIGH = 2977044471 / 2**32
_LN2_LOW = 1.9082149292705877e-10
_ARTANH = tuple(1.0 / odd for odd in range(23, 1, -2))
_PER_LN2 = 1.4426950408889634
LN2 = 0.6931471805599453
_EXP = tuple(1.0 / n for n in range(14, 0, -1))
_11, _17, _19, _23, _32, _41, _45 = (np.uint64(bits) for bits in (11, 17, 19, 23, 32, 41, 45))


def stream(seed: int, name: str) -> UInt64:
    """The stream of a name, such as a symbol's orders, under a seed (both of any size)."""
    key = 0
    for word in (*seed.to_bytes(16, "little"), *name.encode()):
        key = _mixed(key + word + 1)
    words = []
    for _ in range(4):
        key += 1
        words.append(_mixed(key))
    return np.array(words, np.uint64)


def _mixed(value: int) -> int:
    """The step of SplitMix64 (Steele, Lea and Flood 2014)."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def total(values: Iterable[float]) -> float:
    """Their sum, one after the other: the built-in one rounds otherwise from Python 3.12 on."""
    reached = 0.0
    for value in values:
        reached += value
    return reached


@compiled
def draw(state: UInt64) -> np.uint64:
    """The next 64 random bits."""
    s0, s1, s2, s3 = state[0], state[1], state[2], state[3]
    total = s0 + s3
    result: np.uint64 = ((total << _23) | (total >> _41)) + s0
    s2 ^= s0
    s3 ^= s1
    state[0] = s0 ^ s3
    state[1] = s1 ^ s2
    state[2] = s2 ^ (s1 << _17)
    state[3] = (s3 << _45) | (s3 >> _19)
    return result


@compiled
def below(state: UInt64, limit: int) -> int:
    """A whole number in [0, limit), limit ≤ 2**31; the bias is less than limit / 2**32."""
    return np.int64(((draw(state) >> _32) * np.uint64(limit)) >> _32)  # type: ignore[return-value] # it is one


@compiled
def uniform(state: UInt64) -> float:
    """A number in [0, 1), a multiple of 2**-53."""
    return float(np.int64(draw(state) >> _11)) * _UNIT


@compiled
def log(x: float) -> float:
    """The natural logarithm of a positive number, to about one unit in the last place.

    x = m 2**e with m near 1, and ln m = 2 artanh((m - 1) / (m + 1)) as its series.
    """
    m, e = math.frexp(x)
    if m < _ROOT_HALF:
        m *= 2.0
        e -= 1
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    tail = 0.0
    for term in _ARTANH:
        tail = tail * z + term
    return e * _LN2_HIGH + (2.0 * s + (2.0 * s * z * tail + e * _LN2_LOW))


@compiled
def exp(x: float) -> float:
    """e to the power of x, to about one unit in the last place; 0 below -700, and above 700 as at 700.

    x = k ln 2 + r with |r| ≤ ln 2 / 2, and the series of e**r times the exact 2**k.
    """
    if x < -700.0:
        return 0.0
    x = min(x, 700.0)
    k = math.floor(x * _PER_LN2 + 0.5)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    total = 1.0
    for inverse in _EXP:
        total = 1.0 + total * r * inverse
    return math.ldexp(total, int(k))


@compiled
def logistic(x: float) -> float:
    """1 / (1 + e**-x)."""
    return 1.0 / (1.0 + exp(-x))


@compiled
def exponential(state: UInt64) -> float:
    """A number with density exp(-x), x ≥ 0."""
    return -log(1.0 - uniform(state))


@compiled
def normal(state: UInt64) -> float:
    """A standard normal number, by the polar method of Marsaglia (1964)."""
    while True:
        x = 2.0 * uniform(state) - 1.0
        y = 2.0 * uniform(state) - 1.0
        r = x * x + y * y
        if 0.0 < r < 1.0:
            return x * math.sqrt(-2.0 * log(r) / r)
