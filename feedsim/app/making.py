"""A session made as fast as it can be, straight into a recording."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from feedsim.app.opening import open_tape
from feedsim.app.recorders import header_of, tap_into
from feedsim.config import SourceSettings
from feedsim.errors import ConfigError, TapError
from feedsim.instruments import NS_PER_S
from feedsim.playback.player import Due
from feedsim.playback.tape import Tape
from feedsim.tap.tap import Tap

CHUNK_ROWS = 8192


async def make_recording(settings: SourceSettings, out: Path) -> None:
    """Write the session that settings describe. Raises ConfigError, SourceError, TapError."""
    tape = open_tape(settings)
    try:
        if tape.end_ns is None:
            raise ConfigError("this source has no end: say how long", field="minutes")
        tape.skip_to_start()
        tap = tap_into(out, header_of("generated", tape), field="out")
        work = asyncio.get_running_loop().create_task(tap.run())
        try:
            await _write(tape, tap)
        finally:
            await tap.close()
            await work
    finally:
        tape.close()
    if tap.state == "stopped":
        raise TapError(f"{out}: {tap.problem}")
    Console(stderr=True).print(f"{out}: {tap.rows:,} events")


async def _write(tape: Tape, tap: Tap) -> None:
    assert tape.end_ns is not None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("seconds of session", total=(tape.end_ns - tape.start_ns) // NS_PER_S)
        while (chunk := tape.advance(CHUNK_ROWS)) is not None:
            due = Due(chunk, 0, len(chunk))
            tap.append(*due)
            await tap.ready()
            await asyncio.sleep(0)
            progress.update(bar, completed=(tape.position_ns - tape.start_ns) // NS_PER_S)
