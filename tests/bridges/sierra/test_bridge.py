"""A folder that grows while a session is played, and whoever reads it by polling; disks that fail; epochs."""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest

from feedsim.bridges.sierra.bridge import SierraBridge
from feedsim.bridges.sierra.files import Files
from feedsim.errors import ConfigError
from feedsim.playback.tape import Tape, TapeConfig
from feedsim.sources.synthetic import SyntheticSource
from tests.bridges.sierra.playing import play_into
from tests.hub.lines import EVERYTHING, Hub, subscription
from tests.support.memory_source import small_session
from tests.support.virtual_time import run_virtually

POLL_S, KEPT = 0.1, 100
SECONDS = 12
OPEN_BURST = partial(SyntheticSource, minutes=SECONDS / 60, seed=3)
SMALL = partial(small_session, seconds=20, rate=30)


class PollingReader:
    """As the live bot reads: every 100 ms what is new in the charts' files, of which it keeps the first 100 lines."""

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        self.lines: list[dict[str, Any]] = []
        self.dropped = 0
        self.most = 0
        self._rng = rng
        self._files: list[BinaryIO] = [path.open("rb") for path in sorted(folder.glob("chart_*.jsonl"))]

    async def run(self) -> None:
        await asyncio.sleep(self._rng.uniform(0, POLL_S))
        while True:
            self.poll()
            await asyncio.sleep(POLL_S * self._rng.uniform(1, 1.2))  # its own work makes a poll late, never early

    def poll(self) -> None:
        new = [line for file in self._files for line in file]
        self.most = max(self.most, len(new))
        self.dropped += max(len(new) - KEPT, 0)
        self.lines += map(json.loads, new[:KEPT])

    def close(self) -> None:
        for file in self._files:
            file.close()


def test_a_polling_reader_loses_no_trade_and_no_bar_over_the_open(tmp_path: Path) -> None:
    """ES and NQ from 09:30 on at 1x: what comes faster is conflated or comes later, and is counted."""
    readers: list[PollingReader] = []

    async def read(_: SierraBridge) -> None:
        reader = PollingReader(tmp_path, np.random.default_rng(5))
        readers.append(reader)
        try:
            await reader.run()
        finally:
            reader.close()

    bridge = play_into(tmp_path, OPEN_BURST, speed=1.0, layouts=("chart",), beside=read)
    (reader,) = readers
    trades, bars = told_by_the_tape()
    assert reader.dropped == 0
    assert reader.most <= KEPT
    for chart, symbol in ((3, "ES"), (4, "NQ")):
        mine = [line for line in reader.lines if line["chart"] == chart]
        read_trades = [(line["px"], line["vol"], line["side"]) for line in mine if line["type"] == "trade"]
        assert read_trades == trades[symbol]
        ticks = [line["seq"] for line in mine if "seq" in line]
        assert ticks == list(range(1, len(ticks) + 1))
        last = {line["i"]: [line[name] for name in "ohlcv"] for line in mine if line["type"] == "basedata"}
        assert last == bars[symbol]
    assert bridge.counts.conflated > 1000
    assert bridge.counts.skipped == 0


def told_by_the_tape() -> tuple[dict[str, list[tuple[float, int, str]]], dict[str, dict[int, list[float]]]]:
    """Trades of each symbol, and its bars by number: all in one minute here."""
    source = OPEN_BURST()
    assert source.info.end_ns is not None
    table = source.read(source.info.end_ns)["trade"]
    trades: dict[str, list[tuple[float, int, str]]] = {}
    bars: dict[str, dict[int, list[float]]] = {}
    for code, symbol in enumerate(("ES", "NQ")):
        mine = table.take(table.array("symbol") == code)
        price, size = mine.array("price").tolist(), mine.array("size").tolist()
        sides = ["BUY" if side > 0 else "SELL" for side in mine.array("side").tolist()]
        trades[symbol] = list(zip(price, size, sides, strict=True))
        bars[symbol] = {930: [price[0], max(price), min(price), price[-1], sum(size)]}
        assert len(price) > 100
    return trades, bars


def test_a_disk_that_fails_ends_the_bridge_and_nobody_else_notices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    """The session goes on to its end for its other readers; the log says what happened."""
    appended = Files.append
    calls = Counter[str]()

    def fail(self: Files, lines: Any) -> None:
        calls["append"] += 1
        if calls["append"] > 3:
            raise OSError(28, "No space left on device")
        appended(self, lines)

    monkeypatch.setattr(Files, "append", fail)
    bridge = play_into(tmp_path, SMALL, speed=10.0)
    assert calls["append"] == 4
    assert 0 < bridge.counts.sent < 1000
    assert any("No space left on device" in entry for entry in logged)


def test_a_folder_that_cannot_be_made_is_an_error_of_the_setting(tmp_path: Path) -> None:
    """In one line, before anything is served."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"sierra: .*file.*: Not a directory"):
        play_into(tmp_path / "file", SMALL)


def test_other_readers_get_the_same_with_and_without_files(tmp_path: Path) -> None:
    """A bridge changes nothing of what a client hears, or when."""

    async def main(bridged: bool) -> list[tuple[float, bytes]]:
        hub = Hub(SMALL)
        if bridged:
            from feedsim.bridges.sierra.options import Options

            await SierraBridge(hub.session, tmp_path, Options(layouts=("unified",))).start()
        line, _ = hub.join(subscription(*EVERYTHING))
        await hub.ended()
        for follower in hub.session.followers.copy():
            assert isinstance(follower, SierraBridge)
            await follower.close("over")
        await hub.stop()
        return line.writes

    assert run_virtually(partial(main, True)) == run_virtually(partial(main, False))


def test_at_speed_max_the_session_waits_for_the_pace(tmp_path: Path) -> None:
    """No trade is lost, however fast the source is."""
    bridge = play_into(tmp_path, partial(small_session, seconds=600, rate=10), layouts=("unified",))
    lines = [json.loads(text) for text in (tmp_path / "unified_20250821.jsonl").read_text().splitlines()]
    trades = sum(line["type"] == "trade" for line in lines)
    assert bridge.counts.skipped == 0
    assert trades == 6000


def test_records_are_written_again_where_the_charts_begin_anew(tmp_path: Path) -> None:
    """With the quirk `again`, in a new epoch: the file has them twice, as the study's restart does."""

    async def main() -> None:
        from feedsim.bridges.sierra.options import Options

        hub = Hub(SMALL, speed=math.inf)
        options = Options(layouts=("unified",), quirks=frozenset(["again"]), pace=False)
        bridge = SierraBridge(hub.session, tmp_path, options)
        await bridge.start()
        await hub.ended()
        hub.session.player.seek(hub.session.tape.start_ns + 15 * 10**9)
        await hub.ended()
        await bridge.close("over")
        await hub.stop()

    run_virtually(main)
    lines = [json.loads(text) for text in (tmp_path / "unified_20250821.jsonl").read_text().splitlines()]
    times = Counter((line["chart"], line["seq"]) for line in lines if "seq" in line)
    assert set(times.values()) == {1, 2}
    first_twice = min(seq for (chart, seq), count in times.items() if chart == 3 and count == 2)
    assert first_twice == 1


def test_tapes_without_short_bars_have_no_vwap(tmp_path: Path) -> None:
    """And everything else."""
    config = TapeConfig(bar_tf_s=(), footprint_tf_s=(), features_every_s=0)
    play_into(tmp_path, SMALL, config=config, layouts=("unified",), pace=False)
    lines = [json.loads(text) for text in (tmp_path / "unified_20250821.jsonl").read_text().splitlines()]
    assert {"trade", "quote", "depth", "basedata"} <= {line["type"] for line in lines}
    assert "vwap" not in {line["type"] for line in lines}
    assert Tape(SMALL(), config).config is config
