"""Sessions that are played into a folder of chart files."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from feedsim.bridges.sierra.bridge import SierraBridge
from feedsim.bridges.sierra.options import Options, charts_of
from feedsim.hub.counters import Counters
from feedsim.hub.session import Session, SessionSetup
from feedsim.playback.pacing import LoopPacer
from feedsim.playback.player import Player
from feedsim.playback.tape import Tape, TapeConfig
from feedsim.sources.base import Source
from tests.hub.lines import WALL_US
from tests.support.virtual_time import run_virtually


async def nobody(_: SierraBridge) -> None:
    """Where nobody does anything beside the session."""


def play_into(
    folder: Path,
    make_source: Callable[[], Source],
    *,
    speed: float = math.inf,
    rebase: bool = False,
    config: TapeConfig | None = None,
    beside: Callable[[SierraBridge], Coroutine[Any, Any, None]] = nobody,
    **options: Any,
) -> SierraBridge:
    """Play a session to its end under virtual time, with a bridge; `beside` runs until then."""

    async def main() -> SierraBridge:
        loop = asyncio.get_running_loop()
        session = Session(
            SessionSetup(session_id="live", server="test", rebase=rebase),
            lambda: Tape(make_source(), config or TapeConfig()),
            lambda tape: Player(tape, LoopPacer(loop), speed=speed),
            wall_us=lambda: WALL_US + round(loop.time() * 1e6),
            counters=Counters(),
        )
        wanted = Options(charts=charts_of(session.tape.symbols, {}), **options)
        bridge = SierraBridge(session, folder, wanted, wall_ns=lambda: WALL_US * 1000)
        await bridge.start()
        other = loop.create_task(beside(bridge))
        start = asyncio.Event()
        start.set()
        await session.run(start)
        await session.finish()
        await bridge.close("over")
        await asyncio.sleep(1)  # what reads beside it sees the end
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)
        session.close()
        return bridge

    return run_virtually(main)
