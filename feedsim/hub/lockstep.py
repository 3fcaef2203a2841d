"""Lock-step: the session's clock waits until every client has dealt with what it was told.

A step ends at the time up to which all clients let the clock go, or earlier, when one of their accounts has to hear of
a fill. So a session takes as long as its clients need, and gives the same every time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

import structlog

from feedsim.errors import ProtocolError
from feedsim.events import Chunk
from feedsim.hub.cursor import Cursor
from feedsim.instruments import NS_PER_MS
from feedsim.playback.player import Player
from feedsim.wire.messages import Stepped

log = structlog.get_logger()


class LockStep:
    """Moves a player's limit as its clients acknowledge."""

    def __init__(
        self,
        player: Player,
        *,
        step_ms: int,
        think_s: float,
        tell: Callable[[Cursor, Stepped], None],
        head: Callable[[], int],
    ) -> None:
        """`step_ms` is how far an ack without a time goes; a client that thinks for more than `think_s` seconds of
        real time is not waited for at this step (0: it always is)."""
        self._player = player
        self._step_ns = step_ms * NS_PER_MS
        self._think_s = think_s
        self._tell = tell
        self._head = head
        self._until: dict[Cursor, int] = {}
        """The time up to which each client lets the clock go."""
        self._reason: Literal["until", "traded"] = "until"
        self._waiting = False
        self._timer: asyncio.TimerHandle | None = None
        self.overdue = 0
        """Steps that were taken without a client's ack."""
        player.limit_ns = player.tape.start_ns

    def join(self, cursor: Cursor) -> None:
        """A client has subscribed: from now on the clock waits for it too."""
        self._until.setdefault(cursor, self._limit_ns)
        if self._waiting:
            self._tell(cursor, self._stepped())
            self._start_timer()

    def leave(self, cursor: Cursor) -> None:
        self._until.pop(cursor, None)
        self._go()

    def ack(self, cursor: Cursor, until_ms: int | None) -> None:
        """This client lets the clock go on. Raises ProtocolError for a time that is not ahead."""
        until_ns = self._limit_ns + self._step_ns if until_ms is None else until_ms * NS_PER_MS
        if until_ns <= self._limit_ns:
            now_ms = self._limit_ns // NS_PER_MS
            raise ProtocolError("bad_request", f"until {until_ns // NS_PER_MS}: the clock is at {now_ms} already")
        self._until[cursor] = until_ns
        self._go()

    def restart(self, ns: int) -> None:
        """A new epoch begins here, and everybody has to say how far it may go."""
        self._player.limit_ns = ns
        self._waiting = False
        self._until = dict.fromkeys(self._until, ns)

    def stop_after(self, chunk: Chunk, at: int) -> None:
        """An account has to hear of something after this event: the step ends with it."""
        self._player.limit_ns = int(chunk.avail[at])
        self._reason = "traded"

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # ------------------------------------------------------------------------------------------------------- steps

    @property
    def _limit_ns(self) -> int:
        limit_ns = self._player.limit_ns
        assert limit_ns is not None
        return limit_ns

    def _go(self) -> None:
        """Go on as far as all let the clock go."""
        until_ns = min(self._until.values(), default=0)
        if self._waiting and until_ns > self._limit_ns:
            self._waiting = False
            self.close()
            self._player.limit_ns = until_ns
            self._player.pacer.wake()

    def on_limit(self) -> None:
        """Everything up to the limit was told."""
        if self._waiting:
            return
        self._waiting = True
        stepped = self._stepped()
        if self._reason == "traded":  # who had let the clock go further did not know of this
            self._until = dict.fromkeys(self._until, self._limit_ns)
        self._reason = "until"
        for cursor in self._until:
            self._tell(cursor, stepped)
        self._start_timer()

    def _stepped(self) -> Stepped:
        return Stepped(ts=self._limit_ns // NS_PER_MS, seq=self._head(), reason=self._reason)

    def _start_timer(self) -> None:
        if self._think_s and self._until and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._think_s, self._on_overdue)

    def _on_overdue(self) -> None:
        self._timer = None
        limit_ns = self._limit_ns
        late = [cursor for cursor, until_ns in self._until.items() if until_ns <= limit_ns]
        self.overdue += 1
        log.warning("a lock-step client did not ack in time", clients=len(late), think_s=self._think_s)
        for cursor in late:
            self._until[cursor] = limit_ns + self._step_ns
        self._go()
