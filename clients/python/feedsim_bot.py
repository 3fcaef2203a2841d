"""The smallest bot on feedsim's own client: typed events, reconnect, resume and the gap check come with it.

pip install .; python feedsim_bot.py ws://127.0.0.1:8765 --count 20
"""

from __future__ import annotations

import argparse
import asyncio
import sys

import feedsim
from feedsim.errors import FeedsimError
from feedsim.events import L1, Bar, Trade


async def run(url: str, count: int | None) -> None:
    """Print quotes, trades and bars of ES; stop after `count` events (None: when the server ends)."""
    printed = 0
    async with feedsim.connect(url, channels=["l1", "trade", "bar"], symbols=["ES"]) as feed:
        async for event in feed:
            match event:
                case L1():
                    print(f"quote {event.bid_size} x {event.bid:.2f} / {event.ask:.2f} x {event.ask_size}")
                case Trade():
                    side = {1: "buy", -1: "sell"}.get(event.side, "?")
                    print(f"trade {side} {event.size} @ {event.price:.2f}")
                case Bar():
                    print(f"bar   {event.tf_s} s closed at {event.close}, volume {event.volume}")
            if (printed := printed + 1) == count:
                return


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Print events of ES from a feedsim server.")
    parser.add_argument("url", nargs="?", default="ws://127.0.0.1:8765")
    parser.add_argument("--count", type=int, help="stop after so many events")
    options = parser.parse_args()
    try:
        asyncio.run(run(options.url, options.count))
    except (OSError, FeedsimError) as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
