"""Clients that take everything and look at nothing: `python -m benchmarks.drain PORT CLIENTS CHANNELS`.

They are cheap enough that a hundred of them in one process do not hold a server up. Prints `ready` when all have
subscribed, and ends when its input does.
"""

from __future__ import annotations

import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from websockets.frames import Frame, Opcode

from benchmarks.processes import ENVIRONMENT

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


def drain(clients: list[socket.socket]) -> None:
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    for client in clients:
        selector.register(client, selectors.EVENT_READ)
    buffer = bytearray(1 << 20)
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                return
            assert isinstance(key.fileobj, socket.socket)
            if not key.fileobj.recv_into(buffer):
                selector.unregister(key.fileobj)


@contextmanager
def draining(port: int, clients: int, channels: list[str]) -> Iterator[None]:
    """So many clients in a process of their own."""
    command = [sys.executable, "-m", "benchmarks.drain", str(port), str(clients), ",".join(channels)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.communicate()


if __name__ == "__main__":
    everyone = [connect(int(sys.argv[1]), sys.argv[3].split(",")) for _ in range(int(sys.argv[2]))]
    print("ready", flush=True)
    drain(everyone)
