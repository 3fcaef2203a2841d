"""Runs a load plan: one step after the other, each measured by a client among as many as the step wants."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from feedsim.errors import FeedsimError
from feedsim.lab.fanout import cpu_seconds
from feedsim.lab.latency.fetching import page_of
from feedsim.lab.latency.oneway import Listened, listening, offset_of, one_way
from feedsim.lab.latency.plan import Plan, Step, arguments_of, scenario_of
from feedsim.lab.latency.result import Result
from feedsim.lab.processes import Serving, serving
from feedsim.wire.messages import Subscribe

JOIN_S = 60.0
KNEE = 3.0  # times the p99 of the lightest step


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one step."""

    step: Step
    result: Result
    events_per_s: float
    """To each client."""
    skipped: int
    """Events that were named as lost, over all clients."""
    first_skip_s: float | None
    """After the step's start; of the client that measured."""
    late_p99_s: float | None
    """What at least 99 % of the server's wake-ups were not later than; None beyond what it counts."""
    cpu: float | None
    """Share of a core that the server took; None where nobody knows."""

    @property
    def load(self) -> float:
        """Events a second over all clients."""
        return self.events_per_s * self.step.clients

    @property
    def p99_ns(self) -> int:
        return self.result.series[0].latencies.percentiles([99.0])[0]


def knee(outcomes: list[Outcome]) -> Outcome | None:
    """The last step, by load, before p99 is more than KNEE times that of the lightest; None where it never is."""
    by_load = sorted(outcomes, key=lambda outcome: outcome.load)
    limit_ns = KNEE * by_load[0].p99_ns
    for before, outcome in pairwise(by_load):
        if outcome.p99_ns > limit_ns:
            return before
    return None


def first_skip(outcomes: list[Outcome]) -> Outcome | None:
    """The step, in the plan's order, in which a client was first told that it had lost something."""
    return next((outcome for outcome in outcomes if outcome.skipped), None)


async def run_step(plan: Plan, step: Step) -> Outcome:
    """A step on a server of its own. Raises FeedsimError."""
    with TemporaryDirectory(prefix="feedsim-plan-") as folder:
        config, scenario = Path(folder) / "server.toml", Path(folder) / "load.toml"
        config.write_text(_toml(plan.server), "utf-8")
        text = scenario_of(step)
        if text is not None:
            scenario.write_text(text, "utf-8")
        chosen = None if text is None else str(scenario)
        async with serving(arguments_of(plan, step, config=str(config), scenario=chosen)) as server:
            return await _measure(server, step, str(plan.server.get("token", "")), private=False)


async def run_step_on(url: str, step: Step, *, token: str | None) -> Outcome:
    """A step in a private session of a server that runs. Raises FeedsimError, ProtocolError."""
    return await _measure(Serving(url, 0), step, token or "", private=True)


async def _measure(server: Serving, step: Step, token: str, *, private: bool) -> Outcome:
    async with listening(server.url, token=token or None) as listener:
        session = await listener.open_private(step.speed, at_open=step.burst == "open") if private else ""
        async with _crowd(server.url, step.clients - 1, session, token):
            before, cpu = await _metrics(server.url), cpu_seconds(server.pid) if server.pid else None
            await listener.subscribe(Subscribe(policy="skip"))
            await listener.listen(step.seconds)
            used = cpu_seconds(server.pid) if server.pid else None
            after = await _metrics(server.url)
            heard = listener.heard
            heard.before = await listener.trips()
    offset, told = offset_of(heard, server.url, "auto")
    return Outcome(
        step=step,
        result=one_way(heard, offset, title=step.name, clock=told),
        events_per_s=heard.events / max(heard.seconds, 1e-9),
        skipped=_skipped(before, after, heard),
        first_skip_s=heard.first_skip_s,
        late_p99_s=_late_p99(before, after),
        cpu=None if cpu is None or used is None else (used - cpu) / max(heard.seconds, 1e-9),
    )


@asynccontextmanager
async def _crowd(url: str, count: int, session: str, token: str) -> AsyncIterator[None]:
    """So many more clients. Raises FeedsimError where they cannot join."""
    if not count:
        yield
        return
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "feedsim.lab.latency.crowd", url, str(count), *([session] if session else [])),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "FEEDSIM_TOKEN": token},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), JOIN_S)
        if line.strip() != b"ready":
            raise FeedsimError(f"{count} more clients could not join {url}")
        yield
    except TimeoutError:
        raise FeedsimError(f"{count} more clients did not join {url} within {JOIN_S:g} s") from None
    finally:
        process.stdin.close()
        await process.wait()


# ------------------------------------------------------------------------------------------------- what a server says


async def _metrics(url: str) -> dict[str, float]:
    return await asyncio.to_thread(_read_metrics, url)


def _read_metrics(url: str) -> dict[str, float]:
    """The samples of /metrics by name and labels. Raises FeedsimError."""
    lines = page_of(url, "/metrics").decode().splitlines()
    samples = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


def _skipped(before: dict[str, float], after: dict[str, float], heard: Listened) -> int:
    name = "feedsim_skipped_events_total"
    return max(int(after.get(name, 0.0) - before.get(name, 0.0)), heard.skipped)


def _late_p99(before: dict[str, float], after: dict[str, float]) -> float | None:
    """The least bound of the server's own histogram that 99 % of its wake-ups are within."""
    start = 'feedsim_pacing_error_seconds_bucket{le="'
    counts = {
        name.removeprefix(start).rstrip('"}'): value - before.get(name, 0.0)
        for name, value in after.items()
        if name.startswith(start)
    }
    total = counts.pop("+Inf", 0.0)
    bounds = sorted((float(bound), count) for bound, count in counts.items())
    return next((bound for bound, count in bounds if total and count >= 0.99 * total), None)


def _toml(settings: dict[str, object]) -> str:
    """Settings as they were read from TOML; its texts, numbers and lists are those of JSON."""
    return "".join(f"{name} = {_value(value)}\n" for name, value in settings.items())


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_value(str(name))} = {_value(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value)


Progress = Callable[[str], None]


async def run_plan(plan: Plan, *, url: str = "", token: str | None = None, on_step: Progress) -> list[Outcome]:
    """All steps, in their order. Raises FeedsimError."""
    outcomes = []
    for step in plan.steps:
        on_step(step.name)
        outcomes.append(await (run_step_on(url, step, token=token) if url else run_step(plan, step)))
    return outcomes
