"""A real server in a process of its own, for as long as it is looked at."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from feedsim.errors import FeedsimError

START_S = 60.0  # with nothing compiled yet
END_S = 10.0  # twice what the server promises
_READY = re.compile(r"feedsim serving (ws://\S+)")


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that takes clients."""

    url: str
    pid: int


@asynccontextmanager
async def serving(arguments: Sequence[str]) -> AsyncIterator[Serving]:
    """Serve with the arguments of `feedsim serve`, on a free port. Raises FeedsimError where it does not start."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "feedsim", "serve", *arguments, "--port", "0"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    logged = None
    try:
        try:
            async with asyncio.timeout(START_S):
                url = await _url_of(process)
        except TimeoutError:
            raise FeedsimError(f"the server did not start within {START_S:g} s") from None
        # What it logs must be taken, or it would wait for somebody to do so.
        logged = asyncio.create_task(process.stderr.read())
        yield Serving(url, process.pid)
    finally:
        await _end(process)
        if logged is not None:
            await logged


async def _url_of(process: asyncio.subprocess.Process) -> str:
    """The address that the server says it has."""
    assert process.stderr is not None
    said = ""
    async for line in process.stderr:
        said = line.decode(errors="replace").strip()
        if match := _READY.search(said):
            return match[1]
    await process.wait()
    raise FeedsimError(f"the server did not start: {said}")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_S)
    except TimeoutError:
        process.kill()
        await process.wait()
