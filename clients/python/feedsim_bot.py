"""The smallest bot on feedsim's own client: typed events, reconnect, resume and the gap check come with it.

pip install .; python feedsim_bot.py ws://127.0.0.1:8765 --count 20 [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Literal

import feedsim
from feedsim.errors import FeedsimError
from feedsim.events import L1, Bar, Trade


def price(value: float | None) -> str:
    """A recording may lack a price here and there."""
    return "?" if value is None else f"{value:.2f}"


async def run(url: str, count: int | None, encoding: Literal["json", "msgpack"]) -> None:
    """Print quotes, trades and bars of ES; stop after `count` events (None: when the server ends)."""
    wanted = ["l1", "trade", "bar"]
    async with feedsim.connect(url, channels=wanted, symbols=["ES"], tf_s=[1], encoding=encoding) as feed:
        async for event in feed:
            match event:
                case L1():
                    print(f"quote {event.bid_size} x {price(event.bid)} / {price(event.ask)} x {event.ask_size}")
                case Trade():
                    side = {1: "buy", -1: "sell"}.get(event.side, "?")
                    print(f"trade {side} {event.size} @ {price(event.price)}")
                case Bar():
                    print(f"bar   {event.tf_s} s closed at {price(event.close)}, volume {event.volume}")
            if count is not None and (count := count - 1) == 0:
                return


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Print events of ES from a feedsim server.")
    parser.add_argument("url", nargs="?", default="ws://127.0.0.1:8765")
    parser.add_argument("--count", type=int, help="stop after so many events")
    parser.add_argument("--json", action="store_true", help="take JSON instead of MessagePack")
    options = parser.parse_args()
    try:
        asyncio.run(run(options.url, options.count, "json" if options.json else "msgpack"))
    except (OSError, FeedsimError) as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
