"""`feedsim serve`: the live feed, until it is over or somebody ends it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from typing import TYPE_CHECKING

from feedsim.cli.options import from_settings
from feedsim.config import ServeSettings

if TYPE_CHECKING:
    from feedsim.app.service import Service

DRAIN_S = 4.5  # what is not done by then after SIGTERM is left


@from_settings(ServeSettings)
def serve(settings: ServeSettings) -> None:
    """Stream a market to real clients over a WebSocket.

    \b
    feedsim serve                                    the synthetic market at real time
    feedsim serve recordings/monday --speed 10       a recording, ten times as fast
    feedsim serve sierra/ --rebase now --tap out     chart files, as if it all happened now, and recorded
    """
    from feedsim.app.logs import set_up_logs
    from feedsim.playback.loop import run

    set_up_logs(json=settings.log == "json")
    run(_serve(settings))


async def _serve(settings: ServeSettings) -> None:
    from feedsim.app.service import Service
    from feedsim.errors import FeedsimError

    service = Service(settings)
    await service.start()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: ^C raises KeyboardInterrupt instead
            loop.add_signal_handler(number, service.stop)
    _greet(settings, service)
    # What was loaded to start lives as long as the server: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    failure: FeedsimError | None = None
    try:
        await service.run()
    except FeedsimError as error:
        failure = error
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(service.close(failure), DRAIN_S)
    if failure is not None:
        raise failure


def _pace(settings: ServeSettings) -> str:
    if settings.lockstep:
        return f"lock-step, {settings.step_ms} ms at a time"
    return "max" if settings.speed == "max" else f"{settings.speed:g}×"


def _greet(settings: ServeSettings, service: Service) -> None:
    live = service.sessions.live
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    lines = [
        f"feedsim serving ws://{host}:{service.port}",
        f"  source    {live.tape.info.name}  ({', '.join(live.tape.symbols)})",
        f"  channels  {', '.join(live.tape.channels)}",
        f"  speed     {_pace(settings)}" + (f"   recording to {service.tap.directory}" if service.tap else ""),
        f"  try       feedsim stream ws://{host}:{service.port}      http://{host}:{service.port}/metrics",
    ]
    lines += [f"  {bridge.name:<9} {bridge.greeting}" for bridge in service.bridges if bridge.greeting]
    lines += [f"  note      {note}" for note in live.tape.info.notes]
    print("\n".join(lines), file=sys.stderr, flush=True)
