"""Gates of latency: what they mean, and what they say to those who write them wrongly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.errors import ConfigError
from feedsim.lab.latency.checks import parse_checks
from feedsim.lab.latency.histogram import Latencies
from feedsim.lab.latency.orders import study
from feedsim.lab.latency.result import Result, Series
from feedsim.lab.latency.units import parse_ns, shown
from tests.lab.latency.rows import every, order


def result_of(*values_ns: int) -> Result:
    latencies = Latencies()
    for value in values_ns:
        latencies.add(value)
    return Result("t", [], "main", [Series("main", "main", latencies)])


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_limit_is_kept_by_what_is_below_it(value: int, limit: int) -> None:
    """Apart from the histogram's three digits."""
    (check,) = parse_checks(f"max<{limit}ns")
    good, _ = check.holds(result_of(value))
    if abs(value - limit) > 0.002 * limit:
        assert good == (value < limit)


def test_several_limits_and_series() -> None:
    """Without a name the gate's own series is meant, which for orders is the corrected one."""
    rows = [*every(10, [1.0] * 500), order(5000, 2000.0), order(7010, 1.0)]
    checks = parse_checks("p50<=1.5ms, measured.p99<5ms,p99<5ms, channel:l1.max<3s")
    assert [check.holds(study(rows))[0] for check in checks] == [True, True, False, True]


def test_nothing_measured_keeps_no_limit() -> None:
    """A gate that measured nothing has shown nothing."""
    (check,) = parse_checks("p99<5ms")
    good, told = check.holds(result_of())
    assert not good
    assert "nothing was measured" in told


@pytest.mark.parametrize("text", ["p99", "p99>5ms", "p99<5", "p99<5 min", "p100<1s", "mean<1ms", "<5ms", "p99<-1ms"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    """With the form that is allowed."""
    with pytest.raises(ConfigError, match=r"check: .*expected .*p99<5ms"):
        parse_checks(text)


def test_a_series_that_is_not_there_is_named() -> None:
    """And those that are."""
    (check,) = parse_checks("corected.p99<5ms")
    with pytest.raises(ConfigError, match="there is no series 'corected' here; there are: main"):
        check.holds(result_of(1))


@pytest.mark.parametrize(
    ("text", "ns"),
    [("5ms", 5e6), ("1.5s", 1.5e9), ("800us", 8e5), ("800 µs", 8e5), ("7ns", 7), ("5", None), ("ms", None), ("", None)],
)
def test_lengths_of_time(text: str, ns: float | None) -> None:
    """A number and a unit."""
    assert parse_ns(text) == ns


@pytest.mark.parametrize(
    ("ns", "text"), [(7, "7 ns"), (1234, "1.23 µs"), (99_960, "100 µs"), (12_345_678, "12.3 ms"), (2.5e9, "2.50 s")]
)
def test_lengths_are_shown_to_three_digits(ns: float, text: str) -> None:
    """In the unit that suits them."""
    assert shown(ns) == text
