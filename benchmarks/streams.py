"""Streams with a known rhythm, as CSV files that a server replays."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

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
