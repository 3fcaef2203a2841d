"""Messages are obeyed in the order in which they came, whether each is taken at once or has to wait for its turn."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from feedsim.server.client import Client
from tests.server.talking import LONGEST_S, Serve, Talk, talking
from tests.server.test_hostile import BINARY, CLOSE, PING, TEXT, UPGRADE, client_frame, undisturbed

CONT = 0


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


async def test_who_is_sent_away_is_gone_at_once(serve: Serve) -> None:
    """Not only once it has answered the close: its orders and its place are nobody's any more."""
    async with serve() as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(UPGRADE + b"Sec-WebSocket-Protocol: feedsim.v1.json\r\n\r\n" + whole("subscribe", channels=["*"]))
        told = b""
        while b'"type":"events"' not in told:
            told += await more(reader)
        assert len(service.sessions.live.readers) == 1
        writer.write(client_frame(b"\x81", BINARY))
        while b"speaks json" not in told:
            told += await more(reader)
        assert len(service.sessions.live.readers) == 0
        writer.close()


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


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (client_frame(b"", CLOSE), 1005),
        (client_frame(b"{}", TEXT, masked=False), 1002),
        (client_frame(b'{"op":"\xff\xfe"}', TEXT), 1007),
        (client_frame(b"\x81", BINARY), 1003),
        (client_frame(bytes(70_000), BINARY), 1009),
    ],
)
async def test_nothing_follows_a_close(serve: Serve, wrong: bytes, code: int) -> None:
    """RFC 6455 §5.5.1, whoever begins it and however busy the feed is; this client never answers, nor hangs up."""
    async with serve(speed=100) as service, undisturbed(service):
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(UPGRADE + b"Sec-WebSocket-Protocol: feedsim.v1.json\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(whole("subscribe", channels=["*"]))
        told = await reader.read(1 << 16)
        while told.count(b'"type":"events"') < 3:
            told += await more(reader)
        writer.write(wrong)
        async with asyncio.timeout(LONGEST_S):
            told += await reader.read()
        writer.close()
    opcodes, closes = zip(*frames(told), strict=True)
    assert opcodes.count(CLOSE) == 1
    assert opcodes[-1] == CLOSE
    assert (int.from_bytes(closes[-1][:2]) if closes[-1] else 1005) == code


async def more(reader: asyncio.StreamReader) -> bytes:
    """What comes next; an error at the end, or where nothing comes."""
    data = await asyncio.wait_for(reader.read(1 << 16), LONGEST_S)
    assert data, "the connection has ended"
    return data


def frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """A server's frames, whole and unmasked: opcode and payload."""
    while data:
        length, start = data[1], 2
        if length >= 126:
            start = 4 if length == 126 else 10
            length = int.from_bytes(data[2:start])
        yield data[0] & 15, data[start : start + length]
        data = data[start + length :]
