"""A way to a server that breaks: a TCP relay that cuts its first connections after so many bytes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Cuts:
    """What the relay has done so far."""

    url: str = ""
    left: list[int] = field(default_factory=list)
    """Bytes that the connections to come may still carry; after these, connections hold."""
    done: int = 0
    """Connections that were cut."""


@asynccontextmanager
async def cutting(port: int, *after: int) -> AsyncIterator[Cuts]:
    """Relay to a server of this machine; connection k is cut when it has carried `after[k]` bytes to the client."""
    cuts = Cuts(left=list(after))
    tasks: set[asyncio.Task[bool]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
        allowed = cuts.left.pop(0) if cuts.left else None
        asking = asyncio.create_task(_copy(reader, server_writer, None))
        tasks.add(asking)
        if await _copy(server_reader, writer, allowed):
            cuts.done += 1
        asking.cancel()
        for end in (writer, server_writer):
            end.close()
            with contextlib.suppress(ConnectionError):
                await end.wait_closed()

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    cuts.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield cuts
    finally:
        server.close()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, allowed: int | None) -> bool:
    """Copy until the end, or until so many bytes were copied; whether it was that."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(4096):
            if allowed is not None and len(data) >= allowed:
                writer.write(data[:allowed])
                return True
            writer.write(data)
            await writer.drain()
            allowed = None if allowed is None else allowed - len(data)
        writer.write_eof()
    return False
