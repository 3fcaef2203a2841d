"""The exchange's special days of 2025, written down by hand: when sessions closed early (New York time), and none."""

from __future__ import annotations

from datetime import date, time

NO_SESSION_2025 = {date(2025, 1, 1), date(2025, 12, 25), date(2026, 1, 1)}  # the last begins in 2025
EARLY_2025 = {
    date(2025, 1, 9): time(9, 30),  # a day of mourning
    date(2025, 1, 20): time(13),  # Martin Luther King
    date(2025, 2, 17): time(13),  # Presidents' Day
    date(2025, 4, 18): time(9, 15),  # Good Friday
    date(2025, 5, 26): time(13),  # Memorial Day
    date(2025, 6, 19): time(13),  # Juneteenth
    date(2025, 7, 3): time(13),
    date(2025, 7, 4): time(13),  # Independence Day
    date(2025, 9, 1): time(13),  # Labor Day
    date(2025, 11, 27): time(13),  # Thanksgiving
    date(2025, 11, 28): time(13),
    date(2025, 12, 24): time(13),  # Christmas Eve
}
