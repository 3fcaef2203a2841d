"""DBN files as a source: nothing of them lost, books folded from orders, and errors that name the file and the row."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import databento_dbn as dbn
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.app.exporting import export_dbn
from feedsim.config import SourceSettings
from feedsim.errors import ConfigError, SourceError
from feedsim.sources.base import Tables
from feedsim.sources.catalog import kind_of, open_source
from feedsim.sources.dbn.source import DbnSource
from feedsim.testing import check_source
from tests.sources.dbn.files import ES, NQ, START_NS, TICK, mbo, stored, trade, write
from tests.support.shared_data import DBN, needs_dbn

MINUTE = SourceSettings(minutes=0.5, seed=5, option={"mbo": "yes"})


def all_of(source: DbnSource) -> Tables:
    assert source.info.end_ns is not None
    return source.read(source.info.end_ns)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a minute of the synthetic market in each schema."""
    folder = tmp_path_factory.mktemp("dbn")
    for schema in ("mbo", "mbp-10", "mbp-1", "tbbo", "trades", "ohlcv-1s", "definition"):
        suffix = ".dbn" if schema == "trades" else ".dbn.zst"
        export_dbn(MINUTE, folder / f"{schema}{suffix}", schema)
    return folder


# ---------------------------------------------------------------------------------------------------------- contract


@pytest.mark.parametrize("name", ["mbo.dbn.zst", "mbp-10.dbn.zst", "mbp-1.dbn.zst", "tbbo.dbn.zst", "trades.dbn"])
def test_a_file_of_each_schema_keeps_the_contract(exported: Path, name: str) -> None:
    """Windows, positions and seeks change nothing of what is told."""
    assert kind_of(exported / name) == "dbn"
    check_source(lambda: open_source(str(exported / name)), max_rows=20_000)


def test_bars_alone_keep_the_contract(exported: Path) -> None:
    """Told at their ends, where there is nothing else."""
    check_source(lambda: open_source(str(exported / "ohlcv-1s.dbn.zst")))


def test_of_a_folder_the_fullest_is_told(exported: Path) -> None:
    """mbo here; bars are for comparison, and the rest is named in a note."""
    source = DbnSource(exported)
    assert source.info.channels == ("mbo", "trade", "l1", "l2")
    (note,) = source.info.notes
    assert "mbp-10.dbn.zst" in note
    assert len(source.own_bars()) > 40
    assert set(source.own_bars().array("tf_s").tolist()) == {1}


@needs_dbn
def test_recorded_quotes_are_told_as_they_are() -> None:
    """Every record of the vendor's file: trades, and each change of the best prices and sizes, to the nanosecond."""
    (path,) = DBN.glob("*.dbn.zst")
    records = stored(path).to_ndarray()
    tables = all_of(DbnSource(path))
    check_source(lambda: DbnSource(path))
    trades = records[records["action"] == b"T"]
    assert tables["trade"].array("ts").tolist() == trades["ts_event"].tolist()
    assert tables["trade"].avail.tolist() == trades["ts_recv"].tolist()
    assert (tables["trade"].array("price") * 1e9).tolist() == trades["price"].tolist()
    names = ["bid_px_00", "ask_px_00", "bid_sz_00", "ask_sz_00"]
    shown = [tuple(row) for row in records[names].tolist()]
    changed = [at for at, row in enumerate(shown) if not at or row != shown[at - 1]]
    assert tables["l1"].avail.tolist() == records["ts_recv"][changed].tolist()
    assert (tables["l1"].array("bid") * 1e9).tolist() == records["bid_px_00"][changed].tolist()
    assert tables["l1"].array("ask_size").tolist() == records["ask_sz_00"][changed].tolist()


# ------------------------------------------------------------------------------------------------------------ folding

Order = tuple[str, int, int]  # side, price, size


def levels_of(orders: dict[int, Order], side: str) -> list[tuple[int, int, int]]:
    """Price, lots and orders of the ten best levels of a side."""
    found: dict[int, list[int]] = defaultdict(list)
    for its_side, price, size in orders.values():
        if its_side == side:
            found[price].append(size)
    best = sorted(found, reverse=side == "B")[:10]
    return [(price, sum(found[price]), len(found[price])) for price in best]


@st.composite
def happenings(draw: st.DrawFn) -> tuple[list[Any], list[dict[int, Order]]]:
    """Messages of a book, and its orders after each."""
    orders: dict[int, Order] = {}
    messages: list[Any] = []
    states: list[dict[int, Order]] = []
    for at in range(draw(st.integers(1, 40))):
        kind = draw(st.sampled_from("AAAACMR" if orders else "A"))
        order_id = draw(st.integers(1, 12) if kind == "A" else st.sampled_from(sorted(orders) or [1]))
        if kind == "A":
            side, price = draw(st.sampled_from("BA")), draw(st.integers(20_000, 20_030))
            orders[order_id] = (side, price, draw(st.integers(1, 50)))
            messages.append(mbo(at, "A", *orders[order_id], order_id))
        elif kind == "R":
            orders.clear()
            messages.append(mbo(at, "R", "N", None, 0, 0))
        elif kind == "C":
            side, price, size = orders[order_id]
            gone = draw(st.integers(1, size))
            orders[order_id] = (side, price, size - gone)
            if gone == size:
                del orders[order_id]
            messages.append(mbo(at, "C", side, price, gone, order_id))
        else:
            side = orders[order_id][0]
            orders[order_id] = (side, draw(st.integers(20_000, 20_030)), draw(st.integers(1, 50)))
            messages.append(mbo(at, "M", *orders[order_id], order_id))
        states.append(dict(orders))
    return messages, states


@given(happenings(), st.integers(0, 40))
@settings(max_examples=40)
def test_books_are_those_that_the_orders_make(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[list[Any], list[dict[int, Order]]], cut: int
) -> None:
    """Against a plain dict of orders, behind every event; read at once, or saved in the middle and gone on with."""
    messages, states = made
    path = write(tmp_path_factory.mktemp("book") / "x.dbn", "mbo", messages)
    whole = all_of(DbnSource(path))
    told = {at: row for row, at in enumerate(whole["l2"].avail.tolist())} if "l2" in whole else {}
    now: list[Any] = [[], []]
    for at, state in enumerate(states):
        expected = [levels_of(state, side) for side in "BA"]
        row = told.get(START_NS + at + 1000)
        assert (row is not None) == (expected != now)
        now = expected
        if row is not None:
            l2 = whole["l2"].take(slice(row, row + 1))
            for side, levels in zip(("bid", "ask"), expected, strict=True):
                shown = [l2.ragged(f"{side}_{kind}").lists()[0] for kind in ("px", "sz", "ct")]
                assert shown[0] == [price * TICK / 1e9 for price, _, _ in levels]
                assert list(zip(*shown[1:], strict=True)) == [level[1:] for level in levels]
    source, other = DbnSource(path), DbnSource(path)
    source.read(START_NS + 1000 + cut)
    other.restore(source.save())
    rest = all_of(other)
    before = sum(at < START_NS + 1000 + cut for at in told)
    assert len(rest.get("l2", ())) == len(told) - before


def test_books_are_told_where_an_event_ends(tmp_path: Path) -> None:
    """Not in the middle of one, where a book may be crossed."""
    messages = [
        mbo(1, "A", "B", 20_000, 5, 1),
        mbo(2, "A", "A", 20_001, 5, 2),
        mbo(3, "A", "B", 20_001, 3, 3, last=False),
        mbo(3, "C", "A", 20_001, 5, 2, last=False),
        mbo(3, "A", "A", 20_002, 2, 4),
    ]
    tables = all_of(DbnSource(write(tmp_path / "x.dbn", "mbo", messages)))
    assert len(tables["mbo"]) == 5
    assert list(zip(tables["l1"].array("bid").tolist(), tables["l1"].array("ask").tolist(), strict=True)) == [
        (5000.0, 5000.25),
        (5000.25, 5000.5),
    ]


# ------------------------------------------------------------------------------------------------- names, several files


def test_several_files_are_one_session(tmp_path: Path) -> None:
    """Side by side in time and one after the other; at one time in the order of their names."""
    write(tmp_path / "a.dbn", "trades", [trade(at, 20_000 + at, 1) for at in (10, 30, 50)])
    write(tmp_path / "b.dbn.zst", "trades", [trade(at, 30_000, 2, "A", number=NQ) for at in (20, 30, 40)])
    write(tmp_path / "c.dbn", "trades", [trade(at, 20_000, 3) for at in (60, 70)])
    source = DbnSource(tmp_path)
    trades = all_of(source)["trade"]
    assert source.info.symbols == ("ES", "NQ")
    assert (trades.array("ts") - START_NS).tolist() == [10, 20, 30, 30, 40, 50, 60, 70]
    assert trades.array("symbol").tolist() == [0, 1, 0, 1, 1, 0, 0, 0]
    assert trades.array("trade_id").tolist() == [1, 1, 2, 2, 3, 3, 4, 5]
    assert trades.array("side").tolist() == [1, -1, 1, -1, -1, 1, 1, 1]
    check_source(lambda: DbnSource(tmp_path), window_ns=7)


def test_two_contracts_of_a_root_keep_their_names(tmp_path: Path) -> None:
    """Else their prices would be one stream; one contract goes by its root, with its number."""
    names = (("ESU5", ES), ("ESZ5", NQ))
    both = DbnSource(write(tmp_path / "x.dbn", "trades", [trade(1, 1, 1), trade(2, 2, 1, number=NQ)], names=names))
    assert both.info.symbols == ("ESU5", "ESZ5")
    assert not both.info.contracts
    one = DbnSource(write(tmp_path / "y.dbn", "trades", [trade(1, 1, 1)], names=names))
    assert (one.info.symbols, dict(one.info.contracts), one.instrument_ids) == (("ES",), {"ES": "ESU5"}, {"ES": ES})


def test_instruments_are_called_as_definitions_say(exported: Path, tmp_path: Path) -> None:
    """Where the metadata maps nothing."""
    records = stored(exported / "trades.dbn").to_ndarray()
    number = int(records["instrument_id"][0])
    write(tmp_path / "x.dbn", "trades", [trade(1, 1, 1, number=number)], names=())
    assert DbnSource(tmp_path).info.symbols == (str(number),)
    (tmp_path / "definition.dbn.zst").write_bytes((exported / "definition.dbn.zst").read_bytes())
    assert DbnSource(tmp_path).info.symbols[0] in ("ES", "NQ")


# ---------------------------------------------------------------------------------------------------------- bad input


def _broken(tmp_path: Path, change: Any) -> Path:
    path = write(tmp_path / "x.dbn", "trades", [trade(at, 20_000, 1) for at in range(9)])
    path.write_bytes(change(path.read_bytes()))
    return path


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda data: b"XYZ" + data[3:], "does not begin with DBN"),
        (lambda data: data[:20], "ends within its metadata"),
        (lambda data: data[:4] + b"\xff\xff\xff\x7f" + data[8:], "metadata of 2,147,483,647 bytes"),
        (lambda data: data[:8] + b"\xff" * 60 + data[68:], "metadata that cannot be read"),
        (lambda data: data[:-5], "row 9: the last record is cut off"),
        (lambda data: data[:-47] + b"\x17" + data[-46:], "row 9: expected records of trades (type 0), not type 23"),
        (lambda data: data[: -9 * 48], "no records of"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, change: Any, problem: str) -> None:
    """With what is wrong and where."""
    path = _broken(tmp_path, change)
    with pytest.raises(SourceError) as error:
        DbnSource(path)
    assert problem in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_a_truncated_archive_is_named(exported: Path, tmp_path: Path) -> None:
    """A download that broke off."""
    path = tmp_path / "x.dbn.zst"
    path.write_bytes((exported / "mbp-1.dbn.zst").read_bytes()[:5000])
    with pytest.raises(SourceError, match=r"x\.dbn\.zst"):
        DbnSource(path)


def test_other_schemas_are_refused(tmp_path: Path) -> None:
    """What is expected is said."""
    path = write(tmp_path / "x.dbn", "statistics", [])
    with pytest.raises(SourceError, match="schema statistics: expected one of"):
        DbnSource(path)


def test_without_the_package_the_extra_is_named(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says what to install."""
    import sys

    monkeypatch.setitem(sys.modules, "databento_dbn", None)
    with pytest.raises(ConfigError, match=r"pip install 'feedsim\[databento\]'"):
        DbnSource(exported)


def test_stamped_files_are_read(tmp_path: Path) -> None:
    """As a client records a live stream with ts_out."""
    records = [trade(at, 20_000, 1) for at in range(3)]
    path = write(tmp_path / "x.dbn", "trades", [], ts_out=True)
    body = b"".join(bytes([14]) + bytes(r)[1:48] + (7).to_bytes(8, "little") for r in records)
    path.write_bytes(path.read_bytes() + body)
    assert isinstance(dbn.TradeMsg, type)
    tables = all_of(DbnSource(path))
    assert np.diff(tables["trade"].array("ts")).tolist() == [1, 1]
