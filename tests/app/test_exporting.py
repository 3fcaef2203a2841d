"""Sessions as DBN files: the vendor's own reader finds every record, and what is read back is what was exported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from feedsim.app.exporting import export_dbn
from feedsim.config import SourceSettings
from feedsim.errors import ConfigError
from feedsim.events import Table
from feedsim.sources.base import Tables
from feedsim.sources.dbn.source import DbnSource
from feedsim.sources.synthetic import SyntheticSource
from tests.sources.dbn.files import stored
from tests.support.chunks import same_column
from tests.support.shared_data import DBN, needs_dbn

MINUTES, SEED = 0.5, 11
SETTINGS = SourceSettings(minutes=MINUTES, seed=SEED, option={"mbo": "yes"})


@pytest.fixture(scope="module")
def made() -> Tables:
    source = SyntheticSource(minutes=MINUTES, seed=SEED, mbo=True)
    assert source.info.end_ns is not None
    return source.read(source.info.end_ns)


def read_back(path: Path) -> Tables:
    source = DbnSource(path)
    assert source.info.end_ns is not None
    return source.read(source.info.end_ns)


def same(left: Table, right: Table) -> bool:
    """Every column, whatever the source's own order is called."""
    return all(same_column(left.columns[name], right.columns[name]) for name in left.schema.names) and (
        left.avail.tolist() == right.avail.tolist()
    )


@pytest.mark.parametrize(
    ("schema", "channels"),
    [("mbo", ["mbo", "trade"]), ("mbp-10", ["trade", "l2"]), ("mbp-1", ["trade", "l1"]), ("trades", ["trade"])],
)
@pytest.mark.parametrize("suffix", [".dbn", ".dbn.zst"])
def test_what_is_read_back_is_what_was_exported(
    made: Tables, tmp_path: Path, schema: str, channels: list[str], suffix: str
) -> None:
    """Orders, trades, quotes and books, column by column and to the nanosecond."""
    path = tmp_path / f"x{suffix}"
    count = export_dbn(SETTINGS, path, schema)
    store = stored(path)
    assert (str(store.schema), len(store.to_ndarray())) == (schema, count)
    back = read_back(path)
    for channel in channels:
        table = made[channel]
        if channel == "l1":  # rows in which the last trade alone is new have no record of their own
            table = _levels_changed(table)
        assert same(back[channel], table), channel


def _levels_changed(table: Table) -> Table:
    kept = np.zeros(len(table), np.bool_)
    for code in (0, 1):
        rows = np.flatnonzero(table.array("symbol") == code)
        levels = np.stack([table.array(name)[rows] for name in ("bid", "ask", "bid_size", "ask_size")], axis=1)
        kept[rows] = np.append(True, (levels[1:] != levels[:-1]).any(axis=1))
    return table.take(kept)


def test_records_of_orders_come_back_byte_by_byte(tmp_path: Path) -> None:
    """Exported, replayed and exported again."""
    export_dbn(SETTINGS, tmp_path / "a.dbn", "mbo")
    export_dbn(SourceSettings(source=str(tmp_path / "a.dbn")), tmp_path / "b.dbn", "mbo")
    one, two = (stored(tmp_path / name).to_ndarray() for name in ("a.dbn", "b.dbn"))
    assert one.tobytes() == two.tobytes()


@needs_dbn
def test_recorded_quotes_come_back(tmp_path: Path) -> None:
    """The vendor's own file, exported and read again: the same tables, under the vendor's instrument id."""
    export_dbn(SourceSettings(source=str(DBN)), tmp_path / "x.dbn.zst", "mbp-1")
    original, again = read_back(DBN), read_back(tmp_path / "x.dbn.zst")
    assert same(again["trade"], original["trade"])
    assert same(again["l1"], original["l1"])
    ids = stored(tmp_path / "x.dbn.zst").to_ndarray()["instrument_id"]
    assert set(ids.tolist()) == {118}


@pytest.mark.parametrize(
    ("settings", "schema", "problem"),
    [
        (SourceSettings(), "mbp-1", "how long the session is to be"),
        (SourceSettings(minutes=1), "mbo", "the session has no mbo"),
        (SourceSettings(minutes=1), "ohlcv-1h", "bars here are of 1, 60 s"),
        (SourceSettings(minutes=1), "imbalance", "there are mbo"),
    ],
)
def test_what_cannot_be_exported_is_said(tmp_path: Path, settings: SourceSettings, schema: str, problem: str) -> None:
    """And no file is left."""
    with pytest.raises(ConfigError, match=problem):
        export_dbn(settings, tmp_path / "x.dbn", schema)
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """In one line."""
    with pytest.raises(ConfigError, match="No such file or directory"):
        export_dbn(SourceSettings(minutes=1), tmp_path / "nowhere" / "x.dbn", "mbp-1")
