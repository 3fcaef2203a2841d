"""Times in text, against Python's own datetimes and decimals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.errors import ConfigError, SourceError
from feedsim.sources.delimited_times import TEXT, UNITS, check_unit, format_of, has_zone, parse_times

MOMENTS = st.datetimes(datetime(1980, 1, 2), datetime(2199, 12, 31))  # noqa: DTZ001 - zones are added where used


@given(moment=MOMENTS, nanoseconds=st.integers(0, 999), separator=st.sampled_from("T "), zone=st.integers(-14, 14))
def test_dates_are_exact(moment: datetime, nanoseconds: int, separator: str, zone: int) -> None:
    """To the nanosecond, in any zone; without one it is UTC."""
    at = moment.replace(tzinfo=timezone(timedelta(hours=zone)))
    seconds = (at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    expected = seconds * 10**9 + moment.microsecond * 1000 + nanoseconds
    text = f"{moment:%Y-%m-%d}{separator}{moment:%H:%M:%S}.{moment.microsecond:06d}{nanoseconds:03d}"
    assert parse_times([f"{text}{at:%z}"], TEXT).tolist() == [expected]
    assert parse_times([text], TEXT).tolist() == [expected + zone * 3600 * 10**9]
    assert format_of(text, None) == TEXT


@given(ns=st.integers(400_000_000 * 10**9, 7_000_000_000 * 10**9), unit=st.sampled_from(sorted(UNITS)))
def test_counts_are_exact(ns: int, unit: str) -> None:
    """Whole and decimal counts of a unit, which is seen by its size."""
    scale = UNITS[unit]
    whole = str(ns // scale)
    decimal = format(Decimal(ns) / scale, "f")
    assert parse_times([whole, decimal], unit).tolist() == [ns // scale * scale, ns]
    assert format_of(whole, None) == unit


@pytest.mark.parametrize("text", ["2025/8/21 13:30", "20250821 133000", "20250821", "2025-08-21 13:30:00 UTC"])
def test_other_ways_to_write_a_date(text: str) -> None:
    """Slashes, single digits, no separators, no time of day."""
    (found,) = parse_times([text], format_of(text, None)).tolist()
    hour = 0 if text == "20250821" else 13.5
    assert found == int(datetime(2025, 8, 21, tzinfo=UTC).timestamp() + hour * 3600) * 10**9


@pytest.mark.parametrize(
    "text", ["", "noon", "21-08-2025", "2025-08-21 25:00", "2025-13-01", "2025-08-21 13:30:60", "1.5e9", "-5"]
)
def test_what_is_no_time(text: str) -> None:
    """Is refused, with the row."""
    with pytest.raises(SourceError, match="is no time") as caught:
        parse_times(["2025-08-21 13:30", text], TEXT)
    assert caught.value.row == 1


def test_zones_and_units_are_known() -> None:
    """Whether a time has a zone; which units there are."""
    assert has_zone("2025-08-21T13:30:00Z")
    assert not has_zone("2025-08-21T13:30:00")
    with pytest.raises(ConfigError, match="expected one of s, ms, us, ns"):
        check_unit("minutes")
