"""Random streams against their published vectors, and the functions of them against theory."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import feedsim.market
from feedsim.market.chance import UInt64, _mixed, below, draw, exponential, log, normal, stream, total, uniform
from feedsim.market.compiling import compiled

MASK = 2**64 - 1
N = 20_000
KS_LIMIT = 1.95 / math.sqrt(N)  # the Kolmogorov-Smirnov distance that chance exceeds once in a thousand


def test_the_published_vector_of_xoshiro() -> None:
    """From the state 1, 2, 3, 4 come the numbers that its reference implementation gives."""
    state = np.array([1, 2, 3, 4], np.uint64)
    expected = [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205, 9973669472204895162]
    assert [int(draw(state)) for _ in expected] == expected


def test_the_published_vector_of_splitmix() -> None:
    """From the state 1234567 come the numbers that its reference implementation gives."""
    gamma = 0x9E3779B97F4A7C15
    assert [_mixed(1234567 + step * gamma) for step in range(2)] == [6457827717110365317, 3203168211198807973]


@given(st.lists(st.integers(0, MASK), min_size=4, max_size=4).filter(any))
def test_draw_is_xoshiro_from_any_state(words: list[int]) -> None:
    """The next bits and the next state are those of whole numbers modulo 2**64."""
    s0, s1, s2, s3 = words
    total = (s0 + s3) & MASK
    expected = (((total << 23) | (total >> 41)) + s0) & MASK
    s2, s3 = s2 ^ s0, s3 ^ s1
    after = [s0 ^ s3, s1 ^ s2, s2 ^ (s1 << 17) & MASK, ((s3 << 45) | (s3 >> 19)) & MASK]
    state = np.array(words, np.uint64)
    assert int(draw(state)) == expected
    assert state.tolist() == after


@given(st.floats(min_value=5e-324, max_value=1.7e308))
def test_log_is_as_near_as_libm(x: float) -> None:
    """The logarithm of any positive number is within two units in the last place of the C library's."""
    assert abs(log(x) - math.log(x)) <= 2 * math.ulp(math.log(x))


@given(st.floats(min_value=-1e-6, max_value=1e-6))
def test_log_near_one(d: float) -> None:
    """Where the logarithm is near 0 it is still exact to its own last places."""
    assert abs(log(1.0 + d) - math.log(1.0 + d)) <= 2 * math.ulp(math.log(1.0 + d))


def _drawn(function: Callable[[UInt64], float], name: str) -> list[float]:
    state = stream(20250821, name)
    return sorted(function(state) for _ in range(N))


def _distance(values: list[float], distribution: Callable[[float], float]) -> float:
    """Kolmogorov and Smirnov's, between sorted values and a distribution function."""
    theory = np.array([distribution(value) for value in values])
    steps = np.arange(len(values) + 1) / len(values)
    return float(max((steps[1:] - theory).max(), (theory - steps[:-1]).max()))


@pytest.mark.parametrize(
    ("function", "distribution"),
    [
        (uniform, lambda x: x),
        (exponential, lambda x: 1.0 - math.exp(-x)),
        (normal, lambda x: 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))),
    ],
    ids=["uniform", "exponential", "normal"],
)
def test_values_have_their_distribution(
    function: Callable[[UInt64], float], distribution: Callable[[float], float]
) -> None:
    """Twenty thousand values are as near to the distribution as chance allows."""
    assert _distance(_drawn(function, "distribution"), distribution) < KS_LIMIT


def test_exponential_is_never_negative_nor_without_end() -> None:
    """Also at both ends of what uniform can give."""
    values = _drawn(exponential, "ends")
    assert values[0] >= 0.0
    assert values[-1] <= 53 * math.log(2)


@given(st.integers(0, 2**63 - 1), st.integers(1, 2**31))
def test_below_stays_below(seed: int, limit: int) -> None:
    """A whole number from 0 up to, and without, the limit."""
    state = stream(seed, "below")
    assert all(0 <= below(state, limit) < limit for _ in range(20))


def test_below_reaches_all_alike() -> None:
    """Each of ten numbers comes as often as chance allows (chi-squared with 9 degrees, once in a thousand)."""
    state = stream(1, "alike")
    counts = np.bincount([below(state, 10) for _ in range(N)], minlength=10)
    assert ((counts - N / 10) ** 2 / (N / 10)).sum() < 27.9


def test_streams_differ_by_seed_and_by_name() -> None:
    """No two of many streams have a word in common."""
    words = [
        word
        for seed in (0, 1, 2, 255, 256, 2**63 - 1)
        for name in ("orders ES", "orders NQ", "value ES", "")
        for word in stream(seed, name).tolist()
    ]
    assert len(set(words)) == len(words) == 96


def test_compiled_arithmetic_has_no_fused_steps() -> None:
    """A multiplication and an addition are two roundings, on machines that could do with one as well."""
    anew: Any = compiled(normal.py_func)  # type: ignore[attr-defined] # what was kept cannot be looked into
    anew(stream(1, "compiled"))
    assembly = "".join(anew.inspect_asm().values())
    assert "mul" in assembly
    assert not any(word in assembly for word in ("vfmadd", "vfnmadd", "vfmsub", "fmadd", "fmla", "fmsub"))


def test_sums_are_the_same_on_every_python() -> None:
    """One number after the other, as the built-in one did until 3.11; the market has no other sums of floats."""
    assert total([0.1] * 10) == 0.9999999999999999
    assert total(()) == 0.0
    for path in Path(feedsim.market.__file__).parent.glob("*.py"):
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        assert not [call for call in calls if isinstance(call, ast.Name) and call.id in ("sum", "fsum")], path.name
