"""The bytes that a server sends for a stream, prebuilt: what the rivals send, so that all of them send the same."""

from __future__ import annotations

import struct
from itertools import groupby
from pathlib import Path

from feedsim.app.opening import open_tape
from feedsim.config import SourceSettings
from feedsim.wire.codec import CODECS, Encoding
from feedsim.wire.frames import MAX_EVENTS, event_frames

STAMP = 1_755_783_000_000_000  # any `sent`: who sends puts in its own


def records(source: Path, out: Path, *, channel: str, encoding: Encoding = "json", joined: bool = False) -> Path:
    """A channel of a source as records for the C sender: the events of one time in one frame, or (`joined`) all in
    frames as full as they may be, as they leave at speed max.

    A record is: due (µs since the first, 8 bytes), length of the frame, length of its head (4 bytes each), the frame.
    """
    items, times_us = _encoded(source, channel, encoding)
    with out.open("wb") as file:
        if joined:
            for at in range(0, len(items), MAX_EVENTS):
                file.write(_record(0, items[at : at + MAX_EVENTS], encoding))
        else:
            for due_us, group in groupby(zip(times_us, items, strict=True), key=lambda pair: pair[0]):
                file.write(_record(due_us - times_us[0], [item for _, item in group], encoding))
    return out


def frames_alone(source: Path, out: Path) -> Path:
    """The frames of a file of records, without the records."""
    data = source.read_bytes()
    with out.open("wb") as file:
        at = 0
        while at < len(data):
            _, length, _ = struct.unpack_from("<qII", data, at)
            file.write(data[at + 16 : at + 16 + length])
            at += 16 + length
    return out


def _record(due_us: int, items: list[bytes], encoding: Encoding) -> bytes:
    frame = event_frames(items, STAMP, encoding)
    head = {126: 4, 127: 10}.get(frame[1], 2)
    return struct.pack("<qII", due_us, len(frame), head) + frame


def _encoded(source: Path, channel: str, encoding: Encoding) -> tuple[list[bytes], list[int]]:
    tape = open_tape(SourceSettings(source=str(source), bar_tf_s=(60,)))
    items: list[bytes] = []
    times_us: list[int] = []
    while (chunk := tape.advance(8192)) is not None:
        if channel in chunk.tables:
            part = chunk.tables[channel]
            items += CODECS[encoding].encode_events(part.events(scale=1_000_000))
            times_us += (part.table.avail // 1000).tolist()
    tape.close()
    return items, times_us
