"""`feedsim latency`: how long events take to a client, how long bots take to answer, and both against load."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from feedsim.cli.feed import Channels, Symbols, Token, check_url, listed
from feedsim.cli.output import check_folders, table_console, write_and_say
from feedsim.errors import ConfigError

if TYPE_CHECKING:
    from feedsim.lab.latency.result import Result

SECONDS = 10.0


def latency(
    where: Annotated[
        str,
        typer.Argument(help="ws://… of a server; of orders also a recording", metavar="[URL|FILE]", show_default=False),
    ] = "",
    reactions: Annotated[bool, typer.Option("--reactions", help="the bots' orders, as the server timed them")] = False,
    plan: Annotated[str, typer.Option(help="a TOML file with steps of load")] = "",
    seconds: Annotated[float, typer.Option(help="how long; of orders 0 is what is there already [10, orders 0]")] = -1,
    rate: Annotated[float, typer.Option(help="orders a second that each bot should send; 0: its usual rate")] = 0,
    check: Annotated[str, typer.Option(help="limits, as p99<5ms,max<1s; exit code 1 where one is not kept")] = "",
    clock: Annotated[str, typer.Option(help="same, ping, or auto: same on this host, else ping")] = "auto",
    channels: Channels = "*",
    symbols: Symbols = "*",
    json: Annotated[str, typer.Option(help="write the figures into this file as JSON; - for stdout, no table")] = "",
    plot: Annotated[str, typer.Option(help="also draw it into this file, .html (with the table) or .svg")] = "",
    hgrm: Annotated[str, typer.Option(help="write the distribution into this file, for HdrHistogram's plotters")] = "",
    token: Token = "",
) -> None:
    """Measure latency: of events to a client, of bots' orders, or of both against load; as a gate with --check.

    \b
    feedsim latency ws://127.0.0.1:8765 --seconds 30 --plot events.html
    feedsim latency ws://127.0.0.1:8765 --reactions --check 'p99<5ms'
    feedsim latency recordings/monday --reactions --rate 50 --hgrm bot.hgrm
    feedsim latency --plan plan.toml --plot load.html
    """
    from feedsim.lab.latency.checks import parse_checks

    checks = parse_checks(check)
    check_folders({"json": json, "plot": plot, "hgrm": hgrm})
    if plot and not plot.endswith((".html", ".svg")):
        raise ConfigError(f"{plot}: expected a name that ends with .html or .svg", field="plot")
    if plan:
        from feedsim.cli.load import run_plan

        run_plan(plan, url=where, token=token or None, checks=checks, json=json, plot=plot)
        return
    if not where:
        raise ConfigError("name a server (ws://host:port), or a --plan", field="url")
    if reactions:
        result = _orders(where, 0.0 if seconds < 0 else seconds, rate, token or None)
    else:
        heard_s = SECONDS if seconds < 0 else seconds
        result = _events(where, heard_s, clock, listed(channels), listed(symbols), token or None)
    _tell(result, json=json, plot=plot, hgrm=hgrm)
    told = [one.holds(result) for one in checks]
    for _, line in told:
        print(line, file=sys.stderr)
    if not all(good for good, _ in told):
        raise typer.Exit(1)


def _events(
    url: str, seconds: float, clock: str, channels: tuple[str, ...], symbols: tuple[str, ...], token: str | None
) -> Result:
    from feedsim.lab.latency.oneway import listen, offset_of, one_way
    from feedsim.playback.loop import run

    check_url(url)
    if clock not in ("auto", "same", "ping"):
        raise ConfigError(f"{clock!r}: allowed: auto, same, ping", field="clock")
    if not seconds > 0:
        raise ConfigError(f"{seconds:g}: expected a number above 0", field="seconds")
    heard = run(listen(url, seconds=seconds, channels=channels, symbols=symbols, token=token))
    offset, told = offset_of(heard, url, clock)  # type: ignore[arg-type] # checked above
    return one_way(heard, offset, title=f"events of {url}", clock=told)


def _orders(where: str, seconds: float, rate: float, token: str | None) -> Result:
    from feedsim.lab.latency.fetching import fetch, read
    from feedsim.lab.latency.orders import study

    if rate < 0:
        raise ConfigError(f"{rate:g}: expected a number above 0", field="rate")
    if not where.startswith(("ws://", "wss://")):
        return study(read(Path(where)), rate=rate or None, title=f"orders in {where}")
    check_url(where)
    after = 0
    if seconds:
        after = fetch(where, token=token, after=2**53)[0].last_n
        asyncio.run(asyncio.sleep(seconds))
    head, rows = fetch(where, token=token, after=after)
    return study(rows, head=head, rate=rate or None, title=f"orders to {where}")


def _tell(result: Result, *, json: str, plot: str, hgrm: str) -> None:
    import msgspec

    from feedsim.lab.latency.page import page_of
    from feedsim.lab.latency.plots import drawing_of
    from feedsim.lab.latency.tables import print_latencies

    if plot:
        write_and_say(plot, (page_of if plot.endswith(".html") else drawing_of)(result).encode(), field="plot")
    for series in result.drawn if hgrm else ():
        path = Path(hgrm)
        path = path if series.key == result.gate else path.with_name(f"{path.stem}-{series.key}{path.suffix}")
        write_and_say(str(path), series.latencies.hgrm(), field="hgrm")
    facts = msgspec.json.format(msgspec.json.encode(result.facts())) + b"\n"
    if json == "-":
        print(facts.decode(), end="")
        return
    if json:
        write_and_say(json, facts, field="json")
    print_latencies(result, table_console())
