"""A preset as a record of tables."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.market.book import WINDOW
from feedsim.market.law import BIRTHS, BIRTHS_UNTIL, CHOICES, LAW, choices, law_record
from feedsim.market.presets import PRESETS

every_preset = pytest.mark.parametrize("name", PRESETS)


@given(st.dictionaries(st.integers(1, 100), st.integers(1, 1000), min_size=1, max_size=20))
def test_choices_have_their_weights(weights: dict[int, int]) -> None:
    """Every value has its share of the entries, to the nearest entry."""
    entries = choices({value: float(weight) for value, weight in weights.items()})
    assert len(entries) == CHOICES
    counts, total = Counter(entries), sum(weights.values())
    assert set(counts) <= set(weights)
    assert all(abs(counts[value] - CHOICES * weight / total) <= 1 for value, weight in weights.items())


@every_preset
def test_a_record_holds_the_preset(name: str) -> None:
    """Numbers as they are, and one table entry for each choice, all of them usable."""
    preset = PRESETS[name]
    record = law_record(preset)
    assert record.dtype == LAW
    for number in ("hum", "burst", "trade", "at_best", "steering_limit", "pull"):
        assert record[number][0] == getattr(preset, number)
    for table in ("trade_size", "order_size", "inside_size", "burst_gap", "wide_gap", "level"):
        assert record[table].min() >= 1, "sizes are lots, gaps take time, levels lie behind the best"
    assert record["level"].max() < WINDOW
    assert record["trade_size"].max() <= preset.trade_cap
    assert bool(record["large_tick"][0]) == (preset.wide_log10_ns > 0)


@every_preset
def test_depth_goes_on_behind_the_tenth_level(name: str) -> None:
    """The window has as many depths as prices; the last one given stands for those behind."""
    depth = law_record(PRESETS[name])["depth"][0]
    assert depth[: len(PRESETS[name].depth)].tolist() == list(PRESETS[name].depth)
    assert (depth[len(PRESETS[name].depth) :] == PRESETS[name].depth[-1]).all()


@every_preset
def test_full_queues_grow_less(name: str) -> None:
    """The chance of a birth is 1 for an empty queue, a half at its depth, and falls."""
    births = law_record(PRESETS[name])["birth"][0]
    assert births[0] == 1
    assert births[round(BIRTHS / BIRTHS_UNTIL)] == pytest.approx(0.5)
    assert (np.diff(births) < 0).all()
    assert births[-1] > 0


@every_preset
def test_a_lot_scale_scales_market_orders(name: str) -> None:
    """To whole lots, at least one; and nothing else of the law."""
    plain, scaled = law_record(PRESETS[name]), law_record(PRESETS[name], lot_scale=3.0)
    assert (scaled["trade_size"] == 3 * plain["trade_size"])[plain["trade_size"] > 1].all()
    assert scaled["trade_size"].sum() > plain["trade_size"].sum()
    assert law_record(PRESETS[name], lot_scale=0.01)["trade_size"].min() == 1
    for field in set(LAW.names or ()) - {"trade_size"}:
        assert (scaled[field] == plain[field]).all()


@every_preset
def test_a_lot_spread_makes_sizes_more_or_less_unequal(name: str) -> None:
    """At 0 all market orders are alike; the larger it is, the farther their sizes lie apart."""
    alike, less, usual, more = (
        law_record(PRESETS[name], lot_scale=10.0, lot_spread=by)["trade_size"][0].astype(float)
        for by in (0.0, 0.5, 1.0, 1.5)
    )
    assert len(set(alike.tolist())) == 1
    assert less.std() < usual.std() < more.std()


def test_gaps_of_a_burst_have_the_round_trip() -> None:
    """Nearly half of them lie within a quarter decade of the exchange's round trip, and none is beyond a second."""
    gaps = law_record(PRESETS["es_2025"])["burst_gap"][0]
    near = abs(np.log10(gaps) - 5.08) < 0.25
    assert 0.4 < near.mean() < 0.6
    assert gaps.max() < 1e9
