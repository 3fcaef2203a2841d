"""The sessions of one server: the live one that all share, and private ones that are kept a while for their owner."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import structlog

from feedsim.errors import FeedsimError, ProtocolError
from feedsim.hub.session import Session
from feedsim.wire.messages import Replay

LINGER_S = 60.0  # a private session without a client is kept for this long

log = structlog.get_logger()


@dataclass(eq=False, slots=True)
class _Private:
    session: Session
    task: asyncio.Task[None] | None = None
    may_start: asyncio.Event = field(default_factory=asyncio.Event)
    clients: int = 0
    expiry: asyncio.TimerHandle | None = None


@dataclass(eq=False)
class Sessions:
    """Finds, opens and ends sessions. `open_private` makes one as a request wants it, or raises ProtocolError."""

    live: Session
    sources: tuple[str, ...]
    """The names that a client may open a private session of."""
    open_private: Callable[[Replay], Session]
    max_private: int = 8
    new_secret: Callable[[int], str] = secrets.token_urlsafe
    """Makes a text from so many random bytes that nobody can guess."""
    wait_clients: int = 0
    """The live clock is held until so many clients have subscribed."""
    _private: dict[str, _Private] = field(default_factory=dict)
    _live_may_start: asyncio.Event = field(default_factory=asyncio.Event)
    _subscribed: set[Hashable] = field(default_factory=set)
    _ending: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.wait_clients <= 0:
            self._live_may_start.set()

    def __len__(self) -> int:
        return 1 + len(self._private)

    def all(self) -> list[Session]:
        return [self.live, *(private.session for private in self._private.values())]

    async def run_live(self) -> None:
        """Play the live session to its end. Raises SourceError when its data is wrong."""
        await self.live.run(self._live_may_start)

    async def close(self) -> None:
        """End every private session."""
        for private in list(self._private.values()):
            await self._end(private)

    # ------------------------------------------------------------------------------------------------ what clients do

    def open(self, request: Replay) -> Session:
        """A new private session. Raises ProtocolError."""
        if len(self._private) >= self.max_private:
            raise ProtocolError("limit_exceeded", f"there are {self.max_private} private sessions already")
        session = self.open_private(request)
        private = self._private[session.setup.session_id] = _Private(session)
        private.task = asyncio.get_running_loop().create_task(self._run_private(private), name="feedsim private")
        return session

    def find(self, session_id: str) -> Session | None:
        """A session by its name; private names are secrets of their owners."""
        if session_id == self.live.setup.session_id:
            return self.live
        private = self._private.get(session_id)
        return None if private is None else private.session

    def enter(self, session: Session) -> None:
        """A client is on this session now."""
        private = self._private.get(session.setup.session_id)
        if private is not None:
            private.clients += 1
            if private.expiry is not None:
                private.expiry.cancel()
                private.expiry = None

    def leave(self, session: Session) -> None:
        """A client is gone; a private session that stays empty ends after a while."""
        private = self._private.get(session.setup.session_id)
        if private is not None:
            private.clients -= 1
            if private.clients == 0:
                private.expiry = asyncio.get_running_loop().call_later(LINGER_S, self._expire, private)

    def subscribed(self, session: Session, client: Hashable) -> None:
        """A client has a subscription: this starts a private session's clock, or counts for the live one's."""
        private = self._private.get(session.setup.session_id)
        if private is None:
            self._subscribed.add(client)
            if len(self._subscribed) >= self.wait_clients:
                self._live_may_start.set()
        else:
            private.may_start.set()

    def unsubscribed(self, client: Hashable) -> None:
        self._subscribed.discard(client)

    async def stop(self, session: Session) -> None:
        """Its owner ends a private session."""
        private = self._private.get(session.setup.session_id)
        if private is not None:
            await self._end(private)

    # ---------------------------------------------------------------------------------------------------------- ending

    async def _run_private(self, private: _Private) -> None:
        try:
            await private.session.run(private.may_start)
        except FeedsimError as error:
            log.error("private session failed", session=private.session.setup.session_id, error=str(error))
            private.session.readers.disconnect_all(1011, str(error))

    def _expire(self, private: _Private) -> None:
        task = asyncio.get_running_loop().create_task(self._end(private), name="feedsim expiry")
        private.expiry = None
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, private: _Private) -> None:
        self._private.pop(private.session.setup.session_id, None)
        if private.expiry is not None:
            private.expiry.cancel()
        private.session.close()
        if private.task is not None:
            private.task.cancel()
            await asyncio.gather(private.task, return_exceptions=True)
