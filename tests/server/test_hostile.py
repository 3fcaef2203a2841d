"""Peers that mean harm, over real sockets: nothing escapes the connection, and a client beside them notices nothing."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgpack
import pytest
import structlog
from structlog.testing import LogCapture

from feedsim.app.service import Service
from feedsim.wire.codec import CODECS, Encoding
from tests.server.talking import LONGEST_S, MSGPACK, Serve, Talk, serving, talking
from tests.support.virtual_time import run_virtually
from tests.wire.samples import ASKED

MALFORMED = {False: 100_000, True: 1_000_000}
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9
PER_LINE = 190  # messages: below what the limit of the rate lets through unread


def client_frame(payload: bytes, opcode: int, *, fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """RFC 6455 §5.2, the mask all zeros."""
    first, length = (fin << 7) | (rsv << 4) | opcode, len(payload)
    mask_bit = 0x80 if masked else 0
    if length < 126:
        head = bytes((first, mask_bit | length))
    elif length < 1 << 16:
        head = struct.pack(">BBH", first, mask_bit | 126, length)
    else:
        head = struct.pack(">BBQ", first, mask_bit | 127, length)
    return head + (bytes(4) if masked else b"") + payload


# ---------------------------------------------------------------------------------------------------- what is sent


def broken_message(rng: random.Random, encoding: Encoding) -> bytes:
    """A request as it should not be: cut, with bits turned over, with wrong values, or none at all."""
    data = bytearray(CODECS[encoding].encode(rng.choice(ASKED)))
    match rng.randrange(5):
        case 0:
            del data[rng.randrange(len(data)) :]
        case 1:
            for _ in range(rng.randint(1, 4)):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        case 2:
            data = bytearray(rng.randbytes(rng.randrange(60)))
        case 3:
            data *= 2
        case _:
            odd: dict[str, Any] = {
                "op": rng.choice(["subscribe", "replay", "no"]),
                "id": rng.choice([None, "1", 2**70, [], -1.5]),
            }
            odd["channels"] = rng.choice([7, "l1", [None], {"a": 1}])
            data = bytearray(json.dumps(odd).encode() if encoding == "json" else msgpack.packb(str(odd)))
    return bytes(data)


def broken_frame(rng: random.Random) -> bytes:
    """A frame that the standard forbids: each ends its connection."""
    payload = rng.randbytes(rng.randrange(20))
    return rng.choice(
        (
            client_frame(payload, TEXT, masked=False),
            client_frame(payload, rng.choice((3, 4, 5, 6, 7, 11, 12, 15))),
            client_frame(payload, TEXT, rsv=rng.randint(1, 7)),
            client_frame(payload, PING, fin=False),
            client_frame(rng.randbytes(130), PING),
            client_frame(payload, 0),
            client_frame(payload, TEXT, fin=False) + client_frame(payload, TEXT),
            client_frame(b"\xff\xfe\xfd", TEXT),
            client_frame(b"\x03", CLOSE),
            client_frame(struct.pack(">H", rng.choice((0, 999, 1004, 1005, 5000))), CLOSE),
            struct.pack(">BBQ", 0x81, 0xFF, rng.choice((1 << 40, 1 << 63, (1 << 64) - 1))) + bytes(4),
            client_frame(bytes(70_000), BINARY),
            rng.randbytes(rng.randint(2, 40)),
        )
    )


# ---------------------------------------------------------------------------------------------------- how it is sent


@asynccontextmanager
async def raw_line(port: int, encoding: Encoding) -> AsyncIterator[asyncio.StreamWriter]:
    """A WebSocket connection at the level of bytes; what the server says is read and thrown away."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(UPGRADE + f"Sec-WebSocket-Protocol: feedsim.v1.{encoding}\r\n\r\n".encode())
    assert b"101" in await reader.readuntil(b"\r\n\r\n")
    reading = asyncio.create_task(read_all(reader))
    try:
        yield writer
        if writer.can_write_eof():
            writer.write_eof()
        await reading
    finally:
        reading.cancel()
        writer.transport.abort()
        await asyncio.gather(reading, return_exceptions=True)


async def read_all(reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError):
        while await reader.read(1 << 16):
            pass


@pytest.fixture
def errors() -> Iterator[Callable[[], list[Any]]]:
    """What the server logs as an error meanwhile."""
    capture, before = LogCapture(), structlog.get_config()
    structlog.configure(processors=[capture], cache_logger_on_first_use=False)
    yield lambda: [entry for entry in capture.entries if entry["log_level"] in ("error", "exception", "critical")]
    structlog.configure(**before)


@asynccontextmanager
async def undisturbed(service: Service) -> AsyncIterator[Talk]:
    """A client that takes everything meanwhile: it must miss nothing, and be there at the end."""
    async with talking(service, subprotocols=[MSGPACK]) as bystander:
        await bystander.send("subscribe", id=1, channels=["*"], from_seq=0)
        heard: list[int] = []

        async def listen() -> None:
            while True:
                message = await bystander.receive()
                heard.extend(event["seq"] for event in message.get("events", ()) if message["type"] == "events")

        listening = asyncio.create_task(listen())
        try:
            yield bystander
            assert not listening.done()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        assert (await bystander.ask("ping"))["type"] == "pong"
        assert heard == list(range(1, len(heard) + 1))
        assert heard


async def alone(service: Service) -> None:
    """Return when nobody but the bystander is here any more."""
    async with asyncio.timeout(LONGEST_S):
        while service.server.clients > 1:  # noqa: ASYNC110 # nothing tells of it
            await asyncio.sleep(0.01)


# ------------------------------------------------------------------------------------------------------------ tests


@pytest.mark.full
async def test_malformed_frames(serve: Serve, full: bool, errors: Callable[[], list[Any]]) -> None:
    """A hundred thousand: frames that the standard forbids, and messages that are none, in both encodings."""
    rng = random.Random(12)
    sent = 0
    async with serve(speed=20) as service, undisturbed(service):
        for encoding in itertools.cycle(("json", "msgpack")):
            if sent >= MALFORMED[full]:
                break
            opcode = TEXT if encoding == "json" else BINARY
            async with raw_line(service.port, encoding) as line:  # type: ignore[arg-type] # one of the two
                frames = [client_frame(broken_message(rng, encoding), opcode) for _ in range(PER_LINE)]  # type: ignore[arg-type]
                line.write(b"".join(frames) + broken_frame(rng))
                sent += len(frames) + 1
            async with raw_line(service.port, encoding) as line:  # type: ignore[arg-type]
                line.write(broken_frame(rng))
                sent += 1
        await alone(service)
    assert errors() == []


async def test_pings_and_requests_as_fast_as_they_go(serve: Serve, errors: Callable[[], list[Any]]) -> None:
    """Floods of WebSocket pings, of subscribes and of `ping` requests are bounded by their own connection."""
    subscribe = client_frame(b'{"op":"subscribe","id":1}', TEXT)
    ask = client_frame(b'{"op":"ping","id":1}', TEXT)
    async with serve(speed=20) as service, undisturbed(service):
        for flood in (client_frame(b"x" * 125, PING), subscribe, ask):
            async with raw_line(service.port, "json") as line:
                with suppress(ConnectionError):
                    for _ in range(20):
                        line.write(flood * 500)
                        await line.drain()
        assert service.counters.refused["limit_exceeded"] > 100
        await alone(service)
    assert errors() == []


@pytest.mark.parametrize("source", ["../../etc/passwd", "/etc/passwd", "live/../x", "..\\x", "file:///etc", "", "\0"])
async def test_a_source_is_a_name_and_never_a_path(source: str, serve: Serve) -> None:
    """Only names that the server offers are known, whatever lies on its disk."""
    async with serve() as service, talking(service) as talk:
        answer = await talk.ask("replay", source=source)
        assert (answer["type"], answer["code"]) == ("error", "unknown_source")
        assert "there are: live, synthetic:" in answer["message"]


BOMBS = {
    "deep JSON": ("json", b'{"op":"ping","id":' + b"[" * 30_000),
    "deep closed JSON": ("json", b'{"op":"ping","id":' + b"[" * 30_000 + b"]" * 30_000 + b"}"),
    "deep MessagePack": ("msgpack", b"\x82\xa2op\xa4ping\xa2id" + b"\x91" * 60_000),
    "a huge MessagePack array": ("msgpack", b"\xdd\xff\xff\xff\xff"),
    "a huge MessagePack text": ("msgpack", b"\xdb\xff\xff\xff\xff"),
    "a huge number": ("json", b'{"op":"ping","id":' + b"9" * 60_000 + b"}"),
    "keys without end": ("json", b'{"op":"subscribe",' + b'"a":1,' * 9_000 + b'"b":2}'),
}


@pytest.mark.parametrize("bomb", BOMBS)
async def test_bombs(bomb: str, serve: Serve, errors: Callable[[], list[Any]]) -> None:
    """What is small on the wire and large or deep when it is read is one refusal, and the connection goes on."""
    encoding, data = BOMBS[bomb]
    async with serve() as service, undisturbed(service):
        options = {"subprotocols": [MSGPACK]} if encoding == "msgpack" else {}
        async with talking(service, **options) as talk:
            await talk.socket.send(data if encoding == "msgpack" else data.decode())
            assert (await talk.next("error"))["code"] == "bad_request"
            assert (await talk.ask("ping"))["type"] == "pong"
    assert errors() == []


async def test_a_flood_of_headers_is_cut_off(serve: Serve) -> None:
    """More lines, longer lines or more bytes than a handshake has: refused, and others are let in."""
    floods = (b"X: y\r\n" * 5_000, b"X: " + b"y" * 200_000 + b"\r\n", b"y" * 500_000)
    async with serve() as service, undisturbed(service):
        for flood in floods:
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
            with suppress(ConnectionError):
                writer.write(UPGRADE + flood)
                await writer.drain()
                answer = await reader.read()
                assert b"101" not in answer.split(b"\r\n")[0]
            writer.transport.abort()


def test_half_handshakes_are_ended(day: Any) -> None:
    """A thousand that connect, say half of what they should and fall silent are gone after a while; others come in."""

    async def main() -> int:
        async with serving(str(day), wait_clients=1) as service:
            lines = [await asyncio.open_connection("127.0.0.1", service.port) for _ in range(1000)]
            for _, writer in lines:
                writer.write(UPGRADE[: len(UPGRADE) // 2])
            async with talking(service) as talk:
                assert (await talk.ask("ping"))["type"] == "pong"
                await asyncio.gather(*[read_all(reader) for reader, _ in lines])
                clients = service.server.clients
            for _, writer in lines:
                writer.transport.abort()
            await asyncio.sleep(1)
            return clients

    assert run_virtually(main) == 1


async def test_requests_beyond_all_bounds_are_ended(serve: Serve) -> None:
    """A message of more than 64 KiB ends its connection with 1009, whole or in fragments."""
    async with serve() as service, undisturbed(service):
        async with talking(service) as talk:
            await talk.socket.send("x" * 70_000)
            assert (await talk.closed())[0] == 1009
        async with talking(service) as talk:
            await talk.socket.send(["x" * 1000] * 70)
            assert (await talk.closed())[0] == 1009
