"""Two encodings of the same messages, JSON and MessagePack; events also one by one, so that they can be joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from feedsim.events import Event
from feedsim.wire.messages import JSON_SUBPROTOCOL, MSGPACK_SUBPROTOCOL, AnyMessage, AnyRequest, TimeUnit

Encoding = Literal["json", "msgpack", "lines"]
"""`lines` is JSON for a pipe: every event a line, and every record of what was skipped; no other message."""

SCALE: dict[TimeUnit, int] = {"ms": 1_000_000, "us": 1_000, "ns": 1}
"""Nanoseconds in a unit of time."""

SUBPROTOCOLS: dict[str, Encoding] = {JSON_SUBPROTOCOL: "json", MSGPACK_SUBPROTOCOL: "msgpack"}


class Form(NamedTuple):
    """How an event is written: everything that its bytes depend on."""

    encoding: Encoding
    ts: TimeUnit = "ms"
    depth: int = 10


class Codec:
    """Encodes and decodes the messages of one encoding."""

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding
        self._encoder: msgspec.json.Encoder | msgspec.msgpack.Encoder
        self._requests: msgspec.json.Decoder[AnyRequest] | msgspec.msgpack.Decoder[AnyRequest]
        self._messages: msgspec.json.Decoder[AnyMessage] | msgspec.msgpack.Decoder[AnyMessage]
        if encoding == "json":
            self._encoder = msgspec.json.Encoder()
            self._requests = msgspec.json.Decoder(AnyRequest)
            self._messages = msgspec.json.Decoder(AnyMessage)
        else:
            self._encoder = msgspec.msgpack.Encoder()
            self._requests = msgspec.msgpack.Decoder(AnyRequest)
            self._messages = msgspec.msgpack.Decoder(AnyMessage)

    def encode(self, message: msgspec.Struct) -> bytes:
        return self._encoder.encode(message)

    def encode_events(self, events: Sequence[Event]) -> list[bytes]:
        """Each event on its own."""
        return list(map(self._encoder.encode, events))

    def encode_together(self, events: Sequence[Event]) -> bytes:
        """All events as one list: a third cheaper than each on its own, and not to be taken apart."""
        return self._encoder.encode(events)

    def decode_request(self, data: str | bytes) -> AnyRequest:
        """Raises msgspec.MsgspecError."""
        return self._requests.decode(as_bytes(data))

    def decode_message(self, data: str | bytes) -> AnyMessage:
        """Raises msgspec.MsgspecError."""
        return self._messages.decode(as_bytes(data))


def as_bytes(data: str | bytes) -> bytes:
    """A text or binary frame's payload. Raises UnicodeError for text that is not UTF-8."""
    return data.encode() if isinstance(data, str) else data


CODECS: dict[Encoding, Codec] = {"json": Codec("json"), "msgpack": Codec("msgpack"), "lines": Codec("json")}
