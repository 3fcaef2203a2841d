"""Every message of feedsim.v1 as a Struct: what a client may ask (tagged by `op`) and what a server says (by `type`).

The JSON Schema and the AsyncAPI document are generated from these classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from feedsim.config import LEAST_SPEED, MOST_SPEED
from feedsim.events import L1, L2, Bar, Context, Event, Footprint, Leadership, Mbo, Profile, Status, Trade, Truth

PROTOCOL = 1
JSON_SUBPROTOCOL = "feedsim.v1.json"
MSGPACK_SUBPROTOCOL = "feedsim.v1.msgpack"

AnyEvent = Status | Bar | Footprint | Profile | Context | Leadership | Truth | Mbo | Trade | L1 | L2

TimeUnit = Literal["ms", "us", "ns"]
Policy = Literal["skip", "wait", "disconnect"]
StepUnit = Literal["event", "trade", "bar"]
PlayState = Literal["playing", "paused", "ended"]
Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit", "stop", "stop_limit"]
TimeInForce = Literal["day", "gtc", "ioc", "fok"]
OrderState = Literal["new", "partially_filled", "filled", "cancelled", "replaced", "rejected", "expired"]

# Wide enough for every order that a venue could want to refuse with its own words; no infinity, no NaN.
OrderPrice = Annotated[float, Meta(ge=-1e9, le=1e9, description="in index points")]
Quantity = Annotated[float, Meta(ge=-1e9, le=1e9, description="contracts")]
Root = Annotated[str, Meta(max_length=32)]
ClientOrderId = Annotated[str, Meta(min_length=1, max_length=64, description="the client's name for an order")]
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
    account: str | None = None
    """The account of before, as welcome named it."""
    account_n: Annotated[int, Meta(ge=0)] | None = None
    """The last private event that came; all after it are sent again."""


class Ping(Request, tag="ping", kw_only=True):
    """Answered at once by pong."""

    seen_seq: Annotated[int, Meta(ge=0, description="time this as an order that reacts to that event")] | None = None


class Ack(Request, tag="ack", kw_only=True):
    """Lock-step only: everything up to now is dealt with, the clock may go on; by the server's step without a time."""

    until: Moment | None = None


class Bracket(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Where an order's fills are to be closed again; what one of the two closes, the other leaves alone."""

    stop_loss: OrderPrice | None = None
    take_profit: OrderPrice | None = None


class OrderNew(Request, tag="order.new", kw_only=True):
    """Send an order. The answer is an `order` event: new, or rejected with a code and a sentence.

    An order with a `client_order_id` that was used before is not entered again: its state is told again.
    """

    client_order_id: ClientOrderId
    symbol: Root
    side: Side
    type: OrderType = "market"
    quantity: Quantity
    price: OrderPrice | None = None
    stop_price: OrderPrice | None = None
    tif: TimeInForce = "day"
    post_only: bool = False
    reduce_only: bool = False
    bracket: Bracket | None = None
    seen_seq: Annotated[int, Meta(ge=0, description="the seq of the event that the order reacts to")] | None = None


class OrderReplace(Request, tag="order.replace", kw_only=True):
    """Change an open order. Less quantity at the same price keeps its place in the queue, all else loses it."""

    client_order_id: ClientOrderId
    quantity: Quantity | None = None
    price: OrderPrice | None = None
    stop_price: OrderPrice | None = None
    seen_seq: Annotated[int, Meta(ge=0)] | None = None


class OrderCancel(Request, tag="order.cancel", kw_only=True):
    """Take an open order out."""

    client_order_id: ClientOrderId
    seen_seq: Annotated[int, Meta(ge=0)] | None = None


class CancelAll(Request, tag="order.cancel_all", kw_only=True):
    """Take all open orders out, or those of one symbol."""

    symbol: Root | None = None


class Flatten(Request, tag="flatten", kw_only=True):
    """Take all open orders out and close all positions at the market, or those of one symbol."""

    symbol: Root | None = None


class AccountQuery(Request, tag="account", kw_only=True):
    """Answered by an `account` event; before it, on `orders`, every open order and position."""

    orders: bool = False
    cancel_on_disconnect: bool | None = None
    """Set it: open orders go when this account's last connection does."""


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
    | Ack
    | OrderNew
    | OrderReplace
    | OrderCancel
    | CancelAll
    | Flatten
    | AccountQuery
)
AnyOrder = OrderNew | OrderReplace | OrderCancel | CancelAll | Flatten | AccountQuery
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
    account: str | None = None
    """This connection's account, a secret between it and the server; None where nobody may trade."""
    lockstep: bool = False
    """The clock waits for acks."""


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
    """What was due in one wake-up, or what the account has to hear."""

    sent: Micros
    events: Sequence[AnyEvent | AnyPrivate]

    @property
    def of_the_tape(self) -> list[Event]:
        """Without what only the account's owner hears."""
        return [event for event in self.events if isinstance(event, Event)]


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


class Stepped(Message, tag="stepped", kw_only=True):
    """Lock-step only: everything before `ts` (epoch ms, before any rebase) was told; the clock waits for an ack."""

    ts: int
    seq: int
    reason: Literal["until", "traded"]


class Pong(Message, tag="pong", kw_only=True):
    """The answer to ping."""

    id: Id | None = None
    sent: Micros


class Private(Message, kw_only=True):
    """What only the account's owner hears, in `events` frames. It has no place on the tape: it follows `after_seq`."""

    n: Annotated[int, Meta(description="position among the account's private events, from 1")]
    after_seq: Annotated[int, Meta(description="the last event of the session before it")]
    ts: Annotated[int, Meta(description="session time, in the unit that was subscribed to")]


class OrderEvent(Private, tag="order", kw_only=True):
    """What became of an order; `id` is the request that it answers."""

    id: Id | None = None
    client_order_id: str
    symbol: str
    side: Side
    order_type: OrderType
    state: OrderState
    quantity: float
    filled: int = 0
    remaining: int = 0
    price: float | None = None
    stop_price: float | None = None
    tif: TimeInForce = "day"
    triggered: bool = False
    """A stop that is at work now as a market or limit order."""
    parent: str | None = None
    """The order whose bracket this one belongs to."""
    reason: str = ""
    """A code, where it was rejected, cancelled or has expired."""
    message: str = ""


class FillEvent(Private, tag="fill", kw_only=True):
    """A part of an order that traded; `fee` in dollars."""

    client_order_id: str
    symbol: str
    fill_id: int
    side: Side
    price: float
    quantity: int
    fee: float
    liquidity: Literal["maker", "taker"]


class PositionEvent(Private, tag="position", kw_only=True):
    """A symbol's position after a fill or a change of day; money in dollars."""

    symbol: str
    quantity: int
    average_price: float | None
    realized: float
    unrealized: float
    fees: float


class AccountEvent(Private, tag="account", kw_only=True):
    """The account as it stands; money in dollars."""

    id: Id | None = None
    account: str
    state: Literal["active", "closing_only"]
    balance: float
    """Cash: what was paid in, and what was realised less fees."""
    equity: float
    """And what is not realised yet."""
    realized: float
    unrealized: float
    fees: float
    margin: float
    """Held for the positions and open orders."""
    free: float
    """Left for more."""
    reason: str = ""


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
        "order_rejected",
    ]
    message: str


AnyPrivate = OrderEvent | FillEvent | PositionEvent | AccountEvent
AnyMessage = (
    Welcome
    | Subscribed
    | Events
    | Snapshot
    | HistoryAnswer
    | Heartbeat
    | Skipped
    | ReplayState
    | Stepped
    | Pong
    | Error
)
