"""Random chart files: what was written is what is told, however it is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedsim.errors import SourceError
from feedsim.sources.base import Tables
from feedsim.sources.sierra.source import SierraSource
from feedsim.testing import check_source
from feedsim.testing.sources import joined
from tests.support.sierra_files import (
    DAY,
    MINUTE_NS,
    OFFSET_NS,
    START_NS,
    basedata,
    chart_file,
    depth,
    quote,
    read_small_blocks,
    rounded,
    session,
    trade,
    write,
)

SECOND_NS = 10**9


def _records(tables: Tables) -> list[tuple[object, ...]]:
    """(seq, time, trade?, …) of all quotes and trades, in the order of the tape."""
    found: list[tuple[int, tuple[object, ...]]] = []
    for channel, names in (("trade", ("price", "size", "side")), ("l1", ("bid", "ask", "bid_size", "ask_size"))):
        if channel in tables:
            table = tables[channel]
            values = zip(*(table.array(name).tolist() for name in ("ts", *names)), strict=True)
            for own, (ts, *rest) in zip(table.own.tolist(), values, strict=True):
                found.append((own, (own & ((1 << 40) - 1), ts, channel == "trade", *rest)))
    return [record for _, record in sorted(found)]


@given(seed=st.integers(0, 2**32), repeat=st.integers(0, 100), cuts=st.lists(st.integers(0, 300), max_size=8))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_was_written_is_told(
    tmp_path_factory: pytest.TempPathFactory, seed: int, repeat: int, cuts: list[int]
) -> None:
    """Every record once, in seq order, whatever was written twice and whatever windows it is read by."""
    folder = tmp_path_factory.mktemp("chart")
    told = session(folder, seed, repeat=repeat)
    source = SierraSource(folder)
    assert source.info.end_ns is not None
    times = [START_NS + cut * SECOND_NS for cut in sorted(cuts)]
    tables = joined([source.read(ns) for ns in [*times, source.info.end_ns]])
    assert _records(tables) == told.records
    text = f"chart 3: {repeat:,} records that were written again are left out"
    assert (text in source.info.notes) == (repeat > 0)
    assert len(tables["l2"]) == len(told.minutes_with_depth)
    source.close()


@pytest.mark.parametrize("size", [150, 1000])
def test_it_holds_to_the_contract_in_small_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """check_source finds nothing where blocks end anywhere."""
    session(tmp_path, 5, records=60, repeat=40)
    read_small_blocks(monkeypatch, size)
    check_source(lambda: SierraSource(tmp_path), window_ns=30 * SECOND_NS)


def test_blocks_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rows from files read in one block and in blocks of a few lines."""
    told = session(tmp_path, 8, repeat=70)
    read_small_blocks(monkeypatch, 400)
    source = SierraSource(tmp_path)
    assert _records(source.read(1 << 62)) == told.records
    source.close()


def test_layouts_tell_the_same(tmp_path: Path) -> None:
    """The lines of all types in one file a chart, or in one file for all, are the same session."""
    told = session(tmp_path / "types", 3)
    lines = [line for path in sorted((tmp_path / "types").iterdir()) for line in path.read_text().splitlines()]
    lines.sort(key=lambda line: "depth" in line or "basedata" in line)  # what hangs on a bar comes after its ticks
    write(tmp_path / "chart" / f"chart_3_{DAY}.jsonl", _by_seq(lines))
    write(tmp_path / "unified" / f"unified_{DAY}.jsonl", _by_seq(lines))
    for layout in ("chart", "unified"):
        assert _records(SierraSource(tmp_path / layout).read(1 << 62)) == told.records


def _by_seq(lines: list[str]) -> list[str]:
    """Lines with a seq first, in its order."""
    ticks = [line for line in lines if '"seq":' in line]
    return sorted(ticks, key=lambda line: int(line.split('"seq":')[1].split(",")[0])) + [
        line for line in lines if line not in ticks
    ]


def test_books_hold_levels_until_they_change(tmp_path: Path) -> None:
    """A level of an earlier minute is still in the book of the next, at that minute's end in UTC."""
    ticks = [trade(n, START_NS + n * 20 * SECOND_NS) for n in range(9)]
    chart_file(tmp_path, "trade", ticks)
    chart_file(
        tmp_path,
        "depth",
        [
            depth(START_NS, "BID", 1, 5000.0, 7),
            depth(START_NS, "ASK", 1, 5000.25, 8),
            depth(START_NS + MINUTE_NS, "BID", 2, 4999.75, 9),
            depth(START_NS + 2 * MINUTE_NS, "BID", 1, 5000.0, 1),
        ],
    )
    books = SierraSource(tmp_path, chart_utc_offset_s=OFFSET_NS // SECOND_NS).read(1 << 62)["l2"]
    assert books.avail.tolist() == [START_NS + MINUTE_NS, START_NS + 2 * MINUTE_NS, START_NS + 3 * MINUTE_NS]
    assert books.ragged("bid_px").lists() == [[5000.0], [5000.0, 4999.75], [5000.0, 4999.75]]
    assert books.ragged("bid_sz").lists() == [[7], [7, 9], [1, 9]]
    assert books.ragged("ask_sz").lists() == [[8], [8], [8]]
    assert books.array("spread").tolist() == [0.25, 0.25, 0.25]


def test_a_hole_in_the_seq_is_counted(tmp_path: Path) -> None:
    """Numbers that the seq leaves out are told in the notes."""
    chart_file(tmp_path, "trade", [trade(seq, START_NS + seq * SECOND_NS) for seq in (1, 2, 6)])
    source = SierraSource(tmp_path)
    source.read(1 << 62)
    assert "chart 3: 3 numbers are missing in the seq" in source.info.notes


def test_a_stamp_that_runs_back_is_moved_and_counted(tmp_path: Path) -> None:
    """A record whose time is before that of the seq before it is told in its place."""
    times = [5 * SECOND_NS, 3 * SECOND_NS, 9 * SECOND_NS]
    chart_file(tmp_path, "trade", [trade(seq, START_NS + at) for seq, at in enumerate(times, 1)])
    source = SierraSource(tmp_path)
    trades = source.read(1 << 62)["trade"]
    first, _, third = (rounded(START_NS + at) for at in times)
    # The source's start is the least time in the file; the row that was moved keeps its place.
    assert trades.array("trade_id").tolist() == [1, 2, 3]
    assert trades.avail.tolist() == [first, first, third]
    assert any("1 records have a time" in note for note in source.info.notes)


def test_a_line_that_is_still_written_is_left_out(tmp_path: Path) -> None:
    """A last line without an end is no error: the study is in the middle of it."""
    lines = [trade(seq, START_NS + seq * SECOND_NS) for seq in range(1, 4)]
    chart_file(tmp_path, "trade", [*lines[:2], lines[2][:40]], end="")
    source = SierraSource(tmp_path)
    assert source.read(1 << 62)["trade"].array("trade_id").tolist() == [1, 2]
    assert "1 last line without an end is left out" in source.info.notes


def test_what_is_appended_later_is_not_read(tmp_path: Path) -> None:
    """A source has the data that was there when it was opened."""
    path = chart_file(tmp_path, "trade", [trade(1, START_NS), trade(2, START_NS + SECOND_NS)])
    source = SierraSource(tmp_path)
    with path.open("a") as file:
        file.write(trade(3, START_NS + 2 * SECOND_NS) + "\n")
    assert source.read(1 << 62)["trade"].array("trade_id").tolist() == [1, 2]


def test_own_bars_are_each_bars_last_state(tmp_path: Path) -> None:
    """Of the lines of one bar the last counts; their start is moved to UTC."""
    told = session(tmp_path, 11)
    bars = SierraSource(tmp_path).own_bars()
    assert bars.array("ts").tolist() == sorted(told.bars)
    assert bars.array("volume").tolist() == [sum(told.bars[start][1]) for start in sorted(told.bars)]
    signed = [np.dot(told.bars[start][1], told.bars[start][2]) for start in sorted(told.bars)]
    assert bars.array("delta").tolist() == signed


def test_the_clock_may_be_given(tmp_path: Path) -> None:
    """Without bars or ticks that prove it, depth is told only where the offset is given."""
    chart_file(tmp_path, "depth", [depth(START_NS, "BID", 1, 5000.0, 7)])
    with pytest.raises(SourceError, match="known time"):
        SierraSource(tmp_path)
    books = SierraSource(tmp_path, chart_utc_offset_s=7200).read(1 << 62)["l2"]
    assert books.avail.tolist() == [START_NS + MINUTE_NS]


def test_levels_and_vix_make_a_context(tmp_path: Path) -> None:
    """Option levels by their type, and a VIX for every symbol, are told at their minute's end."""
    local = START_NS + OFFSET_NS
    day = local // 86_400_000
    t = f"{25_569 + day // 1_000_000}.{day % 1_000_000:06d}"
    level = '{{"t":{t},"sym":"ESZ25_FUT_CME","type":"menthorq_level","level_type":"{kind}","price":{price},"chart":10}}'
    levels = [level.format(t=t, kind=kind, price=price) for kind, price in (("call_resistance", 5100), ("hvl", 4990))]
    write(tmp_path / f"chart_10_menthorq_{DAY}.jsonl", levels)
    write(tmp_path / f"chart_8_vix_{DAY}.jsonl", [f'{{"t":{t},"type":"vix","i":1,"last":14.66,"chart":8}}'])
    context = SierraSource(tmp_path, chart_utc_offset_s=7200).read(1 << 62)["context"]
    assert context.array("vix").tolist() == [14.66]
    assert context.array("call_wall").tolist() == [5100.0]
    assert context.array("gamma_flip").tolist() == [4990.0]
    assert np.isnan(context.array("put_wall")).all()


def test_bar_prices_may_prove_the_clock(tmp_path: Path) -> None:
    """The offset is the one at which bars equal the trades of their time."""
    chart_file(
        tmp_path,
        "trade",
        [trade(n, START_NS + (n * 30 + 10) * SECOND_NS, px=5000 + n / 4, vol=n + 1) for n in range(6)],
    )
    bars = [([5000 + n / 4, 5000.25 + n / 4], [n + 1, n + 2], [1, 1]) for n in (0, 2, 4)]
    chart_file(tmp_path, "basedata", [basedata(START_NS + at * MINUTE_NS, *bar) for at, bar in enumerate(bars)])
    chart_file(tmp_path, "depth", [depth(START_NS, "BID", 1, 5000.0, 7)])
    source = SierraSource(tmp_path)
    assert source.read(1 << 62)["l2"].avail.tolist() == [START_NS + MINUTE_NS]
    assert (
        "chart 3, 20250916: chart clock is UTC+02:00 (3 of 3 bars equal the trades of their time)" in source.info.notes
    )


def test_quotes_before_any_trade_have_no_last(tmp_path: Path) -> None:
    """last_price and last_size are null until there is a trade."""
    chart_file(tmp_path, "quote", [quote(1, START_NS), quote(3, START_NS + 2 * SECOND_NS)])
    chart_file(tmp_path, "trade", [trade(2, START_NS + SECOND_NS, px=4999.5, vol=6)])
    quotes = SierraSource(tmp_path).read(1 << 62)["l1"]
    assert np.isnan(quotes.array("last_price")[0])
    assert quotes.array("last_price")[1] == 4999.5
    assert quotes.array("last_size")[1] == 6
