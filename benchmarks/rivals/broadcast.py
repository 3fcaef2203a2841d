"""The server that people write first, at its best: uvloop, msgspec, and `websockets.broadcast()` for each event.

`python -m benchmarks.rivals.broadcast FILE CLIENTS`: plays a CSV of trades by its times, once so many are connected.
"""

from __future__ import annotations

import asyncio
import csv
import itertools
import sys
import time
from pathlib import Path

import msgspec
import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve


async def main(path: Path, count: int) -> None:
    rows = list(csv.DictReader(path.open()))
    events = [
        {"type": "trade", "seq": seq, "n": seq, "ts": int(row["ts"]) // 1000, "symbol": row["symbol"]}
        | {"price": float(row["price"]), "size": int(row["size"]), "side": int(row["side"]), "trade_id": seq}
        for seq, row in enumerate(rows, 1)
    ]
    times = [int(row["ts"]) / 1e6 for row in rows]
    clients: set[ServerConnection] = set()
    complete = asyncio.Event()

    async def handle(connection: ServerConnection) -> None:
        clients.add(connection)
        if len(clients) == count:
            complete.set()
        await connection.wait_closed()
        clients.discard(connection)

    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        print(f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}", file=sys.stderr, flush=True)
        await complete.wait()
        await play(times, events, clients)
        await asyncio.Event().wait()


async def play(times: list[float], events: list[dict[str, object]], clients: set[ServerConnection]) -> None:
    encode = msgspec.json.Encoder().encode
    started = time.monotonic() - times[0]
    for due, group in itertools.groupby(zip(times, events, strict=True), key=lambda pair: pair[0]):
        if (wait := started + due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        for _, event in group:
            broadcast(clients, encode(event).decode())


if __name__ == "__main__":
    try:
        uvloop.run(main(Path(sys.argv[1]), int(sys.argv[2])))
    except KeyboardInterrupt:
        sys.exit(0)
