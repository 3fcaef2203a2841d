"""The table of parameter sets: whatever the numbers are, the book must bear them."""

from __future__ import annotations

from dataclasses import fields

import pytest

from feedsim.instruments import INSTRUMENTS
from feedsim.market.book import QUEUE, SHOWN, WINDOW
from feedsim.market.config import DEFAULT_PRESETS
from feedsim.market.presets import PRESETS, SHARES, Preset

every_preset = pytest.mark.parametrize("name", PRESETS)


def test_every_instrument_has_one() -> None:
    """And the sets of other times are there as well."""
    assert set(DEFAULT_PRESETS) == set(INSTRUMENTS)
    assert set(DEFAULT_PRESETS.values()) | {"es_2019", "es_stress_2022"} <= set(PRESETS)


@every_preset
def test_chances_are_chances(name: str) -> None:
    """Within 0 and 1; the side that steps up is never certain, because its odds are taken."""
    preset = PRESETS[name]
    assert all(0 <= getattr(preset, field) <= 1 for field in SHARES)
    assert 0 < preset.step_up < 1
    assert preset.excitation_decay < 1
    assert preset.burst < 1, "a burst ends"
    assert preset.burst_after < 1


@every_preset
def test_rates_and_sizes_are_above_zero(name: str) -> None:
    """And a share of market orders at least is left to be one of the sizes given."""
    preset = PRESETS[name]
    for field in ("hum", "take_all_lots", "trade_tail", "trade_tail_from", "birth_exponent", "volatility"):
        assert getattr(preset, field) > 0, field
    for weights in (preset.order_size, preset.inside_size, preset.trade_size):
        assert min(weights) >= 1
        assert all(isinstance(size, int) for size in weights)
        assert min(weights.values()) > 0
    assert sum(preset.trade_size.values()) <= 1000
    assert preset.dead_zone >= 0
    assert preset.steering_limit > 0


@every_preset
def test_the_book_has_room(name: str) -> None:
    """Depth for each level shown, no queue fuller of single lots than it can be, placement within the window."""
    preset = PRESETS[name]
    assert len(preset.depth) == SHOWN
    assert all(0 < depth < QUEUE for depth in preset.depth)
    assert 1 <= len(preset.behind) < WINDOW
    assert all(weight > 0 for weight in preset.behind)


def test_each_says_what_it_is() -> None:
    """A sentence of its own."""
    assert len({preset.about for preset in PRESETS.values()}) == len(PRESETS)
    assert "about" in {field.name for field in fields(Preset)}
