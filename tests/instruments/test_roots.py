"""Contract specifications as the exchange publishes them, and roots of raw names."""

from __future__ import annotations

import pytest

from feedsim.instruments import INSTRUMENTS, root_of


@pytest.mark.parametrize(
    ("root", "tick", "multiplier", "tick_value"),
    [("ES", 0.25, 50, 12.5), ("NQ", 0.25, 20, 5.0), ("MES", 0.25, 5, 1.25), ("MNQ", 0.25, 2, 0.5)],
)
def test_contract_specifications(root: str, tick: float, multiplier: float, tick_value: float) -> None:
    """As CME publishes them."""
    instrument = INSTRUMENTS[root]
    assert (instrument.root, instrument.tick, instrument.multiplier) == (root, tick, multiplier)
    assert instrument.tick_value == tick_value


@pytest.mark.parametrize(
    ("raw", "root"),
    [
        ("ES", "ES"),
        ("ESZ5", "ES"),
        ("ESZ25", "ES"),
        ("ESZ25_FUT_CME", "ES"),
        ("NQH26-CME", "NQ"),
        ("MESU25.CME", "MES"),
        ("MNQM6", "MNQ"),
        ("MNQ", "MNQ"),
        ("6EZ5", "6E"),
        ("SPX", "SPX"),
        ("ESZ2025", "ESZ2025"),
        ("", ""),
        ("esz5", "esz5"),
    ],
)
def test_roots(raw: str, root: str) -> None:
    """Root, month letter, one or two digits of the year, and what platforms add; other names are their own."""
    assert root_of(raw) == root
