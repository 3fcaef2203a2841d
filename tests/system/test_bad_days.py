"""What befalls a server's process: signals, a stop of some seconds, clocks that jump, disks that cannot be written."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import async_solipsism
import pytest

import feedsim
from feedsim.app.service import Service
from feedsim.config import ServeSettings
from feedsim.wire import messages as m
from tests.sim.actors import PORT, Actor
from tests.sim.checks import check_losses, check_order, read
from tests.support.day import write_day
from tests.support.secrets import secrets_in_turn
from tests.support.server import REPOSITORY, ServerFactory, serving
from tests.tap.test_disasters import may_mount

STOPPED_S = 3.0
DRAINED_S = 5.0
SENT = re.compile(rb'"sent":\d+')


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_day(tmp_path_factory.mktemp("day"), seconds=300, seed=9)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_it_drains(name: str, day: Path, tmp_path: Path, feedsim_server: ServerFactory) -> None:
    """With clients that read and one that does not, and a recording: exit code 0, and the recording is whole."""
    server = feedsim_server(str(day), "--speed", "20", "--tap", str(tmp_path / "out"))

    async def main() -> None:
        async with feedsim.connect(server.url, channels=["*"], from_seq=0, reconnect=False) as feed:
            async for event in feed:
                if event.seq > 200:
                    break
            server.process.send_signal(getattr(signal, name))
            with pytest.raises(feedsim.client.FeedLost, match="1001: the server is going away"):
                async for _ in feed:
                    pass

    asyncio.run(main())
    assert server.process.wait(2 * DRAINED_S) == 0
    proof = subprocess.run(
        [sys.executable, "-m", "feedsim", "verify", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert proof.returncode == 0, proof.stdout + proof.stderr


def drain_of(settings: ServeSettings) -> float:
    """Virtual seconds from being asked to stop to being closed, with a client that takes nothing any more."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        service = Service(settings)
        await service.start()
        running = loop.create_task(service.run())
        stalled = Actor("stalled", random_of(1), "json", m.Subscribe(from_seq=0), stall_every_s=0.1, stall_s=1e6)
        living = loop.create_task(stalled.live())
        await asyncio.sleep(10)
        assert max(service.server.buffered()) > 100_000
        began = loop.time()
        service.stop()
        await running
        await service.close()
        took = loop.time() - began
        assert service.tap is not None
        assert service.tap.state == "sealed"
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
        return took

    with asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner:
        return runner.run(main())


@pytest.mark.filterwarnings("ignore:delta is less than resolution")
def test_a_drain_takes_five_seconds_at_most(day: Path, tmp_path: Path) -> None:
    """Also for a client that takes nothing, not even the close; the recording is sealed. Under virtual time."""
    settings = ServeSettings(source=str(day), port=PORT, speed=60, bar_tf_s=(1,), tap=str(tmp_path / "out"))
    assert 0 < drain_of(settings) <= DRAINED_S


def random_of(seed: int) -> random.Random:
    return random.Random(seed)


async def test_a_stop_of_three_seconds(day: Path, feedsim_server: ServerFactory) -> None:
    """SIGSTOP, then SIGCONT: the clock has gone on, everything that was due comes, nothing is missing."""
    server = feedsim_server(str(day), "--speed", "30", "--wait-clients", "1")
    seqs: list[int] = []
    async with feedsim.connect(server.url, channels=["*"], from_seq=0) as feed:
        async for batch in feed.batches():
            seqs += [event.seq for event in batch]
            if not server.printed[-1].startswith("stopped") and len(seqs) > 100:
                server.printed.append("stopped")
                server.process.send_signal(signal.SIGSTOP)
                await asyncio.sleep(STOPPED_S)
                server.process.send_signal(signal.SIGCONT)
            if len(seqs) > 600:
                break
        assert feed.breaks == 0
    assert all(after == before + 1 for before, after in itertools.pairwise(seqs))


def told_with(day: Path, wall_us: Callable[[float], float]) -> list[tuple[bytes, bytes]]:
    """When and what a client was told, without the stamps of the wall clock."""

    async def main() -> Actor:
        loop = asyncio.get_running_loop()
        settings = ServeSettings(source=str(day), port=PORT, speed=20, bar_tf_s=(60,))
        service = Service(settings, wall_us=lambda: round(wall_us(loop.time())), new_secret=secrets_in_turn())
        await service.start()
        running = loop.create_task(service.run())
        actor = Actor("one", random_of(2), "json", m.Subscribe(from_seq=0))
        await actor.live()
        service.stop()
        await running
        await service.close()
        return actor

    with asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner:
        actor = runner.run(main())
    reference = read(ServeSettings(source=str(day), bar_tf_s=(60,)))
    check_order(actor, reference)
    check_losses(actor, reference)
    return [unstamped(line) for line in actor.diary.lines]


def unstamped(line: bytes) -> tuple[bytes, bytes]:
    at, _, said = line.partition(b" ")
    return at, SENT.sub(b"", said)


@pytest.mark.filterwarnings("ignore:delta is less than resolution")
def test_jumps_of_the_wall_clock_do_not_move_the_feed(day: Path) -> None:
    """An hour back, a day on, or running backwards: the same events at the same moments; only `sent` is the wall's."""
    steady = told_with(day, lambda s: 1.79e15 + s * 1e6)
    jumping = told_with(day, lambda s: 1.79e15 + s * 1e6 + (-3.6e9 if s > 3 else 0) + (8.64e10 if s > 8 else 0))
    assert told_with(day, lambda s: 1.79e15 - s * 1e6) == steady
    assert jumping == steady
    assert len(steady) > 200


@pytest.mark.skipif(not may_mount(), reason="a read-only disk needs name spaces for mounts, which are not allowed here")
def test_a_read_only_folder_is_one_line(day: Path, tmp_path: Path) -> None:
    """The server does not start without the recording that it was asked for; exit code 2."""
    inside = " ".join([*serving(str(day), "--tap", f"{tmp_path}/out")])
    space = ["--mount"] if os.geteuid() == 0 else ["--map-root-user", "--mount"]
    run = subprocess.run(
        ["unshare", *space, "sh", "-c", f"mount -t tmpfs -o ro tmpfs {tmp_path} && exec {inside}"],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=60,
    )
    assert run.returncode == 2
    line = f"feedsim: tap: {tmp_path}/out: cannot record into this folder: read-only file system\n"
    assert run.stderr.lower() == line.lower()


def test_a_bad_settings_file_ends_the_start(tmp_path: Path) -> None:
    """One line that names the file and the field, exit code 2, and no port was opened."""
    (tmp_path / "c.toml").write_text('port = "eighty"\n')
    run = subprocess.run(
        [sys.executable, "-m", "feedsim", "serve", "--config", str(tmp_path / "c.toml")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == f"feedsim: {tmp_path}/c.toml: port: 'eighty': Expected `int`, got `str`\n"
