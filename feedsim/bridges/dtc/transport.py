"""A socket as a link: messages ended by a NUL byte over TCP, or text frames of a WebSocket, on the same port.

What the first bytes are decides: an HTTP request opens a WebSocket, a binary encoding request is refused in binary, as
the protocol has it, and everything else is JSON.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from feedsim.bridges.dtc.enums import Encoding
from feedsim.bridges.dtc.messages import PROTOCOL_VERSION

MAX_MESSAGE = 64 * 1024  # bytes
_ENCODING = struct.Struct("<HHii4s")  # size, type, version, encoding and "DTC", of requests and responses in binary
_REQUEST, _RESPONSE = 6, 7
_HTTP = b"GET "
SILENT_S = 10.0  # a connection that has not said by then what it speaks is closed


class Receiver(Protocol):
    """Who gets the messages."""

    def receive(self, data: bytes) -> None: ...

    def leave(self, reason: str, *, refused: str = "") -> None: ...

    def lost(self) -> None:
        """The connection is gone."""
        ...


class Transport(asyncio.Protocol):
    """One connection. `make_receiver` is told whether it is a WebSocket, once that is known."""

    def __init__(
        self,
        make_receiver: Callable[[Transport, bool], Receiver],
        *,
        admit: Callable[[Transport], bool],
        forget: Callable[[Transport], None],
        allows: Callable[[str | None], bool],
    ) -> None:
        """`admit` is asked whether the connection may stay, `forget` hears of its end; `allows`: whether a WebSocket
        may be opened from an origin (None: by no web page).
        """
        self._make_receiver, self._allows = make_receiver, allows
        self._admit, self._forget = admit, forget
        self._receiver: Receiver | None = None
        self._transport: asyncio.Transport | None = None
        self._pending = bytearray()
        self._websocket: ServerProtocol | None = None
        self._parts: list[bytes] = []

    # ------------------------------------------------------------------------------------------------------- the link

    def write(self, messages: Sequence[bytes]) -> None:
        """Whole messages, in one go."""
        assert self._transport is not None
        if self._transport.is_closing():
            return
        if self._websocket is None:
            self._transport.write(b"\0".join([*messages, b""]))
        elif self._websocket.state is OPEN:
            for message in messages:
                self._websocket.send_text(message)
            self._flush()

    def buffered(self) -> int:
        assert self._transport is not None
        return self._transport.get_write_buffer_size()

    def close(self) -> None:
        """Send what is written, then close; what a dead client does not take is thrown away after a while."""
        assert self._transport is not None
        if self._websocket is not None and self._websocket.state is OPEN:
            self._websocket.send_close(1000)
            self._flush()
        self._transport.close()
        if self.buffered():
            asyncio.get_running_loop().call_later(2.0, self._transport.abort)

    # ------------------------------------------------------------------------------------------------------ the socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        if self._admit(self):
            asyncio.get_running_loop().call_later(SILENT_S, self._end_if_silent)
        else:
            self.close()

    def _end_if_silent(self) -> None:
        if self._receiver is None:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 # asyncio's signature
        if self._receiver is not None:
            self._receiver.lost()
        self._receiver = None
        self._forget(self)

    def data_received(self, data: bytes) -> None:
        if self._websocket is not None:
            self._take_frames(data)
            return
        self._pending += data
        if self._receiver is None and not self._begin():
            return
        if self._websocket is None:
            self._split()

    def _begin(self) -> bool:
        """Find out what is spoken; whether enough is known to go on."""
        if _HTTP.startswith(bytes(self._pending[:4])) and len(self._pending) < len(_HTTP):
            return False
        if self._pending.startswith(_HTTP):
            self._websocket = ServerProtocol(max_size=MAX_MESSAGE)
            self._take_frames(bytes(self._pending))
            self._pending.clear()
            return False
        self._receiver = self._make_receiver(self, False)
        return True

    def _split(self) -> None:
        """Whole messages out of what has come."""
        self._answer_binary()
        while (end := self._pending.find(0)) >= 0:
            message = bytes(self._pending[:end])
            del self._pending[: end + 1]
            if message.strip():
                self._give(message)
        if len(self._pending) > MAX_MESSAGE and self._receiver is not None:
            self._receiver.leave(f"a message of more than {MAX_MESSAGE} bytes", refused="too big")
            self._pending.clear()

    def _answer_binary(self) -> None:
        """An encoding request in binary: JSON is spoken here, and the client may go on in it."""
        if len(self._pending) < _ENCODING.size:
            return
        size, kind, _, _, name = _ENCODING.unpack(bytes(self._pending[: _ENCODING.size]))
        if (size, kind, name) == (_ENCODING.size, _REQUEST, b"DTC\0"):
            del self._pending[: _ENCODING.size]
            assert self._transport is not None
            answer = _ENCODING.pack(_ENCODING.size, _RESPONSE, PROTOCOL_VERSION, Encoding.JSON, b"DTC\0")
            self._transport.write(answer)

    def _give(self, message: bytes) -> None:
        if self._receiver is not None:
            self._receiver.receive(message)

    # ----------------------------------------------------------------------------------------------------- WebSocket

    def _take_frames(self, data: bytes) -> None:
        assert self._websocket is not None
        self._websocket.receive_data(data)
        for event in self._websocket.events_received():
            if isinstance(event, Request):
                self._shake_hands(event)
            elif isinstance(event, Frame):
                self._take_frame(event)
        self._flush()

    def _shake_hands(self, request: Request) -> None:
        websocket = self._websocket
        assert websocket is not None
        try:
            allowed = self._allows(request.headers.get("Origin"))
            response = websocket.accept(request) if allowed else websocket.reject(403, "this origin is not allowed\n")
        except InvalidHandshake as error:
            response = websocket.reject(400, f"{error}\n")
        websocket.send_response(response)
        if websocket.state is OPEN:
            self._flush()
            self._receiver = self._make_receiver(self, True)

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._parts.append(bytes(frame.data))
            if frame.fin:
                message, self._parts = b"".join(self._parts).rstrip(b"\0"), []
                self._give(message)

    def _flush(self) -> None:
        websocket, transport = self._websocket, self._transport
        assert websocket is not None
        assert transport is not None
        parts = websocket.data_to_send()
        if data := b"".join(parts):
            transport.write(data)
        if b"" in parts:  # the library's word for the end
            transport.close()
        if websocket.close_expected() and not self.buffered():
            transport.close()
