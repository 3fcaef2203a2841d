"""Servers in processes of their own, what they cost, and what they say of themselves."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
# As on a user's machine, compiled modules are kept.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": ""}


class Server:
    """A process that serves on a port."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.pid = process.pid
        self.port = port
        self._process = psutil.Process(process.pid)

    def cpu_s(self) -> float:
        """Processor time so far, in user and system mode, over all threads; to the nanosecond where Linux tells it."""
        if sys.platform == "linux":
            return time.clock_gettime((~self.pid << 3) | 2)  # the number of another process's CPU clock, as in libc
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def rss_mib(self) -> float:
        return float(self._process.memory_info().rss) / 2**20

    def metrics(self) -> dict[str, float]:
        """The samples of /metrics by name and labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as page:
            return dict(_samples(page.read().decode()))


def _samples(page: str) -> Iterator[tuple[str, float]]:
    for line in page.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            yield name, float(value)


def run_feedsim(*arguments: str) -> None:
    """Another command of feedsim, to its end."""
    command = [sys.executable, "-m", "feedsim", *arguments]
    subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)


@contextmanager
def feedsim(*arguments: str) -> Iterator[Server]:
    """`feedsim serve` with these arguments, on a free port."""
    with serving([sys.executable, "-m", "feedsim", "serve", *arguments, "--port", "0"]) as server:
        yield server


@contextmanager
def serving(command: list[str], *, environment: Mapping[str, str] = ENVIRONMENT) -> Iterator[Server]:
    """A command that prints ws://host:port once it serves; ended at the end."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stderr is not None
        printed = ""
        for line in process.stderr:
            printed += line
            if match := re.search(r"ws://127\.0\.0\.1:(\d+)", line):
                break
        else:
            raise RuntimeError(printed)
        yield Server(process, int(match[1]))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()
