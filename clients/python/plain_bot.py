"""A bot that knows the feed only by its wire: plain `websockets` and `msgpack`, nothing of feedsim's.

Prints quotes, trades and one-second bars of ES, one JSON object a line. It checks by `n` that no event is missing, and
after a lost connection it goes on where it was:
pip install websockets msgpack; python plain_bot.py ws://127.0.0.1:8765 --count 20 [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Iterator
from typing import Any

import msgpack
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

Message = dict[str, Any]

WANTED: Message = {"op": "subscribe", "id": 2, "channels": ["l1", "trade", "bar"], "symbols": ["ES"], "tf_s": [1]}
FIRST_WAIT_S = 0.25  # after a lost connection a random wait of up to this, then of up to twice as long each time


class Bot:
    """What a client has to remember, and what it says to each message."""

    def __init__(self, count: int | None) -> None:
        self.left = count
        self.done = False
        self.missing = 0
        self.greeting: Message = {}
        self.session: Message = {}
        """The welcome of this connection, and that of the session that we are on."""
        self.seq: int | None = None
        """We have everything up to here."""
        self.last_n: dict[tuple[Any, ...], int] = {}
        """Each stream counts its own events by `n`; bars of another length are another stream."""

    def hear(self, message: Message) -> Iterator[Message]:
        """Take one message; yields what is to be said to it."""
        match message["type"]:
            case "welcome" if message["id"] is None and self.seq is not None:  # back after a lost connection
                self.greeting = message
                there = {name: self.session[name] for name in ("session_id", "epoch")}
                yield {"op": "resume", "id": 1, **there, "seq": self.seq}
            case "welcome":
                self.session = message
                yield {**WANTED, "from_seq": self.seq}
            case "events":
                for event in message["events"]:
                    self.take(event)
            case "snapshot":  # the newest event of each stream; live goes on from there
                self.seq = message["seq"]
                self.last_n |= {stream_of(event): event["n"] for event in message["events"]}
            case "skipped":  # we were too slow and are told what we lost
                print("skipped", message["stream"], message["first_n"], message["last_n"], file=sys.stderr)
                self.last_n[tuple(message["stream"])] = message["last_n"]
            case "replay_state":
                if message["epoch"] != self.session["epoch"]:  # a loop or a seek: all counts begin again
                    self.session["epoch"], self.seq = message["epoch"], 0
                    self.last_n.clear()
                self.done = message["state"] == "ended"
            case "error" if message["code"] == "resume_too_old":  # what lies between is lost
                print(message["message"], file=sys.stderr)
                self.session, self.seq = self.greeting, None
                self.last_n.clear()
                yield WANTED
            case "error":
                sys.exit(f"{message['code']}: {message['message']}")
            # what is left are answers, and a heartbeat every second

    def take(self, event: Message) -> None:
        if self.done:
            return
        stream = stream_of(event)
        self.missing += event["n"] - 1 - self.last_n.get(stream, event["n"] - 1)
        self.last_n[stream] = event["n"]
        self.seq = event["seq"]
        print(json.dumps(event), flush=True)
        if self.left is not None:
            self.left -= 1
            self.done = self.left == 0


def stream_of(event: Message) -> tuple[Any, ...]:
    return (event["type"], event["symbol"], *([event["tf_s"]] if "tf_s" in event else []))


async def listen(bot: Bot, url: str, *, binary: bool) -> None:
    """One connection: until the server ends it, or the bot has enough."""
    name, pack, unpack = ("msgpack", msgpack.packb, msgpack.unpackb) if binary else ("json", json.dumps, json.loads)
    async with connect(url, subprotocols=[Subprotocol(f"feedsim.v1.{name}")], compression=None) as feed:
        async for frame in feed:
            for request in bot.hear(unpack(frame)):
                await feed.send(pack(request))
            if bot.done:
                return


async def run(bot: Bot, url: str, *, binary: bool, retries: int) -> None:
    """Listen, and come back if the connection is lost. Raises OSError, ConnectionClosed or InvalidHandshake."""
    tries = 0
    while True:
        before = bot.seq
        try:
            return await listen(bot, url, binary=binary)
        except (OSError, ConnectionClosed) as lost:
            tries = 0 if bot.seq != before else tries + 1
            meant = isinstance(lost, ConnectionClosed) and lost.rcvd is not None  # the server closed it
            if meant or bot.seq is None or tries >= retries:
                raise
        await asyncio.sleep(random.uniform(0, FIRST_WAIT_S * 2**tries))  # noqa: S311 # only spreads load


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Print events of ES from a feedsim server.")
    parser.add_argument("url", nargs="?", default="ws://127.0.0.1:8765")
    parser.add_argument("--count", type=int, help="stop after so many events")
    parser.add_argument("--json", action="store_true", help="take JSON instead of MessagePack")
    parser.add_argument("--retries", type=int, default=6, help="how often to try a lost connection again")
    options = parser.parse_args()
    bot = Bot(options.count)
    try:
        asyncio.run(run(bot, options.url, binary=not options.json, retries=options.retries))
    except (OSError, ConnectionClosed, InvalidHandshake) as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(f"{bot.missing} events are missing" if bot.missing else 0)
