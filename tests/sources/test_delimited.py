"""Delimited text: what is in the rows is what is told, whichever names, delimiter, times or windows."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedsim.errors import ConfigError, SourceError
from feedsim.sources.catalog import open_source
from feedsim.sources.delimited import DelimitedSource, recognise
from feedsim.testing import check_source
from feedsim.testing.sources import joined
from tests.support.chunks import same_table
from tests.support.sierra_files import read_small_blocks

START_NS = 1_755_783_000_000_000_000  # 2025-08-21 13:30 UTC
SECOND_NS = 10**9

TRADES = ["ts,symbol,price,size,side", f"{START_NS},ES,5000.25,3,buy", f"{START_NS + 5},NQ,18000.5,1,sell"]
TBBO = "ts_recv,ts_event,rtype,action,side,price,size,bid_px_00,ask_px_00,bid_sz_00,ask_sz_00,symbol"


def _write(path: Path, lines: Iterable[str], *, end: str = "\n") -> Path:
    data = ("\n".join(lines) + end).encode()
    if path.suffix == ".gz":
        data = gzip.compress(data)
    elif path.suffix == ".zst":
        data = zstandard.compress(data)
    path.write_bytes(data)
    return path


def _rows(table: Any, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(table.array(name).tolist() for name in names), strict=True))


def _read(path: Path, **options: Any) -> Any:
    source = DelimitedSource(path, **options)
    try:
        return source.read(1 << 62)
    finally:
        source.close()


def _random(rows: int, seed: int) -> list[str]:
    """Trades and quotes of two symbols, many at the same time."""
    rng = np.random.default_rng(seed)
    times = START_NS + np.cumsum(rng.integers(0, 3, rows) * rng.integers(0, SECOND_NS, rows))
    lines = ["ts_event,action,symbol,price,size,side,bid,ask,bid_size,ask_size"]
    for ns in times.tolist():
        price, size, symbol = 5000 + int(rng.integers(0, 40)) / 4, int(rng.integers(1, 9)), rng.choice(["ES", "NQ"])
        trade = f"{price},{size},{rng.choice(['B', 'S', 'N'])}" if rng.random() < 0.5 else ",,"
        action = "Q" if trade == ",," else "T"
        quoted = action == "Q" or rng.random() < 0.5
        quote = f"{price - 0.25},{price},{size + 2},{size + 3}" if quoted else ",,,"
        lines.append(f"{ns},{action},{symbol},{trade},{quote}")
    return lines


# ------------------------------------------------------------------------------------------------------------- rows


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.csv.zst"])
def test_trades_are_told(tmp_path: Path, name: str) -> None:
    """Time, price, size and aggressor, from a plain and from compressed files."""
    table = _read(_write(tmp_path / name, TRADES))["trade"]
    assert table.symbols == ("ES", "NQ")
    assert _rows(table, "ts", "symbol", "price", "size", "side", "trade_id") == [
        (START_NS, 0, 5000.25, 3, 1, 2),
        (START_NS + 5, 1, 18000.5, 1, -1, 3),
    ]


@given(
    rows=st.integers(1, 60),
    seed=st.integers(0, 2**32),
    size=st.integers(20, 700),
    cuts=st.lists(st.integers(0, 60 * SECOND_NS), max_size=6),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_is_told_in_order(
    tmp_path_factory: pytest.TempPathFactory, rows: int, seed: int, size: int, cuts: list[int]
) -> None:
    """The tape's order is the file's: a row's quote, then its trade; each quote has its symbol's last trade."""
    lines = _random(rows, seed)
    expected: list[tuple[Any, ...]] = []
    last: dict[str, tuple[float | None, int | None]] = {}
    for line in lines[1:]:
        ns, _, symbol, price, lots, _, bid, ask, bid_size, ask_size = line.split(",")
        if bid:
            quote = (float(bid), float(ask), int(bid_size), int(ask_size))
            expected.append((int(ns), symbol, *quote, *last.get(symbol, (None, None))))
        if price:
            last[symbol] = (float(price), int(lots))
            expected.append((int(ns), symbol, float(price), int(lots)))
    with pytest.MonkeyPatch.context() as patch:
        read_small_blocks(patch, size)
        source = DelimitedSource(_write(tmp_path_factory.mktemp("csv") / "a.csv", lines))
        tables = joined([source.read(START_NS + cut) for cut in [*sorted(cuts), 1 << 62]])
        source.close()
    told: list[tuple[int, tuple[Any, ...]]] = []
    names = {"trade": ("price", "size"), "l1": ("bid", "ask", "bid_size", "ask_size", "last_price", "last_size")}
    for channel, table in tables.items():
        for own, (ns, code, *rest) in zip(
            table.own.tolist(), _rows(table, "ts", "symbol", *names[channel]), strict=True
        ):
            values = [None if value != value or value == -(2**63) else value for value in rest]
            told.append((own, (ns, table.symbols[code], *values)))
    assert [row for _, row in sorted(told)] == expected


@pytest.mark.parametrize(("name", "size"), [("a.csv", 90), ("a.csv", 400), ("a.csv.gz", 200)])
def test_it_holds_to_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, size: int) -> None:
    """check_source finds nothing, wherever blocks end."""
    path = _write(tmp_path / name, _random(50, 3))
    read_small_blocks(monkeypatch, size)
    check_source(lambda: DelimitedSource(path), window_ns=3 * SECOND_NS)


# ----------------------------------------------------------------------------------------------------- the header


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Date,Time,Price,Volume", "2025-08-21,13:30:00.5,5000.25,3"),
        ("DateTime;Last;Qty", "2025-08-21 13:30:00,500;5000.25;3"),
        ("timestamp\tprice\tamount", "1755783000500\t5000.25\t3"),
        ('"Time", "Trade Price", "Trade Size"', '"20250821 133000.5", "5000.25", "3"'),
        ("\ufeffts_event,px,sz,size", "2025-08-21T15:30:00.500+02:00,5000.25,,3.0"),
    ],
)
def test_usual_headers_are_known(tmp_path: Path, header: str, row: str) -> None:
    """Vendors' names, delimiters and times, without an option but the symbol's."""
    table = _read(_write(tmp_path / "a.csv", [header, row]), symbol="ES")["trade"]
    assert _rows(table, "ts", "price", "size") == [(START_NS + SECOND_NS // 2, 5000.25, 3)]


def test_columns_can_be_named(tmp_path: Path) -> None:
    """An option beats what a header says by itself."""
    path = _write(tmp_path / "a.csv", ["when,price,fill,n", "1755783000,1,5000.25,3"])
    table = _read(path, columns={"ts": "when", "price": "fill", "size": "n"}, symbol="ESZ25_FUT_CME")["trade"]
    assert table.symbols == ("ES",)
    assert _rows(table, "ts", "price", "size") == [(START_NS, 5000.25, 3)]


def test_options_come_from_the_command_line(tmp_path: Path) -> None:
    """As open_source takes them, and as the identity gives them back."""
    path = _write(tmp_path / "a.csv", ["when,price,size", "1755783000,5000.25,3"])
    options = {"column.ts": "when", "symbol": "ES", "time_unit": "s", "kind": "trade"}
    source = open_source(str(path), options=options)
    assert source.info.identity["options"] == options
    assert source.info.start_ns == START_NS


def test_last_prices_beside_quotes_are_no_trades(tmp_path: Path) -> None:
    """A last price is repeated until there is another: rows are quotes, and no trade is made up."""
    lines = ["ts,symbol,bid,ask,last_price,bid_size,ask_size,last_size", "1755783000000,ES,5000,5000.25,,1,2,"]
    source = DelimitedSource(_write(tmp_path / "a.csv", [*lines, "1755783000200,ES,5000,5000.25,5000.25,1,2,7"]))
    table = source.read(1 << 62)["l1"]
    assert source.info.channels == ("l1",)
    assert np.isnan(table.array("last_price")[0])
    assert _rows(table.take(slice(1, 2)), "last_price", "last_size", "bid_size") == [(5000.25, 7, 1)]
    source.close()


def test_databento_rows_are_known(tmp_path: Path) -> None:
    """Received times order the rows; T is a trade, whose side A sold; A, C and M are quotes, R is left out."""
    book = "5000.000000000,5000.250000000,3,4,ESU5"
    rows = [
        f"{START_NS + 9},{START_NS},1,R,N,,,,,,,ESU5",
        f"{START_NS + 10},{START_NS},1,A,A,5000.25,1,{book}",
        f"{START_NS + 20},{START_NS + 1},1,T,A,5000.00,2,{book}",
    ]
    source = DelimitedSource(_write(tmp_path / "a.csv", [TBBO, *rows]))
    tables = source.read(1 << 62)
    assert _rows(tables["trade"], "ts", "price", "size", "side") == [(START_NS + 1, 5000.0, 2, -1)]
    assert tables["trade"].avail.tolist() == [START_NS + 20]
    assert tables["l1"].avail.tolist() == [START_NS + 10, START_NS + 20]
    assert source.info.contracts == {"ES": "ESU5"}
    assert any(note.startswith("1 rows are left out") for note in source.info.notes)
    source.close()


def test_symbols_can_be_chosen(tmp_path: Path) -> None:
    """Where a column has the symbol, the option says which are told."""
    source = DelimitedSource(_write(tmp_path / "a.csv", _random(60, 1)), symbol="NQ")
    tables = source.read(1 << 62)
    whole = _read(tmp_path / "a.csv")
    assert source.info.symbols == ("NQ",)
    for channel, table in tables.items():
        mine = whole[channel].take(whole[channel].array("symbol") == 1)
        mine.columns["symbol"] = np.zeros(len(mine), np.int64)
        mine.symbols = ("NQ",)
        assert same_table(table, mine)
    source.close()


def test_recognise(tmp_path: Path) -> None:
    """By the name of a file that is there."""
    assert recognise(_write(tmp_path / "A.CSV", TRADES))
    assert recognise(_write(tmp_path / "a.csv.zst", TRADES))
    assert not recognise(_write(tmp_path / "a.txt", TRADES))
    assert not recognise(tmp_path / "absent.csv")


def test_a_last_line_without_newline_is_a_row(tmp_path: Path) -> None:
    """So are lines that end in CR LF; blank lines are none."""
    assert len(_read(_write(tmp_path / "a.csv", TRADES, end=""))["trade"]) == 2
    assert len(_read(_write(tmp_path / "b.csv", [f"{line}\r" for line in [*TRADES, "", ""]]))["trade"]) == 2


# -------------------------------------------------------------------------------------------------------- bad input

GOOD = [f"{START_NS + row},ES,5000.25,3,buy,T{row}" for row in range(9)]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (f"{START_NS - 1},ES,5000.25,3,buy,1", "expected ascending times"),
        ("noon,ES,5000.25,3,buy,1", "expected a count of ns since the epoch"),
        (",ES,5000.25,3,buy,1", "expected a count of ns since the epoch"),
        ("1755783000,ES,5000.25,3,buy,1", "no time from 1980 to 2200 in ns"),
        (f"{START_NS + 5},ES,,3,buy,1", "price is 'empty', expected a price"),
        (f"{START_NS + 5},ES,nan,3,buy,1", "price is 'nan', expected a price"),
        (f"{START_NS + 5},ES,inf,3,buy,1", "price is 'inf', expected a number"),
        (f"{START_NS + 5},ES,high,3,buy,1", "price is 'high', expected a number"),
        (f"{START_NS + 5},ES,5_000,3,buy,1", "price is '5_000', expected a number"),
        (f"{START_NS + 5},ES,5000250000000,3,buy,1", "expected a price in points"),
        (f"{START_NS + 5},ES,5000.25,2.5,buy,1", "size is '2.5', expected a whole number"),
        (f"{START_NS + 5},ES,5000.25,-1,buy,1", "size is '-1', expected a whole number of 0 or more"),
        (f"{START_NS + 5},ES,5000.25,,buy,1", "size is 'empty', expected a whole number"),
        (f"{START_NS + 5},ES,5000.25,3,A,1", "side is 'A', expected buy or sell"),
        (f"{START_NS + 5},ES,5000.25,3", "4 fields, expected 6 as in the header"),
        (f"{START_NS + 5},ES,5000.25,3,buy,1,2", "7 fields, expected 6 as in the header"),
        (f'{START_NS + 5},"ES,5000.25,3,buy,1', "quotes end in their line"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, expected: str) -> None:
    """The file, the row and what was expected; what was before it is told."""
    lines = ["ts,symbol,price,size,side,note", *GOOD[:5], row, *GOOD[6:]]
    path = _write(tmp_path / "a.csv", lines)
    with pytest.raises(SourceError, match=expected) as caught:
        _read(path)
    assert (caught.value.file, caught.value.row) == (str(path), 7)


def test_rows_out_of_order_across_blocks_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the first row of a block is compared with the one above, wherever a source was put."""
    lines = ["ts,symbol,price,size,side,note", *GOOD[:5], GOOD[2], *GOOD[6:]]
    path = _write(tmp_path / "a.csv", lines)
    for size in range(30, 120, 7):
        read_small_blocks(monkeypatch, size)
        source = DelimitedSource(path)
        source.read(START_NS + 1)
        state = source.save()
        source.restore(state)
        with pytest.raises(SourceError, match="ascending times") as caught:
            source.read(1 << 62)
        source.close()
        assert caught.value.row == 7


@pytest.mark.parametrize(
    ("lines", "expected", "row"),
    [
        ([], "is empty, expected a header line", 1),
        (["ts,symbol,price,size"], "expected rows below the header", 2),
        ([f"{START_NS},ES,5000.25,3"], "expected a header line", 1),
        (["1,2,3", "4,5,6"], "expected a header line", 1),
        (["ts,symbol,bid,ask", "1,ES,1,2"], "expected columns for price and size of trades", 1),
        (["symbol,price,size", "ES,1,2"], "no column has the time", 1),
        (["ts,price,size", f"{START_NS},1,2"], "no column has the symbol", 1),
        (["time,symbol,open,high,low,last,volume", f"{START_NS},ES,1,2,1,2,9"], "these are bars", 1),
        (["ts,symbol,price,size", "03/04/2025 13:30,ES,1,2"], "'03/04/2025 13:30' is no time", 2),
        (["ts,symbol,price,size", "2025-02-30 13:30,ES,1,2"], "is no time", 2),
        (["ts,symbol,price,size", "99,ES,1,2"], "is no time from 1980 to 2200", 2),
        (["ts,symbol,price,size", f"{START_NS},ES,1,2", "9999999999999999999,ES,1,2"], "1980 to 2200 in ns", 3),
        (["ts,symbol,price,size", "2025-08-21,ES,1,2", "9999-12-31,ES,1,2"], "1980 to 2200 as text", 3),
        (["ts,symbol,price,size", "2025-08-21,ES,1,2", "0001-01-01,ES,1,2"], "1980 to 2200 as text", 3),
        (["ts,sy\rmbol,price,size", f"{START_NS},ES,1,2"], "the header line cannot be read", 1),
        (["ts,type,symbol,price,size", f"{START_NS},X,ES,1,2"], "type is 'X', expected trade or quote", 2),
    ],
)
def test_a_file_that_will_not_do_is_refused_at_once(tmp_path: Path, lines: list[str], expected: str, row: int) -> None:
    """Without a row told, and with what there is."""
    path = _write(tmp_path / "a.csv", lines, end="\n" if lines else "")
    with pytest.raises(SourceError, match=expected) as caught:
        DelimitedSource(path)
    assert (caught.value.file, caught.value.row) == (str(path), row)


def test_text_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    """Bytes that are no text are an error of their row."""
    path = _write(tmp_path / "a.csv", ["ts,symbol,price,size,side,note", *GOOD])
    path.write_bytes(path.read_bytes().replace(b"T6", b"\xff\xfe"))
    with pytest.raises(SourceError, match="expected UTF-8") as caught:
        _read(path)
    assert caught.value.row == 8


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_cut_compressed_file_is_refused(tmp_path: Path, suffix: str) -> None:
    """It does not end quietly where it was cut."""
    path = _write(tmp_path / f"a.csv{suffix}", _random(2000, 1))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(SourceError, match="damaged or cut off"):
        DelimitedSource(path)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"kind": "bars"}, "option kind"),
        ({"time_unit": "minutes"}, "option time_unit"),
        ({"columns": {"colour": "price"}}, "option column.colour"),
    ],
)
def test_options_that_there_are_not(tmp_path: Path, options: dict[str, Any], field: str) -> None:
    """Say which there are."""
    with pytest.raises(ConfigError) as caught:
        DelimitedSource(_write(tmp_path / "a.csv", TRADES), **options)
    assert caught.value.field == field


def test_a_header_that_is_named_must_be_there(tmp_path: Path) -> None:
    """The error lists the headers that there are."""
    with pytest.raises(SourceError, match="no column 'Last', which is to be price; the header has: ts, symbol"):
        DelimitedSource(_write(tmp_path / "a.csv", TRADES), {"price": "Last"})
