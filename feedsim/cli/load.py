"""`feedsim latency --plan`: a load plan, run and told."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import typer

from feedsim.cli.feed import check_url
from feedsim.cli.output import table_console, write_and_say

if TYPE_CHECKING:
    from feedsim.lab.latency.checks import Check


def run_plan(path: str, *, url: str, token: str | None, checks: list[Check], json: str, plot: str) -> None:
    """Raises ConfigError for a plan that cannot be run, typer.Exit where a check is not kept."""
    import msgspec
    from rich.console import Console

    from feedsim.lab.latency import load
    from feedsim.lab.latency.load_page import load_drawing, load_facts, load_page, print_load
    from feedsim.lab.latency.plan import read_plan

    if url:
        check_url(url)
    plan = read_plan(path, given_server=bool(url))
    with Console(stderr=True).status("starting") as status:
        outcomes = asyncio.run(
            load.run_plan(plan, url=url, token=token, on_step=lambda name: status.update(f"step {name}"))
        )
    if plot:
        draw = load_page if plot.endswith(".html") else load_drawing
        write_and_say(plot, draw(outcomes, title=f"load plan {path}").encode(), field="plot")
    facts = msgspec.json.format(msgspec.json.encode(load_facts(outcomes))) + b"\n"
    if json == "-":
        print(facts.decode(), end="")
    else:
        print_load(outcomes, table_console())
        if json:
            write_and_say(json, facts, field="json")
    told = [(outcome.step.name, *check.holds(outcome.result)) for outcome in outcomes for check in checks]
    for name, _, line in told:
        print(f"step {name}: {line}", file=sys.stderr)
    if not all(good for _, good, _ in told):
        raise typer.Exit(1)
