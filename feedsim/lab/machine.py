"""What this machine can do for a feed: each check has what was found, whether it will do, and what would help."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import platform
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from feedsim.lab.lateness import Lateness, pacer_lateness, sleep_lateness
from feedsim.playback.loop import run
from feedsim.sources.numba_cache import market_folder

Verdict = Literal["ok", "note", "fail"]

NEEDED = ("numpy", "pandas", "pyarrow", "numba", "websockets", "msgspec", "msgpack", "typer", "rich", "structlog")
MANY_FILES = 2200  # 2,000 clients, and what the server itself has open
WAKE_UPS = 300
WAKE_UPS_PER_S = 1000.0
GOOD_P99_S = 0.002
CLOCK_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
SLOW_CLOCKS = ("hpet", "acpi_pm", "jiffies", "refined-jiffies")
TIMER_SLACK = Path("/proc/self/timerslack_ns")
USUAL_SLACK_S = 50e-6


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `feedsim doctor`; only `fail` means that feedsim does not work here."""

    name: str
    found: str
    verdict: Verdict = "ok"
    advice: str = ""


def checks(*, port: int) -> Iterator[Check]:
    """One after the other; the slow ones last. `port` is where a server would listen."""
    yield _python()
    yield _packages()
    yield _cores()
    yield _clock()
    yield from _clock_source()
    yield from _timer_slack()
    yield from _loop()
    yield _numba_cache()
    yield _open_files()
    yield _port(port)
    for lateness in run(_lateness()):
        yield _wake_ups(lateness)


def _python() -> Check:
    found = (
        f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"
    )
    good = sys.version_info >= (3, 11)  # told also where the package was forced onto an older one
    return Check("Python", found, "ok" if good else "fail", "" if good else "3.11 or newer is needed")


def _packages() -> Check:
    versions = {name: _version(name) for name in ("feedsim", *NEEDED)}
    missing = [name for name in NEEDED if versions[name] is None]
    found = ", ".join(f"{name} {version}" for name, version in versions.items() if version is not None)
    if missing:
        return Check("packages", found, "fail", f"missing: {', '.join(missing)}; pip install feedsim brings them")
    return Check("packages", found)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cores() -> Check:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if usable > 1:
        return Check("cores", str(usable))
    return Check("cores", str(usable), "note", "a bot on the same core delays the feed, and the feed the bot")


def _clock() -> Check:
    steps = []
    for _ in range(200):
        before = now = time.monotonic()
        while now == before:
            now = time.monotonic()
        steps.append(now - before)
    step_s = min(steps)
    good = step_s < 1e-4
    advice = "" if good else "events cannot be timed more exactly than this"
    return Check("clock", f"steps of {_time(step_s)}", "ok" if good else "note", advice)


def _clock_source() -> Iterator[Check]:
    """Linux says where its clock comes from; some sources cost a microsecond or more for each look."""
    source = _read(CLOCK_SOURCE)
    if source is not None:
        slow = source in SLOW_CLOCKS
        advice = "slow to read: boot with clocksource=tsc where the machine has a steady one" if slow else ""
        yield Check("clock source", source, "note" if slow else "ok", advice)


def _timer_slack() -> Iterator[Check]:
    """By how much Linux may delay a timer of this process, so that several fire together."""
    slack = _read(TIMER_SLACK)
    if slack is not None and slack.isdigit():
        slack_s = int(slack) / 1e9
        wide = slack_s > USUAL_SLACK_S
        advice = f"timers may be late by this much; {USUAL_SLACK_S * 1e6:.0f} µs is usual" if wide else ""
        yield Check("timer slack", _time(slack_s), "note" if wide else "ok", advice)


def _read(path: Path) -> str | None:
    """What a file of the system says; None where there is no such file."""
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _loop() -> Iterator[Check]:
    version = _version("uvloop")
    advice = "" if version else "none for this platform; asyncio's own loop is used, which is slower"
    yield Check("event loop", f"uvloop {version}" if version else "asyncio", "ok" if version else "note", advice)
    from feedsim.playback.pacing import TimerfdPacer

    async def has_timerfd() -> bool:
        try:
            TimerfdPacer(asyncio.get_running_loop()).close()
        except (OSError, AttributeError, NotImplementedError):
            return False
        return True

    there = asyncio.run(has_timerfd())
    advice = "" if there else "Linux has it; here the loop's own timer is used, which is late by up to a millisecond"
    yield Check("timer", "timerfd" if there else "the loop's own", "ok" if there else "note", advice)


def _numba_cache() -> Check:
    folder = market_folder()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            return Check("numba cache", f"{folder} can be written")
    except OSError as error:
        advice = "compiled code cannot be kept, so that every start of synthetic: takes a second longer"
        return Check("numba cache", f"{folder}: {error.strerror}", "note", advice)


def _open_files() -> Check:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return Check("open files", "no limit")
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= MANY_FILES:
        return Check("open files", f"{soft:,}" if soft != resource.RLIM_INFINITY else "no limit")
    return Check("open files", f"{soft:,}", "note", f"enough for about {soft - 100:,} clients; ulimit -n {MANY_FILES}")


def _port(port: int) -> Check:
    with socket.socket() as listener:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            return Check(f"port {port}", error.strerror or str(error), "fail", "feedsim serve --port takes another one")
    return Check(f"port {port}", "free")


async def _lateness() -> list[Lateness]:
    return [
        await sleep_lateness(per_s=WAKE_UPS_PER_S, count=WAKE_UPS),
        await pacer_lateness(per_s=WAKE_UPS_PER_S, count=WAKE_UPS),
    ]


def _wake_ups(lateness: Lateness) -> Check:
    found = f"late by {_time(lateness.p50_s)} (p50), {_time(lateness.p99_s)} (p99), {lateness.cpu:.0%} of a core"
    late = lateness.way != "sleep" and lateness.p99_s > GOOD_P99_S
    advice = "something else keeps this machine busy: events come late" if late else ""
    return Check(f"wake-ups by {lateness.way}", found, "note" if late else "ok", advice)


def _time(seconds: float) -> str:
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds * 1e6:.1f} µs" if seconds >= 1e-6 else f"{seconds * 1e9:.0f} ns"
