"""The real server in a process of its own: `python -m feedsim serve …` on a free port, ended by SIGTERM.

Whoever starts one gets its port from the line it prints when it is ready, and an error with all that it printed if it
does not get there or does not end as it should.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
READY = re.compile(r"feedsim serving ws://(?P<host>\S+):(?P<port>\d+)")
START_S = 60.0  # a cold numba cache on a busy machine
END_S = 10.0  # twice what the server promises


@dataclass
class RunningServer:
    """A server that accepts connections."""

    process: subprocess.Popen[str]
    port: int = 0
    killed: bool = False
    printed: list[str] = field(default_factory=list)
    """Both streams, line by line, so far; all of it once the server has ended."""
    reader: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        return "".join(self.printed)

    def terminate(self) -> int:
        """Send SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(END_S)
        if self.reader is not None:
            self.reader.join()
        return code

    def kill(self) -> None:
        """End it as a crash would; this is then how it has to end."""
        self.killed = True
        self.process.kill()
        self.process.wait()


def gateway_of(server: RunningServer) -> str:
    """`port=…` of a server's Databento gateway, as it has greeted with."""
    deadline = time.monotonic() + START_S
    while (match := re.search(r"databento\.Live\(.*\b(port=\d+)\)", server.output)) is None:
        assert time.monotonic() < deadline, server.output
        time.sleep(0.01)
    return match[1]


@contextmanager
def running(command: Sequence[str], *, env: Mapping[str, str] | None = None) -> Iterator[RunningServer]:
    """Start a command that serves and wait until it is ready; at the end it must exit with 0 on SIGTERM.

    Raises AssertionError with what it printed.
    """
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
    )
    server, ready = RunningServer(process), threading.Event()
    reader = threading.Thread(target=_read, args=(server, ready), daemon=True)
    server.reader = reader
    reader.start()
    try:
        ready.wait(START_S)
        assert server.port, f"{' '.join(command)} did not start:\n{server.output}"
        yield server
        code = process.returncode if process.poll() is not None else server.terminate()
        assert code == 0 or server.killed, f"exit code {code} after SIGTERM:\n{server.output}"
    except subprocess.TimeoutExpired:
        raise AssertionError(f"still running {END_S} s after SIGTERM:\n{server.output}") from None
    finally:
        process.kill()
        process.wait()
        reader.join()
        assert process.stdout is not None
        process.stdout.close()


def _read(server: RunningServer, ready: threading.Event) -> None:
    assert server.process.stdout is not None
    for line in server.process.stdout:
        server.printed.append(line)
        if match := READY.search(line):
            server.port = int(match["port"])
            ready.set()
    ready.set()  # it ended: nobody needs to wait any longer


def serving(*arguments: str, port: int = 0) -> list[str]:
    """The command line of a server on a free port."""
    return [sys.executable, "-m", "feedsim", "serve", *arguments, "--port", str(port)]


ServerFactory = Callable[..., RunningServer]


@pytest.fixture
def feedsim_server() -> Iterator[ServerFactory]:
    """Call it with what follows `feedsim serve`; every server is ended, and its exit code checked, after the test."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"}
    with ExitStack() as stack:

        def start(*arguments: str, port: int = 0) -> RunningServer:
            return stack.enter_context(running(serving(*arguments, port=port), env=environment))

        yield start
