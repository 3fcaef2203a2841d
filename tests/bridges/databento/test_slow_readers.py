"""Clients that read too slowly: told exactly how much they lost, or nothing lost and a warning; nobody else notices."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from functools import partial
from typing import Any

import databento_dbn as dbn
import pytest

from feedsim.playback.tape import Tape
from tests.bridges.databento.expected import seen, told
from tests.bridges.databento.gateways import CONFIG, KEY, Served, data_of, listen, serving, subscription
from tests.bridges.databento.sources import source

MANY = partial(source, 24, 1500.0)
FAST = 20.0
RECEIVE_BUFFER = 4096


class Raw:
    """A client by plain sockets, which reads when it is told to."""

    def __init__(self, served: Served, slow: str, *schemas: str) -> None:
        self._served, self._slow, self._schemas = served, slow, schemas
        self._decoder = dbn.DBNDecoder()
        self._socket = socket.socket()
        self.records: list[Any] = []

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self._socket.setblocking(False)
        await loop.sock_connect(self._socket, ("127.0.0.1", self._served.port))
        challenge = (await self._line(2)).splitlines()[1].removeprefix("cram=")
        digest = hashlib.sha256(f"{challenge}|{KEY}".encode()).hexdigest()
        auth = f"auth={digest}-{KEY[-5:]}|dataset=GLBX.MDP3|encoding=dbn|ts_out=0"
        await loop.sock_sendall(self._socket, f"{auth}|slow_reader_behavior={self._slow}\n".encode())
        assert (await self._line(1)).startswith("success=1|session_id=")
        for schema in self._schemas:
            wanted = f"schema={schema}|stype_in=raw_symbol|symbols=ALL_SYMBOLS\n"
            await loop.sock_sendall(self._socket, wanted.encode())
        await loop.sock_sendall(self._socket, b"start_session=0\n")

    async def _line(self, count: int) -> str:
        text = b""
        while text.count(b"\n") < count:
            text += await asyncio.get_running_loop().sock_recv(self._socket, 1)
        return text.decode()

    async def read_to_the_end(self) -> None:
        while data := await asyncio.get_running_loop().sock_recv(self._socket, 1 << 16):
            self.records += self._decoder.write_and_decode(data)
        self._socket.close()

    def reset(self) -> None:
        self._socket.close()

    def heard(self, kind: type[Any]) -> list[Any]:
        return [record for record in self.records if type(record) is kind]


def expected(schemas: list[str], served: Served) -> list[dict[str, Any]]:
    numbers = {listed.symbol: listed.instrument_id for listed in served.gateway.listing.instruments}
    return list(told(Tape(MANY(), CONFIG), schemas, numbers))


async def _ended(served: Served) -> None:
    while served.session.player.state != "ended":  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def _caught_up(served: Served) -> None:
    while any(client.catching_up for client in served.gateway.clients):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_what_a_slow_reader_lost_is_counted_exactly() -> None:
    """Records that came and those that the errors count are together all there are; trades are all there."""
    async with serving(MANY, speed=FAST, exit_at_end=False, ring_bytes=256 * 1024) as served:
        slow = Raw(served, "skip", "mbp-1", "trades")
        await slow.start()
        await _ended(served)
        reading = asyncio.create_task(slow.read_to_the_end())
        await _caught_up(served)
        await served.gateway.close("over")
        await reading
        everything = expected(["mbp-1", "trades"], served)
    errors = [r for r in slow.heard(dbn.ErrorMsg) if r.code == dbn.ErrorCode.SKIPPED_RECORDS_AFTER_SLOW_READING]
    lost = sum(int(error.err.split()[0]) for error in errors)
    quotes = [fields for fields in everything if fields["rtype"] == 1]
    assert lost > 1000
    assert len(slow.heard(dbn.MBP1Msg)) + lost == len(quotes)
    assert served.gateway.counts.skipped == lost
    trades = [fields for fields in everything if fields["rtype"] == 0]
    assert [seen(record, fields) for record, fields in zip(slow.heard(dbn.TradeMsg), trades, strict=True)] == trades


async def test_a_reader_that_is_warned_loses_nothing() -> None:
    """Everything comes, later, even what the ring had dropped; the warning is a message with the vendor's code."""
    async with serving(MANY, speed=FAST, exit_at_end=False, ring_bytes=256 * 1024) as served:
        slow = Raw(served, "warn", "mbp-1")
        await slow.start()
        await _ended(served)
        reading = asyncio.create_task(slow.read_to_the_end())
        await _caught_up(served)
        await served.gateway.close("over")
        await reading
        everything = expected(["mbp-1"], served)
    got = slow.heard(dbn.MBP1Msg)
    assert [seen(record, fields) for record, fields in zip(got, everything, strict=True)] == everything
    warnings = [r for r in slow.heard(dbn.SystemMsg) if r.code == dbn.SystemCode.SLOW_READER_WARNING]
    assert warnings
    assert not slow.heard(dbn.ErrorMsg)


async def test_who_never_reads_holds_nobody_up_and_costs_little() -> None:
    """The other client hears all in time; what waits for the one that does not read is bounded."""
    async with serving(MANY, speed=FAST, clients=2) as served:
        stuck = Raw(served, "skip", "mbp-1", "mbp-10", "trades")
        await stuck.start()
        listening = asyncio.create_task(asyncio.to_thread(listen, served.port, subscription("mbp-1")))
        most = 0
        while not served.task.done():
            most = max([most, *(client.buffered() for client in served.gateway.clients)])
            await asyncio.sleep(0.02)
        stuck.reset()
        await served.over()
        everything = expected(["mbp-1"], served)
        got = data_of(await listening)
    assert [seen(record, fields) for record, fields in zip(got, everything, strict=True)] == everything
    assert 0 < most <= 2 * 256 * 1024


@pytest.mark.parametrize("slow", ["skip", "warn"])
async def test_at_speed_max_the_session_waits_unless_it_may_skip(slow: str) -> None:
    """A client that chose to skip is skipped at any speed; any other is waited for and loses nothing."""
    async with serving(MANY, exit_at_end=False, ring_bytes=256 * 1024) as served:
        client = Raw(served, slow, "mbp-1")
        await client.start()
        await asyncio.sleep(0.3)
        reading = asyncio.create_task(client.read_to_the_end())
        await _ended(served)
        await _caught_up(served)
        await served.gateway.close("over")
        await reading
        everything = expected(["mbp-1"], served)
    skipped = served.gateway.counts.skipped
    assert len(client.heard(dbn.MBP1Msg)) + skipped == len(everything)
    assert (skipped > 0) == (slow == "skip")


async def test_what_a_new_epoch_takes_away_is_counted() -> None:
    """After a seek the rest of the old epoch does not come: an error says how many records that were."""
    async with serving(MANY, exit_at_end=False, speed=FAST, ring_bytes=256 * 1024) as served:
        client = Raw(served, "warn", "mbp-1")
        await client.start()
        await _ended(served)
        player = served.session.player
        player.seek(served.session.tape.start_ns)
        await asyncio.sleep(0)
        await served.session.settled()
        reading = asyncio.create_task(client.read_to_the_end())
        await _ended(served)
        await _caught_up(served)
        await served.gateway.close("over")
        await reading
        everything = expected(["mbp-1"], served)
    (lost,) = [int(error.err.split()[0]) for error in client.heard(dbn.ErrorMsg)]
    got = client.heard(dbn.MBP1Msg)
    assert len(got) + lost == 2 * len(everything)
    again = got[-len(everything) :]
    assert [seen(record, fields) for record, fields in zip(again, everything, strict=True)] == everything
    assert 0 < lost < len(everything)
