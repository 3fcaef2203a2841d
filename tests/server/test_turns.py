"""Messages are obeyed in the order in which they came, whether each is taken at once or has to wait for its turn."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from feedsim.server.client import Client
from tests.server.talking import Serve, Talk, talking
from tests.server.test_hostile import TEXT, client_frame

PING, CONT = 9, 0


@pytest.fixture
def logged() -> Iterator[Callable[[], list[str]]]:
    """The events that are logged meanwhile."""
    capture, before = LogCapture(), structlog.get_config()
    structlog.configure(processors=[capture], cache_logger_on_first_use=False)
    yield lambda: [entry["event"] for entry in capture.entries]
    structlog.configure(**before)


def whole(op: str, **fields: Any) -> bytes:
    return client_frame(json.dumps({"op": op, **fields}).encode(), TEXT)


def in_pieces(op: str, **fields: Any) -> bytes:
    """The same message in three frames, a control frame between them."""
    data = json.dumps({"op": op, **fields}).encode()
    parts = (data[:5], TEXT, False), (data[5:9], CONT, False), (b"", PING, True), (data[9:], CONT, True)
    return b"".join(client_frame(payload, opcode, fin=fin) for payload, opcode, fin in parts)


def send_at_once(talk: Talk, data: bytes) -> None:
    """All in one segment, below what the client's library would do."""
    talk.socket.transport.write(data)


@pytest.mark.parametrize("seed", range(4))
async def test_answers_come_in_the_order_of_the_requests(serve: Serve, seed: int) -> None:
    """Steps are waited for, pings are not, some messages come in pieces: all in one segment."""
    rng, numbers = random.Random(seed), itertools.count(1)
    ops: list[tuple[str, dict[str, Any]]] = [
        ("replay.step", {"count": 3, "unit": "event"}),
        ("replay.pause", {}),
        ("ping", {}),
        ("history", {"channel": "trade", "symbol": "ES", "count": 1}),
        ("nonsense", {}),
        ("ping", {}),
    ]
    async with serve() as service, talking(service) as talk:
        await talk.ask("replay", speed=0.001)
        await talk.ask("subscribe", channels=["trade"])
        for _ in range(6):
            asked = [(next(numbers), rng.choice(ops), rng.choice((whole, in_pieces))) for _ in range(12)]
            send_at_once(talk, b"".join(form(op, id=number, **fields) for number, (op, fields), form in asked))
            answered: list[int] = []
            while len(answered) < len(asked):
                message = await talk.receive()
                if message.get("id") is not None:
                    answered.append(message["id"])
            assert answered == [number for number, _, _ in asked]


async def test_text_that_is_none_ends_the_connection(serve: Serve) -> None:
    async with serve() as service, talking(service) as talk:
        send_at_once(talk, whole("ping", id=1) + client_frame(b'{"op":"\xff\xfe"}', TEXT) + whole("ping", id=2))
        messages = [message async for message in talk.rest()]
        assert [message["id"] for message in messages if message["type"] == "pong"] == [1]
        assert talk.socket.close_code == 1007


async def test_behind_what_ends_a_connection_nothing_is_obeyed(serve: Serve) -> None:
    async with serve() as service, talking(service) as talk:
        send_at_once(talk, client_frame(b"\x81", 2) + whole("ping", id=2) + in_pieces("ping", id=3))
        messages = [message async for message in talk.rest()]
        assert [message["type"] for message in messages] == ["welcome", "error"]
        assert talk.socket.close_code == 1003


@pytest.mark.parametrize("form", [whole, in_pieces])
async def test_a_mistake_of_ours_ends_one_connection(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], list[str]], form: Callable[..., bytes]
) -> None:
    """1011 for the client that it was made for; who is beside it goes on."""

    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    async with serve() as service, talking(service) as beside:
        with monkeypatch.context() as broken:
            broken.setattr(Client, "_ping", fail)
            async with talking(service) as talk:
                send_at_once(talk, form("ping", id=1))
                assert (await talk.closed())[0] == 1011
        assert logged().count("client failed") == 1
        assert (await beside.ask("ping"))["type"] == "pong"
