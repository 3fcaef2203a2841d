"""Bad input gets the documented code, and nobody else notices."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from feedsim.app.service import Service
from feedsim.config import ServeSettings
from feedsim.errors import ConfigError
from tests.server.talking import JSON, MSGPACK, Serve, talking

REFUSED: list[tuple[Any, str, str]] = [
    ("not json", "bad_request", "malformed"),
    ("{", "bad_request", "truncated"),
    ("[]", "bad_request", "object"),
    ({"op": "buy"}, "bad_request", "subscribe"),
    ({"id": 1}, "bad_request", "op"),
    ({"op": "subscribe", "channels": "l1"}, "bad_request", "channels"),
    ({"op": "subscribe", "chanels": ["l1"]}, "bad_request", "chanels"),
    ({"op": "subscribe", "channels": ["level1"]}, "unknown_channel", "l1"),
    ({"op": "subscribe", "symbols": ["SPY"]}, "unknown_symbol", "ES"),
    ({"op": "subscribe", "depth": 0}, "bad_request", "depth"),
    ({"op": "subscribe", "tf_s": [7]}, "bad_request", "60"),
    ({"op": "subscribe", "from_seq": -1}, "bad_request", "from_seq"),
    ({"op": "subscribe", "policy": "wait"}, "bad_request", "private"),
    ({"op": "history", "channel": "l9", "symbol": "ES"}, "unknown_channel", "l9"),
    ({"op": "history", "channel": "bar", "symbol": "ES", "count": 10**9}, "bad_request", "count"),
    ({"op": "replay", "source": "/etc/passwd"}, "unknown_source", "live"),
    ({"op": "replay", "source": "live", "speed": -1}, "bad_request", "speed"),
    ({"op": "replay", "source": "live", "start": 5, "end": 4}, "bad_request", "start"),
    ({"op": "replay.pause"}, "not_controllable", "private"),
    ({"op": "replay.stop"}, "not_controllable", "private"),
    ({"op": "resume", "session_id": "nobody's", "epoch": 1, "seq": 0}, "resume_too_old", "nobody's"),
    ({"op": "resume", "session_id": 5, "epoch": 1, "seq": 0}, "bad_request", "session_id"),
]


@pytest.mark.parametrize(("request_", "code", "named"), REFUSED, ids=lambda value: str(value)[:60])
async def test_what_cannot_be_done_gets_its_code(request_: Any, code: str, named: str, serve: Serve) -> None:
    """The error has the documented code and names what is wrong or allowed; the connection and others go on."""
    async with serve() as service, talking(service) as bad, talking(service) as other:
        text = (
            request_
            if isinstance(request_, str)
            else json.dumps({**request_, "id": 5} if "op" in request_ else request_)
        )
        await bad.socket.send(text)
        error = await bad.next("error")
        assert error["code"] == code
        assert named in error["message"]
        if isinstance(request_, dict) and "op" in request_:
            assert error["id"] == 5
        assert (await bad.ask("ping"))["type"] == "pong"
        assert (await other.ask("ping"))["type"] == "pong"


@pytest.mark.parametrize(
    ("subprotocol", "data", "code"),
    [(JSON, b"\x80", 1003), (MSGPACK, "{}", 1003), (JSON, "x" * 70_000, 1009), (MSGPACK, b"x" * 70_000, 1009)],
    ids=["binary to json", "text to msgpack", "huge json", "huge msgpack"],
)
async def test_frames_that_end_the_connection(subprotocol: Any, data: str | bytes, code: int, serve: Serve) -> None:
    """A frame of the wrong kind, or a huge one, closes its own connection with the documented code."""
    async with serve() as service, talking(service) as other:
        async with talking(service, subprotocols=[subprotocol]) as bad:
            await bad.next("welcome")
            await bad.socket.send(data)
            assert (await bad.closed())[0] == code
        assert (await other.ask("ping"))["type"] == "pong"


async def test_a_flood_is_refused_then_ended(serve: Serve) -> None:
    """Requests above the rate are refused with limit_exceeded; a client that does not stop is sent away with 1008."""
    async with serve() as service, talking(service) as bad:
        for _ in range(1000):
            await bad.socket.send('{"op":"ping"}')
        messages = [message async for message in bad.rest()]
        assert {message["code"] for message in messages if message["type"] == "error"} == {"limit_exceeded"}
        assert bad.socket.close_code == 1008


async def test_origins(serve: Serve) -> None:
    """Pages of this machine may connect, foreign ones only when they are named."""
    async with serve(origin=("https://desk.example",)) as service:
        for origin in (None, "http://localhost:3000", "http://127.0.0.1", "https://desk.example"):
            async with talking(service, origin=origin) as talk:
                await talk.next("welcome")
        for origin in ("https://evil.example", "http://localhost.evil.example", "null"):
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"ws://127.0.0.1:{service.port}", origin=Origin(origin))
            assert refused.value.response.status_code == 403
            assert b"--origin" in refused.value.response.body


async def test_tokens(serve: Serve) -> None:
    """A token by header or by auth lets in; without one nothing is told, a wrong one ends the connection."""
    async with serve(token="right") as service:
        async with talking(service, additional_headers={"Authorization": "Bearer right"}) as talk:
            assert not (await talk.next("welcome"))["auth_required"]
            assert (await talk.ask("subscribe"))["type"] == "subscribed"
        async with talking(service) as talk:
            assert (await talk.next("welcome"))["auth_required"]
            assert (await talk.ask("subscribe"))["code"] == "unauthorized"
            assert not (await talk.ask("auth", token="right"))["auth_required"]
            assert (await talk.ask("subscribe"))["type"] == "subscribed"
        async with talking(service) as talk:
            assert (await talk.ask("auth", token="wrong"))["code"] == "unauthorized"
            assert (await talk.closed())[0] == 1008
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{service.port}", additional_headers={"Authorization": "Bearer wrong"})
        assert refused.value.response.status_code == 401


async def test_a_full_server_says_so(serve: Serve) -> None:
    """One client too many is closed with 1013; when one leaves there is room again."""
    async with serve(max_clients=2) as service:
        async with talking(service) as first:
            await first.next("welcome")
            async with talking(service) as second, talking(service) as third:
                await second.next("welcome")
                assert await third.closed() == (1013, "full: 2 clients are here")
        async with talking(service) as again:
            assert (await again.receive())["type"] == "welcome"


async def test_too_many_private_sessions(serve: Serve) -> None:
    """There is a limit to private sessions, and it is told."""
    async with serve(max_sessions=1) as service, talking(service) as first, talking(service) as second:
        assert (await first.ask("replay"))["type"] == "welcome"
        assert (await second.ask("replay"))["code"] == "limit_exceeded"
        assert (await first.ask("replay.stop"))["type"] == "welcome"
        assert (await second.ask("replay"))["type"] == "welcome"


async def test_an_unknown_subprotocol_is_refused_in_the_handshake(serve: Serve) -> None:
    """A client that only speaks what the server does not know is told what it knows."""
    async with serve() as service:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{service.port}", subprotocols=["feedsim.v9.xml"])  # type: ignore[list-item] # what a stranger sends
        assert refused.value.response.status_code == 400
        assert b"feedsim.v1.json" in refused.value.response.body


async def test_a_port_in_use_is_named(serve: Serve, day: object) -> None:
    """Listening where somebody listens is a ConfigError with the port."""
    async with serve() as service:
        other = Service(ServeSettings(source=str(day), port=service.port))
        with pytest.raises(ConfigError, match=f"port: cannot listen on 127.0.0.1:{service.port}"):
            await other.start()
        other.sessions.live.close()
