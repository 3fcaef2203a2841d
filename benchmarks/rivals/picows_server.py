"""`picows` at its best: `python -m benchmarks.rivals.picows_server FILE CLIENTS`, one prebuilt message a wake-up."""

from __future__ import annotations

import asyncio
import struct
import sys
from pathlib import Path

import picows
import uvloop


def load(path: Path) -> list[tuple[float, bytes]]:
    """(seconds, payload) of each record."""
    data = path.read_bytes()
    found, at = [], 0
    while at < len(data):
        due_us, length, head = struct.unpack_from("<qII", data, at)
        found.append((due_us / 1e6, data[at + 16 + head : at + 16 + length]))
        at += 16 + length
    return found


class Listener(picows.WSListener):
    """One client."""

    def __init__(self, clients: list[picows.WSTransport], count: int, complete: asyncio.Event) -> None:
        super().__init__()
        self._clients, self._count, self._complete = clients, count, complete

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self._clients.append(transport)
        if len(self._clients) == self._count:
            self._complete.set()


async def main(path: Path, count: int) -> None:
    records = load(path)
    clients: list[picows.WSTransport] = []
    complete = asyncio.Event()
    server = await picows.ws_create_server(lambda _: Listener(clients, count, complete), "127.0.0.1", 0, backlog=1024)
    print(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", file=sys.stderr, flush=True)
    await complete.wait()
    started = asyncio.get_running_loop().time()
    for due_s, payload in records:
        if (wait := started + due_s - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(wait)
        for client in clients:
            client.send(picows.WSMsgType.TEXT, payload)
    await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        uvloop.run(main(Path(sys.argv[1]), int(sys.argv[2])))
    except KeyboardInterrupt:
        sys.exit(0)
