"""Percentiles, corrections and the file format of the histogram, against plain sorting."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.lab.latency.histogram import LONGEST_NS, NS_PER_MS, Latencies

VALUES = st.lists(st.integers(1, LONGEST_NS), min_size=1, max_size=50)


def of(values: list[int]) -> Latencies:
    latencies = Latencies()
    for value in values:
        latencies.add(value)
    return latencies


@given(VALUES, st.floats(0.1, 99.9))
def test_percentiles_are_those_of_the_sorted_values(values: list[int], percent: float) -> None:
    """To three digits, by the rank that the format defines; the largest is the largest."""
    ranked = sorted(values)
    rank = max(int(percent / 100 * len(ranked) + 0.5), 1)
    found, most = of(values).percentiles([percent, 100.0])
    assert found == pytest.approx(ranked[rank - 1], rel=0.002)
    assert most == pytest.approx(ranked[-1], rel=0.002)


@given(VALUES)
def test_shares_are_complete(values: list[int]) -> None:
    """Every value lies between two bounds that reach from nothing to the longest."""
    shares = of(values).shares([0.0, 1e3, 1e6, 1e9, 1e13])
    assert sum(shares) == pytest.approx(1)
    assert shares[0] == pytest.approx(sum(value < 1e3 for value in values) / len(values))


def test_nothing_measured_is_told_as_zeros() -> None:
    """No error, no count."""
    summary = Latencies().summary()
    assert (summary.count, summary.p50_ns, summary.max_ns) == (0, 0, 0)


def test_clocks_that_disagree_do_not_break_it() -> None:
    """A latency below zero is counted as such, one beyond an hour as an hour."""
    latencies = of([-5, 10 * LONGEST_NS])
    assert (latencies.count, latencies.negative) == (2, 1)
    assert latencies.percentiles([1.0])[0] == 0
    assert latencies.max_ns == pytest.approx(LONGEST_NS, rel=0.002)


def test_an_hgrm_file_reads_as_the_plotters_read_it() -> None:
    """Value, percentile, count and 1/(1-p) a line, in ms; then the summary lines, in the same unit."""
    values = [at * NS_PER_MS for at in range(1, 1001)]
    text = of(values).hgrm().decode()
    head, *lines = [line for line in text.splitlines() if line]
    assert head.split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
    rows = [[float(part) for part in line.split()] for line in lines if not line.startswith("#")]
    for row in rows:
        assert row[0] == pytest.approx(row[2], rel=0.002, abs=1)
        assert row[1] <= row[2] / 1000 + 1e-9
        assert len(row) == 3 or row[3] == pytest.approx(1 / (1 - row[1]), rel=0.01)
    assert rows[-1][1:] == [1.0, 1000.0]
    told = dict(re.findall(r"(Mean|StdDeviation|Max|TotalCount) += +([\d.]+)", text))
    assert {name: float(value) for name, value in told.items()} == {
        "Mean": pytest.approx(500.5, rel=0.01),
        "StdDeviation": pytest.approx(288.7, rel=0.01),
        "Max": pytest.approx(1000, rel=0.002),
        "TotalCount": 1000,
    }
