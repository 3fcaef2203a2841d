"""One client of the WebSocket server: obeys what the protocol core lets through, on the session it is attached to."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from feedsim.errors import ProtocolError, ResumeError
from feedsim.hub.cursor import Cursor
from feedsim.hub.session import Session
from feedsim.hub.sessions import Sessions
from feedsim.instruments import NS_PER_MS, next_rth_open
from feedsim.server.connection import Connection
from feedsim.wire import messages as m
from feedsim.wire.codec import CODECS
from feedsim.wire.frames import frame
from feedsim.wire.protocol import ORDERS, ServerProtocol, Subscription

if TYPE_CHECKING:
    from feedsim.hub.counters import Counters
    from feedsim.wire.codec import Encoding


class Client:
    """Serves one connection: it takes frames one after the other, each by `receive_now` or, where that leaves it, by
    `receive`."""

    def __init__(
        self,
        connection: Connection,
        sessions: Sessions,
        *,
        encoding: Encoding,
        token: str | None,
        authorized: bool,
        wall_us: Callable[[], int],
        counters: Counters,
    ) -> None:
        self._connection = connection
        self._sessions = sessions
        self._session = sessions.live
        self._cursor: Cursor | None = None
        self._account: str | None = None
        self._wall_us = wall_us
        self._counters = counters
        self._encoding = encoding
        self._now = asyncio.get_running_loop().time
        offer = self._session.offer(sessions.sources)
        self._protocol = ServerProtocol(encoding, offer, token=token, authorized=authorized, now=self._now())
        self._ended = False
        self._read_already: m.AnyRequest | None = None
        """What `receive_now` left to `receive`."""
        self._at_once: dict[type[msgspec.Struct], Callable[[Any], None]] = {
            m.Auth: self._auth,
            m.Subscribe: self._subscribe,
            m.Unsubscribe: self._unsubscribe,
            m.History: self._history,
            m.Replay: self._replay,
            m.ReplayResume: self._go_on,
            m.ReplaySpeed: self._speed,
            m.Resume: self._resume,
            m.Ping: self._ping,
            m.Ack: self._ack,
            **dict.fromkeys(ORDERS, self._trade),
        }
        self._with_time: dict[type[msgspec.Struct], Callable[[Any], Awaitable[None]]] = {
            m.ReplayPause: self._pause,
            m.ReplayStop: self._stop,
            m.ReplaySeek: self._seek,
            m.ReplayStep: self._step,
            m.ReplayJump: self._jump,
        }

    @property
    def authorized(self) -> bool:
        return self._protocol.authorized

    def start(self) -> None:
        """Greet the client and let it hear the session's heartbeat."""
        self._account = self._new_account(self._session)
        self._welcome(None)
        if self._protocol.authorized:
            self._attach(self._session)

    def receive_now(self, data: str | bytes) -> bool:
        """Obey one frame, or answer why not; False where that takes time: then `receive` it, before any other."""
        request = self._read(data)
        if request is None:
            return True
        if type(request) in self._with_time or (type(request) in ORDERS and self._session.player.overdue):
            self._read_already = request
            return False
        try:
            self._at_once[type(request)](request)
        except ProtocolError as error:
            self._refuse(error, request.id)
        return True

    async def receive(self, data: str | bytes) -> bool:
        """Obey one frame, or answer why not; False when the connection must end."""
        request, self._read_already = self._read_already or self._read(data), None
        if request is None:
            return not self._ended
        try:
            if (obey := self._with_time.get(type(request))) is not None:
                await obey(request)
            else:
                if type(request) in ORDERS:
                    await self._session.due_is_told()
                self._at_once[type(request)](request)
        except ProtocolError as error:
            self._refuse(error, request.id)
        return not self._ended

    def _read(self, data: str | bytes) -> m.AnyRequest | None:
        """A frame as a request that may be obeyed; None where it is refused."""
        try:
            return self._protocol.receive(data, self._now())
        except ProtocolError as error:
            self._refuse(error, error.id)
            return None

    def _refuse(self, error: ProtocolError, id: int | None) -> None:
        self._counters.on_refused(error.code)
        self._send(m.Error(id=id, code=error.code, message=error.message))  # type: ignore[arg-type] # one of the documented codes
        if error.close_code is not None:
            self._ended = True
            self._connection.close(error.close_code, error.message)
            self.leave()

    def leave(self) -> None:
        """The connection is gone, or will be; may be called again."""
        self._detach()

    # ------------------------------------------------------------------------------------------------ where it is

    def _attach(self, session: Session) -> None:
        self._session = session
        self._protocol.attach(session.offer(self._sessions.sources))
        self._cursor = session.readers.attach(self._connection, self._encoding, self._protocol.subscription)
        self._sessions.enter(session)
        if session.desk is not None and self._account is not None:
            session.desk.join(self._account, self._cursor)

    def _detach(self) -> None:
        if self._cursor is not None:
            self._sessions.unsubscribed(self._cursor)
            self._session.readers.detach(self._cursor)
            if self._session.lockstep is not None:
                self._session.lockstep.leave(self._cursor)
            if self._session.desk is not None and self._account is not None:
                self._session.desk.leave(self._account, self._cursor)
            self._sessions.leave(self._session)
            self._cursor = None

    def _move(self, session: Session, id: int | None, *, account: str | None = None) -> None:
        """To another session, as a new account there or as one that it has."""
        self._detach()
        self._session = session
        self._account = account or self._new_account(session)
        self._welcome(id)
        self._attach(session)

    def _new_account(self, session: Session) -> str | None:
        """A name that only its connection knows; None where nobody trades."""
        return None if session.desk is None else f"account-{self._sessions.new_secret(12)}"

    def _welcome(self, id: int | None) -> None:
        self._send(
            self._session.welcome(
                id,
                sources=self._sessions.sources,
                auth_required=not self._protocol.authorized,
                account=self._account,
            )
        )

    def _send(self, message: msgspec.Struct) -> None:
        self._connection.write(frame(CODECS[self._encoding].encode(message), self._encoding))

    # ------------------------------------------------------------------------------------------------ what it asks

    def _auth(self, request: m.Auth) -> None:
        if self._cursor is None:
            self._attach(self._session)
        self._welcome(request.id)

    def _ping(self, request: m.Ping) -> None:
        self._send(m.Pong(id=request.id, sent=self._wall_us()))
        if request.seen_seq is not None and self._cursor is not None:
            self._clock(request, request.seen_seq)

    def _subscribe(self, request: m.Subscribe) -> None:
        assert self._cursor is not None
        before = self._protocol.subscription
        subscription = self._protocol.subscribe(request)
        try:
            self._session.readers.subscribe(self._cursor, subscription, from_seq=request.from_seq)
        except ProtocolError:
            self._protocol.subscription = before
            raise
        self._subscribed(request.id, subscription)
        self._session.readers.follow(self._cursor)
        if self._session.player.state == "ended":
            self._session.readers.tell(self._cursor, self._session.replay_state())
        self._sessions.subscribed(self._session, self._cursor)
        if self._session.lockstep is not None:
            self._session.lockstep.join(self._cursor)

    def _unsubscribe(self, request: m.Unsubscribe) -> None:
        assert self._cursor is not None
        subscription = self._protocol.unsubscribe(request)
        self._session.readers.narrow(self._cursor, subscription)
        self._subscribed(request.id, subscription)

    def _subscribed(self, id: int | None, subscription: Subscription) -> None:
        assert self._cursor is not None
        self._send(
            m.Subscribed(
                id=id,
                channels=sorted({channel for channel, _ in subscription.streams}),
                symbols=sorted({symbol for _, symbol in subscription.streams}),
                streams=sorted(subscription.streams),
                tf_s=None if subscription.tf_s is None else sorted(subscription.tf_s),
                depth=subscription.depth,
                conflate_ms=subscription.conflate_ms,
                ts=subscription.ts,
                batch=subscription.batch,
                policy=subscription.policy,
                epoch=self._session.ring.epoch,
                seq=self._cursor.seq,
            )
        )

    def _history(self, request: m.History) -> None:
        self._send(self._session.history(request))

    def _resume(self, request: m.Resume) -> None:
        session = self._sessions.find(request.session_id)
        if session is None:
            raise ResumeError(f"there is no session {request.session_id!r} (any more)", first=0, last=0)
        if request.epoch != session.ring.epoch:
            raise ResumeError(
                f"epoch {request.epoch} is over, this is epoch {session.ring.epoch}", first=0, last=session.ring.head
            )
        account = request.account
        known = account is not None and session.desk is not None and session.desk.knows(account)
        self._move(session, request.id, account=account if known else None)
        if known and request.account_n is not None:
            assert session.desk is not None
            assert account is not None
            assert self._cursor is not None
            session.desk.tell_again(account, self._cursor, request.account_n)

    def _ack(self, request: m.Ack) -> None:
        assert self._session.lockstep is not None
        assert self._cursor is not None
        self._session.lockstep.ack(self._cursor, request.until)

    def _trade(self, request: m.AnyOrder) -> None:
        assert self._session.desk is not None
        assert self._account is not None
        self._session.desk.enter(self._account, request)
        if not isinstance(request, m.AccountQuery):
            self._clock(request, getattr(request, "seen_seq", None))

    def _clock(self, request: m.Request, seen_seq: int | None) -> None:
        """Time an order, or what stands for one."""
        assert self._cursor is not None
        op = str(type(request).__struct_config__.tag)
        self._session.stopwatch.on_order(self._cursor, op, seen_seq, self._connection.arrived)

    def _replay(self, request: m.Replay) -> None:
        self._move(self._sessions.open(request), request.id)

    # --------------------------------------------------------------------------------------------------- the clock

    def _answer(self, request: m.Request) -> None:
        self._send(self._session.replay_state(request.id))

    async def _pause(self, request: m.ReplayPause) -> None:
        self._session.player.pause()
        await self._session.settled()
        self._answer(request)

    def _go_on(self, request: m.ReplayResume) -> None:
        self._session.player.resume()
        self._answer(request)

    def _speed(self, request: m.ReplaySpeed) -> None:
        if self._session.setup.rebase:
            raise ProtocolError("bad_request", "times are rebased to now, which only speed 1 keeps true")
        self._session.player.set_speed(math.inf if request.speed == "max" else float(request.speed))
        self._answer(request)

    async def _seek(self, request: m.ReplaySeek) -> None:
        await self._seek_to(request.ts * NS_PER_MS, request)

    async def _jump(self, request: m.ReplayJump) -> None:
        await self._seek_to(next_rth_open(self._session.player.session_ns), request)

    async def _seek_to(self, ns: int, request: m.Request) -> None:
        tape = self._session.tape
        first_ms = tape.start_ns // NS_PER_MS  # what clients are told, in whole milliseconds, may be asked for
        if ns < first_ms * NS_PER_MS or (tape.end_ns is not None and ns >= tape.end_ns):
            limit = "no end" if tape.end_ns is None else f"{tape.end_ns // NS_PER_MS}"
            message = f"ts {ns // NS_PER_MS} is outside the session: from {first_ms} to {limit}"
            raise ProtocolError("bad_request", message)
        self._session.player.seek(max(ns, tape.start_ns))
        await self._session.settled()
        self._answer(request)

    async def _step(self, request: m.ReplayStep) -> None:
        self._session.player.step(request.count, request.unit)
        await self._session.settled()
        self._answer(request)

    async def _stop(self, request: m.ReplayStop) -> None:
        stopped = self._session
        if not stopped.setup.private:
            raise ProtocolError("not_controllable", "this is the shared session; replay.stop ends private ones")
        self._move(self._sessions.live, request.id)
        await self._sessions.stop(stopped)
