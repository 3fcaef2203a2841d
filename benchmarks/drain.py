"""One client in Python that has subscribed and is read by whoever asked for it; for many that only take, see sink."""

from __future__ import annotations

import socket

from websockets.frames import Frame, Opcode

HANDSHAKE = (
    "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SUBSCRIBE = '{{"op":"subscribe","id":1,"channels":[{channels}]}}'


def connect(port: int, channels: list[str]) -> socket.socket:
    """A WebSocket that has subscribed."""
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(HANDSHAKE.format(port=port).encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(65536)
    subscribe = SUBSCRIBE.format(channels=",".join(f'"{channel}"' for channel in channels))
    client.sendall(Frame(Opcode.TEXT, subscribe.encode()).serialize(mask=True, extensions=[]))
    client.setblocking(False)
    return client
