"""An hour of a small market, written as the live bot's chart files: what the simulated server replays."""

from __future__ import annotations

import json
import random
from pathlib import Path

DAY = "20250821"
DAY_SERIAL = 45890  # days since 1899-12-30, the files' own calendar
OPEN_S = 13.5 * 3600  # 09:30 ET in UTC
CHART_OFFSET_S = -4 * 3600  # bars and depth are stamped in the chart's own time
TICK = 0.25
QUOTES_A_SECOND, TRADES_A_SECOND = 1.0, 0.4


def write_day(folder: Path, *, seconds: int, seed: int) -> Path:
    """Quotes and trades at random times, one book a minute; a random walk by the tick."""
    rng = random.Random(seed)
    bid = 25600  # in ticks
    lines: dict[str, list[str]] = {"quote": [], "trade": [], "depth": []}
    count = int(seconds * (QUOTES_A_SECOND + TRADES_A_SECOND))
    for seq, at in enumerate(sorted(rng.uniform(0, seconds) for _ in range(count)), 1):
        if rng.random() < TRADES_A_SECOND / (QUOTES_A_SECOND + TRADES_A_SECOND):
            buy = rng.random() < 0.5
            lines["trade"].append(_trade(at, seq, bid + buy, rng.randint(1, 9), buy=buy))
        else:
            bid += rng.choice((-1, 0, 0, 1))
            lines["quote"].append(_quote(at, seq, bid, rng.randint(1, 99), rng.randint(1, 99)))
    for minute in range(seconds // 60):
        lines["depth"] += _book(minute * 60, bid, rng)
    chart = folder / "CHART_3"
    chart.mkdir(parents=True)
    for name, written in lines.items():
        (chart / f"chart_3_{name}_{DAY}.jsonl").write_text("".join(written))
    return folder


def _line(at_s: float, type_: str, offset_s: float = 0.0, **fields: object) -> str:
    stamp = DAY_SERIAL + (OPEN_S + offset_s + at_s) / 86_400
    return json.dumps({"t": round(stamp, 9), "sym": "ESU25_FUT_CME", "type": type_, **fields, "chart": 3}) + "\n"


def _trade(at_s: float, seq: int, tick: int, size: int, *, buy: bool) -> str:
    side, code = ("BUY", 2) if buy else ("SELL", 1)
    return _line(at_s, "trade", side=side, px=tick * TICK, vol=size, seq=seq, tt=code)


def _quote(at_s: float, seq: int, bid: int, bid_size: int, ask_size: int) -> str:
    prices = {"bid": bid * TICK, "ask": (bid + 1) * TICK}
    return _line(at_s, "quote", kind="BIDASK", **prices, bq=bid_size, aq=ask_size, seq=seq)


def _book(at_s: float, bid: int, rng: random.Random) -> list[str]:
    return [
        _line(
            at_s,
            "depth",
            CHART_OFFSET_S,
            side=side,
            lvl=level,
            price=(bid - level + 1 if side == "BID" else bid + level) * TICK,
            size=rng.randint(1, 200),
        )
        for level in range(1, 11)
        for side in ("BID", "ASK")
    ]
