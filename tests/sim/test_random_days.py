"""The whole server under virtual time, many times over: what happens, and to whom, is drawn from a seed.

Clients join, stall, are cut off in three ways and resume, while somebody changes the speed, pauses and steps.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, get_args

import async_solipsism
import msgspec
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import serve

from feedsim.app.service import Service
from feedsim.config import ServeSettings
from feedsim.wire import messages as m
from feedsim.wire.codec import CODECS
from tests.sim.actors import PORT, Actor, Cut, join
from tests.sim.checks import Reference, check_losses, check_order, read, transcript
from tests.support.day import write_day
from tests.support.guards import left_behind
from tests.support.secrets import secrets_in_turn

SEEDS = {False: 20, True: 1000}
SESSION_S = 240
MAX_DELIVERIES = 20_000
# A small session has to reach the limits: what waits for a client, what is caught up with in one write, a socket's own.
MAX_BUFFERED, MAX_BYTES, SOCKET_BYTES = 8192, 8192, 4096
START_US = 1_790_000_000_000_000  # of the wall clock
PARTS = (("*",), ("*",), ("trade", "bar"), ("l1",), ("l1", "l2", "trade"), ("bar", "footprint", "profile"))

pytestmark = [
    pytest.mark.full,
    # Deadlines are finer than the virtual clock: it is then not moved, which is as well.
    pytest.mark.filterwarnings("ignore:delta is less than resolution"),
]


@dataclass
class Plan:
    """What one seed comes to."""

    seed: int
    settings: ServeSettings
    actors: list[Actor]
    orders: list[tuple[float, m.Request]]
    """What is asked of the live session's clock, and how long after the last."""
    joined: int = 0
    ring_bytes: int = 0
    states: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        who = "\n".join(f"  {actor}" for actor in self.actors)
        return f"seed {self.seed}: {self.settings}\n{who}\n  {self.orders}"

    @property
    def deliveries(self) -> int:
        return sum(len(events) for actor in self.actors for events in actor.diary.events.values())


def draw(seed: int, day: Path) -> Plan:
    """A server, its clients, and what is done to its clock."""
    rng = random.Random(seed)
    speed = rng.choice((1.0, 5.0, 20.0, 60.0))
    settings = ServeSettings(
        source=str(day),
        speed=speed,
        port=PORT,
        control="all",
        ring_mib=rng.choice((0.01, 0.03, 1.0)),
        coalesce=rng.choice((0, 0, 5, 100)),
        bar_tf_s=rng.choice(((60,), (1, 60))),
    )
    length_s = SESSION_S / speed
    actors = [
        draw_actor(random.Random(rng.random()), f"client {index}", length_s) for index in range(rng.randint(2, 9))
    ]
    return Plan(seed, settings, actors, list(draw_orders(rng, speed, length_s)))


def draw_actor(rng: random.Random, name: str, length_s: float) -> Actor:
    subscribe = m.Subscribe(
        channels=rng.choice(PARTS),
        batch=rng.random() < 0.8,
        from_seq=rng.choice((0, None)),
        conflate_ms=rng.choice((0, 0, 0, 0, 50)),
        policy=rng.choice((None, None, "disconnect")),
    )
    actor = Actor(name, rng, rng.choice(("json", "msgpack")), subscribe, cut=rng.choice(get_args(Cut)))
    actor.join_s = rng.choice((0.0, rng.uniform(0, length_s / 2)))
    if rng.random() < 0.5:
        actor.stall_every_s, actor.stall_s = length_s / rng.uniform(2, 8), length_s * rng.uniform(0.05, 0.6)
    if rng.random() < 0.6:
        actor.drop_every_s, actor.away_s = length_s / rng.uniform(2, 20), length_s * rng.uniform(0, 0.2)
    return actor


def draw_orders(rng: random.Random, speed: float, length_s: float) -> Iterator[tuple[float, m.Request]]:
    for _ in range(rng.randint(0, 8)):
        after_s = length_s * rng.uniform(0, 0.2)
        yield after_s, m.ReplaySpeed(speed=speed * rng.choice((0.5, 2, 10)))
        if rng.random() < 0.5:
            yield after_s, rng.choice((m.ReplayPause(), m.ReplayStep(count=rng.randint(1, 50))))
            yield after_s, m.ReplayResume()


async def conduct(orders: list[tuple[float, m.Request]]) -> None:
    """Somebody asks the clock to do as planned."""
    connection = await join("json")
    try:
        for number, (after_s, order) in enumerate(orders):
            await asyncio.sleep(after_s)
            request = CODECS["json"].encode(msgspec.structs.replace(order, id=number))
            await connection.send(request, text=True)
            await answered(connection, number)
    finally:
        connection.transport.abort()
        await connection.wait_closed()


async def answered(connection: ClientConnection, number: int) -> None:
    while True:
        message: Any = CODECS["json"].decode_message(await connection.recv())
        if getattr(message, "id", None) == number:
            assert isinstance(message, m.ReplayState)
            return


async def run_plan(plan: Plan) -> None:
    loop = asyncio.get_running_loop()
    service = Service(plan.settings, wall_us=lambda: START_US + round(loop.time() * 1e6), new_secret=secrets_in_turn())
    await service.start()
    watching = loop.create_task(watch_bounds(service, plan))
    serving = loop.create_task(service.run())
    conducting = loop.create_task(conduct(plan.orders))
    await asyncio.gather(*[actor.live() for actor in plan.actors])
    conducting.cancel()
    service.stop()
    await serving
    await service.close()
    watching.cancel()
    await asyncio.gather(conducting, watching, return_exceptions=True)
    plan.joined = service.server.clients
    assert await left_behind(set()) == []


async def watch_bounds(service: Service, plan: Plan) -> None:
    """Note how much the ring holds."""
    live = service.sessions.live
    while True:
        await asyncio.sleep(0.05)
        published = sum(block.nbytes for block in live.ring.blocks if block.last_seq <= live.ring.head)
        plan.ring_bytes = max(plan.ring_bytes, published)
        plan.states.add(live.player.state)


def simulate(plan: Plan) -> Plan:
    random.seed(3)  # websockets and backoff draw from it
    with asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner:
        runner.run(run_plan(plan))
    return plan


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_day(tmp_path_factory.mktemp("day"), seconds=SESSION_S, seed=6)


@contextmanager
def told(plan: Plan) -> Iterator[None]:
    """Whatever goes wrong, the seed and its options are printed."""
    try:
        yield
    except BaseException as error:
        error.add_note(str(plan))
        raise


def serve_narrowly(*where: Any, **options: Any) -> Any:
    """`serve` of websockets, with little room in each connection."""
    return serve(*where, **{**options, "write_limit": (MAX_BUFFERED, MAX_BUFFERED // 4)})


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedsim.server.server.serve", serve_narrowly)
    for module in ("audience", "readers"):
        monkeypatch.setattr(f"feedsim.hub.{module}.MAX_BUFFERED", MAX_BUFFERED)
    monkeypatch.setattr("feedsim.hub.audience.MAX_BYTES", MAX_BYTES)
    monkeypatch.setattr("async_solipsism.socket.DEFAULT_CAPACITY", SOCKET_BYTES)


@pytest.mark.usefixtures("small_limits")
def test_promises_hold_whatever_happens(day: Path, full: bool) -> None:
    """One order, no silent loss, exact resumes, the tape's digest, a bounded ring; and the same again from one seed."""

    @cache
    def reference(bar_tf_s: tuple[int, ...]) -> Reference:
        return read(ServeSettings(source=str(day), bar_tf_s=bar_tf_s))

    rough = dict.fromkeys(("lost", "resumed", "paused", "conflated"), 0)
    for seed in range(SEEDS[full]):
        plan = draw(seed, day)
        with told(plan):
            simulate(plan)
            check(plan, reference(plan.settings.bar_tf_s))
            assert transcript(simulate(draw(seed, day)).actors) == transcript(plan.actors)
        rough["lost"] += any(actor.diary.skipped for actor in plan.actors)
        rough["resumed"] += sum(actor.diary.resumed for actor in plan.actors)
        rough["paused"] += "paused" in plan.states
        rough["conflated"] += any(actor.subscribe.conflate_ms for actor in plan.actors)
    assert all(rough.values()), f"too little happened: {rough}"


def check(plan: Plan, reference: Reference) -> None:
    assert plan.deliveries <= MAX_DELIVERIES
    assert plan.joined == 0
    for actor in plan.actors:
        check_order(actor, reference)
        check_losses(actor, reference)
        assert actor.diary.ended is not None
        assert actor.diary.ended.digest == reference.digest
    assert plan.ring_bytes <= plan.settings.ring_mib * 2**20 + 300_000, plan.ring_bytes
