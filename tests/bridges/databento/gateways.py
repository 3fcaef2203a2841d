"""A gateway on a session in memory, and the official client on it, in threads of its own as it wants to be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import databento

from feedsim.bridges.databento.gateway import Gateway
from feedsim.hub.counters import Counters
from feedsim.hub.session import Session, SessionSetup
from feedsim.hub.sessions import Sessions
from feedsim.playback.pacing import LoopPacer
from feedsim.playback.player import Player
from feedsim.playback.tape import Tape, TapeConfig
from feedsim.sources.base import Source
from feedsim.wire.messages import Replay
from tests.hub.lines import UNPACED, WALL_US

KEY = "db-0123456789abcdefghijklmnopqrs"
CONFIG = TapeConfig(bar_tf_s=(1, 60), footprint_tf_s=(), profile_every_s=0, features_every_s=0)
Record = Any
MOST_S = 60.0


@dataclass
class Served:
    """A session with a gateway; it plays once as many clients as were asked for have started."""

    session: Session
    gateway: Gateway
    task: asyncio.Task[None]

    @property
    def port(self) -> int:
        return self.gateway.address[1]

    async def over(self) -> None:
        """Play to the end and close the gateway, as a server does that exits at the end."""
        await self.task
        await self.session.finish()
        await self.gateway.close("the session is over")


def _no_private(request: Replay) -> Session:
    raise AssertionError(request)


@asynccontextmanager
async def serving(
    make_source: Callable[[], Source],
    *,
    speed: float = UNPACED,
    clients: int = 1,
    config: TapeConfig = CONFIG,
    ring_bytes: int = 12 * 2**20,
    exit_at_end: bool = True,
    rebase: bool = False,
    host: str = "127.0.0.1",
    **gateway: Any,
) -> AsyncIterator[Served]:
    loop = asyncio.get_running_loop()
    session = Session(
        SessionSetup(session_id="live", server="test", ring_bytes=ring_bytes, rebase=rebase),
        lambda: Tape(make_source(), config),
        lambda tape: Player(tape, LoopPacer(loop), speed=speed, exit_at_end=exit_at_end, with_digest=True),
        wall_us=lambda: WALL_US,
        counters=Counters(),
    )
    sessions = Sessions(live=session, sources=(), open_private=_no_private, wait_clients=clients)
    bridge = Gateway(sessions, (host, 0), wall_us=lambda: WALL_US, **gateway)
    await bridge.start()
    task = loop.create_task(sessions.run_live())
    try:
        yield Served(session, bridge, task)
    finally:
        await bridge.close("over")
        session.close()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def subscription(
    schema: str, symbols: Any = ("ES.FUT", "NQ.FUT"), stype_in: str = "parent", **more: Any
) -> dict[str, Any]:
    return {"dataset": "GLBX.MDP3", "schema": schema, "symbols": symbols, "stype_in": stype_in, **more}


def live(port: int, **options: Any) -> databento.Live:
    return databento.Live(**{"key": KEY, "gateway": "127.0.0.1", "port": port, **options})


def listen(port: int, *subscriptions: dict[str, Any], **options: Any) -> list[Record]:
    """Everything that the official client gets until the gateway ends its stream. Blocks."""
    client = live(port, **options)
    for wanted in subscriptions:
        client.subscribe(**wanted)
    heard: list[Record] = []
    client.add_callback(heard.append)
    client.start()
    try:
        client.block_for_close(timeout=MOST_S)
    except databento.BentoError:  # the client's end, if it heard of any error on the way
        if not of_kind(heard, databento.ErrorMsg):
            raise
    return heard


async def heard(served: Served, *subscriptions: dict[str, Any], **options: Any) -> list[Record]:
    """What one client hears of a whole session."""
    listening = asyncio.create_task(asyncio.to_thread(listen, served.port, *subscriptions, **options))
    await served.over()
    return await listening


def of_kind(records: list[Record], kind: type[Any]) -> list[Record]:
    return [record for record in records if type(record) is kind]


def data_of(records: list[Record]) -> list[Record]:
    """Without what is said about the stream."""
    about = (databento.SymbolMappingMsg, databento.SystemMsg, databento.ErrorMsg)
    return [record for record in records if not isinstance(record, about)]
