"""Events as lines on stdout: all of them in order, what a slow pipe lost by name, and a pipe that goes away."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from feedsim.bridges.stdout import StdoutBridge
from tests.hub.lines import UNPACED, Hub, stream_of, tape_events
from tests.support.memory_source import small_session
from tests.support.recordings import record
from tests.support.server import REPOSITORY

SHORT = partial(small_session, seconds=20, rate=10)
MANY = partial(small_session, seconds=60, rate=200)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends; whoever closes one says so by taking it for -1."""
    read, write = os.pipe()
    yield read, write
    for end in (read, write):
        try:
            os.close(end)
        except OSError:
            continue


def read_all(end: int) -> list[dict[str, Any]]:
    with open(end, "rb", closefd=False) as file:  # a descriptor, not a path
        return [json.loads(line) for line in file]


async def test_every_event_is_a_line_in_order(pipe: tuple[int, int]) -> None:
    """The tape without a loss, at speed max: the session waits for the pipe."""
    read, write = pipe
    hub = Hub(SHORT, speed=UNPACED, exit_at_end=True)
    bridge = StdoutBridge(hub.session, fd=write, on_gone=lambda: None)
    await bridge.start()
    reading = asyncio.get_running_loop().run_in_executor(None, read_all, read)
    await hub.task
    await hub.session.finish()
    await bridge.close("over")
    os.close(write)
    told = await reading
    expected = tape_events(SHORT)
    assert [line["seq"] for line in told] == list(range(1, len(expected) + 1))
    assert [(line["type"], line["symbol"]) for line in told] == [stream_of(event)[:2] for event in expected]
    assert bridge.counts.sent == len(told)


async def test_a_pipe_that_is_not_read_loses_by_name_and_holds_nobody_up(pipe: tuple[int, int]) -> None:
    """Of every stream each n is a line or in a `skipped` one, once; the session was over before anybody read."""
    read, write = pipe
    hub = Hub(MANY, speed=2000, ring_bytes=200_000)
    bridge = StdoutBridge(hub.session, fd=write, on_gone=lambda: None)
    await bridge.start()
    while hub.session.player.state != "ended":  # noqa: ASYNC110 # the session paces itself
        await asyncio.sleep(0.01)
    reading = asyncio.get_running_loop().run_in_executor(None, read_all, read)
    while hub.session.readers.positions() != [hub.session.ring.head]:  # noqa: ASYNC110 # as the pipe takes it
        await asyncio.sleep(0.01)
    await bridge.close("over")
    os.close(write)
    spans: dict[tuple[Any, ...], list[int]] = {}
    for line in await reading:
        if line["type"] == "skipped":
            spans.setdefault(tuple(line["stream"]), []).extend(range(line["first_n"], line["last_n"] + 1))
        else:
            key = (line["type"], line["symbol"], *([line["tf_s"]] if "tf_s" in line else []))
            spans.setdefault(key, []).append(line["n"])
    whole: dict[tuple[Any, ...], int] = {}
    for event in tape_events(MANY):
        whole[stream_of(event)] = event.n
    assert spans == {stream: list(range(1, last + 1)) for stream, last in whole.items()}
    assert hub.counters.skipped > 0
    await hub.stop()


async def test_a_pipe_without_a_reader_is_told_once(pipe: tuple[int, int]) -> None:
    """And nothing is kept for it any more."""
    read, write = pipe
    os.close(read)
    hub = Hub(SHORT, speed=UNPACED, exit_at_end=True)
    gone: list[bool] = []
    bridge = StdoutBridge(hub.session, fd=write, on_gone=lambda: gone.append(True))
    await bridge.start()
    await hub.task
    await bridge.close("over")
    assert gone == [True]
    assert len(hub.session.readers) == 0
    assert bridge.counts.sent == bridge.counts.clients == 0


def test_serve_into_head_ends_quietly(tmp_path: Path) -> None:
    """`feedsim serve --stdout | head -1`: exit code 0, the log alone on stderr, and no traceback in it."""
    folder = tmp_path / "recording"
    record(folder, _chunks())
    command = [sys.executable, "-m", "feedsim", "serve", str(folder), "--stdout", "--port", "0"]
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = json.loads(process.stdout.readline())
        process.stdout.close()
        assert process.wait(30) == 0
        log = process.stderr.read()
    assert (first["type"], first["seq"]) == ("status", 1)
    assert log.startswith("feedsim serving ws://127.0.0.1:")
    assert "Traceback" not in log


def _chunks() -> list[Any]:
    from feedsim.playback.tape import Tape
    from tests.hub.lines import CONFIG

    tape = Tape(SHORT(), CONFIG)
    for _ in tape.roll_to(tape.start_ns):
        pass
    chunks = []
    while (chunk := tape.advance(1000)) is not None:
        chunks.append(chunk)
    return chunks
