"""Clients that only take what comes, in a C program of their own, so that they are never what holds a server up."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from benchmarks.native import program
from feedsim.wire.codec import Encoding
from feedsim.wire.messages import JSON_SUBPROTOCOL, MSGPACK_SUBPROTOCOL, Subscribe


class Taken(msgspec.Struct, kw_only=True):
    """What all clients together took since `forget`: events and frames of events; waits are from their `sent` stamp."""

    bytes: int
    messages: int
    """Of any kind."""
    frames: int
    events: int
    seconds: float
    """From the first frame to the last byte."""
    p50_us: int
    p99_us: int
    p999_us: int


class Sink:
    """The running program."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def forget(self) -> None:
        self._order("r")

    def taken(self) -> Taken:
        self._order("s")
        assert self._process.stdout is not None
        return msgspec.json.decode(self._process.stdout.readline(), type=Taken)

    def _order(self, letter: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(letter)
        self._process.stdin.flush()


@contextmanager
def sinking(
    port: int, clients: int, channels: Sequence[str] | None, *, encoding: Encoding = "json", plain: bool = False
) -> Iterator[Sink]:
    """So many clients of these channels (None: they ask for nothing); `plain`: of a server without subprotocols."""
    subprotocol = "-" if plain else {"json": JSON_SUBPROTOCOL, "msgpack": MSGPACK_SUBPROTOCOL}[encoding]
    codec = msgspec.json if encoding == "json" else msgspec.msgpack
    subscribe = "-" if channels is None else codec.encode(Subscribe(channels=tuple(channels)))
    command = [program("sink"), str(port), str(clients), subprotocol, subscribe]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the clients could not connect")
        yield Sink(process)
    finally:
        process.communicate()
