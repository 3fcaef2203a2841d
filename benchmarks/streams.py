"""Streams with a known rhythm, as CSV files and as recordings that a server replays."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from feedsim.app.making import write_recording
from feedsim.app.opening import open_tape
from feedsim.app.recorders import header_of, tap_into
from feedsim.config import SourceSettings
from feedsim.playback.tape import Tape, TapeConfig
from feedsim.sources.base import Source, Tables

START_US = 1_755_783_000_000_000  # 2025-08-21 09:30 ET
PRICE = 6400.0


def bursts(path: Path, *, seconds: float, per_second: int, size: int, symbols: Sequence[str] = ("ES",)) -> Path:
    """Trades in bursts of `size` at one time, `per_second` bursts a second, of each symbol in turn."""
    step_us = 1_000_000 // per_second
    times = [START_US + index // size * step_us for index in range(int(seconds * per_second) * size)]
    return _write(path, times, symbols)


def random_times(path: Path, *, seconds: float, per_second: int, seed: int = 1) -> Path:
    """Trades at random times: a market's own rhythm, in which most wake-ups carry one event."""
    rng = random.Random(seed)
    return _write(path, sorted(START_US + int(rng.random() * seconds * 1e6) for _ in range(int(seconds * per_second))))


def _write(path: Path, times_us: list[int], symbols: Sequence[str] = ("ES",)) -> Path:
    """Prices walk by a tick at a time."""
    rng = random.Random(7)
    price = PRICE
    with path.open("w") as file:
        file.write("ts,symbol,price,size,side\n")
        for time_us, symbol in zip(times_us, cycle(symbols)):  # the symbols have no end
            price += rng.choice((-0.25, 0.0, 0.0, 0.25))
            file.write(f"{time_us},{symbol},{price},{rng.randint(1, 20)},{rng.choice((-1, 1))}\n")
    return path


def recorded(source: Path, out: Path) -> Path:
    """A source as a recording: what a server reads with the least work."""
    asyncio.run(write_recording(SourceSettings(source=str(source), bar_tf_s=(60,)), out))
    return out


def quotes(out: Path, *, minutes: float) -> Path:
    """The quotes of the synthetic market, and nothing else, as a recording."""
    whole = open_tape(SourceSettings(minutes=minutes))
    config = TapeConfig(bar_tf_s=(), footprint_tf_s=(), features_every_s=0)
    tape = Tape(_Only(whole.source, "l1"), config, start_ns=whole.start_ns, end_ns=whole.end_ns)
    asyncio.run(_record(tape, out))
    return out


async def _record(tape: Tape, out: Path) -> None:
    tape.skip_to_start()
    tap = tap_into(out, header_of("generated", tape), field="out")
    work = asyncio.get_running_loop().create_task(tap.run())
    while (chunk := tape.advance(8192)) is not None:
        tap.append(chunk, 0, len(chunk))
        await tap.ready()
        await asyncio.sleep(0)
    await tap.close()
    await work
    tape.close()


class _Only:
    """A source without all channels but one."""

    def __init__(self, source: Source, channel: str) -> None:
        self._source = source
        self._channel = channel
        self.info = replace(source.info, channels=(channel,))
        self.seek, self.save, self.restore, self.close = source.seek, source.save, source.restore, source.close

    def read(self, until_ns: int) -> Tables:
        tables = self._source.read(until_ns)
        return {self._channel: tables[self._channel]} if self._channel in tables else {}
