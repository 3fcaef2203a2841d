"""Activity through a session."""

from __future__ import annotations

import pytest

from feedsim.market.seasons import SESSION_MINUTES, activity

RTH = slice(15 * 60 + 30, 22 * 60)  # minutes since 18:00


def test_every_minute_of_a_session_has_activity() -> None:
    """A session lasts 23 hours and is never dead."""
    assert len(activity()) == SESSION_MINUTES == 1380
    assert min(activity()) > 0


def test_activity_is_in_units_of_regular_trading() -> None:
    """Its mean over regular trading is 1."""
    regular = activity()[RTH]
    assert sum(regular) / len(regular) == pytest.approx(1, abs=0.02)


def test_activity_is_a_u_by_day_and_low_by_night() -> None:
    """Busiest at the open, then at the close; the middle is quieter, the night quieter still."""
    values = activity()
    regular = values[RTH]
    night = values[: RTH.start]
    assert max(values) == regular[0]
    assert min(regular) < 0.75 < regular[-1]
    assert max(night) < min(regular)
