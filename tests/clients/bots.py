"""The example bots as commands, and what came of running one."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
CLIENTS = REPOSITORY / "clients"
NODE = CLIENTS / "node"

NODE_MISSING = shutil.which("node") is None
PACKAGES_MISSING = not (NODE / "node_modules" / "ws").is_dir()
needs_node = [
    pytest.mark.skipif(NODE_MISSING, reason="node is not installed"),
    pytest.mark.skipif(PACKAGES_MISSING, reason="run `npm ci` in clients/node"),
]

PLAIN = [sys.executable, str(CLIENTS / "python" / "plain_bot.py")]
PLAIN_JSON = [*PLAIN, "--json"]
TYPED = [sys.executable, str(CLIENTS / "python" / "feedsim_bot.py")]
TYPED_JSON = [*TYPED, "--json"]
NODE_JSON = ["node", str(NODE / "bot.mjs")]
NODE_MSGPACK = [*NODE_JSON, "--msgpack"]


@dataclass(frozen=True, slots=True)
class Run:
    """A bot that has ended."""

    code: int
    out: str
    err: str

    def events(self) -> list[dict[str, Any]]:
        """What a bot that prints JSON lines printed."""
        return [json.loads(line) for line in self.out.splitlines()]


@asynccontextmanager
async def started(command: list[str], *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A bot that runs; what still runs at the end is killed."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, *arguments, stdout=pipe, stderr=pipe, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def first_line(bot: asyncio.subprocess.Process) -> str:
    """Wait until a bot has printed something."""
    assert bot.stdout is not None
    return (await bot.stdout.readline()).decode()


async def finished(bot: asyncio.subprocess.Process, before: str = "") -> Run:
    """Wait for a bot's end; `before` is what was read of its output already."""
    out, err = await bot.communicate()
    assert bot.returncode is not None
    return Run(bot.returncode, before + out.decode(), err.decode())


async def run_bot(command: list[str], *arguments: str) -> Run:
    """Run a bot to its end."""
    async with started(command, *arguments) as bot:
        return await finished(bot)
