"""Whatever is sent to the port: the vendor's answer where there is one, else a closed socket; and nobody notices."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.bridges.databento.lines import (
    Authentication,
    LineReader,
    Start,
    Subscribe,
    parse_authentication,
    parse_request,
    proves,
)
from feedsim.errors import ProtocolError
from tests.bridges.databento.gateways import data_of, listen, serving, subscription
from tests.bridges.databento.sources import SHORT

DIGEST = "0" * 64
AUTH = f"auth={DIGEST}-abcde|dataset=GLBX.MDP3|encoding=dbn"
WHOLE = f"{AUTH}\n".encode()


async def _said(port: int, data: bytes) -> bytes:
    """What the gateway answers before it closes, or in a while."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    with suppress(ConnectionError):
        await writer.drain()
    answer = b""
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(3):
            while part := await reader.read(65536):
                answer += part
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"hello\n", b"success=0|error=Authentication failed"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"success=0|error=Authentication failed"),
        (b"\xff\xfe\x00\n", b"success=0|error=lines are UTF-8"),
        (b"x" * 100_000, b"success=0|error=a line of more than"),
        (AUTH.replace("GLBX.MDP3", "XNAS.ITCH").encode() + b"\n", b"success=0|error=Unknown dataset 'XNAS.ITCH'"),
        (AUTH.replace("=dbn", "=csv").encode() + b"\n", b"success=0|error=Unsupported encoding 'csv'"),
        (f"{AUTH}|compression=gzip\n".encode(), b"success=0|error=Unsupported compression 'gzip'"),
        (f"{AUTH}|ts_out=2\n".encode(), b"success=0|error=Invalid ts_out '2'"),
        (f"{AUTH}|heartbeat_interval_s=4\n".encode(), b"success=0|error=Invalid heartbeat_interval_s '4'"),
        (f"{AUTH}|slow_reader_behavior=hop\n".encode(), b"success=0|error=Invalid slow_reader_behavior 'hop'"),
        (WHOLE + b"schema=mbp-7|stype_in=raw_symbol|symbols=ESU5\n", b"Unknown schema 'mbp-7'"),
        (WHOLE + b"schema=mbp-1|stype_in=isin|symbols=ESU5\n", b"Unknown stype_in 'isin'"),
        (WHOLE + b"schema=mbp-1|stype_in=parent|symbols=\n", b"needs symbols"),
        (WHOLE + b"schema=mbp-1|stype_in=parent|symbols=ES.FUT|start=soon\n", b"Invalid start 'soon'"),
        (WHOLE + b"what?\n", b"Invalid request"),
        (WHOLE + b"schema=trades|symbols=A\n" * 201, b"More than 200 subscriptions"),
        (WHOLE + b"schema=trades|symbols=" + b"A," * 2000 + b"B\n", b"More than 2000 symbols"),
    ],
)
async def test_bad_requests_are_answered_and_end_the_connection(data: bytes, answer: bytes) -> None:
    """In words that say what was wrong."""
    async with serving(SHORT) as served:
        said = await _said(served.port, data)
        assert said.startswith(b"lsg_version=")
        assert answer in said
        assert served.gateway.counts.refused == 1
        assert not served.gateway.clients


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_requests_or_refused(data: bytes, authenticated: bool) -> None:
    """Lines of anything: a request, or a ProtocolError; never another error."""
    parse = parse_request if authenticated else parse_authentication
    with suppress(ProtocolError):
        for line in LineReader().feed(data + b"\n"):
            assert isinstance(parse(line), (Authentication, Subscribe, Start))


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=20)))
def test_lines_are_the_same_however_they_arrive(lines: list[str]) -> None:
    """Byte by byte or all at once."""
    data = "".join(f"{line}\n" for line in lines).encode()
    one, reader = LineReader().feed(data), LineReader()
    assert one == lines
    assert [line for at in range(len(data)) for line in reader.feed(data[at : at + 1])] == lines


def test_only_the_key_proves_itself() -> None:
    """The hash of another challenge, or another bucket, is no proof."""
    import hashlib

    digest = hashlib.sha256(b"c1|secretkey").hexdigest()
    assert proves(f"{digest}-etkey", "c1", "secretkey")
    assert not proves(f"{digest}-etkey", "c2", "secretkey")
    assert not proves(f"{digest}-xxkey", "c1", "secretkey")


async def test_garbage_and_crowds_are_nobody_elses_trouble() -> None:
    """A thousand connections, most of them beyond the limit, and noise on others: a client hears its whole session."""
    async with serving(SHORT, clients=1, max_clients=50) as served:
        noise = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(40)]
        for _, writer in noise:
            writer.write(b"\x00\xff garbage" * 20)
        crowd = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(960)]
        assert len(served.gateway.clients) <= 50
        for _, writer in crowd:
            writer.close()
        await asyncio.sleep(0)
        while len(served.gateway.clients) > 40:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        listening = asyncio.create_task(asyncio.to_thread(listen, served.port, subscription("trades")))
        await served.task
        for _, writer in noise:
            writer.close()
        await served.over()
        assert len(data_of(await listening)) == 2000
        assert served.gateway.counts.refused >= 900


async def test_answers_that_nobody_reads_have_an_end() -> None:
    """Hundreds of subscriptions at once: their answers do not pile up."""
    wanted = b"schema=definition|stype_in=parent|symbols=ES.FUT\n" * 199
    async with serving(SHORT, clients=2) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=1)
        writer.write(WHOLE + wanted + b"start_session=0\n")
        most = 0
        for _ in range(100):
            await asyncio.sleep(0.01)
            most = max([most, *(client.buffered() for client in served.gateway.clients)])
        assert most < 3 << 20
        assert reader is not None
        writer.transport.abort()
