"""Every message of feedsim.v1 as a Struct: what a client may ask (tagged by `op`) and what a server says (by `type`).

The JSON Schema and the AsyncAPI document are generated from these classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from feedsim.config import LEAST_SPEED, MOST_SPEED
from feedsim.events import L1, L2, Bar, Context, Footprint, Leadership, Profile, Status, Trade, Truth

PROTOCOL = 1
JSON_SUBPROTOCOL = "feedsim.v1.json"
MSGPACK_SUBPROTOCOL = "feedsim.v1.msgpack"

AnyEvent = Status | Bar | Footprint | Profile | Context | Leadership | Truth | Trade | L1 | L2

TimeUnit = Literal["ms", "us", "ns"]
Policy = Literal["skip", "wait", "disconnect"]
StepUnit = Literal["event", "trade", "bar"]
PlayState = Literal["playing", "paused", "ended"]

Id = Annotated[int, Meta(description="the client's number for a request; the answer repeats it")]
LAST_MS = 7_258_118_400_000  # the year 2200

Speed = Annotated[float, Meta(ge=LEAST_SPEED, le=MOST_SPEED, description="times real time")] | Literal["max"]
Moment = Annotated[int, Meta(ge=0, le=LAST_MS, description="epoch milliseconds")]
Micros = Annotated[int, Meta(description="microseconds since the epoch, by the server's wall clock")]


# ------------------------------------------------------------------------------------------------- what a client says


class Request(msgspec.Struct, tag_field="op", forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What all requests have."""

    id: Id | None = None


class Auth(Request, tag="auth", kw_only=True):
    """Needed only if the server has a token; an `Authorization: Bearer …` header does as well."""

    token: str


class Subscribe(Request, tag="subscribe", kw_only=True):
    """Add streams; the other options become those of the whole subscription."""

    channels: Annotated[tuple[str, ...], Meta(max_length=64)] = ("*",)
    symbols: Annotated[tuple[str, ...], Meta(max_length=64)] = ("*",)
    tf_s: Annotated[tuple[int, ...], Meta(max_length=64)] | None = None
    depth: Annotated[int, Meta(ge=1, le=20)] = 10
    conflate_ms: Annotated[int, Meta(ge=0, le=60_000)] = 0
    ts: TimeUnit = "ms"
    batch: bool = True
    policy: Policy | None = None
    from_seq: Annotated[int, Meta(ge=0)] | None = None


class Unsubscribe(Request, tag="unsubscribe", kw_only=True):
    """Take streams away."""

    channels: Annotated[tuple[str, ...], Meta(max_length=64)] = ("*",)
    symbols: Annotated[tuple[str, ...], Meta(max_length=64)] = ("*",)


class History(Request, tag="history", kw_only=True):
    """What one stream told before now, so that a bot can warm up."""

    channel: str
    symbol: str
    tf_s: int | None = None
    count: Annotated[int, Meta(ge=1, le=5000)] = 500
    ts: TimeUnit = "ms"


class Replay(Request, tag="replay", kw_only=True):
    """Open a private session; its clock starts at its first subscribe."""

    source: str | None = None
    speed: Speed = 1.0
    start: Moment | None = None
    end: Moment | None = None
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None


class ReplayPause(Request, tag="replay.pause", kw_only=True):
    """Stop the clock."""


class ReplayResume(Request, tag="replay.resume", kw_only=True):
    """Let the clock go on."""


class ReplayStop(Request, tag="replay.stop", kw_only=True):
    """End a private session and go back to the live one."""


class ReplaySpeed(Request, tag="replay.speed", kw_only=True):
    """Change the speed from now on."""

    speed: Speed


class ReplaySeek(Request, tag="replay.seek", kw_only=True):
    """Go to a session time; opens a new epoch."""

    ts: Moment


class ReplayStep(Request, tag="replay.step", kw_only=True):
    """Pause, then tell the next events."""

    count: Annotated[int, Meta(ge=1, le=100_000)] = 1
    unit: StepUnit = "event"


class ReplayJump(Request, tag="replay.jump", kw_only=True):
    """Seek to the next regular opening (09:30 New York time)."""

    to: Literal["open"]


class Resume(Request, tag="resume", kw_only=True):
    """Reattach to a session after a lost connection; then subscribe with `from_seq`."""

    session_id: str
    epoch: int
    seq: Annotated[int, Meta(ge=0)]


class Ping(Request, tag="ping", kw_only=True):
    """Answered at once by pong."""


AnyRequest = (
    Auth
    | Subscribe
    | Unsubscribe
    | History
    | Replay
    | ReplayPause
    | ReplayResume
    | ReplayStop
    | ReplaySpeed
    | ReplaySeek
    | ReplayStep
    | ReplayJump
    | Resume
    | Ping
)
Control = ReplayPause | ReplayResume | ReplayStop | ReplaySpeed | ReplaySeek | ReplayStep | ReplayJump


# ------------------------------------------------------------------------------------------------- what a server says


class ClockInfo(msgspec.Struct):
    """The session's clock: `ts` in epoch milliseconds of session time, before any rebase."""

    ts: int
    speed: float | Literal["max"]
    state: PlayState


class Message(msgspec.Struct, tag_field="type", kw_only=True):
    """What all of a server's messages have: a type."""


class Welcome(Message, tag="welcome", kw_only=True):
    """The first message, and the answer to replay, replay.stop and resume: the session that is now attached."""

    id: Id | None = None
    protocol: int
    server: str
    session_id: str
    epoch: int
    seq: int
    controllable: bool
    auth_required: bool
    channels: list[str]
    symbols: list[str]
    tf_s: list[int]
    ticks: dict[str, float]
    sources: list[str]
    clock: ClockInfo
    rebase_ms: int
    heartbeat_s: float


class Subscribed(Message, tag="subscribed", kw_only=True):
    """The whole subscription as it now is; live events follow `seq`."""

    id: Id | None = None
    channels: list[str]
    symbols: list[str]
    streams: list[tuple[str, str]]
    tf_s: list[int] | None
    depth: int
    conflate_ms: int
    ts: TimeUnit
    batch: bool
    policy: Policy
    epoch: int
    seq: int


class Events(Message, tag="events", kw_only=True):
    """What was due in one wake-up."""

    sent: Micros
    events: Sequence[AnyEvent]


class Snapshot(Message, tag="snapshot", kw_only=True):
    """The newest l1, l2, context, profile, status and bar of the subscription as of `seq`."""

    epoch: int
    seq: int
    events: Sequence[AnyEvent]


class HistoryAnswer(Message, tag="history", kw_only=True):
    """Oldest first. Events from before the session's start have seq 0 and n 0."""

    id: Id | None = None
    events: Sequence[AnyEvent]


class Heartbeat(Message, tag="heartbeat", kw_only=True):
    """Every second: quiet and dead differ. `durable_seq` is what the recording has safely on disk."""

    seq: int
    durable_seq: int | None
    clock: ClockInfo
    sent: Micros


class Skipped(Message, tag="skipped", kw_only=True):
    """Events of one stream that this client will not get, both ends named; a snapshot follows."""

    stream: list[Any]
    first_n: int
    last_n: int
    reason: Literal["slow_consumer"]


class ReplayState(Message, tag="replay_state", kw_only=True):
    """The answer to every replay.* request; also sent when the session ends or a new epoch opens."""

    id: Id | None = None
    state: PlayState
    epoch: int
    seq: int
    clock: ClockInfo
    digest: str | None


class Pong(Message, tag="pong", kw_only=True):
    """The answer to ping."""

    id: Id | None = None
    sent: Micros


class Error(Message, tag="error", kw_only=True):
    """What was wrong with a request, and what is allowed. The connection goes on unless a close follows."""

    id: Id | None = None
    code: Literal[
        "bad_request",
        "unauthorized",
        "forbidden",
        "unknown_channel",
        "unknown_symbol",
        "unknown_source",
        "not_controllable",
        "resume_too_old",
        "limit_exceeded",
    ]
    message: str


AnyMessage = Welcome | Subscribed | Events | Snapshot | HistoryAnswer | Heartbeat | Skipped | ReplayState | Pong | Error
