"""A session made as fast as it can be, straight into a recording."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from feedsim.app.opening import open_tape
from feedsim.app.progress import counting
from feedsim.app.recorders import header_of, tap_into
from feedsim.config import SourceSettings
from feedsim.errors import ConfigError, TapError
from feedsim.instruments import NS_PER_S
from feedsim.playback.player import Due
from feedsim.playback.tape import Tape
from feedsim.tap.tap import Tap

CHUNK_ROWS = 8192
Watch = Callable[[Tape], None]
"""Told of the tape after each chunk."""


async def make_recording(settings: SourceSettings, out: Path) -> None:
    """Write the session that settings describe, and show how far it is. Raises ConfigError, SourceError, TapError."""
    console = Console(stderr=True)
    with ExitStack() as shown:
        progress = counting(console)
        bar = progress.add_task("seconds of session")

        def show(tape: Tape) -> None:
            assert tape.end_ns is not None
            if not progress.live.is_started:  # not before there is something to show: an error is one line
                shown.enter_context(progress)
            done, total = tape.position_ns - tape.start_ns, tape.end_ns - tape.start_ns
            progress.update(bar, completed=done // NS_PER_S, total=total // NS_PER_S)

        events = await write_recording(settings, out, show)
    console.print(f"{out}: {events:,} events")


async def write_recording(settings: SourceSettings, out: Path, watch: Watch | None = None) -> int:
    """Write the session that settings describe; the number of events. Raises ConfigError, SourceError, TapError."""
    tape = open_tape(settings)
    try:
        if tape.end_ns is None:
            raise ConfigError("this source has no end: say how long", field="minutes")
        tape.skip_to_start()
        tap = tap_into(out, header_of("generated", tape), field="out")
        work = asyncio.get_running_loop().create_task(tap.run())
        try:
            await _write(tape, tap, watch)
        finally:
            await tap.close()
            await work
    finally:
        tape.close()
    if tap.state == "stopped":
        raise TapError(f"{out}: {tap.problem}")
    return tap.rows


async def _write(tape: Tape, tap: Tap, watch: Watch | None) -> None:
    while (chunk := tape.advance(CHUNK_ROWS)) is not None:
        due = Due(chunk, 0, len(chunk))
        tap.append(*due)
        await tap.ready()
        await asyncio.sleep(0)
        if watch is not None:
            watch(tape)
