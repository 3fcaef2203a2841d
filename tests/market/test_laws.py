"""The laws of the symbols as numbers and as records."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.instruments import INSTRUMENTS
from feedsim.market.laws import CHOICES, FARTHEST, LAW, LAWS, choices
from feedsim.market.queues import QUEUE, SHOWN


@given(st.dictionaries(st.integers(1, 100), st.integers(1, 1000), min_size=1, max_size=20))
def test_choices_have_their_weights(weights: dict[int, int]) -> None:
    """Every value has its share of the entries, to the nearest entry."""
    entries = choices(weights)
    assert len(entries) == CHOICES
    counts, total = Counter(entries), sum(weights.values())
    assert set(counts) <= set(weights)
    assert all(abs(counts[value] - CHOICES * weight / total) <= 1 for value, weight in weights.items())


@pytest.mark.parametrize("symbol", LAWS)
def test_a_law_fits_the_book(symbol: str) -> None:
    """Orders are placed within reach, sizes are whole lots, and a new book has all its levels and no full queue."""
    law = LAWS[symbol]
    assert symbol in INSTRUMENTS
    assert law.value_of in LAWS
    assert set(law.placement) <= set(range(1, FARTHEST + 1))
    assert min(law.order_size) >= 1
    assert min(law.trade_size) >= 1
    assert len(law.depth()) >= SHOWN
    assert all(1 <= orders < QUEUE for orders in law.depth())


@pytest.mark.parametrize("symbol", LAWS)
def test_a_record_holds_the_law(symbol: str) -> None:
    """No field of the record is left empty."""
    record = LAWS[symbol].record()
    assert record.dtype == LAW
    assert all(record[name].all() for name in LAW.names or ())
    assert float(record["anchor"][0]) * INSTRUMENTS[symbol].tick in (6400.0, 23300.0)


def test_all_symbols_of_the_instruments_have_a_market() -> None:
    """ES, NQ, MES and MNQ."""
    assert set(LAWS) == set(INSTRUMENTS)
