"""Clients that take everything and look at nothing: `python -m feedsim.lab.latency.crowd URL COUNT [SESSION]`.

They are in a process of their own, so that they do not hold up whoever measures. Prints `ready` when all have
subscribed, and ends when its input does. A server's token is in FEEDSIM_TOKEN.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from websockets.asyncio.client import ClientConnection, connect


class _Drop(asyncio.BufferedProtocol):
    """Takes bytes and forgets them."""

    def __init__(self) -> None:
        self._buffer = bytearray(1 << 16)

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 # asyncio's signature
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None: ...


async def _join(url: str, session: str, token: str) -> ClientConnection:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    socket = await connect(url, additional_headers=headers, compression=None, proxy=None, ping_interval=None)
    if session:
        await socket.send(json.dumps({"op": "resume", "id": 1, "session_id": session, "epoch": 1, "seq": 0}))
    await socket.send(json.dumps({"op": "subscribe", "id": 2, "policy": "skip"}))
    async for data in socket:
        if json.loads(data).get("id") == 2:
            break
    socket.transport.set_protocol(_Drop())
    return socket


async def _main(url: str, count: int, session: str) -> None:
    sockets = [await _join(url, session, os.environ.get("FEEDSIM_TOKEN", "")) for _ in range(count)]
    print("ready", flush=True)  # noqa: T201 # whoever started it waits for this
    await asyncio.to_thread(sys.stdin.read)
    for socket in sockets:
        socket.transport.abort()
    os._exit(0)  # their protocols will never hear that they are closed


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), (*sys.argv[3:], "")[0]))
