"""The server's side of the protocol as a state machine: whatever clients ask, in whatever order, every request has its
answer, every message is valid under the published schema, and nothing is lost without a word.
"""

from __future__ import annotations

import asyncio
import json
import math
import warnings
from collections.abc import Coroutine
from itertools import count
from typing import Any, TypeVar

import async_solipsism
import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from jsonschema.protocols import Validator

from feedsim.events import CHANNELS
from feedsim.hub.counters import Counters
from feedsim.hub.session import Session, SessionSetup
from feedsim.hub.sessions import Sessions
from feedsim.instruments import NS_PER_MS
from feedsim.playback.pacing import LoopPacer
from feedsim.playback.player import Player
from feedsim.playback.tape import Tape
from feedsim.server.client import Client
from feedsim.wire import messages as m
from feedsim.wire.codec import CODECS, Encoding
from feedsim.wire.schema import json_schema
from tests.hub.lines import CONFIG, WALL_US, Line, Stream, stream_of
from tests.support.frames import parsed
from tests.support.guards import left_behind
from tests.support.memory_source import START_NS, small_session

pytestmark = pytest.mark.timeout(600)  # hypothesis shrinks what it finds

T = TypeVar("T")
EXAMPLES, STEPS = 500, 50
SECONDS, RATE = 30, 4
START_MS = START_NS // NS_PER_MS
RING_BYTES = 40_000
SCHEMA = json_schema()
VALIDATORS: dict[str, Validator] = {
    name: jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]})
    for name in SCHEMA["$defs"]
}


def check_valid(message: Any) -> None:
    """Under the published schema, each of its events too; a list of events that is valid one by one is valid."""
    said = json.loads(CODECS["json"].encode(message))
    if isinstance(message, m.Events | m.Snapshot | m.HistoryAnswer):
        for event, written in zip(message.events, said["events"], strict=True):
            VALIDATORS[type(event).__name__].validate(written)
        said["events"] = said["events"][:1]
    VALIDATORS[type(message).__name__].validate(said)


class Peer:
    """One client: what it asks, and what it makes of what it hears."""

    def __init__(self, client: Client, line: Line) -> None:
        self.client, self.line = client, line
        self.seq = 0
        self.epoch = 0
        self.session_id = ""
        self.next: dict[Stream, int] = {}
        self.conflated = False
        self.answers: dict[int, Any] = {}
        self.asked: m.Request | None = None

    def hear(self) -> None:
        """Check all that was written since the last time."""
        for _, data in self.line.writes:
            for one in parsed(data):
                message = CODECS[self.line.encoding].decode_message(bytes(one.data))
                check_valid(message)
                self._note(message)
        self.line.writes.clear()

    def _note(self, message: Any) -> None:
        identity = getattr(message, "id", None)
        if identity is not None:
            assert identity not in self.answers, f"answered twice: {message}"
            self.answers[identity] = message
        if isinstance(message, m.Welcome) and (message.session_id, message.epoch) == (self.session_id, self.epoch):
            # The answer to auth moves nobody: what conflation holds back is still to come.
            self.seq = min(self.seq, message.seq) if isinstance(self.asked, m.Auth) else message.seq
            self.next = self.next if isinstance(self.asked, m.Auth) else {}
        elif isinstance(message, m.Welcome):
            self.session_id, self.epoch, self.seq = message.session_id, message.epoch, message.seq
            self.next.clear()
        elif isinstance(message, m.Subscribed):
            self._subscribed(message)
        elif isinstance(message, m.Events):
            for event in message.of_the_tape:
                assert event.seq > self.seq, f"{event} after seq {self.seq}"
                self.seq = event.seq
                self._count(stream_of(event), event.n, event.n)
        elif isinstance(message, m.Skipped):
            self._count(tuple(message.stream), message.first_n, message.last_n)
        elif isinstance(message, m.Snapshot):
            assert message.seq >= self.seq
            self.seq = message.seq
        elif isinstance(message, m.ReplayState) and message.epoch != self.epoch:
            self.epoch, self.seq = message.epoch, 0
            self.next.clear()

    def _subscribed(self, message: m.Subscribed) -> None:
        if isinstance(self.asked, m.Subscribe) and (self.asked.from_seq is not None or self.conflated):
            self.next.clear()
            self.seq = message.seq
        self.seq = min(self.seq, message.seq)
        wanted = {(channel, symbol) for channel, symbol in message.streams}
        lengths = message.tf_s
        self.next = {
            stream: n
            for stream, n in self.next.items()
            if stream[:2] in wanted and (len(stream) == 2 or lengths is None or stream[2] in lengths)
        }
        self.conflated = message.conflate_ms > 0

    def _count(self, stream: Stream, first: int, last: int) -> None:
        expected = self.next.get(stream, first)
        assert first >= expected if self.conflated else first == expected, f"{stream}: {first} after {expected - 1}"
        self.next[stream] = last + 1


channels = st.lists(st.sampled_from((*CHANNELS, "*", "news")), min_size=1, max_size=3)
symbols = st.lists(st.sampled_from(("ES", "NQ", "*", "CL")), min_size=1, max_size=2)
moments = st.integers(-2, SECONDS + 2).map(lambda s: START_MS + 1000 * s)
CONTROLS = st.one_of(
    st.just(m.ReplayPause()),
    st.just(m.ReplayResume()),
    st.builds(m.ReplaySpeed, speed=st.sampled_from((0.5, 1.0, 20.0, "max"))),
    st.builds(m.ReplaySeek, ts=moments),
    st.builds(m.ReplayStep, count=st.integers(1, 30), unit=st.sampled_from(("event", "trade", "bar"))),
    st.just(m.ReplayJump(to="open")),
    st.just(m.ReplayStop()),
)
SUBSCRIBES = st.builds(
    m.Subscribe,
    channels=channels.map(tuple),
    symbols=symbols.map(tuple),
    tf_s=st.sampled_from((None, (1,), (5,), (7,))),
    depth=st.sampled_from((1, 10)),
    conflate_ms=st.sampled_from((0, 0, 0, 200)),
    ts=st.sampled_from(("ms", "ns")),
    batch=st.booleans(),
    policy=st.sampled_from((None, None, "skip", "wait", "disconnect")),
    from_seq=st.sampled_from((None, None, 0, 5, 10_000)),
)
OTHERS = st.one_of(
    st.builds(m.Unsubscribe, channels=channels.map(tuple), symbols=symbols.map(tuple)),
    st.builds(m.History, channel=st.sampled_from(CHANNELS), symbol=st.sampled_from(("ES", "CL")), count=st.just(20)),
    st.builds(m.Replay, source=st.sampled_from((None, "live", "../etc")), speed=st.sampled_from((1.0, 30.0, "max"))),
    st.just(m.Ping()),
    st.just(m.Auth(token="")),
)


class ProtocolMachine(RuleBasedStateMachine):
    """A live session and its clients, without a network, under virtual time."""

    peers = Bundle("peers")

    @initialize()
    def begin(self) -> None:
        self.numbers = count(1)
        self.here: list[Peer] = []
        self.counters = Counters()
        self.runner = asyncio.Runner(loop_factory=async_solipsism.EventLoop)
        self.run(self._begin())

    async def _begin(self) -> None:
        self.sessions = Sessions(
            live=self._session("live", speed=1.0, private=False),
            sources=("live",),
            open_private=self._open_private,
            max_private=2,
        )
        self.playing = asyncio.get_running_loop().create_task(self.sessions.run_live())

    def _open_private(self, request: m.Replay) -> Session:
        name = f"private-{next(self.numbers)}"
        return self._session(name, speed=math.inf if request.speed == "max" else request.speed, private=True)

    def _session(self, name: str, *, speed: float, private: bool) -> Session:
        loop = asyncio.get_running_loop()
        setup = SessionSetup(
            session_id=name, server="test", private=private, controllable=private, ring_bytes=RING_BYTES
        )
        return Session(
            setup,
            lambda: Tape(small_session(seconds=SECONDS, rate=RATE), CONFIG),
            lambda tape: Player(tape, LoopPacer(loop), speed=speed, exit_at_end=False, with_digest=True, loop=False),
            wall_us=lambda: WALL_US + round(loop.time() * 1e6),
            counters=self.counters,
        )

    def run(self, action: Coroutine[Any, Any, T]) -> T:
        """Whatever happens in it, and for some turns of the loop after it."""

        async def settled() -> T:
            result = await action
            await asyncio.sleep(0.001)
            return result

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "delta is less than resolution")
            return self.runner.run(settled())

    # ------------------------------------------------------------------------------------------------ what happens

    @rule(target=peers, encoding=st.sampled_from(("json", "msgpack")))
    def join(self, encoding: Encoding) -> Peer:
        line = Line(encoding)

        async def joined() -> Peer:
            client = Client(
                line,  # type: ignore[arg-type] # a sink as a connection is one
                self.sessions,
                encoding=encoding,
                token=None,
                authorized=True,
                wall_us=lambda: WALL_US,
                counters=self.counters,
            )
            client.start()
            return Peer(client, line)

        peer = self.run(joined())
        self.here.append(peer)
        return peer

    @rule(peer=peers, request=SUBSCRIBES)
    def subscribe(self, peer: Peer, request: m.Subscribe) -> None:
        self.ask(peer, request)

    @rule(peer=peers, request=OTHERS)
    def request(self, peer: Peer, request: m.Request) -> None:
        self.ask(peer, request)

    @rule(peer=peers, request=CONTROLS)
    def control(self, peer: Peer, request: m.Request) -> None:
        self.ask(peer, request)

    @rule(peer=peers, other=peers, epoch=st.sampled_from((0, 1)))
    def resume(self, peer: Peer, other: Peer, epoch: int) -> None:
        self.ask(peer, m.Resume(session_id=other.session_id, epoch=other.epoch + epoch, seq=other.seq))

    def ask(self, peer: Peer, request: m.Request) -> None:
        if peer.line.code is not None:
            return
        peer.hear()
        number = next(self.numbers)
        peer.asked = msgspec.structs.replace(request, id=number)
        data = CODECS[peer.line.encoding].encode(peer.asked)
        self.say(peer, data.decode() if peer.line.encoding == "json" else data)
        peer.hear()
        if peer.line.code is None:
            assert number in peer.answers, f"no answer to {request}"

    @rule(peer=peers, data=st.one_of(st.text(), st.binary()))
    def say_nonsense(self, peer: Peer, data: str | bytes) -> None:
        if peer.line.code is None:
            self.say(peer, data)

    def say(self, peer: Peer, data: str | bytes) -> None:
        """As the server takes a message: at once if it can be, else in its turn."""

        async def taken() -> bool:
            return peer.client.receive_now(data) or await peer.client.receive(data)

        stays = self.run(taken())
        assert stays or peer.line.code is not None

    @rule(seconds=st.sampled_from((0.01, 0.3, 2.0, 12.0)))
    def wait(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @rule(peer=peers)
    def stall(self, peer: Peer) -> None:
        peer.line.stall()

    @rule(peer=peers)
    def go_on(self, peer: Peer) -> None:
        peer.line.go_on()

    @rule(peer=consumes(peers))
    def leave(self, peer: Peer) -> None:
        self.run(self._leave(peer))

    async def _leave(self, peer: Peer) -> None:
        peer.client.leave()
        peer.line.cut()
        self.here.remove(peer)

    # ------------------------------------------------------------------------------------------------ what must hold

    @invariant()
    def everything_heard_is_right(self) -> None:
        for peer in getattr(self, "here", ()):
            peer.hear()

    @invariant()
    def no_session_is_left_over(self) -> None:
        if hasattr(self, "sessions"):
            assert len(self.sessions) <= 3

    def teardown(self) -> None:
        if not hasattr(self, "runner"):
            return
        self.run(self._end())
        self.runner.close()

    async def _end(self) -> None:
        for peer in list(self.here):
            await self._leave(peer)
        await self.sessions.close()
        self.sessions.live.close()
        await self.playing
        assert await left_behind(set()) == []


ProtocolMachine.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)
)
TestProtocol = ProtocolMachine.TestCase
