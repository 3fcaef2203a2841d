"""`feedsim doctor` and `feedsim bench`."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from feedsim.cli import machine
from tests.cli.calls import CommandLine


def test_doctor_looks_at_everything(feedsim: CommandLine) -> None:
    """Every check has a line; with a free port nothing fails here."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    said = feedsim("doctor", "--port", str(port))
    assert said.code == 0, said.out
    for name in (
        "Python",
        "packages",
        "cores",
        "clock",
        "event loop",
        "timer",
        "numba cache",
        "open files",
        "wake-ups",
    ):
        assert name in said.out


def test_doctor_says_where_time_comes_from(
    feedsim: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clock source and timer slack, where the system tells them, with advice where they are poor."""
    for name, said in (("CLOCK_SOURCE", "hpet\n"), ("TIMER_SLACK", "2000000\n")):
        (tmp_path / name).write_text(said)
        monkeypatch.setattr(f"feedsim.lab.machine.{name}", tmp_path / name)
    poor = feedsim("doctor").out
    assert "boot with clocksource=tsc" in poor
    assert re.search(r"note +timer slack +2.0 ms", poor)
    for name, said in (("CLOCK_SOURCE", "tsc\n"), ("TIMER_SLACK", "50000\n")):
        (tmp_path / name).write_text(said)
    good = feedsim("doctor").out
    assert re.search(r"ok +clock source +tsc", good)
    assert re.search(r"ok +timer slack +50.0 µs", good)
    for name in ("CLOCK_SOURCE", "TIMER_SLACK"):
        (tmp_path / name).unlink()
    assert "timer slack" not in feedsim("doctor").out


def test_doctor_says_that_a_port_is_taken(feedsim: CommandLine) -> None:
    """A server could not start: exit code 1, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = feedsim("doctor", "--port", str(taken.getsockname()[1]))
    assert said.code == 1
    assert "fail" in said.out
    assert "feedsim serve --port takes another one" in said.out


def test_bench_measures_each_part(recording: Path, feedsim: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Source, generator, clock and server each have their figures."""
    monkeypatch.setattr(machine, "BUDGET_S", 0.1)
    said = feedsim("bench", str(recording), "--clients", "2", "--speed", "5")
    assert said.code == 0, said.err
    for name in ("events out of the source", "feedsim.replay at max", "late at 1,000", "sent to each of 2 clients"):
        assert name in said.out


def test_bench_of_nothing(feedsim: CommandLine) -> None:
    """A source that is not there is refused before anything is measured."""
    assert "no such file or folder" in feedsim.refused("bench", "/no/such/place")
