"""Delays: their grammar, their seed, their size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.errors import ConfigError
from feedsim.exchange.feed_rate import FeedRate
from feedsim.exchange.latency import read_latency
from tests.exchange.flows import walk


@pytest.mark.parametrize(("text", "ns"), [("0", 0), ("2ms", 2_000_000), ("1.5us", 1500), ("7ns", 7), ("1s", 10**9)])
def test_constant(text: str, ns: int) -> None:
    """The same each time."""
    assert read_latency(text, "latency_in")(1, 2, 3, 4) == ns


def test_lognormal() -> None:
    """Median and sigma are those that were asked for; the same draw is the same delay."""
    delay = read_latency("lognormal:2ms:0.5", "latency_in")
    drawn = np.log([delay(7, 1, number, 0) for number in range(2000)])
    assert np.median(drawn) == pytest.approx(np.log(2e6), abs=0.05)
    assert drawn.std() == pytest.approx(0.5, abs=0.04)
    assert delay(7, 1, 5, 0) == delay(7, 1, 5, 9) != delay(8, 1, 5, 0)


def test_histogram(tmp_path: Path) -> None:
    """Delays come as often as their weights say."""
    file = tmp_path / "measured.txt"
    file.write_text("# of a Tuesday\n1ms 3\n\n50ms 1\n")
    delay = read_latency(f"histogram:{file}", "latency_in")
    drawn = [delay(1, 1, number, 0) for number in range(4000)]
    assert set(drawn) == {1_000_000, 50_000_000}
    assert drawn.count(50_000_000) / 4000 == pytest.approx(0.25, abs=0.03)


@given(data=st.data())
@settings(max_examples=30)
def test_the_rate_is_what_was_told_in_the_second_before(data: st.DataObject) -> None:
    """However the tape is cut into calls."""
    tape = walk(1)
    rate = FeedRate()
    told: list[int] = []
    for chunk in tape:
        at = 0
        while at < len(chunk):
            at = min(at + data.draw(st.integers(1, 200)), len(chunk))
            rate.to(chunk, at)
        told += chunk.avail.tolist()
        ns = told[-1] - data.draw(st.integers(-(10**9), 10**9))
        assert rate(ns) == sum(ns - 10**9 <= avail < ns for avail in told)
    rate.forget()
    assert rate(told[-1]) == 0


def test_a_busy_feed_takes_longer() -> None:
    """In proportion beyond the rate that is named, and as is said up to it."""
    delay = read_latency("feed:2ms:100", "latency_in", float)
    for rate, expected in ((0, 2_000_000), (100, 2_000_000), (250, 5_000_000), (10**9, 60 * 10**9)):
        assert delay(1, 1, 1, rate) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2",
        "-1ms",
        "2 parsecs",
        "61s",
        "lognormal:2ms",
        "lognormal:x:1",
        "lognormal:2ms:9",
        "histogram:",
        "feed:2ms",
        "feed:2ms:0",
        "feed:x:5",
    ],
)
def test_wrong(text: str) -> None:
    """One clear line that names the field."""
    with pytest.raises(ConfigError) as caught:
        read_latency(text, "latency_in")
    assert caught.value.field == "latency_in"


@pytest.mark.parametrize("text", ["1ms", "1ms -2", "1ms x", "1ms 0\n"])
def test_wrong_histogram(tmp_path: Path, text: str) -> None:
    """The file and what was expected."""
    file = tmp_path / "measured.txt"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_latency(f"histogram:{file}", "latency_out")
    assert caught.value.file == str(file)
