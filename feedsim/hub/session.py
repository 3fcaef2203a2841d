"""A session that many can read: a player, its ring, its readers and what it remembers."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import cast

import msgspec
import structlog

from feedsim.events import Chunk, StreamKey
from feedsim.hub.backlog import Backlog
from feedsim.hub.counters import Counters
from feedsim.hub.desk import Desk, Exchange
from feedsim.hub.followers import Follower, Recorder
from feedsim.hub.lockstep import LockStep
from feedsim.hub.memory import History
from feedsim.hub.reactions import ReactionLog, Stopwatch
from feedsim.hub.readers import Readers
from feedsim.hub.ring import Block, Ring
from feedsim.instruments import INSTRUMENTS, NS_PER_MS
from feedsim.playback.player import Due, Player
from feedsim.playback.tape import Checkpoint, Tape
from feedsim.wire.codec import SCALE
from feedsim.wire.messages import PROTOCOL, AnyEvent, ClockInfo, Heartbeat, HistoryAnswer, ReplayState, Welcome
from feedsim.wire.messages import History as HistoryRequest
from feedsim.wire.protocol import Offer

log = structlog.get_logger()

MOST_TURNS = 4  # of the loop that a client's order waits for what is due


class SessionSetup(msgspec.Struct, frozen=True, kw_only=True):
    """What a session is, apart from its data and its pace."""

    session_id: str
    server: str
    private: bool = False
    controllable: bool = False
    ring_bytes: int = 12 * 2**20
    rebase: bool = False
    heartbeat_s: float = 1.0
    lockstep_ms: int = 0
    """Above 0 the clock waits for its clients' acks, and goes so far at each that names no time."""
    think_s: float = 0.0
    """Seconds of real time that a lock-step client may think; 0: for ever."""


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
        make_exchange: Callable[[Player], Exchange] | None = None,
        reactions: ReactionLog | None = None,
    ) -> None:
        """`make_tape` opens the session's tape anew as often as it is asked to; without an exchange nobody trades.

        `reactions` gets a row for each order that comes.
        """
        self.setup = setup
        self.recorder = recorder
        self.followers: list[Follower] = []
        self.make_tape = make_tape
        self.ring = Ring(setup.ring_bytes)
        self.tape = make_tape()
        self.player = player = make_player(self.tape)
        player.lookahead.on_read, player.on_epoch, player.on_end = self._on_read, self._on_epoch, self._on_end
        player.lookahead.on_amended = self._on_amended
        player.on_late, player.on_passed = self._on_late, self._on_passed
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
        self.stopwatch = stopwatch = Stopwatch(
            reactions or ReactionLog(),
            self.ring,
            now=player.pacer.now,
            readers=lambda: len(self.readers),
            clock_is=self._clock_is,
            private=setup.private,
        )
        self._backlog = Backlog(
            self.ring,
            make_tape=make_tape,
            checkpoints=self.checkpoints,
            wall_us=wall_us,
            counters=counters,
            stopwatch=stopwatch,
        )
        self.readers = Readers(self.ring, self._backlog, wall_us=wall_us, counters=counters, stopwatch=stopwatch)
        self.desk = None
        if make_exchange is not None:
            self.desk = Desk(make_exchange(player), player, self.ring, wall_us=wall_us)
        self.lockstep = self._make_lockstep() if setup.lockstep_ms else None
        if self.desk is not None and (self.lockstep is not None or player.takes_orders):
            player.cut = self._cut
        self._noted_seq = 0
        """Events up to here are in the history."""

    def follow(self, follower: Follower) -> None:
        """Have one more reader, from now on."""
        self.followers.append(follower)

    def unfollow(self, follower: Follower) -> None:
        if follower in self.followers:
            self.followers.remove(follower)

    def checkpoints(self) -> list[Checkpoint]:
        """The places of the present epoch from which its tape can be read again."""
        return [point for point in self.player.lookahead.checkpoints if point.epoch == self.ring.epoch]

    def _make_lockstep(self) -> LockStep:
        self.player.on_limit = self._on_limit
        return LockStep(
            self.player,
            step_ms=self.setup.lockstep_ms,
            think_s=self.setup.think_s,
            tell=self.readers.tell,
            head=lambda: self.ring.head,
        )

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

    async def due_is_told(self) -> None:
        """Return when what is due is told, at once in most cases: it goes before what clients ask for.

        Where they ask for more than there is time for, they are let in after a few turns of the loop.
        """
        for _ in range(MOST_TURNS):
            if not self.player.overdue:
                return
            await asyncio.sleep(0)

    def _wake_waiters(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def finish(self) -> None:
        """After the end: return when every reader has what it was owed, or has been given up."""
        self.readers.flush()
        await self.readers.ready()
        for follower in self.followers:
            await follower.ready()

    def close(self) -> None:
        for part in (self.desk, self.lockstep):
            if part is not None:
                part.close()
        self.player.close()
        self.tape.close()

    def _publish(self, due: Due) -> None:
        block = self.ring.find(due.chunk.first_seq + due.lo)
        assert block is not None
        if self.recorder is not None:
            self.recorder.append(*due)
        before = self.ring.head
        lo, hi = (place + due.chunk.first_seq - block.first_seq for place in (due.lo, due.hi))
        self.readers.publish(block, lo, hi)
        self.stopwatch.on_written(before, self.ring.head)
        self._tell_followers(lambda follower: follower.publish(block, lo, hi))
        if self.desk is not None:
            self.desk.on_told(*due)
        self._counters.on_published(*due)
        if due.hi == len(due.chunk):
            block.forget_together()
            self._note(due.chunk)
            self.readers.drop_old()

    def _on_late(self, seconds: float) -> None:
        self._counters.on_late(seconds)
        self.stopwatch.on_late(seconds)

    def _clock_is(self) -> str:
        return "paused" if self.player.state == "paused" else "held" if self._in_hand else ""

    def _tell_followers(self, tell: Callable[[Follower], None]) -> None:
        for follower in self.followers.copy():
            try:
                tell(follower)
            except Exception:  # one bridge's mistake is nobody else's trouble
                log.exception("a bridge failed and is told no more", bridge=type(follower).__name__)
                self.unfollow(follower)

    async def _hold(self) -> None:
        """Where readers, the recorder or bridges set the pace, wait for them, and leave the wait out of the clock."""
        unpaced = self.player.clock.unpaced
        recorder = self.recorder if unpaced else None
        followers = [follower for follower in self.followers if follower.some_wait]
        if recorder is None and not followers and not self.readers.some_wait:
            return
        self.player.hold()
        try:
            await self.readers.ready()
            if recorder is not None:
                await recorder.ready()
            for follower in followers:
                await follower.ready()
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
        self._prepare(self.ring.add(chunk))

    def _prepare(self, block: Block) -> None:
        if not self.player.clock.unpaced:  # there nothing is due later: what is wanted whole is encoded as it is told
            self.readers.prepare(block)
        self._tell_followers(lambda follower: follower.prepare(block))

    def _on_amended(self, void: int, told: Chunk, rest: Chunk) -> None:
        """What was read ahead is void from this seq on; in its place come events that are told already, and others."""
        self.ring.cut_off(void)
        for chunk in (told, rest):
            if len(chunk):
                self._prepare(self.ring.add(chunk))
        if len(told):
            self._note(told)

    def _note(self, chunk: Chunk) -> None:
        """All of a chunk is told; it may be known already, where an order came in while it was."""
        if chunk.last_seq > self._noted_seq:
            self._noted_seq = chunk.last_seq
            self._history.on_told(chunk)

    def _on_passed(self, chunk: Chunk, told: int) -> None:
        """An earlier run told this: it is history, and the head."""
        self.ring.head = chunk.first_seq + told - 1
        if told == len(chunk):
            self._note(chunk)
            self.readers.drop_old()

    def _on_epoch(self, epoch: int) -> None:
        if epoch != self.ring.epoch:
            self.readers.end_epoch()
            self._tell_followers(lambda follower: follower.restart())
            self.ring.restart(epoch)
            self._noted_seq = 0
            self.stopwatch.restart()
            if self.desk is not None:
                self.desk.on_epoch(epoch)
            if self.lockstep is not None:
                self.lockstep.restart(self.player.session_ns)
            self._rebase_due = self.setup.rebase
            self.readers.broadcast(self.replay_state(), after_events=False)
        self._wake_waiters()

    def _on_limit(self) -> None:
        assert self.lockstep is not None
        if self.desk is not None:
            self.desk.advance(self.player.session_ns)
        self.lockstep.on_limit()

    def _cut(self, chunk: Chunk, lo: int, hi: int) -> int:
        """How much of what is due is told at once: up to the first event that an account hears something of.

        There the market takes what an order does about it, and in lock-step the step ends.
        """
        assert self.desk is not None
        until = self.desk.tell_ahead(chunk, lo, hi)
        if self.desk.has_news and self.lockstep is not None:
            self.lockstep.stop_after(chunk, until - 1)
        return until

    def _rebase(self, first_ns: int) -> None:
        """Shift all times of this epoch so that its first event happens now, by the wall clock."""
        due_in_s = self.player.clock.deadline(first_ns) - self.player.pacer.now()
        self.rebase_ms = self._wall_us() // 1000 + round(due_in_s * 1000) - first_ns // NS_PER_MS
        self.ring.shift_ns = self.rebase_ms * NS_PER_MS

    def _on_end(self) -> None:
        self.readers.flush()
        if self.desk is not None:
            self.desk.on_end()
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
            trading=self.desk is not None,
            lockstep=self.lockstep is not None,
        )

    def clock(self) -> ClockInfo:
        speed = self.player.clock.speed
        ts = self.player.session_ns // NS_PER_MS
        return ClockInfo(ts, "max" if math.isinf(speed) else speed, self.player.state)

    def welcome(
        self, id: int | None, *, sources: tuple[str, ...], auth_required: bool, account: str | None = None
    ) -> Welcome:
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
            account=None if auth_required else account,
            lockstep=self.lockstep is not None,
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
