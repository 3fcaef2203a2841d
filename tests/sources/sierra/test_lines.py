"""Single lines: exact times, names that differ between writers, rows of errors."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.errors import SourceError
from feedsim.sources.sierra.lines import day_count_ns, decode_block, records_of, times_ns
from feedsim.sources.text_lines import Block

DAY_NS = 86_400 * 10**9


def _block(*lines: str, row: int = 1) -> Block:
    return Block("".join(f"{line}\n" for line in lines).encode(), 0, row)


@given(day=st.integers(40_000, 60_000), fraction=st.integers(0, 10**9 - 1), digits=st.integers(0, 9))
def test_day_counts_are_exact(day: int, fraction: int, digits: int) -> None:
    """As many nanoseconds as the printed digits say, not as the nearest float would."""
    text = f"{day}.{fraction:09d}"[: 6 + digits]
    exact = (Decimal(text.rstrip(".")) - 25_569) * DAY_NS
    assert day_count_ns(np.array([float(text)])).tolist() == [int(exact)]


@pytest.mark.parametrize(
    ("names", "price", "lots"),
    [
        ('"px":5.25,"vol":3', 5.25, 3),
        ('"price":5.25,"qty":3', 5.25, 3),
        ('"price":5.25,"size":3.0', 5.25, 3),
        ('"px":5.25,"price":9,"volume":3,"size":9', 5.25, 3),
    ],
)
def test_writers_names_are_known(names: str, price: float, lots: int) -> None:
    """Each value under any of the names that the bot's readers use; the first one counts."""
    lines = decode_block(_block('{"t":45916.5,"sym":"ES","type":"trade","side":"SELL","seq":1,' + names + "}"), "f")
    (record,) = records_of(lines, [0])
    assert (record["bid"], record["bid_size"], record["side"]) == (price, lots, -1)


def test_times_may_be_text() -> None:
    """Where t is absent, ts as ISO text is the time."""
    text = '{{"ts":"{}","type":"trade","sym":"ES","px":1,"vol":1,"seq":1}}'
    lines = decode_block(
        _block(text.format("2025-09-16T09:20:17+00:00"), text.format("2025-09-16T11:20:17+02:00")), "f"
    )
    assert len(set(times_ns(lines, [0, 1]).tolist())) == 1


def test_rows_are_counted_over_blank_lines() -> None:
    """A blank line is no error, and counts as a row."""
    lines = decode_block(_block('{"type":"quote"}', "", '{"type":"trade"}', row=10), "f")
    assert [line.type for line in lines.lines] == ["quote", "trade"]
    assert list(lines.rows) == [10, 12]


def test_the_first_wrong_line_is_named() -> None:
    """Its row is counted from the block's first."""
    with pytest.raises(SourceError) as caught:
        decode_block(_block('{"type":"quote"}', "{", "[", row=7), "f")
    assert (caught.value.file, caught.value.row) == ("f", 8)
