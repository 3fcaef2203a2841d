"""The whole server under virtual time: an hour of session, fifty clients that join, stall, drop and come back.

Nothing here depends on how fast the machine is: time passes when everybody waits. The laws are numbered as in the docs.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

import async_solipsism
import pytest

from feedsim.app.service import Service
from feedsim.config import ServeSettings
from feedsim.hub.audience import MAX_BUFFERED
from feedsim.wire import messages as m
from feedsim.wire.frames import MAX_BYTES
from tests.sim.actors import PORT, Actor
from tests.sim.checks import Reference, check_losses, check_order, read, transcript
from tests.support.day import write_day
from tests.support.secrets import secrets_in_turn

CLIENTS = 50
SESSION_S = 3600
SPEED = 10
RING_MIB = 0.0625
MAX_DELIVERIES = 200_000
START_US = 1_790_000_000_000_000  # of the wall clock

pytestmark = [
    pytest.mark.timeout(300),
    # Deadlines are finer than the virtual clock: it is then not moved, which is as well.
    pytest.mark.filterwarnings("ignore:delta is less than resolution"),
]


@dataclass
class Outcome:
    """What one run of the simulation came to."""

    actors: list[Actor]
    ring_bytes: int = 0
    buffered: int = 0
    not_durable_s: float = 0.0
    """The longest that an event was published and not durable."""
    samples: int = 0

    @property
    def deliveries(self) -> int:
        return sum(len(events) for actor in self.actors for events in actor.diary.events.values())

    def transcript(self) -> str:
        return transcript(self.actors)


def settings_for(day: Path, tap: Path) -> ServeSettings:
    return ServeSettings(
        source=str(day),
        speed=float(SPEED),
        port=PORT,
        ring_mib=RING_MIB,
        tap=str(tap),
        bar_tf_s=(60,),
    )


def make_actors() -> list[Actor]:
    """Fifty clients: a few take everything, most a part; a third stalls, a third drops, some join late."""
    rng = random.Random(11)
    parts = (("trade", "bar"), ("l1",), ("bar", "footprint", "profile"), ("trade", "l2"), ("status", "l1", "trade"))
    actors: list[Actor] = []
    for index in range(CLIENTS):
        everything = index % 5 == 0
        subscribe = m.Subscribe(
            channels=("*",) if everything else parts[index % len(parts)],
            batch=index % 7 != 0,
            from_seq=0 if index % 4 == 0 else None,
            conflate_ms=250 if index == 3 else 0,
        )
        actor = Actor(f"client {index}", random.Random(index), "json" if index % 2 else "msgpack", subscribe)
        actor.join_s = rng.uniform(0, 250) if index % 3 == 0 else 0.0
        if index % 3 == 1 or everything:
            actor.stall_every_s, actor.stall_s = 60, (260 if everything else 20)
        if index % 3 == 2:
            actor.drop_every_s, actor.away_s = 70, 30
        actors.append(actor)
    return actors


async def run_day(day: Path, tap: Path) -> Outcome:
    """The server from start to drain; it is stopped when every client has been told that the session is over."""
    loop = asyncio.get_running_loop()
    service = Service(
        settings_for(day, tap), wall_us=lambda: START_US + round(loop.time() * 1e6), new_secret=secrets_in_turn()
    )
    outcome = Outcome(make_actors())
    await service.start()
    watch = loop.create_task(watch_bounds(service, outcome))
    serving = loop.create_task(service.run())
    await asyncio.gather(*[actor.live() for actor in outcome.actors])
    service.stop()
    await serving
    await service.close()
    watch.cancel()
    assert service.tap is not None
    assert service.tap.state == "sealed"
    return outcome


async def watch_bounds(service: Service, outcome: Outcome) -> None:
    """Note how much the server holds, and how far the recording is behind."""
    live = service.sessions.live
    told: list[tuple[float, int]] = []
    while True:
        await asyncio.sleep(0.1)
        now = asyncio.get_running_loop().time()
        told.append((now, live.ring.head))
        assert service.tap is not None
        durable = service.tap.durable_seq
        behind = [now - at for at, head in told if head > durable]
        told = [(at, head) for at, head in told if head > durable]
        outcome.not_durable_s = max(outcome.not_durable_s, *behind, 0.0)
        published = sum(block.nbytes for block in live.ring.blocks if block.last_seq <= live.ring.head)
        outcome.ring_bytes = max(outcome.ring_bytes, published)
        outcome.buffered = max(outcome.buffered, *service.server.buffered(), 0)
        outcome.samples += 1


def simulate(day: Path, tap: Path) -> Outcome:
    random.seed(3)  # websockets and backoff draw from it
    with asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner:
        return runner.run(run_day(day, tap))


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_day(tmp_path_factory.mktemp("day"), seconds=SESSION_S, seed=5)


@pytest.fixture(scope="module")
def reference(day: Path) -> Reference:
    return read(settings_for(day, day))


@pytest.fixture(scope="module")
def outcome(day: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return simulate(day, tmp_path_factory.mktemp("first") / "tap")


def test_the_hour_was_rough(outcome: Outcome) -> None:
    """The clients did stall, lose and drop, so that what follows means something."""
    assert sum(actor.diary.skipped for actor in outcome.actors) > 0
    assert sum(actor.diary.dropped for actor in outcome.actors) > 20
    assert 50_000 < outcome.deliveries <= MAX_DELIVERIES


def test_law_1_one_order(outcome: Outcome, reference: Reference) -> None:
    """Every event that anybody got is the tape's event of that seq, with its n."""
    for actor in outcome.actors:
        check_order(actor, reference)


def test_law_3_same_bytes(outcome: Outcome, reference: Reference, day: Path, tmp_path: Path) -> None:
    """The digest is the tape's, and a second run tells every client the same bytes at the same times."""
    assert {actor.diary.ended.digest for actor in outcome.actors if actor.diary.ended} == {reference.digest}
    assert simulate(day, tmp_path / "tap").transcript() == outcome.transcript()


def test_law_5_no_silent_loss(outcome: Outcome, reference: Reference) -> None:
    """Each client got, or was told that it lost, every n of its streams from when it joined to the end."""
    for actor in outcome.actors:
        check_losses(actor, reference)
        assert actor.diary.resumed == actor.diary.dropped


def test_law_6_bounded_memory(outcome: Outcome) -> None:
    """What the server holds for a session and for a client stays within what is promised, however clients stall."""
    assert outcome.samples > 1000
    assert 0 < outcome.ring_bytes <= RING_MIB * 2**20 + 300_000
    assert MAX_BYTES // 2 < outcome.buffered <= MAX_BUFFERED + MAX_BYTES


def test_the_recording_keeps_up(outcome: Outcome) -> None:
    """What was told is durable within a second."""
    assert outcome.not_durable_s <= 1.0
