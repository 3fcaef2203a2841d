"""A server that can be looked into, and a C program that is hundreds of its clients and checks every n."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import pytest

from tests.support.server import REPOSITORY

SOURCE = Path(__file__).with_name("sink.c")
COMPILER = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
needs_compiler = pytest.mark.skipif(
    COMPILER is None or sys.platform != "linux", reason="the clients are a C program for Linux: no cc here"
)


class Row(NamedTuple):
    """One stream of one client: what came, what was named as lost, from which n to which, and what was out of order."""

    kind: str
    client: int
    channel: str
    symbol: str
    received: int
    skipped: int
    first: int
    last: int
    bad: int


class Sink:
    """The clients, once they have all subscribed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def _say(self, line: str) -> IO[str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout

    def release(self) -> None:
        """Slow and stalled clients read as the healthy ones do from now on."""
        self._say("release")

    def leave(self) -> None:
        """All clients go."""
        assert self._say("leave").readline() == "left\n"

    def report(self) -> list[Row]:
        rows: list[Row] = []
        for line in self._say("report"):
            if line == "end\n":
                return rows
            kind, client, channel, symbol, *numbers = line.split()
            rows.append(Row(kind, int(client), channel, symbol, *map(int, numbers)))
        raise AssertionError(f"the clients have ended: {self._errors()}")

    def _errors(self) -> str:
        assert self._process.stderr is not None
        return self._process.stderr.read()

    def wait_until_ready(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", self._errors()


@pytest.fixture(scope="session")
def sink_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert COMPILER is not None
    program = tmp_path_factory.mktemp("sink") / "sink"
    subprocess.run([COMPILER, "-O2", "-o", program, SOURCE], check=True)
    return program


@contextmanager
def sinking(program: Path, port: int, *, healthy: int, slow: int, stalled: int) -> Iterator[Sink]:
    pipe = subprocess.PIPE
    command = [str(program), str(port), str(healthy), str(slow), str(stalled)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            sink = Sink(process)
            sink.wait_until_ready()
            yield sink
        finally:
            process.kill()


class Inside(NamedTuple):
    """What a server has at one moment."""

    tasks: int
    descriptors: int
    rss: int
    """Bytes."""
    published: int
    """Events that were told."""
    clients: int
    buffered: int
    """Bytes that waited for all clients together at most, so far."""


class Watched:
    """A server in a process of its own that says what it has."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self._process = process
        self.port = port

    def ask(self, what: str = "look") -> Inside:
        """`pause` first stops the live session's clock, `collect` collects garbage."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()
        return Inside(**json.loads(self._process.stdout.readline()))


@contextmanager
def watched(**settings: object) -> Iterator[Watched]:
    """See tests/load/watched.py."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "tests.load.watched", json.dumps(settings)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=REPOSITORY) as process:
        try:
            assert process.stdout is not None
            yield Watched(process, int(process.stdout.readline()))
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(30) == 0
        finally:
            process.kill()
