"""What `feedsim.replay` and private sessions hold of the system is given back."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

import feedsim
from tests.server.talking import serving, talking
from tests.support.day import write_day

ROUNDS = 3


def open_files() -> int:
    """File descriptors (Windows: handles) of this process."""
    count = getattr(psutil.Process(), "num_handles" if sys.platform == "win32" else "num_fds")
    return int(count())


async def test_a_replay_gives_back_what_it_opened(tmp_path: Path) -> None:
    """However often sessions are replayed, to the end or not, no file and no timer stays open."""
    day = str(write_day(tmp_path / "day", seconds=60, seed=1))
    open_before = open_files()
    for _ in range(ROUNDS):
        async for _ in feedsim.replay(day, speed="max"):
            pass
        events = feedsim.replay(day, speed="max")
        await anext(events)
        await events.aclose()  # type: ignore[attr-defined] # an async generator
    assert open_files() == open_before


async def test_a_private_session_gives_back_what_it_opened(tmp_path: Path) -> None:
    """A server whose clients open and stop one private session after another holds no more than before."""
    day = str(write_day(tmp_path / "day", seconds=60, seed=1))
    async with serving(day, wait_clients=9) as service, talking(service) as talk:
        assert (await talk.ask("ping"))["type"] == "pong"
        open_before = open_files()
        for _ in range(ROUNDS):
            await talk.ask("replay", speed="max")
            await talk.ask("subscribe")
            await talk.ask("replay.stop")
            assert len(service.sessions) == 1
            assert (await talk.ask("ping"))["type"] == "pong"
        assert open_files() == open_before
