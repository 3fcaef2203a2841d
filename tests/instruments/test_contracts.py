"""Contracts by date, against dates that the exchange published."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.instruments import Contract, front_contract, front_on, has_session, roll_basis, root_of


@pytest.mark.parametrize(
    ("root", "day", "name"),
    [
        ("ES", date(2025, 8, 21), "ESU25"),
        ("ES", date(2025, 9, 10), "ESU25"),
        ("ES", date(2025, 9, 11), "ESZ25"),  # the roll, a Thursday
        ("NQ", date(2024, 7, 1), "NQU24"),
        ("MES", date(2025, 12, 10), "MESZ25"),
        ("MES", date(2025, 12, 11), "MESH26"),
        ("ES", date(2026, 1, 2), "ESH26"),
        ("ES", date(2019, 6, 12), "ESM19"),
        ("ES", date(2019, 6, 13), "ESU19"),
        ("ES", date(2009, 3, 5), "ESH09"),
    ],
)
def test_the_front_contract(root: str, day: date, name: str) -> None:
    """It is the next to expire until the second Thursday of its month."""
    assert front_contract(root, day) == name


@pytest.mark.parametrize(
    ("year", "month", "expiry"),
    [
        (2025, 9, date(2025, 9, 19)),
        (2025, 12, date(2025, 12, 19)),
        (2024, 3, date(2024, 3, 15)),
        (2026, 6, date(2026, 6, 18)),  # the third Friday is Juneteenth
        (2027, 6, date(2027, 6, 17)),  # it is observed on the third Friday
    ],
)
def test_expiry(year: int, month: int, expiry: date) -> None:
    """The third Friday, or the trading day before where that is a holiday."""
    assert Contract("ES", year, month).expiry == expiry


def test_trading_ends_with_the_regular_open() -> None:
    """09:30 in New York on the last day."""
    assert Contract("ES", 2025, 9).expires_ns == int(datetime(2025, 9, 19, 13, 30, tzinfo=UTC).timestamp()) * 10**9


@given(day=st.dates(date(2010, 1, 1), date(2040, 12, 31)))
def test_fronts_follow_each_other(day: date) -> None:
    """A front contract has not expired, becomes front with the roll of the one before, and its name has its root."""
    contract = front_on("NQ", day)
    assert day < contract.roll < contract.expiry <= contract.roll + timedelta(days=8)
    assert has_session(contract.expiry)
    assert root_of(contract.name) == "NQ"
    assert front_on("NQ", contract.roll - timedelta(days=1)) == contract
    assert front_on("NQ", contract.roll) == contract.next
    assert timedelta(days=80) < contract.next.expiry - contract.expiry < timedelta(days=100)


def test_the_roll_basis() -> None:
    """At 5,000 points and the rates of 2024-25 the next contract is 45 to 60 points dearer; in proportion to both."""
    day = date(2024, 12, 12)
    basis = roll_basis(5000.0, day)
    assert 45 <= basis <= 60
    assert basis / 0.05 == pytest.approx(round(basis / 0.05))
    assert roll_basis(5000.0, day, carry=0.0) == 0.0
    assert roll_basis(10_000.0, day, carry=0.01) == pytest.approx(2 * roll_basis(5000.0, day, carry=0.01), abs=0.1)
    assert roll_basis(5000.0, day, carry=-0.01) < 0
