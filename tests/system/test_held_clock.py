"""A session that has not begun yet is quiet, not dead."""

from __future__ import annotations

import json

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support.server import ServerFactory


async def next_of(socket: ClientConnection, kind: str) -> dict[str, object]:
    """The next message of a type."""
    while True:
        message = json.loads(await socket.recv())
        if message["type"] == kind:
            return dict(message)


@pytest.mark.parametrize("opening", [[], [{"op": "replay", "id": 1}]], ids=["live", "private"])
async def test_a_held_session_beats(opening: list[dict[str, object]], feedsim_server: ServerFactory) -> None:
    """Before the first subscribe that starts it the clock stands, and heartbeats say so."""
    server = feedsim_server("synthetic:", "--wait-clients", "1")
    async with connect(server.url, compression=None) as socket:
        welcome = await next_of(socket, "welcome")
        for request in opening:
            await socket.send(json.dumps(request))
            welcome = await next_of(socket, "welcome")
        beats = [await next_of(socket, "heartbeat") for _ in range(2)]
        assert [beat["clock"] for beat in beats] == [welcome["clock"]] * 2
        await socket.send('{"op":"subscribe"}')
        events = (await next_of(socket, "events"))["events"]
    assert isinstance(events, list)
    assert events[0]["seq"] == 1
