"""How to test a bot against a market: the fixtures come with feedsim, nothing else has to be set up.

In lock-step the clock waits for the bot, so half an hour of session takes seconds and gives the same every time.
"""

from __future__ import annotations

import asyncio

from trading_bot import STOP_TICKS, SYMBOL, AccumulationBot

import feedsim
from feedsim.testing.plugin import ServerFactory


async def traded(url: str) -> AccumulationBot:
    """The bot, after it traded a whole session."""
    async with feedsim.connect(url, channels=["bar", "leadership"], symbols=[SYMBOL], tf_s=[1]) as feed:
        bot = AccumulationBot(feed)
        await bot.run()
        return bot


def test_it_trades_an_accumulation(feedsim_market: ServerFactory) -> None:
    """Somebody buys under a resistance: the bot goes along, and only ever with a bracket around it."""
    server = feedsim_market(scenario="orderflow_accumulation", seed=7, minutes=20)
    bot = asyncio.run(traded(server.url))
    assert bot.fills
    assert {fill.symbol for fill in bot.fills} == {SYMBOL}
    bought = sum(fill.quantity for fill in bot.fills if fill.side == "buy")
    sold = sum(fill.quantity for fill in bot.fills if fill.side == "sell")
    assert 0 <= bought - sold <= bot.lots


def test_the_same_market_gives_the_same_fills(feedsim_market: ServerFactory) -> None:
    """Run twice, compare everything: times, prices, what each cost."""
    runs = []
    for _ in range(2):
        server = feedsim_market(scenario="orderflow_accumulation", seed=7, minutes=10)
        bot = asyncio.run(traded(server.url))
        runs.append(bot.fills)
    assert runs[0] == runs[1]


def test_no_trade_loses_much_more_than_its_stop(feedsim_market: ServerFactory) -> None:
    """In a falling market the stop holds what a trade can lose; a few ticks are slippage."""
    server = feedsim_market(scenario="trend_down", seed=3, minutes=15)
    bot = asyncio.run(traded(server.url))
    entries = [fill for fill in bot.fills if fill.side == "buy"]
    exits = [fill for fill in bot.fills if fill.side == "sell"]
    for entry, exit_ in zip(entries, exits, strict=False):
        assert exit_.price >= entry.price - (STOP_TICKS + 8) * bot.tick
