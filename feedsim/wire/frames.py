"""WebSocket data frames built once for a whole audience: a header, a batch of encoded events, ready to be written.
For a pipe they are lines instead.

Server frames are not masked and no extension is negotiated, so a frame is its header and its payload (RFC 6455 §5.2).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from feedsim.wire.codec import Encoding

MAX_EVENTS = 1000
MAX_BYTES = 256 * 1024 - 2048  # of events in a frame: the envelope and the commas fit in the rest

_OPCODE: dict[Encoding, int] = {"json": 0x81, "msgpack": 0x82}  # FIN and text, FIN and binary


def frame(payload: bytes, encoding: Encoding) -> bytes:
    """One whole message as one frame, or as a line."""
    if encoding == "lines":
        return payload + b"\n"
    return _header(len(payload), encoding) + payload


def event_frames(items: Sequence[bytes], sent_us: int, encoding: Encoding, *, batch: bool = True) -> bytes:
    """Encoded events as frames, back to back: as few as the limits allow, or one for each event."""
    if encoding == "lines":
        return b"\n".join([*items, b""])
    build = _json_payload if encoding == "json" else _msgpack_payload
    parts = _batches(items) if batch else ([item] for item in items)
    return b"".join([frame(build(part, sent_us), encoding) for part in parts])


def joined_frame(joined: bytes, sent_us: int, encoding: Encoding) -> bytes:
    """One frame of events that were encoded together, as a list."""
    if encoding == "json":
        payload = b'{"type":"events","sent":%d,"events":%b}' % (sent_us, joined)
    else:
        payload = b"".join((_MSGPACK_HEAD, struct.pack(">Q", sent_us), _MSGPACK_EVENTS, joined))
    return frame(payload, encoding)


def _batches(items: Sequence[bytes]) -> list[Sequence[bytes]]:
    if len(items) <= MAX_EVENTS and sum(map(len, items)) <= MAX_BYTES:
        return [items]
    batches = []
    start = size = 0
    for index, item in enumerate(items):
        if index > start and (index - start == MAX_EVENTS or size + len(item) > MAX_BYTES):
            batches.append(items[start:index])
            start, size = index, 0
        size += len(item)
    return [*batches, items[start:]]


def _json_payload(items: Sequence[bytes], sent_us: int) -> bytes:
    return b'{"type":"events","sent":%d,"events":[%b]}' % (sent_us, b",".join(items))


_MSGPACK_HEAD = b"\x83\xa4type\xa6events\xa4sent\xcf"  # a map of 3; `sent` as uint64
_MSGPACK_EVENTS = b"\xa6events"


def _msgpack_payload(items: Sequence[bytes], sent_us: int) -> bytes:
    count = len(items)
    array = bytes((0x90 | count,)) if count < 16 else b"\xdc" + struct.pack(">H", count)
    return b"".join((_MSGPACK_HEAD, struct.pack(">Q", sent_us), _MSGPACK_EVENTS, array, *items))


def _header(length: int, encoding: Encoding) -> bytes:
    first = _OPCODE[encoding]
    if length < 126:
        return bytes((first, length))
    if length < 1 << 16:
        return struct.pack(">BBH", first, 126, length)
    return struct.pack(">BBQ", first, 127, length)
