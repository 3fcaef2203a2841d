"""The server's side of one connection, without any I/O: bytes in, requests that may be obeyed or errors out.

It knows what the client may ask for and what it has subscribed to. Obeying a request is left to the caller.
"""

from __future__ import annotations

import hmac
import reprlib
from dataclasses import dataclass, replace
from typing import get_args

import msgspec

from feedsim.errors import ProtocolError
from feedsim.events import CHANNELS, StreamKey
from feedsim.wire.codec import CODECS, Encoding, Form, as_bytes
from feedsim.wire.messages import (
    Ack,
    AnyOrder,
    AnyRequest,
    Auth,
    Control,
    History,
    Ping,
    Policy,
    Replay,
    ReplayStop,
    Subscribe,
    TimeUnit,
    Unsubscribe,
)

OPT_IN = ("truth", "mbo")  # never part of "*": answers must not leak into what a bot trades on, and orders are many
RATE = 100.0  # requests a second that a client may send for long
BURST = 200.0  # and at once
REFUSED_IN_A_ROW = 200  # requests above the rate after which the connection ends
ORDERS = frozenset(get_args(AnyOrder))  # to look a type up takes a tenth of asking a union for it


@dataclass(frozen=True, slots=True)
class Offer:
    """What the attached session has, and what this client may do with it."""

    channels: tuple[str, ...]
    symbols: tuple[str, ...]
    tf_s: tuple[int, ...]
    sources: tuple[str, ...]
    controllable: bool
    may_wait: bool
    """True where a slow client may hold the clock: in a private session and at speed max."""
    default_policy: Policy = "skip"
    trading: bool = False
    lockstep: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one client gets and how. Equal subscriptions of one encoding are one audience."""

    streams: frozenset[tuple[str, str]] = frozenset()
    """(channel, symbol) pairs."""
    tf_s: frozenset[int] | None = None
    """Lengths of bars and footprints, in seconds; None for all."""
    depth: int = 10
    conflate_ms: int = 0
    ts: TimeUnit = "ms"
    batch: bool = True
    policy: Policy = "skip"

    def wants(self, key: StreamKey) -> bool:
        if (key.channel, key.symbol) not in self.streams:
            return False
        return key.tf_s == 0 or self.tf_s is None or key.tf_s in self.tf_s

    def form(self, encoding: Encoding) -> Form:
        return Form("json" if encoding == "lines" else encoding, self.ts, self.depth)


class ServerProtocol:
    """One connection. `attach` says which session it is on; `receive` turns a frame into a request or raises."""

    def __init__(self, encoding: Encoding, offer: Offer, *, token: str | None, authorized: bool, now: float) -> None:
        self.encoding = encoding
        self.offer = offer
        self.subscription = Subscription(policy=offer.default_policy)
        self.authorized = authorized or token is None
        self._token = token
        self._codec = CODECS[encoding]
        self._allowance, self._at, self._refused = BURST, now, 0

    def attach(self, offer: Offer) -> None:
        """The client is on another session now, subscribed to nothing."""
        self.offer = offer
        self.subscription = Subscription(policy=offer.default_policy)

    def receive(self, data: str | bytes, now: float) -> AnyRequest:
        """One frame as a request that is well formed, allowed and only names what exists.

        Raises ProtocolError with the code of feedsim.v1, and with a close code where the connection must end.
        """
        if isinstance(data, str) != (self.encoding == "json"):
            kind = "text" if self.encoding == "json" else "binary"
            message = f"this connection speaks {self.encoding}: send {kind} frames"
            raise ProtocolError("bad_request", message, close_code=1003)
        request = self._decode_within_rate(data, now)
        try:
            self._check(request)
        except ProtocolError as error:
            error.id = request.id
            raise
        return request

    def subscribe(self, request: Subscribe) -> Subscription:
        """The subscription with what `request` adds; kept."""
        added = self._pairs(request.channels, request.symbols)
        self.subscription = Subscription(
            streams=self.subscription.streams | added,
            tf_s=None if request.tf_s is None else frozenset(request.tf_s),
            depth=request.depth,
            conflate_ms=request.conflate_ms,
            ts=request.ts,
            batch=request.batch,
            policy=request.policy or self.offer.default_policy,
        )
        return self.subscription

    def unsubscribe(self, request: Unsubscribe) -> Subscription:
        """The subscription with what is left; kept."""
        channels = CHANNELS if "*" in request.channels else request.channels
        symbols = self.offer.symbols if "*" in request.symbols else request.symbols
        gone = {(channel, symbol) for channel in channels for symbol in symbols}
        self.subscription = replace(self.subscription, streams=self.subscription.streams - gone)
        return self.subscription

    # --------------------------------------------------------------------------------------------------- checking

    def _limit_rate(self, now: float) -> None:
        self._allowance = min(BURST, self._allowance + (now - self._at) * RATE)
        self._at = now
        if self._allowance >= 1:
            self._allowance -= 1
            self._refused = 0
            return
        self._refused += 1
        close_code = 1008 if self._refused >= REFUSED_IN_A_ROW else None
        raise ProtocolError("limit_exceeded", f"more than {RATE:.0f} requests a second", close_code=close_code)

    def _decode_within_rate(self, data: str | bytes, now: float) -> AnyRequest:
        if not self.offer.lockstep:
            self._limit_rate(now)
            return self._decode(data)
        counted = True
        try:
            request = self._decode(data)
            counted = not isinstance(request, Ack)  # a lock-step client sets the pace itself
            return request
        finally:
            if counted:
                self._limit_rate(now)

    def _decode(self, data: str | bytes) -> AnyRequest:
        try:
            return self._codec.decode_request(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise ProtocolError("bad_request", _explain(error), id=_id_of(data, self.encoding)) from None

    def _check(self, request: AnyRequest) -> None:
        if isinstance(request, Auth):
            self._check_token(request)
        elif isinstance(request, Ping):
            return
        elif not self.authorized:
            raise ProtocolError("unauthorized", "this server wants a token: send auth first")
        elif type(request) in ORDERS:  # the first that has no time to lose
            if not self.offer.trading:
                raise ProtocolError(
                    "order_rejected", "nobody trades on this session: it was started without an exchange"
                )
        elif isinstance(request, Subscribe):
            self._check_subscribe(request)
        elif isinstance(request, Unsubscribe):
            self._pairs(request.channels, request.symbols)
        elif isinstance(request, History):
            self._check_history(request)
        elif isinstance(request, Replay):
            if request.source is not None and request.source not in self.offer.sources:
                raise ProtocolError("unknown_source", _not_among("source", request.source, self.offer.sources))
        elif isinstance(request, Ack):
            if not self.offer.lockstep:
                raise ProtocolError(
                    "bad_request", "ack is for lock-step: this session's clock does not wait for anybody"
                )
        elif isinstance(request, Control) and not self.offer.controllable:
            raise ProtocolError("not_controllable", _why_not_controllable(request))

    def _check_token(self, request: Auth) -> None:
        if self._token is not None and not hmac.compare_digest(request.token.encode(), self._token.encode()):
            raise ProtocolError("unauthorized", "the token is wrong", close_code=1008)
        self.authorized = True

    def _check_subscribe(self, request: Subscribe) -> None:
        self._pairs(request.channels, request.symbols)
        for tf_s in request.tf_s or ():
            if tf_s not in self.offer.tf_s:
                raise ProtocolError("bad_request", _not_among("tf_s", tf_s, self.offer.tf_s))
        if request.policy == "wait" and not self.offer.may_wait:
            raise ProtocolError("bad_request", "policy wait is for private sessions and for speed max")

    def _check_history(self, request: History) -> None:
        if "*" in (request.channel, request.symbol):
            raise ProtocolError("bad_request", "history is of one channel of one symbol, not of *")
        self._pairs((request.channel,), (request.symbol,))
        if request.tf_s is not None and request.tf_s not in self.offer.tf_s:
            raise ProtocolError("bad_request", _not_among("tf_s", request.tf_s, self.offer.tf_s))

    def _pairs(self, channels: tuple[str, ...], symbols: tuple[str, ...]) -> frozenset[tuple[str, str]]:
        """The streams that a request names. Raises ProtocolError for a name that nothing has."""
        for channel in channels:
            if channel != "*" and channel not in CHANNELS:
                raise ProtocolError("unknown_channel", _not_among("channel", channel, CHANNELS))
        for symbol in symbols:
            if symbol != "*" and symbol not in self.offer.symbols:
                raise ProtocolError("unknown_symbol", _not_among("symbol", symbol, self.offer.symbols))
        named = {channel for channel in channels if channel != "*"}
        if "*" in channels:
            named |= {channel for channel in CHANNELS if channel not in OPT_IN}
        return frozenset(
            (channel, symbol) for channel in named for symbol in (self.offer.symbols if "*" in symbols else symbols)
        )


def _not_among(what: str, value: object, allowed: tuple[object, ...]) -> str:
    return f"{what} {reprlib.repr(value)} is not here; there are: {', '.join(map(str, allowed)) or 'none'}"


def _why_not_controllable(request: Control) -> str:
    if isinstance(request, ReplayStop):
        return "this is the shared session; replay.stop ends private ones"
    return "the shared session is not controllable here; open a private one with op replay"


class _OnlyId(msgspec.Struct):
    id: int | None = None


def _id_of(data: str | bytes, encoding: Encoding) -> int | None:
    """The number of a request that could not be decoded, if that at least is there."""
    decode = msgspec.json.decode if encoding == "json" else msgspec.msgpack.decode
    try:
        return decode(as_bytes(data), type=_OnlyId).id
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _explain(error: Exception) -> str:
    text = str(error) or "the message is not well formed"
    if "$.op" in text or "`op`" in text:
        text = f"{text}; ops: {', '.join(OPS)}"
    return text[:500]


OPS = tuple(sorted(str(request.__struct_config__.tag) for request in AnyRequest.__args__))
