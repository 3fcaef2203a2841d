"""Delays: their grammar, their seed, their size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from feedsim.errors import ConfigError
from feedsim.exchange.latency import read_latency


@pytest.mark.parametrize(("text", "ns"), [("0", 0), ("2ms", 2_000_000), ("1.5us", 1500), ("7ns", 7), ("1s", 10**9)])
def test_constant(text: str, ns: int) -> None:
    """The same each time."""
    assert read_latency(text, "latency_in")(1, 2, 3) == ns


def test_lognormal() -> None:
    """Median and sigma are those that were asked for; the same draw is the same delay."""
    delay = read_latency("lognormal:2ms:0.5", "latency_in")
    drawn = np.log([delay(7, 1, number) for number in range(2000)])
    assert np.median(drawn) == pytest.approx(np.log(2e6), abs=0.05)
    assert drawn.std() == pytest.approx(0.5, abs=0.04)
    assert delay(7, 1, 5) == delay(7, 1, 5) != delay(8, 1, 5)


def test_histogram(tmp_path: Path) -> None:
    """Delays come as often as their weights say."""
    file = tmp_path / "measured.txt"
    file.write_text("# of a Tuesday\n1ms 3\n\n50ms 1\n")
    delay = read_latency(f"histogram:{file}", "latency_in")
    drawn = [delay(1, 1, number) for number in range(4000)]
    assert set(drawn) == {1_000_000, 50_000_000}
    assert drawn.count(50_000_000) / 4000 == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    "text", ["", "2", "-1ms", "2 parsecs", "61s", "lognormal:2ms", "lognormal:x:1", "lognormal:2ms:9", "histogram:"]
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
