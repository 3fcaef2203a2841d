"""An export as a feed: its events in the order in which they could be known, and its tables."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from feedsim.errors import ConfigError, SourceError
from feedsim.mia import GenConfig, MIA_IA_DataGenerator, OfflineFeed
from feedsim.mia.frames import Frames
from tests.mia.conftest import START
from tests.support import seed_export
from tests.support.shared_data import SEED_EXPORT, needs_seed_export

DAY = "2025-08-21"


@pytest.fixture(scope="module")
def folder(data: Frames, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exports") / "one"
    MIA_IA_DataGenerator.export_to_parquet(data, path)
    return path


def export(path: Path, start: datetime, minutes: float = 1) -> None:
    config = GenConfig(start=start, minutes=minutes, l2_interval_ms=10_000)
    MIA_IA_DataGenerator.export_to_parquet(MIA_IA_DataGenerator(seed=1).generate_realistic_session(config), path)


def test_events_are_merged_by_the_time_at_which_they_are_known(folder: Path) -> None:
    """A bar and its footprint at their end, all else at its own time; quotes of a second after the bars before."""
    events = list(OfflineFeed(folder, ["ES", "NQ"], DAY, DAY))
    known = [event["avail"] for event in events]
    assert known == sorted(known)
    for event in events:
        assert event.avail - event.ts == (1000 if event.type in ("bar", "footprint") else 0)


def test_every_row_is_an_event(folder: Path, data: Frames) -> None:
    """With its values, as keys and as attributes."""
    feed = OfflineFeed(folder, symbols=["ES", "NQ"], start_date=DAY, end_date=DAY)
    counted = Counter(event.type for event in feed)
    for channel, table in (("l1", "l1"), ("l2", "l2"), ("bar", "bars"), ("truth", "ground_truth")):
        assert counted[channel] == len(data[table])
    quotes = list(feed.events("l1"))
    assert [event["bid"] for event in quotes] == data["l1"]["bid"].tolist()
    assert [event.symbol for event in quotes] == data["l1"]["symbol"].tolist()
    with pytest.raises(AttributeError, match="a l1 event has no 'volume'"):
        _ = quotes[0].volume


def test_it_can_be_iterated_again(folder: Path) -> None:
    """From its beginning."""
    feed = OfflineFeed(folder)
    assert next(iter(feed)) == next(iter(feed))


def test_symbols_are_chosen(folder: Path, data: Frames) -> None:
    """In events and tables; context has no symbol and stays."""
    feed = OfflineFeed(folder, symbols=["NQ"])
    assert {event["symbol"] for event in feed} == {"NQ"}
    for name, frame in feed.frames().items():
        assert "symbol" not in frame.columns or set(frame["symbol"]) <= {"NQ"}
        assert len(frame) == len(data[name]) / (2 if "symbol" in frame.columns else 1)


def test_symbols_may_be_contracts(tmp_path: Path) -> None:
    """An export of contracts is found by its contracts and by their roots."""
    config = GenConfig(start=START, minutes=1, symbol_es="ESU5", symbol_nq="NQU5")
    MIA_IA_DataGenerator.export_to_parquet(MIA_IA_DataGenerator(seed=1).generate_realistic_session(config), tmp_path)
    for name in ("ES", "ESU5"):
        assert set(OfflineFeed(tmp_path, [name]).frame("l1")["symbol"]) == {"ESU5"}
        assert next(OfflineFeed(tmp_path, [name]).events("l1")).symbol == "ES"


def test_days_are_chosen(tmp_path: Path) -> None:
    """Both are included, in UTC; a session over midnight is cut."""
    export(tmp_path, datetime(2025, 8, 21, 23, 59, 30, tzinfo=UTC))
    midnight_ms = 1_755_820_800_000
    for first, last, kept in (
        (DAY, DAY, lambda ms: ms < midnight_ms),
        (date(2025, 8, 22), None, lambda ms: ms >= midnight_ms),
        (datetime(2025, 8, 20, tzinfo=UTC), DAY, lambda ms: ms < midnight_ms),
        (None, None, lambda _: True),
    ):
        feed = OfflineFeed(tmp_path, None, first, last)
        rows = feed.frame("l1")["ts"].tolist()
        assert rows
        assert all(kept(ms) for ms in rows)
        assert [event.ts for event in feed.events("l1")] == rows


def test_a_folder_of_exports_is_one_feed(tmp_path: Path) -> None:
    """Day after day, whatever their names."""
    export(tmp_path / "a", START + timedelta(days=1))
    export(tmp_path / "b", START)
    feed = OfflineFeed(tmp_path)
    known = [event.avail for event in feed]
    assert known == sorted(known)
    assert feed.frame("bars")["ts"].is_monotonic_increasing
    assert len(feed.frame("bars")) == 240
    assert len(OfflineFeed(tmp_path, end_date=DAY).frame("bars")) == 120


def test_exports_of_one_time_are_no_feed(tmp_path: Path) -> None:
    """Sessions of a bulk are each other's alternatives."""
    export(tmp_path / "a", START)
    export(tmp_path / "b", START)
    with pytest.raises(SourceError, match="b: its times overlap those of a: read them one by one"):
        OfflineFeed(tmp_path)


def test_tables_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    """An export may have some of them."""
    seed_export.write(tmp_path, {"bars": seed_export.bars()})
    feed = OfflineFeed(tmp_path)
    assert list(feed.frames()) == ["bars"]
    assert {event.type for event in feed} == {"bar"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"symbols": ["CL"]}, "symbols: 'CL': there is ES, NQ"),
        ({"symbols": "ES"}, "symbols: 'ES': expected a list"),
        ({"start_date": "21.8.2025"}, "start_date: '21.8.2025': expected a day"),
        ({"end_date": 5}, "end_date: 5: expected a day"),
        ({"start_date": "2025-08-22", "end_date": DAY}, "end_date: 2025-08-21: expected 2025-08-22 or later"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, Any], says: str, folder: Path) -> None:
    """When the feed is made."""
    with pytest.raises(ConfigError) as told:
        OfflineFeed(folder, **arguments)
    assert str(told.value).startswith(says)


def test_unknown_tables_and_channels_are_refused(folder: Path) -> None:
    """With what there is."""
    with pytest.raises(ConfigError, match="table: 'ticks': there is l1, l2"):
        OfflineFeed(folder).frame("ticks")
    with pytest.raises(ConfigError, match="channels: 'trade': there is bar"):
        next(OfflineFeed(folder).events("trade"))


def test_a_folder_without_an_export_is_refused(tmp_path: Path) -> None:
    """And one that is not there."""
    with pytest.raises(SourceError, match="no export here; expected bars"):
        OfflineFeed(tmp_path)
    with pytest.raises(SourceError, match="nowhere: no such folder"):
        OfflineFeed(tmp_path / "nowhere")


@needs_seed_export
def test_an_export_of_the_old_generator_is_read() -> None:
    """As it is."""
    feed = OfflineFeed(SEED_EXPORT, ["ES", "NQ"], DAY, DAY)
    assert len(feed.frame("l1")) == 6000
    assert sum(1 for _ in feed.events("l1")) == 6000
