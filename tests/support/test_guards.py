"""The guards notice what they are there for."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.guards import BLOCKED_S, LoopWatch, left_behind
from tests.support.server import REPOSITORY


async def forever() -> None:
    await asyncio.Event().wait()


async def compute() -> None:
    """Keep the loop, as far as one can tell by processor time."""
    until = time.thread_time() + 1.5 * BLOCKED_S
    while time.thread_time() < until:
        pass


async def test_a_task_that_is_left_is_named() -> None:
    """Not one that ends within a few turns of the loop, nor one that was there before."""
    before = asyncio.all_tasks()
    short = asyncio.create_task(asyncio.sleep(0), name="short")
    long = asyncio.create_task(forever(), name="long")
    [left] = await left_behind(before)
    assert left.startswith("long: <coroutine object forever")
    assert short.done()
    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long


def test_whatever_keeps_the_loop_is_named() -> None:
    """A task's step; the test's own steps are its own business."""

    async def main() -> None:
        await compute()
        await asyncio.create_task(compute(), name="busy")

    watch = LoopWatch(main)
    with watch.watching():
        asyncio.run(main())
    [blocked] = watch.blocked
    assert "task 'busy'" in blocked
    assert not hasattr(asyncio.Handle._run, "__wrapped__")


CARELESS = """
import asyncio, time

async def forever():
    await asyncio.Event().wait()

async def busy():
    until = time.thread_time() + 0.08
    while time.thread_time() < until:
        pass

async def test_leaves():
    global kept
    kept = asyncio.create_task(forever(), name="kept")

async def test_blocks():
    await asyncio.create_task(busy(), name="busy")

async def test_is_careful():
    await asyncio.create_task(asyncio.sleep(0))
"""


def test_every_coroutine_test_is_guarded(tmp_path: Path) -> None:
    """Without asking for it."""
    (tmp_path / "test_careless.py").write_text(CARELESS)
    options = ["-q", "-p", "tests.conftest", "-p", "no:randomly", "-o", "asyncio_mode=auto", "--rootdir", str(tmp_path)]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-c", "/dev/null", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
    )
    assert "3 passed, 2 errors" in run.stdout, run.stdout
    assert re.search(r"tasks were left behind: \[.kept: ", run.stdout), run.stdout
    assert re.search(r"the event loop was blocked: \[.\d+ ms in task \W*busy", run.stdout), run.stdout
