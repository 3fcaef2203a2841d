"""Commands about this machine: whether feedsim works on it, and how fast."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer

from feedsim.errors import ConfigError

BUDGET_S = 5.0  # for each of the measurements


def doctor(
    port: Annotated[int, typer.Option(help="where a server would listen", min=1, max=65535)] = 8765,
) -> None:
    """Say what this machine can do; exit code 1 if something that feedsim needs is missing.

    \b
    feedsim doctor
    """
    from rich.console import Console
    from rich.table import Table

    from feedsim.lab.machine import checks

    table = Table(box=None, show_header=False, pad_edge=False)
    console, failed = Console(), False
    colours = {"ok": "green", "note": "yellow", "fail": "red"}
    with Console(stderr=True).status("looking"):
        for check in checks(port=port):
            failed = failed or check.verdict == "fail"
            says = f"{check.found}\n[dim]{check.advice}[/dim]" if check.advice else check.found
            table.add_row(f"[{colours[check.verdict]}]{check.verdict}[/]", check.name, says)
    console.print(table)
    if failed:
        raise typer.Exit(1)


def bench(
    source: Annotated[str, typer.Argument(help="what is replayed", metavar="[SOURCE]", show_default=False)] = (
        "synthetic:"
    ),
    clients: Annotated[int, typer.Option(help="how many the server sends to", min=1, max=500)] = 20,
    speed: Annotated[float, typer.Option(help="of the server, times real time")] = 10,
) -> None:
    """Measure this machine, in less than a minute: events out of the source, the generator, the clock, the server.

    \b
    feedsim bench
    feedsim bench recordings/monday --clients 100
    """
    from rich.console import Console
    from rich.table import Table

    if not speed > 0:
        raise ConfigError(f"{speed:g}: expected a number above 0", field="speed")
    table = Table(box=None, show_header=False, pad_edge=False)
    for column in range(2):
        table.add_column(justify="right" if column else "left")
    measurements: tuple[tuple[str, Callable[[], list[tuple[str, str]]]], ...] = (
        ("events out of the source", lambda: _source(source)),
        ("events out of feedsim.replay", lambda: _replay(source)),
        ("wake-ups", _wake_ups),
        ("a server and its clients", lambda: _server(source, clients, speed)),
    )
    with Console(stderr=True).status("measuring") as status:
        for name, measure in measurements:
            status.update(f"measuring: {name}")
            for row in measure():
                table.add_row(*row)
    Console().print(table)


def _source(source: str) -> list[tuple[str, str]]:
    from feedsim.app.opening import open_tape
    from feedsim.config import SourceSettings
    from feedsim.lab.rates import tape_rate

    tape = open_tape(SourceSettings(source=source))
    try:
        rate = tape_rate(tape, budget_s=BUDGET_S)
    finally:
        tape.close()
    times = f"{rate.session_s / rate.seconds:,.0f}× real time" if rate.seconds else "–"
    return [("events out of the source", f"{rate.per_s:,.0f} a second"), ("  which is", times)]


def _replay(source: str) -> list[tuple[str, str]]:
    import feedsim
    from feedsim.lab.rates import counting, generator_rate

    events = feedsim.replay(source, speed="max")
    rate = asyncio.run(generator_rate(events, budget_s=BUDGET_S))
    bare = asyncio.run(generator_rate(counting(1_000_000), budget_s=1.0))
    return [
        ("feedsim.replay at max", f"{rate.ns_per_event:,.0f} ns an event"),
        ("  a bare async for", f"{bare.ns_per_event:,.0f} ns an event"),
    ]


def _wake_ups() -> list[tuple[str, str]]:
    from feedsim.lab.lateness import pacer_lateness
    from feedsim.playback.loop import run

    lateness = run(pacer_lateness(per_s=1000.0, count=int(BUDGET_S * 1000)))
    late = f"p50 {lateness.p50_s * 1e6:,.1f} µs, p99 {lateness.p99_s * 1e6:,.1f} µs"
    return [
        (f"late at 1,000 wake-ups a second ({lateness.way})", late),
        ("  which takes", f"{lateness.cpu:.0%} of a core"),
    ]


def _server(source: str, clients: int, speed: float) -> list[tuple[str, str]]:
    from feedsim.lab.fanout import fan_out

    result = asyncio.run(
        fan_out([source, "--speed", f"{speed:g}", "--coalesce", "2"], clients=clients, seconds=BUDGET_S)
    )
    cost = "–" if result.us_per_delivery is None else f"{result.us_per_delivery:.2f} µs"
    core = "–" if result.cpu_s is None else f"{result.cpu_s / result.seconds:.0%} of a core"
    return [
        ("from start to the first event at a client", f"{result.first_event_s:.2f} s"),
        (f"sent to each of {clients} clients at {speed:g}×", f"{result.events / result.seconds:,.0f} events a second"),
        ("  for which the server takes", core),
        ("  an event to a client", cost),
    ]
