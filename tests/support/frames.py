"""WebSocket frames read by the parser of `websockets`, which knows RFC 6455 and nothing of ours."""

from __future__ import annotations

from collections.abc import Generator

from websockets.frames import Frame
from websockets.streams import StreamReader


def parsed(data: bytes) -> list[Frame]:
    """All frames in some bytes, by another implementation; nothing may be left over."""
    reader = StreamReader()
    reader.feed_data(data)
    frames = []
    while reader.buffer:
        frames.append(_finished(Frame.parse(reader.read_exact, mask=False)))
    return frames


def _finished(parse: Generator[None, None, Frame]) -> Frame:
    try:
        while True:
            next(parse)
    except StopIteration as done:
        frame: Frame = done.value
        return frame
