"""What the bridge writes is what the source reads: equal but for the 86.4 ms of a stamp."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedsim.config import SierraLayout
from feedsim.events import Bar, Table
from feedsim.playback.tape import Tape, TapeConfig
from feedsim.sources.base import Source, Tables
from feedsim.sources.sierra.source import SierraSource
from tests.bridges.sierra.playing import play_into
from tests.hub.lines import WALL_US
from tests.support.memory_source import small_session
from tests.support.shared_data import SIERRA, needs_sierra

HALF_STAMP_NS = 43_200_000
SYNTHETIC = partial(small_session, seconds=150, rate=20)
COMPARED = {
    "trade": ("price", "size", "side"),
    "l1": ("bid", "ask", "bid_size", "ask_size"),
    "l2": ("levels", "bid_px", "bid_sz", "ask_px", "ask_sz", "mid", "spread"),
}


def all_of(source: Source) -> Tables:
    assert source.info.end_ns is not None
    return source.read(source.info.end_ns)


def values(table: Table, symbol: int, names: tuple[str, ...]) -> list[list[Any]]:
    """Rows of one symbol."""
    rows = np.flatnonzero(table.array("symbol") == symbol)
    told = table.take(rows)
    return [told.ragged(name).lists() if name.endswith(("_px", "_sz")) else told.array(name).tolist() for name in names]


@needs_sierra
@pytest.mark.parametrize("layout", ["type", "chart", "unified"])
def test_recorded_files_come_back(tmp_path: Path, layout: SierraLayout) -> None:
    """Trades, quotes and coarse books of the live bot's own recording, times included: they are stamps already."""
    bridge = play_into(tmp_path, partial(SierraSource, SIERRA), layouts=(layout,), pace=False)
    was, again = (all_of(SierraSource(path)) for path in (SIERRA, tmp_path))
    assert set(was) == set(again) == {"trade", "l1", "l2"}
    for channel, names in COMPARED.items():
        assert values(again[channel], 0, ("ts", *names)) == values(was[channel], 0, ("ts", *names))
        assert len(was[channel]) > 2
    assert values(again["l1"], 0, ("last_size",)) == values(was["l1"], 0, ("last_size",))
    assert (bridge.counts.conflated, bridge.counts.delayed, bridge.counts.skipped) == (0, 0, 0)


@pytest.mark.parametrize("layout", ["type", "chart", "unified"])
def test_a_session_comes_back(tmp_path: Path, layout: SierraLayout) -> None:
    """Of two symbols, each with its own chart and seq; each time within half of what a stamp can say."""
    bridge = play_into(tmp_path, SYNTHETIC, layouts=(layout,), pace=False)
    source = SierraSource(tmp_path)
    was, again = all_of(SYNTHETIC()), all_of(source)
    assert source.info.symbols == ("ES", "NQ")
    assert not [note for note in source.info.notes if "missing" in note or "again" in note]
    for symbol in (0, 1):
        for channel in ("trade", "l1"):
            assert values(again[channel], symbol, COMPARED[channel]) == values(was[channel], symbol, COMPARED[channel])
            (told,), (first,) = (values(part[channel], symbol, ("ts",)) for part in (again, was))
            assert max(abs(a - b) for a, b in zip(told, first, strict=True)) <= HALF_STAMP_NS
    assert bridge.counts.bytes == sum(path.stat().st_size for path in tmp_path.rglob("*.jsonl"))


def test_the_last_book_of_every_minute_comes_back(tmp_path: Path) -> None:
    """Coarse, at the minute's end, as depth lines allow no more."""
    play_into(tmp_path, SYNTHETIC, layouts=("unified",), pace=False)
    was, again = all_of(SYNTHETIC())["l2"], all_of(SierraSource(tmp_path))["l2"]
    minutes = was.avail // 60_000_000_000
    places = zip(was.array("symbol").tolist(), minutes.tolist(), strict=True)
    last = {place: row for row, place in enumerate(places)}
    told = {
        (int(code), int((avail - 1) // 60_000_000_000)): row
        for row, (code, avail) in enumerate(zip(again.array("symbol"), again.avail, strict=True))
    }
    assert set(told) == set(last)
    for key, row in told.items():
        for name in ("bid_px", "bid_sz", "ask_px", "ask_sz"):
            assert again.ragged(name).lists()[row] == was.ragged(name).lists()[last[key]]


def test_bars_of_the_files_are_those_of_the_tape(tmp_path: Path) -> None:
    """The last line of each bar, read as the files' own, beside the tape's bars of a minute."""
    play_into(tmp_path, SYNTHETIC, layouts=("type",), pace=False)
    own = SierraSource(tmp_path).own_bars()
    tape = Tape(SYNTHETIC(), TapeConfig(bar_tf_s=(60,), flat_bars=False))
    for _ in tape.roll_to(tape.start_ns):
        pass
    bars: dict[tuple[int, int], tuple[Any, ...]] = {}
    while (chunk := tape.advance(1000)) is not None:
        for bar in chunk.events(channels=frozenset(["bar"])):
            assert isinstance(bar, Bar)
            code = ("ES", "NQ").index(bar.symbol)
            bars[bar.ts, code] = (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.delta)
    names = ("open", "high", "low", "close", "volume", "delta")
    told = dict(
        zip(
            zip(own.array("ts").tolist(), own.array("symbol").tolist(), strict=True),
            zip(*(own.array(name).tolist() for name in names), strict=True),
            strict=True,
        )
    )
    assert {key: told[key] for key in bars} == bars  # the last minute is not over, and has no bar of the tape's
    assert len(bars) >= 4


def test_a_session_that_happens_now_is_written_now(tmp_path: Path) -> None:
    """Into the files of today, with stamps of today; the distances are the session's own."""
    play_into(tmp_path, SYNTHETIC, speed=1.0, rebase=True, layouts=("unified",))
    source = SierraSource(tmp_path)
    first = small_session(seconds=150, rate=20).info.start_ns
    moved = source.info.start_ns - WALL_US * 1000
    assert 0 <= moved + HALF_STAMP_NS < 2 * 10**9
    assert first != source.info.start_ns
    assert [path.name for path in tmp_path.iterdir()] == ["unified_20260921.jsonl"]
