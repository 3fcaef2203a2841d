"""Chart files as the live bot's study writes them: single lines, and small random sessions with all that it does."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedsim.sources.text_lines import LineFile

DAY = "20250916"
START_NS = 1_758_014_400_000_000_000  # 2025-09-16 09:20 UTC
MINUTE_NS = 60_000_000_000
OFFSET_NS = 2 * 3600 * 1_000_000_000
"""The charts' clock minus UTC."""
MICRODAY_NS = 86_400_000  # a stamp's last digit


def rounded(ns: int) -> int:
    """A time as precise as a stamp is."""
    return (ns + MICRODAY_NS // 2) // MICRODAY_NS * MICRODAY_NS


def stamp(ns: int) -> float:
    """Sierra's day count with six decimals."""
    microdays = rounded(ns) // MICRODAY_NS
    return float(f"{25_569 + microdays // 1_000_000}.{microdays % 1_000_000:06d}")


def _line(ns: int, kind: str, chart: int, sym: str, fields: dict[str, Any]) -> str:
    return json.dumps({"t": stamp(ns), "sym": sym, "type": kind, **fields, "chart": chart}, separators=(",", ":"))


SYM = "ESZ25_FUT_CME"


def quote(seq: int, ns: int, *, bid: float = 5000.0, ask: float = 5000.25, bq: int = 3, aq: int = 4) -> str:
    return _line(ns, "quote", 3, SYM, {"kind": "BIDASK", "bid": bid, "ask": ask, "bq": bq, "aq": aq, "seq": seq})


def trade(seq: int, ns: int, *, px: float = 5000.25, vol: int = 1, side: str = "BUY") -> str:
    return _line(ns, "trade", 3, SYM, {"side": side, "px": px, "vol": vol, "seq": seq, "tt": 2})


def depth(start_ns: int, side: str, lvl: int, price: float, size: int) -> str:
    """`start_ns`: the start of the bar that it hangs on, in UTC; the line has the chart's time."""
    fields = {"side": side, "lvl": lvl, "price": price, "size": size}
    return _line(start_ns + OFFSET_NS, "depth", 3, SYM, fields)


def basedata(start_ns: int, prices: list[float], lots: list[int], sides: list[int]) -> str:
    """A bar of some trades; `start_ns` in UTC."""
    sold = sum(lot for lot, side in zip(lots, sides, strict=True) if side < 0)
    ohlc = {"o": prices[0], "h": max(prices), "l": min(prices), "c": prices[-1]}
    volume = {"v": sum(lots), "bidvol": sold, "askvol": sum(lots) - sold}
    return _line(start_ns + OFFSET_NS, "basedata", 3, SYM, {"i": 1, **ohlc, **volume})


def write(path: Path, lines: Iterable[str], *, end: str = "\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + end)
    return path


def chart_file(folder: Path, kind: str, lines: Iterable[str], *, end: str = "\n") -> Path:
    """One file of the layout that has a file a type."""
    return write(folder / f"chart_3_{kind}_{DAY}.jsonl", lines, end=end)


@dataclass
class Told:
    """What a session says, in the order of its seq, each once."""

    records: list[tuple[Any, ...]] = field(default_factory=list)
    """(seq, time, trade?, prices …)"""
    again: int = 0
    bars: dict[int, tuple[list[float], list[int], list[int]]] = field(default_factory=dict)
    """Prices, lots and sides of the trades of each minute, by its start."""
    minutes_with_depth: set[int] = field(default_factory=set)


def session(folder: Path, seed: int, *, records: int = 120, repeat: int = 0, minutes: int = 4) -> Told:
    """Write a random session in files a type; the last `repeat` records come twice, as after a restart."""
    rng = np.random.default_rng(seed)
    told = Told()
    offsets = np.sort(rng.integers(0, minutes * MINUTE_NS - 3_000_000_000, records))
    # The last minute has a trade and depth, as any minute of a market has: a chart's clock is found by them.
    offsets[-2:] = minutes * MINUTE_NS - np.array([3, 1]) * 1_000_000_000
    lines: dict[str, list[str]] = {"quote": [], "trade": [], "depth": [], "basedata": []}
    for number, offset in enumerate(offsets.tolist()):
        ns, seq = rounded(START_NS + offset), 700 + number
        price = 5000 + 0.25 * int(rng.integers(-8, 8))
        if rng.random() < 0.3 or number == records - 2:
            side, lots = int(rng.choice([-1, 1])), int(rng.integers(1, 9))
            lines["trade"].append(trade(seq, ns, px=price, vol=lots, side="BUY" if side > 0 else "SELL"))
            told.records.append((seq, ns, True, price, lots, side))
            prices, sizes, sides = minute = told.bars.setdefault(ns // MINUTE_NS * MINUTE_NS, ([], [], []))
            prices.append(price)
            sizes.append(lots)
            sides.append(side)
            lines["basedata"].append(basedata(ns // MINUTE_NS * MINUTE_NS, *minute))
        else:
            bq, aq = int(rng.integers(0, 50)), int(rng.integers(0, 50))
            lines["quote"].append(quote(seq, ns, bid=price, ask=price + 0.25, bq=bq, aq=aq))
            told.records.append((seq, ns, False, price, price + 0.25, bq, aq))
        if rng.random() < 0.4 or number == records - 1:
            minute_ns = ns // MINUTE_NS * MINUTE_NS
            level = int(rng.integers(1, 11))
            side_name = str(rng.choice(["BID", "ASK"]))
            away = 0.25 * level if side_name == "ASK" else 0.25 - 0.25 * level
            lines["depth"].append(depth(minute_ns, side_name, level, 5000 + away, int(rng.integers(0, 90))))
            told.minutes_with_depth.add(minute_ns)
    told.again = _repeat(lines, told, repeat)
    for kind, found in lines.items():
        if found:
            chart_file(folder, kind, found)
    return told


def _repeat(lines: dict[str, list[str]], told: Told, repeat: int) -> int:
    first = told.records[-repeat][0] if repeat else 1 << 60
    for kind in ("quote", "trade"):
        lines[kind] += [line for line in lines[kind] if json.loads(line)["seq"] >= first]
    return repeat


def read_small_blocks(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Have files read in blocks of so many bytes, so that small ones have many."""
    defaults = LineFile.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "block_bytes", size)
