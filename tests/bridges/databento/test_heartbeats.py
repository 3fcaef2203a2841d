"""Under virtual time: heartbeats when nothing is sent and only then, and an end for who does not say who it is."""

from __future__ import annotations

import asyncio
import hashlib
from itertools import pairwise

import databento_dbn as dbn

from feedsim.bridges.databento.client import AUTH_S
from feedsim.instruments import NS_PER_S
from tests.bridges.databento.gateways import CONFIG, KEY, serving
from tests.support.memory_source import START_NS, MemorySource, quiet_trades
from tests.support.virtual_time import run_virtually

TIMES = [START_NS + second * NS_PER_S for second in (1, 50, 100)]


def quiet() -> MemorySource:
    """Three trades in two minutes."""
    end_ns = START_NS + 120 * NS_PER_S
    return MemorySource({"trade": quiet_trades(TIMES)}, ("ES",), start_ns=START_NS, end_ns=end_ns)


def test_a_heartbeat_comes_when_nothing_was_sent_for_so_long() -> None:
    """Every 15 s between trades 50 s apart, stamped with the session's clock; the client asked for 15."""

    async def main() -> None:
        async with serving(quiet, speed=1.0, exit_at_end=False, host="localhost") as served:
            reader, writer = await asyncio.open_connection("localhost", served.port)
            challenge = (await reader.readuntil(b"\n") + await reader.readuntil(b"\n")).decode().split("cram=")[1][:-1]
            digest = hashlib.sha256(f"{challenge}|{KEY}".encode()).hexdigest()
            writer.write(f"auth={digest}-{KEY[-5:]}|dataset=GLBX.MDP3|heartbeat_interval_s=15\n".encode())
            assert (await reader.readuntil(b"\n")).startswith(b"success=1")
            writer.write(b"schema=trades|stype_in=parent|symbols=ES.FUT\nstart_session=0\n")
            await asyncio.sleep(118)
            records = dbn.DBNDecoder().write_and_decode(await reader.read(1 << 20))
            writer.close()
        beats = [r for r in records if isinstance(r, dbn.SystemMsg) and r.code == dbn.SystemCode.HEARTBEAT]
        trades = [record for record in records if isinstance(record, dbn.TradeMsg)]
        assert [record.ts_event for record in trades] == TIMES
        seconds = [round((beat.ts_event - START_NS) / NS_PER_S) for beat in beats]
        assert all(beat.is_heartbeat() for beat in beats)
        assert len(seconds) == 7
        gaps = [later - earlier for earlier, later in pairwise(seconds[:3])]
        assert all(15 <= gap <= 16 for gap in gaps)
        assert all(not (0 <= second - at < 15) for second in seconds for at in (1, 50, 100))

    assert CONFIG.bar_tf_s
    run_virtually(main)


def test_who_does_not_say_who_it_is_is_sent_away() -> None:
    """After as long as the official client would wait itself."""

    async def main() -> None:
        async with serving(quiet, speed=1.0, exit_at_end=False, host="localhost") as served:
            reader, writer = await asyncio.open_connection("localhost", served.port)
            await reader.readuntil(b"\n")
            await asyncio.sleep(AUTH_S - 1)
            assert len(served.gateway.clients) == 1
            await asyncio.sleep(2)
            assert not served.gateway.clients
            writer.close()

    run_virtually(main)
