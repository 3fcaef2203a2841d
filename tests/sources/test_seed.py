"""Exports of the seed's generator: what is in their files is what is told."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedsim.errors import SourceError
from feedsim.events import INT_NULL
from feedsim.playback.tape import Tape
from feedsim.sources import seed_files
from feedsim.sources.seed import SeedSource, recognise
from feedsim.testing import check_source
from feedsim.testing.sources import joined
from tests.support import seed_export
from tests.support.chunks import same_table
from tests.support.seed_export import START_MS, changed, everything, without, write
from tests.support.shared_data import SEED_EXPORT, needs_seed_export

SECOND_NS = 10**9
START_NS = START_MS * 1_000_000


# --------------------------------------------------------------------------------------------- what is there is told


def test_l1_is_told_as_it_is(tmp_path: Path) -> None:
    """Every row with its own values, off tick or not, at its time."""
    columns = seed_export.l1()
    table = SeedSource(write(tmp_path, {"l1": columns})).read(1 << 62)["l1"]
    assert table.avail.tolist() == [ms * 1_000_000 for ms in columns["ts"]]
    assert [table.symbols[code] for code in table.array("symbol")] == columns["symbol"]
    for name in ("bid", "ask", "last_price", "bid_size", "ask_size", "last_size"):
        assert table.array(name).tolist() == columns[name]


def test_books_of_one_symbol_after_another_are_told_by_time(tmp_path: Path) -> None:
    """The order is time, then symbol, whatever the order of the file; each book is its row's."""
    columns = seed_export.l2()
    table = SeedSource(write(tmp_path, {"l2": columns})).read(1 << 62)["l2"]
    names = ("ts", "symbol", "bid_px", "bid_sz", "ask_px", "ask_sz", "levels")
    expected = sorted(seed_export.rows_of(columns, names), key=lambda row: (row[0], row[1]))
    lists = [table.ragged(name).lists() for name in names[2:6]]
    symbols = [table.symbols[code] for code in table.array("symbol")]
    times = (table.array("ts") // 1_000_000).tolist()
    assert list(zip(times, symbols, *lists, table.array("levels").tolist(), strict=True)) == expected


def test_bars_and_footprints_are_told_at_their_end(tmp_path: Path) -> None:
    """A bar of a second is known a second after its start; nothing of it is told before."""
    source = SeedSource(write(tmp_path, {"bars": seed_export.bars(), "footprint": seed_export.footprint()}))
    assert source.read(START_NS + SECOND_NS) == {}
    first = source.read(START_NS + SECOND_NS + 1)
    for channel in ("bar", "footprint"):
        table = first[channel]
        assert table.avail.tolist() == [START_NS + SECOND_NS] * 2
        assert table.array("ts").tolist() == [START_NS] * 2
        assert table.array("tf_s").tolist() == [1, 1]


def test_nulls_and_nan_are_null(tmp_path: Path) -> None:
    """Where a field may be null; whole floats are whole numbers."""
    table = SeedSource(write(tmp_path, {"bars": seed_export.bars()})).read(1 << 62)["bar"]
    assert math.isnan(table.array("vwap_sd1")[0])
    assert math.isnan(table.array("vwap_sd2")[0])
    assert table.array("vwap_sd1")[1] == 5001.0
    assert sorted(table.array("volume").tolist()) == list(range(8))
    assert set(table.array("trades").tolist()) == {INT_NULL}


def test_levels_of_one_bar_are_one_footprint(tmp_path: Path) -> None:
    """Rows of one symbol and bar are its levels."""
    columns = {
        "bar_start_ts": [START_MS, START_MS, START_MS + 1000],
        "symbol": ["ES"] * 3,
        "price_level": [5000.0, 5000.25, 5001.0],
        "bid_volume": [1, 2, 3],
        "ask_volume": [10, 20, 30],
    }
    table = SeedSource(write(tmp_path, {"footprint": columns})).read(1 << 62)["footprint"]
    assert table.ragged("price_level").lists() == [[5000.0, 5000.25], [5001.0]]
    assert table.ragged("ask_volume").lists() == [[10, 20], [30]]
    assert table.array("delta").tolist() == [27, 27]


def test_a_context_without_symbol_is_every_symbols(tmp_path: Path) -> None:
    """Its rows are told for each symbol of the export."""
    source = SeedSource(write(tmp_path, {"l1": seed_export.l1(), "context": seed_export.context()}))
    table = source.read(1 << 62)["context"]
    assert table.array("symbol").tolist() == [0, 1] * 4
    assert table.array("vix").tolist() == [15.0, 15.0, 16.0, 16.0, 17.0, 17.0, 18.0, 18.0]
    assert table.ragged("pin_levels").lists() == [[4990.0, 5010.0]] * 8


def test_what_lacks_and_what_is_ignored_is_said(tmp_path: Path) -> None:
    """Files and columns that are missing, and those that are not read, are in the notes."""
    files = {"l1": without(seed_export.l1(), "last_size"), "extra": seed_export.context()}
    files["l1"]["mood"] = ["calm"] * 40
    source = SeedSource(write(tmp_path, files))
    assert "no l2.parquet" in source.info.notes
    assert "l1.parquet has no last_size" in source.info.notes
    assert "l1.parquet: columns that are not read: mood" in source.info.notes
    assert "files that are not read: extra.parquet" in source.info.notes
    assert set(source.read(1 << 62)["l1"].array("last_size").tolist()) == {INT_NULL}


@pytest.mark.parametrize(("name", "column"), [("l1", "bid_size"), ("l2", "bid_px"), ("bars", "volume"), ("l1", "ts")])
def test_a_file_without_what_its_events_need_is_left_out(tmp_path: Path, name: str, column: str) -> None:
    """No event is told with a field made up; the rest of the export is there."""
    files = everything()
    files[name] = without(files[name], column)
    source = SeedSource(write(tmp_path, files))
    assert f"{name}.parquet is left out: it has no column {column}" in source.info.notes
    assert {"l1": "l1", "l2": "l2", "bars": "bar"}[name] not in source.info.channels
    assert len(source.info.channels) == 4


def test_other_types_of_the_same_values_are_read(tmp_path: Path) -> None:
    """Timestamps, dictionaries, large strings and lists, narrow numbers."""
    plain = {"l2": without(seed_export.l2(), "mid")}
    types = {
        "ts": pa.timestamp("ms"),
        "symbol": pa.dictionary(pa.int32(), pa.string()),
        "levels": pa.int16(),
        "bid_px": pa.large_list(pa.float32()),
        "bid_sz": pa.list_(pa.int32()),
        "spread": pa.float32(),
    }
    one = SeedSource(write(tmp_path / "one", plain)).read(1 << 62)["l2"]
    other = SeedSource(write(tmp_path / "other", plain, types=types)).read(1 << 62)["l2"]
    assert same_table(one, other)


def test_contract_names_are_kept(tmp_path: Path) -> None:
    """Symbols are roots; the raw name is in info.contracts."""
    columns = {**seed_export.l1(), "symbol": ["ESU5", "NQU5"] * 20}
    source = SeedSource(write(tmp_path, {"l1": columns}))
    assert source.info.symbols == ("ES", "NQ")
    assert source.info.contracts == {"ES": "ESU5", "NQ": "NQU5"}


# ---------------------------------------------------------------------------------------------- windows and positions


@given(
    seed=st.integers(0, 1000),
    group=st.integers(1, 30),
    block=st.integers(1, 17),
    cuts=st.lists(st.integers(0, 4000), max_size=6),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_windows_and_row_groups_make_no_difference(
    tmp_path_factory: pytest.TempPathFactory, seed: int, group: int, block: int, cuts: list[int]
) -> None:
    """The same rows, whatever windows they are read by and however the file is cut into row groups."""
    folder = tmp_path_factory.mktemp("export")
    files = {"l1": seed_export.l1(seed=seed), "l2": seed_export.l2(seed=seed), "bars": seed_export.bars()}
    whole = SeedSource(write(folder / "one", files)).read(1 << 62)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seed_files, "READ_ROWS", block)
        source = SeedSource(write(folder / "many", files, row_group_size=group))
        parts = joined([source.read(START_NS + cut * 1_000_000) for cut in [*sorted(cuts), 10_000]])
    assert parts.keys() == whole.keys()
    assert all(same_table(parts[channel], whole[channel]) for channel in whole)


def test_it_holds_to_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """check_source finds nothing where files have many row groups and blocks."""
    monkeypatch.setattr(seed_files, "READ_ROWS", 7)
    write(tmp_path, everything(), row_group_size=9)
    check_source(lambda: SeedSource(tmp_path), window_ns=SECOND_NS // 2)


def test_memory_is_a_few_thousand_rows(tmp_path: Path) -> None:
    """Of a file with all rows in one row group Arrow holds little at once, wherever the reading stands."""
    rows, levels = 80_000, 10
    prices = np.random.default_rng(1).random(rows * levels)
    offsets = pa.array(np.arange(0, len(prices) + 1, levels, dtype=np.int32))
    columns: dict[str, Any] = {"ts": START_MS + np.arange(rows) * 100, "symbol": ["ES"] * rows}
    for name, values in (("px", prices), ("sz", (prices * 1e6).astype(np.int64))):
        lists = pa.ListArray.from_arrays(offsets, pa.array(values))
        columns |= {f"{side}_{name}": lists for side in ("bid", "ask")}
    path = tmp_path / "l2.parquet"
    pq.write_table(pa.table(columns), path, use_dictionary=False, compression="none")
    source = SeedSource(tmp_path)
    before, held, told = pa.total_allocated_bytes(), 0, 0
    for second in range(0, rows // 10 + 60, 60):
        told += sum(map(len, source.read(START_NS + second * SECOND_NS).values()))
        held = max(held, pa.total_allocated_bytes() - before)
    assert told == rows
    assert held < path.stat().st_size // 2


def test_recognise(tmp_path: Path) -> None:
    """A folder with any one of the seven files."""
    assert not recognise(tmp_path)
    write(tmp_path, {"bars": seed_export.bars()})
    assert recognise(tmp_path)
    assert not recognise(tmp_path / "bars.parquet")


def test_the_tape_tells_its_own_bars(tmp_path: Path) -> None:
    """Without trades nothing is computed: the export's bars and footprints are the tape's."""
    tape = Tape(SeedSource(write(tmp_path, everything())))
    counts: Counter[str] = Counter()
    while (chunk := tape.advance(100)) is not None:
        counts.update({channel: len(part) for channel, part in chunk.tables.items()})
    del counts["status"]
    assert counts == {"bar": 8, "footprint": 8, "context": 8, "l1": 40, "l2": 40}


# -------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("name", "column", "row", "value", "expected"),
    [
        ("l1", "bid", 7, None, "bid is null or NaN, expected a number"),
        ("l1", "ask", 7, float("nan"), "ask is null or NaN"),
        ("l1", "last_price", 7, float("inf"), "last_price is infinite"),
        ("l1", "bid_size", 7, 1.5, "expected a whole number"),
        ("l1", "ts", 7, None, "ts is null"),
        ("l1", "ts", 7, 1_755_783_000, "expected epoch milliseconds"),
        ("l1", "ts", 7, START_MS * 1_000_000, "expected epoch milliseconds"),
        ("l1", "symbol", 7, "", "symbol is empty"),
        ("l1", "symbol", 7, None, "symbol is empty"),
        ("l2", "bid_px", 25, None, "bid_px is null, expected a list"),
        ("l2", "ask_px", 25, [5000.25, float("nan")], "null or NaN in it"),
        ("l2", "bid_sz", 25, [3, None], "null or NaN in it"),
        ("bars", "volume", 6, 2.5, "expected a whole number"),
        ("bars", "volume", 6, float("nan"), "volume is null or NaN"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, name: str, column: str, row: int, value: Any, expected: str) -> None:
    """The file, the row and what was expected, whether it is found at opening or at reading."""
    write(tmp_path, {name: changed(getattr(seed_export, name)(), column, row, value)})
    with pytest.raises(SourceError, match=expected) as caught:
        SeedSource(tmp_path).read(1 << 62)
    assert caught.value.file == str(tmp_path / f"{name}.parquet")
    assert caught.value.row == row


@pytest.mark.parametrize(("name", "row"), [("l1", 9), ("l2", 33), ("bars", 7)])
def test_an_unsorted_file_is_refused_at_once(tmp_path: Path, name: str, row: int) -> None:
    """The first row of a symbol whose time is before the one above is named."""
    write(tmp_path, {name: changed(getattr(seed_export, name)(), "ts", row, START_MS)})
    with pytest.raises(SourceError, match="expected ascending times") as caught:
        SeedSource(tmp_path)
    assert caught.value.row == row


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("bid", ["5000.25"] * 40, "column bid is string, expected floats"),
        ("symbol", [1] * 40, "column symbol is int64, expected text"),
        ("ts", ["2025-08-21"] * 40, "column ts is string, expected epoch milliseconds"),
    ],
)
def test_a_column_of_another_type_is_refused_at_once(
    tmp_path: Path, column: str, values: list[Any], expected: str
) -> None:
    """With what it is and what it should be."""
    write(tmp_path, {"l1": {**seed_export.l1(), column: values}})
    with pytest.raises(SourceError, match=expected):
        SeedSource(tmp_path)


@pytest.mark.parametrize("harm", ["empty", "cut", "no parquet"])
def test_a_damaged_file_is_refused_at_once(tmp_path: Path, harm: str) -> None:
    """Empty, cut off or something else altogether."""
    write(tmp_path, everything())
    path = tmp_path / "l1.parquet"
    data = path.read_bytes()
    path.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "no parquet": b"ts,symbol\n" * 100}[harm])
    with pytest.raises(SourceError, match="expected a whole Parquet file") as caught:
        SeedSource(tmp_path)
    assert caught.value.file == str(path)


def test_damaged_pages_are_named(tmp_path: Path) -> None:
    """A file whose data is not what its checksums say is an error at the row where it begins."""
    table = pa.table(seed_export.l1(4000))
    path = tmp_path / "l1.parquet"
    pq.write_table(table, path, write_page_checksum=True, row_group_size=1000, compression="none", use_dictionary=False)
    data = bytearray(path.read_bytes())
    bid = pq.ParquetFile(path).metadata.row_group(2).column(4)
    assert bid.path_in_schema == "bid"
    data[bid.data_page_offset + 500] ^= 255
    path.write_bytes(data)
    with pytest.raises(SourceError, match="expected a whole Parquet file") as caught:
        SeedSource(tmp_path).read(1 << 62)
    assert caught.value.row is not None
    assert 2001 <= caught.value.row <= 3000


def test_nothing_to_tell_is_an_error(tmp_path: Path) -> None:
    """Files without rows are left out; an export of nothing else is refused."""
    write(tmp_path, {"l1": {name: values[:0] for name, values in seed_export.l1().items()}})
    with pytest.raises(SourceError, match="nothing in it can be told"):
        SeedSource(tmp_path)


# ------------------------------------------------------------------------------------------------------ the real one


@needs_seed_export
def test_every_row_of_the_real_export_is_told() -> None:
    """As many rows as each file has (a context for both symbols), with the values that it has."""
    told = SeedSource(SEED_EXPORT).read(1 << 62)
    rows = {path.stem: pq.read_metadata(path).num_rows for path in SEED_EXPORT.glob("*.parquet")}
    names = {"bar": "bars", "leadership": "leadership_features", "truth": "ground_truth"}
    for channel, table in told.items():
        assert len(table) == rows[names.get(channel, channel)] * (2 if channel == "context" else 1)
    assert len(told) == len(rows) == 7
    l1 = pq.read_table(SEED_EXPORT / "l1.parquet").to_pydict()
    assert told["l1"].array("bid").tolist() == l1["bid"]
    strength = pq.read_table(SEED_EXPORT / "leadership_features.parquet").to_pydict()["leadership_strength"]
    missing = sum(value is None or math.isnan(value) for value in strength)
    assert missing > 0
    assert int(np.isnan(told["leadership"].array("leadership_strength")).sum()) == missing


@needs_seed_export
def test_the_real_export_holds_to_the_contract() -> None:
    """check_source finds nothing."""
    check_source(lambda: SeedSource(SEED_EXPORT), window_ns=5 * SECOND_NS, max_rows=2000)
