"""One server from start to drain: the live session, private ones, the port, the tap.

`Service` needs a running loop and no more, so it also runs under a loop whose time is virtual.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from feedsim import __version__
from feedsim.app.bridges import open_bridges
from feedsim.app.opening import make_player, open_tape
from feedsim.app.reaction_file import ReactionFile
from feedsim.app.recorders import open_tap
from feedsim.app.trading import exchange_maker, moves_market, open_journal
from feedsim.config import ServeSettings
from feedsim.errors import ConfigError, FeedsimError, ProtocolError, TapError
from feedsim.hub.counters import Counters
from feedsim.hub.reactions import ReactionLog
from feedsim.hub.session import Session, SessionSetup
from feedsim.hub.sessions import Sessions
from feedsim.instruments import NS_PER_MS
from feedsim.playback.player import MOST_ROWS, Player
from feedsim.playback.tape import Tape
from feedsim.server.http import Gate
from feedsim.server.metrics import metrics_page
from feedsim.server.reactions import reactions_page
from feedsim.server.server import FeedServer, Limits
from feedsim.wire.messages import Replay

if TYPE_CHECKING:
    from feedsim.tap.tap import Tap

SERVER = f"feedsim/{__version__}"
LIVE = "live"
SYNTHETIC = "synthetic:"
LOCKSTEP_ROWS = 4 * MOST_ROWS  # that are read at once

log = structlog.get_logger()


def wall_us() -> int:
    """The wall clock in microseconds since the epoch."""
    return time.time_ns() // 1000


class Service:
    """A feedsim server. `start`, then `run` to the end of the session or until `stop` is called, then `close`."""

    def __init__(
        self,
        settings: ServeSettings,
        *,
        wall_us: Callable[[], int] = wall_us,
        new_secret: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        if settings.rebase and settings.speed != 1:
            raise ConfigError("only a session at speed 1 can happen now", field="rebase")
        if settings.lockstep:
            settings = _in_lockstep(settings)
        self.settings = settings
        self.port = 0
        self.counters = Counters()
        self.reactions = ReactionLog(SERVER)
        self._wall_us, self._new_secret = wall_us, new_secret
        self._stopping = asyncio.Event()
        self._offers = {LIVE: settings.source, SYNTHETIC: SYNTHETIC, **settings.offer}
        self.tap: Tap | None
        self._reaction_file: ReactionFile | None = None
        live = self._live_session()
        self.sessions = Sessions(
            live=live,
            sources=tuple(self._offers),
            open_private=self._open_private,
            max_private=settings.max_sessions,
            new_secret=new_secret,
            wait_clients=settings.wait_clients,
        )
        gate = Gate(
            pages={
                "/healthz": lambda _: ("text/plain; charset=utf-8", b"ok\n"),
                "/metrics": self._metrics,
                "/reactions": partial(reactions_page, self.reactions),
                "/schema": _schema_page,
                "/asyncapi": _asyncapi_page,
            },
            guarded=frozenset(("/reactions",)),
            origins=settings.origin,
            token=settings.token or None,
            on_refused=self.counters.on_refused,
        )
        self.bridges = open_bridges(
            settings, self.sessions, server=SERVER, allows=gate.allows, stop=self.stop, wall_us=wall_us
        )
        limits = Limits(max_clients=settings.max_clients)
        self.server = FeedServer(self.sessions, gate, limits=limits, wall_us=wall_us, counters=self.counters)

    # --------------------------------------------------------------------------------------------------------- life

    async def start(self) -> None:
        """Listen, with all bridges. Raises ConfigError."""
        self.port = await self.server.start(self.settings.host, self.settings.port)
        try:
            for bridge in self.bridges:
                await bridge.start()
        except ConfigError as error:
            await self._send_away(1011, str(error))
            raise

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopping.set()

    async def run(self) -> None:
        """Play the live session; return when it is over (with --exit-at-end) or `stop` was called.

        Raises SourceError when the source's data is wrong.
        """
        loop = asyncio.get_running_loop()
        play = loop.create_task(self.sessions.run_live(), name="feedsim live")
        stop = loop.create_task(self._stopping.wait())
        tap = None if self.tap is None else loop.create_task(self.tap.run(), name="feedsim tap")
        try:
            await asyncio.wait((play, stop), return_when=asyncio.FIRST_COMPLETED)
            if play.done():
                play.result()
                await self.sessions.live.finish()
        finally:
            for task in filter(None, (play, stop, tap)):
                task.cancel()
            await asyncio.gather(*filter(None, (play, stop, tap)), return_exceptions=True)

    async def close(self, error: FeedsimError | None = None) -> None:
        """Send the clients away, seal the recording, end all sessions."""
        if error is not None:
            code, reason = 1011, str(error)
        elif self._stopping.is_set():
            code, reason = 1001, "the server is going away"
        else:
            code, reason = 1000, "the session is over"
        await self._send_away(code, reason)
        await self.sessions.close()
        self.sessions.live.close()
        if self._journal is not None:
            self._journal.close()
        if self.tap is not None:
            await self.tap.close()
        if self._reaction_file is not None:
            self._reaction_file.close()

    async def _send_away(self, code: int, reason: str) -> None:
        """All clients, of the bridges too."""
        await asyncio.gather(self.server.stop(code, reason), *(bridge.close(reason) for bridge in self.bridges))

    # ----------------------------------------------------------------------------------------------------- sessions

    def _live_session(self) -> Session:
        settings = self.settings
        setup = SessionSetup(
            session_id=f"live-{_fingerprint(settings)}",
            server=SERVER,
            controllable=settings.control == "all",
            ring_bytes=round(settings.ring_mib * 2**20),
            rebase=settings.rebase == "now",
            **_steps(settings),
        )
        tape = open_tape(settings)
        self.tap = open_tap(settings, setup.session_id, tape)
        self._journal = None if self.tap is None else open_journal(settings, self.tap.directory, tape)
        if self.tap is not None:
            self._reaction_file = ReactionFile(self.tap.directory)
            self.reactions.on_row = self._reaction_file.append
        tape.close()
        session = Session(
            setup,
            partial(open_tape, settings),
            self._player_maker(
                settings,
                exit_at_end=settings.exit_at_end,
                after_seq=_last_seq(self.tap),
                takes_orders=moves_market(settings, private=False),
            ),
            wall_us=self._wall_us,
            counters=self.counters,
            recorder=self.tap,
            make_exchange=exchange_maker(settings, journal=self._journal),
            reactions=self.reactions,
        )
        if session.desk is not None and self._journal is not None:
            session.desk.on_heard = self._journal.on_heard
        return session

    def _player_maker(
        self, settings: ServeSettings, *, exit_at_end: bool, after_seq: int = 0, takes_orders: bool = False
    ) -> Callable[[Tape], Player]:
        return partial(
            make_player,
            settings=settings,
            exit_at_end=exit_at_end,
            coalesce_s=settings.coalesce / 1000,
            with_digest=True,
            after_seq=after_seq,
            takes_orders=takes_orders,
            # Nobody waits for a chunk in lock-step, and each costs something; but an order reads its chunk again.
            chunk_rows=LOCKSTEP_ROWS if settings.lockstep and not takes_orders else MOST_ROWS,
        )

    def _open_private(self, request: Replay) -> Session:
        """A private session as a client asks for it. Raises ProtocolError."""
        name = request.source or LIVE
        if request.seed is not None and not self._offers[name].startswith(SYNTHETIC):
            raise ProtocolError("bad_request", f"seed: only synthetic sources have one, {name} is a recording")
        settings = msgspec.structs.replace(
            self.settings,
            source=self._offers[name],
            speed="max" if self.settings.lockstep else request.speed,
            seed=self.settings.seed if request.seed is None else request.seed,
            option=self.settings.option if name == LIVE else {},
            loop=False,
        )
        try:
            return Session(
                SessionSetup(
                    session_id=f"private-{self._new_secret(16)}",
                    server=SERVER,
                    private=True,
                    controllable=True,
                    ring_bytes=round(settings.ring_mib * 2**20),
                    **_steps(settings),
                ),
                partial(_open_between, settings, request),
                self._player_maker(settings, exit_at_end=False, takes_orders=moves_market(settings, private=True)),
                wall_us=self._wall_us,
                counters=self.counters,
                make_exchange=exchange_maker(settings),
                reactions=self.reactions,
            )
        except FeedsimError as error:
            raise ProtocolError("bad_request", str(error)) from None

    # -------------------------------------------------------------------------------------------------------- pages

    def _metrics(self, _: str) -> tuple[str, bytes]:
        return metrics_page(self.counters, self.sessions, self.server, self.tap, self.bridges)


def _in_lockstep(settings: ServeSettings) -> ServeSettings:
    """The clock goes as fast as its clients let it. Raises ConfigError where a pace was asked for."""
    if settings.speed not in (1, "max"):
        raise ConfigError("in lock-step the clients set the pace: leave it away", field="speed")
    if settings.rebase:
        raise ConfigError("a session in lock-step cannot happen now", field="rebase")
    return msgspec.structs.replace(settings, speed="max", wait_clients=max(settings.wait_clients, 1))


def _steps(settings: ServeSettings) -> dict[str, Any]:
    return {"lockstep_ms": settings.step_ms, "think_s": settings.think_s} if settings.lockstep else {}


def _last_seq(tap: Tap | None) -> int:
    """Where a recording that is continued ended. Raises TapError where no server can go on from."""
    epoch, seq = (0, 0) if tap is None else tap.position
    if tap is not None and epoch > 1:
        raise TapError(f"{tap.directory}: it ended in epoch {epoch}; only a session's first epoch can be continued")
    return seq


def _open_between(settings: ServeSettings, request: Replay) -> Tape:
    """The tape of a private session: its start and end are epoch milliseconds."""
    tape = open_tape(settings)
    start_ns = tape.start_ns if request.start is None else request.start * NS_PER_MS
    end_ns = tape.end_ns if request.end is None else request.end * NS_PER_MS
    return Tape(tape.source, tape.config, start_ns=start_ns, end_ns=end_ns)


def _fingerprint(settings: ServeSettings) -> str:
    """The same for every server of the same data, so that clients can resume after a restart."""
    from feedsim.config import SourceSettings

    names = [field.name for field in msgspec.structs.fields(SourceSettings)]
    data = {name: getattr(settings, name) for name in names}
    return hashlib.sha256(msgspec.json.encode(data, order="sorted")).hexdigest()[:16]


def _schema_page(_: str) -> tuple[str, bytes]:
    from feedsim.wire.schema import json_schema

    return "application/schema+json", msgspec.json.format(msgspec.json.encode(json_schema()), indent=2)


def _asyncapi_page(_: str) -> tuple[str, bytes]:
    from feedsim.wire.schema import asyncapi

    return "application/json", msgspec.json.format(msgspec.json.encode(asyncapi()), indent=2)
