"""A session that many can read: a player, its ring, its readers and what it remembers."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Protocol, cast

import msgspec

from feedsim.events import Chunk, StreamKey
from feedsim.hub.backlog import Backlog
from feedsim.hub.counters import Counters
from feedsim.hub.memory import History
from feedsim.hub.readers import Readers
from feedsim.hub.ring import Ring
from feedsim.instruments import INSTRUMENTS, NS_PER_MS
from feedsim.playback.player import Due, Player
from feedsim.playback.tape import Tape
from feedsim.wire.codec import SCALE
from feedsim.wire.messages import PROTOCOL, AnyEvent, ClockInfo, Heartbeat, HistoryAnswer, ReplayState, Welcome
from feedsim.wire.messages import History as HistoryRequest
from feedsim.wire.protocol import Offer


class Recorder(Protocol):
    """One more reader of the ring, which takes columns instead of bytes: the tap."""

    @property
    def durable_seq(self) -> int: ...

    def append(self, chunk: Chunk, lo: int, hi: int) -> None: ...

    async def ready(self) -> None:
        """Return when it can take more."""
        ...


class SessionSetup(msgspec.Struct, frozen=True, kw_only=True):
    """What a session is, apart from its data and its pace."""

    session_id: str
    server: str
    private: bool = False
    controllable: bool = False
    ring_bytes: int = 12 * 2**20
    rebase: bool = False
    heartbeat_s: float = 1.0


class Session:
    """Runs one player for its readers."""

    def __init__(
        self,
        setup: SessionSetup,
        make_tape: Callable[[], Tape],
        make_player: Callable[[Tape], Player],
        *,
        wall_us: Callable[[], int],
        counters: Counters,
        recorder: Recorder | None = None,
    ) -> None:
        """`make_tape` opens the session's tape anew as often as it is asked to."""
        self.setup = setup
        self.recorder = recorder
        self.ring = Ring(setup.ring_bytes)
        self.tape = make_tape()
        self.player = player = make_player(self.tape)
        player.on_read, player.on_epoch, player.on_end = self._on_read, self._on_epoch, self._on_end
        player.on_late, player.on_passed = counters.on_late, self._on_passed
        self.rebase_ms = 0
        self._rebase_due = setup.rebase
        self._playing = False
        self._in_hand = False
        """The player has told something that is not published yet: readers hold it up."""
        self._waiters: list[asyncio.Future[None]] = []
        self._history = History()
        player.on_restart, player.on_rolled = self._history.forget_from, self._history.on_rolled
        self._wall_us = wall_us
        self._counters = counters
        self._backlog = Backlog(
            self.ring,
            make_tape=make_tape,
            checkpoints=lambda: [point for point in player.checkpoints if point.epoch == self.ring.epoch],
            wall_us=wall_us,
            counters=counters,
        )
        self.readers = Readers(self.ring, self._backlog, wall_us=wall_us, counters=counters)

    # ------------------------------------------------------------------------------------------------------- running

    async def run(self, start: asyncio.Event) -> None:
        """Play to the end, from when `start` is set; the heart beats before too.

        Raises SourceError when the source's data is wrong.
        """
        heart = asyncio.get_running_loop().create_task(self._beat(), name="feedsim heartbeat")
        try:
            await start.wait()
            self._playing = True
            async for due in self.player.play():
                self._in_hand = True
                await self._hold()
                self._publish(due)
                self._in_hand = False
                if self._waiters:
                    self._wake_waiters()
        finally:
            self._playing = self._in_hand = False
            self._wake_waiters()
            heart.cancel()
            await self._backlog.stop()

    async def settled(self) -> None:
        """Return when what was asked for is done and nothing that the player told is still to be published.

        Before the session plays, and after, that is at once.
        """
        while self._playing and (self._in_hand or not self.player.settled):
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    def _wake_waiters(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def finish(self) -> None:
        """After the end: return when every reader has what it was owed, or has been given up."""
        self.readers.flush()
        await self.readers.ready()

    def close(self) -> None:
        self.player.close()
        self.tape.close()

    def _publish(self, due: Due) -> None:
        block = self.ring.find(due.chunk.first_seq + due.lo)
        assert block is not None
        if self.recorder is not None:
            self.recorder.append(*due)
        self.readers.publish(block, due.lo, due.hi)
        self._counters.on_published(*due)
        if due.hi == len(due.chunk):
            block.forget_together()
            self._history.on_told(due.chunk)
            self.readers.drop_old()

    async def _hold(self) -> None:
        """Where readers or the recorder set the pace, wait for them, and leave the wait out of the clock."""
        unpaced = self.player.clock.unpaced
        recorder = self.recorder if unpaced else None
        if recorder is None and not self.readers.some_wait:
            return
        self.player.hold()
        try:
            await self.readers.ready()
            if recorder is not None:
                await recorder.ready()
        finally:
            self.player.release()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.setup.heartbeat_s)
            self.readers.broadcast(self.heartbeat(), after_events=False, may_drop=True)

    def _on_read(self, chunk: Chunk) -> None:
        if self._rebase_due:
            self._rebase_due = False
            self._rebase(int(chunk.avail[0]))
        block = self.ring.add(chunk)
        if not self.player.clock.unpaced:  # there nothing is due later: what is wanted whole is encoded as it is told
            self.readers.prepare(block)

    def _on_passed(self, chunk: Chunk, told: int) -> None:
        """An earlier run told this: it is history, and the head."""
        self.ring.head = chunk.first_seq + told - 1
        if told == len(chunk):
            self._history.on_told(chunk)
            self.readers.drop_old()

    def _on_epoch(self, epoch: int) -> None:
        if epoch != self.ring.epoch:
            self.readers.end_epoch()
            self.ring.restart(epoch)
            self._rebase_due = self.setup.rebase
            self.readers.broadcast(self.replay_state(), after_events=False)
        self._wake_waiters()

    def _rebase(self, first_ns: int) -> None:
        """Shift all times of this epoch so that its first event happens now, by the wall clock."""
        due_in_s = self.player.clock.deadline(first_ns) - self.player.pacer.now()
        self.rebase_ms = self._wall_us() // 1000 + round(due_in_s * 1000) - first_ns // NS_PER_MS
        self.ring.shift_ns = self.rebase_ms * NS_PER_MS

    def _on_end(self) -> None:
        self.readers.flush()
        self.readers.broadcast(self.replay_state(), after_events=True)
        self._wake_waiters()

    # -------------------------------------------------------------------------------------------------- what it says

    def offer(self, sources: tuple[str, ...]) -> Offer:
        """What a client of this session may ask for."""
        may_wait = self.setup.private or self.player.clock.unpaced
        return Offer(
            channels=self.tape.channels,
            symbols=self.tape.symbols,
            tf_s=self.tape.config.tf_s,
            sources=sources,
            controllable=self.setup.controllable,
            may_wait=may_wait,
            default_policy="wait" if may_wait else "skip",
        )

    def clock(self) -> ClockInfo:
        speed = self.player.clock.speed
        ts = self.player.session_ns // NS_PER_MS
        return ClockInfo(ts, "max" if math.isinf(speed) else speed, self.player.state)

    def welcome(self, id: int | None, *, sources: tuple[str, ...], auth_required: bool) -> Welcome:
        return Welcome(
            id=id,
            protocol=PROTOCOL,
            server=self.setup.server,
            session_id=self.setup.session_id,
            epoch=self.ring.epoch,
            seq=self.ring.head,
            controllable=self.setup.controllable,
            auth_required=auth_required,
            channels=list(self.tape.channels),
            symbols=list(self.tape.symbols),
            tf_s=list(self.tape.config.tf_s),
            ticks={symbol: INSTRUMENTS[symbol].tick for symbol in self.tape.symbols if symbol in INSTRUMENTS},
            sources=list(sources),
            clock=self.clock(),
            rebase_ms=self.rebase_ms,
            heartbeat_s=self.setup.heartbeat_s,
        )

    def heartbeat(self) -> Heartbeat:
        durable = None if self.recorder is None else self.recorder.durable_seq
        return Heartbeat(seq=self.ring.head, durable_seq=durable, clock=self.clock(), sent=self._wall_us())

    def replay_state(self, id: int | None = None) -> ReplayState:
        return ReplayState(
            id=id,
            state=self.player.state,
            epoch=self.ring.epoch,
            seq=self.ring.head,
            clock=self.clock(),
            digest=self.player.digest(),
        )

    def history(self, request: HistoryRequest) -> HistoryAnswer:
        """What one stream told before now; of bars and footprints the longest, where the request names no length."""
        tf_s = 0
        if request.channel in ("bar", "footprint"):
            config = self.tape.config
            lengths = config.bar_tf_s if request.channel == "bar" else config.footprint_tf_s
            tf_s = request.tf_s or max(lengths, default=0)
        key = StreamKey(request.channel, request.symbol, tf_s)
        events = self._history.events(self.ring, key, request.count, scale=SCALE[request.ts])
        return HistoryAnswer(id=request.id, events=cast("Sequence[AnyEvent]", events))
