"""Options: formulas by math, and the context that counts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from feedsim.instruments import NS_PER_S
from feedsim.observe import options_flow
from tests.observe.markets import START_NS, context


def _told(**values: float) -> options_flow.Rows:
    return {name: np.array([values.get(name, np.nan)]) for name in options_flow.NAMES}


@pytest.mark.parametrize("ratio", [0.7, 0.95, 1.0, 1.3, 4.0])
def test_bias(ratio: float) -> None:
    """tanh(2 (1 − put/call))."""
    assert options_flow.bias(_told(put_call_ratio=ratio))[0] == pytest.approx(math.tanh(2 * (1 - ratio)), abs=1e-9)


def test_proximity_is_to_the_nearest_level() -> None:
    """e^(−distance / 0.5 % of the price); levels that are not told do not count, and without any it is 0."""
    price = np.array([5000.0])
    found = options_flow.proximity(_told(gamma_flip=4900.0, call_wall=5010.0, pin_level=5050.0), price)[0]
    assert found == pytest.approx(math.exp(-10 / 25), abs=1e-9)
    assert options_flow.proximity(_told(pin_level=5000.0), price).tolist() == [1.0]
    assert options_flow.proximity(_told(), price).tolist() == [0.0]
    assert options_flow.proximity(_told(gamma_flip=4900.0), np.array([0.0])).tolist() == [0.0]


def test_context_is_known_at_its_own_time() -> None:
    """Told before what else that time has; then until the next one; the first pin is the strongest."""
    told = options_flow.Told()
    rows = [(START_NS + 2 * NS_PER_S, 0), (START_NS + 4 * NS_PER_S, 0)]
    table = context(rows, vix=15.0, pin_levels=[5005.0, 5100.0])
    table.columns["vix"] = np.array([15.0, 16.0])
    told.hear(table, np.arange(2))
    ends = START_NS + np.arange(1, 4) * NS_PER_S
    assert told.at(ends)["vix"].tolist()[1:] == [15.0, 15.0]
    later = told.at(ends[-1:] + NS_PER_S)
    assert (later["vix"][0], later["pin_level"][0]) == (16.0, 5005.0)


def test_side_of_the_flip() -> None:
    """Above the flip by half a percent or more, with calls: up."""
    price = np.array([5100.0])
    assert options_flow.side(_told(gamma_flip=5000.0, put_call_ratio=1.0), price)[0] == pytest.approx(0.5)
    assert options_flow.side(_told(), price).tolist() == [0.0]
