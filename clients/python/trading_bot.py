"""A small bot that trades: it buys what is being accumulated, with a bracket, and prints what came of it.

pip install .; feedsim serve synthetic:orderflow_accumulation --speed 60 --minutes 30; python trading_bot.py ws://127.0.0.1:8765
"""

from __future__ import annotations

import argparse
import asyncio
import sys

import feedsim
from feedsim.client import Feed, OrderRejected
from feedsim.errors import FeedsimError
from feedsim.events import Bar, Leadership
from feedsim.wire.messages import FillEvent

SYMBOL = "ES"
ENOUGH = 0.55  # of confluence
STOP_TICKS, TARGET_TICKS = 12, 20
REST_S = 30  # between two trades


class AccumulationBot:
    """Buys when the features agree that somebody buys into a falling or flat price."""

    def __init__(self, feed: Feed, *, lots: int = 1) -> None:
        self.feed = feed
        self.lots = lots
        self.tick = feed.welcome.ticks[SYMBOL]
        self.close: float | None = None
        self.not_before = 0
        self.fills: list[FillEvent] = []

    async def run(self) -> None:
        """Trade to the end of the session; what is open then is closed."""
        async for event in self.feed.everything():
            match event:
                case Bar():
                    self.close = event.close
                case Leadership() if self.wants(event):
                    self.not_before = event.ts + REST_S * 1000
                    await self.enter()
                case FillEvent():
                    self.fills.append(event)

    def wants(self, features: Leadership) -> bool:
        """Whether this is the moment."""
        score, divergence = features.confluence_score or 0, features.delta_divergence_signed or 0
        position = self.feed.positions.get(SYMBOL)
        flat = (position is None or position.quantity == 0) and not self.feed.orders
        return flat and self.close is not None and features.ts >= self.not_before and score >= ENOUGH and divergence > 0

    async def enter(self) -> None:
        assert self.close is not None
        stop, target = self.close - STOP_TICKS * self.tick, self.close + TARGET_TICKS * self.tick
        try:
            await self.feed.buy(SYMBOL, self.lots, stop_loss=stop, take_profit=target)
        except OrderRejected as rejected:
            print(f"rejected: {rejected}")

    def result(self) -> str:
        """One line for each fill, and what is left."""
        lines = [f"{fill.side:4} {fill.quantity} {fill.symbol} @ {fill.price:.2f}" for fill in self.fills]
        account = self.feed.account
        if account is not None:
            lines.append(f"realised {account.realized:+,.2f}  fees {account.fees:,.2f}  equity {account.equity:,.2f}")
        return "\n".join(lines or ["no trade"])


async def main(url: str) -> None:
    async with feedsim.connect(url, channels=["bar", "leadership"], symbols=[SYMBOL], tf_s=[1]) as feed:
        bot = AccumulationBot(feed)
        await bot.run()
        print(bot.result())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Trade ES on a feedsim server.")
    parser.add_argument("url", nargs="?", default="ws://127.0.0.1:8765")
    options = parser.parse_args()
    try:
        asyncio.run(main(options.url))
    except (OSError, FeedsimError) as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
