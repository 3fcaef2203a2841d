"""A bot that knows the feed only by its wire: plain `websockets` and `msgpack`, nothing of feedsim's.

Prints quotes, trades and one-second bars of ES, one JSON object a line, and checks that none is missing:
pip install websockets msgpack; python plain_bot.py ws://127.0.0.1:8765 --count 20
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import Any

import msgpack
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

SUBSCRIBE = {"op": "subscribe", "id": 1, "channels": ["status", "l1", "trade", "bar"], "symbols": ["ES"], "tf_s": [1]}


def stream_of(event: dict[str, Any]) -> tuple[Any, ...]:
    """Each stream counts its own events by `n`; bars of another length are another stream."""
    return (event["type"], event["symbol"], *([event["tf_s"]] if "tf_s" in event else []))


async def run(url: str, count: int | None) -> int:
    """Print `count` events (None: all until the server ends); returns how many were missing without a word."""
    last_n: dict[tuple[Any, ...], int] = {}
    missing: int = 0
    printed = 0
    async with connect(url, subprotocols=[Subprotocol("feedsim.v1.msgpack")], compression=None) as feed:
        await feed.send(msgpack.packb(SUBSCRIBE))
        async for frame in feed:
            message = msgpack.unpackb(frame)
            if message["type"] == "snapshot":  # the newest event of each stream; live goes on from there
                last_n |= {stream_of(event): event["n"] for event in message["events"]}
            elif message["type"] == "skipped":  # we were too slow and are told what we lost
                print("skipped", message["stream"], message["first_n"], message["last_n"], file=sys.stderr)
                last_n[tuple(message["stream"])] = message["last_n"]
            elif message["type"] == "error":
                sys.exit(f"{message['code']}: {message['message']}")
            elif message["type"] == "events":  # what is left are answers, and a heartbeat every second
                for event in message["events"]:
                    if event["type"] == "status" and event["phase"] == "epoch":
                        last_n.clear()  # after a loop or a seek every count starts from 1 again
                    missing += event["n"] - 1 - last_n.get(stream_of(event), event["n"] - 1)
                    last_n[stream_of(event)] = event["n"]
                    print(json.dumps(event), flush=True)
                    if (printed := printed + 1) == count:
                        return missing
    return missing


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Print events of ES from a feedsim server.")
    parser.add_argument("url", nargs="?", default="ws://127.0.0.1:8765")
    parser.add_argument("--count", type=int, help="stop after so many events")
    options = parser.parse_args()
    try:
        lost = asyncio.run(run(options.url, options.count))
    except (OSError, ConnectionClosed, InvalidHandshake) as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(f"{lost} events are missing" if lost else 0)
