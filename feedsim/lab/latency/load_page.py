"""What a load plan found: latency against load, the knee, the first skip; as a table, JSON and one page."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from feedsim.lab.latency.load import KNEE, Outcome, first_skip, knee
from feedsim.lab.latency.page import colour_key, page, table
from feedsim.lab.latency.plots import COLOURS, drawing, percentiles_chart
from feedsim.lab.latency.result import Series
from feedsim.lab.latency.units import shown
from feedsim.lab.realism.charts import Chart

HEADS = (
    *("step", "speed", "rate", "clients", "burst", "events/s", "over all"),
    *("p50", "p99", "p99.9", "max", "late p99", "server CPU", "skipped"),
)
LINES = (("p50", 50.0), ("p99", 99.0), ("p99.9", 99.9), ("max", 100.0))


def told(outcomes: list[Outcome]) -> list[str]:
    """The two findings, in words."""
    bend, skip = knee(outcomes), first_skip(outcomes)
    limit = f"{KNEE:g} times that of the lightest step"
    lines = [f"no knee: p99 stays within {limit}"]
    if bend is not None:
        load = f"{bend.load:,.0f} events/s over all clients"
        lines = [f"the knee is behind step {bend.step.name}, {load}: above it p99 is more than {limit}"]
    if skip is None:
        return [*lines, "nothing was skipped"]
    when = "" if skip.first_skip_s is None else f", {skip.first_skip_s:.1f} s after its start"
    return [*lines, f"the first skip was in step {skip.step.name}{when}: {skip.skipped:,} events"]


def print_load(outcomes: list[Outcome], console: Console) -> None:
    grid = Table(box=SIMPLE_HEAD, header_style="dim", show_edge=False, pad_edge=False)
    for at, head in enumerate(HEADS):
        grid.add_column(head, justify="right" if at else "left", no_wrap=True)
    for row in _rows(outcomes):
        grid.add_row(*row)
    console.print(grid)
    for line in told(outcomes):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def load_facts(outcomes: list[Outcome]) -> dict[str, Any]:
    """For JSON."""
    bend, skip = knee(outcomes), first_skip(outcomes)
    return {
        "knee": None if bend is None else bend.step.name,
        "first_skip": None if skip is None else skip.step.name,
        "steps": [
            {
                **msgspec.to_builtins(outcome.step),
                "events_per_s": outcome.events_per_s,
                "load": outcome.load,
                "late_p99_s": outcome.late_p99_s,
                "cpu": outcome.cpu,
                "skipped": outcome.skipped,
                "first_skip_s": outcome.first_skip_s,
                "series": outcome.result.facts()["series"],
            }
            for outcome in outcomes
        ],
    }


def load_page(outcomes: list[Outcome], *, title: str) -> str:
    """The whole page."""
    steps = [_drawn(outcome) for outcome in outcomes if outcome.result.series[0].latencies.count][: len(COLOURS)]
    return page(
        title=title,
        about=told(outcomes),
        key="against load: " + "".join(colour_key(name for name, _ in LINES)),
        plots=[_against_load(outcomes).svg(), percentiles_chart(steps).svg()] if steps else [],
        table=table(HEADS, _rows(outcomes)),
        notes=["by percentile: " + ", ".join(f"{series.name}" for series in steps) + ", in the same colours"],
    )


def load_drawing(outcomes: list[Outcome], *, title: str) -> str:
    """Latency against load alone, as an SVG file."""
    colours = dict(zip((name for name, _ in LINES), COLOURS, strict=True))
    return drawing(title, colours, [_against_load(outcomes).svg()])


def _drawn(outcome: Outcome) -> Series:
    return Series(outcome.step.name, outcome.step.name, outcome.result.series[0].latencies)


def _rows(outcomes: list[Outcome]) -> Iterator[list[str]]:
    for outcome in outcomes:
        step, facts = outcome.step, outcome.result.series[0].latencies.summary()
        yield [
            step.name,
            "max" if step.speed == "max" else f"{step.speed:g}×",
            f"{step.rate:g}×",
            f"{step.clients:,}",
            "–" if step.burst == "none" else step.burst,
            f"{outcome.events_per_s:,.0f}",
            f"{outcome.load:,.0f}",
            *map(shown, (facts.p50_ns, facts.p99_ns, facts.p99_9_ns, facts.max_ns)),
            "–" if outcome.late_p99_s is None else f"≤ {shown(outcome.late_p99_s * 1e9)}",
            "–" if outcome.cpu is None else f"{outcome.cpu:.0%}",
            f"{outcome.skipped:,}" if outcome.skipped else "–",
        ]


def _against_load(outcomes: list[Outcome]) -> Chart:
    """Both axes are logarithmic; a step is a dot, red where something was skipped."""
    by_load = sorted(outcomes, key=lambda outcome: outcome.load)
    places = [math.log10(max(outcome.load, 1.0)) for outcome in by_load]
    lines = {name: [_log10_ms(outcome, percent) for outcome in by_load] for name, percent in LINES}
    values = [value for line in lines.values() for value in line]
    low, high = min(places) - 0.15, max(places) + 0.15
    under = "events/s over all clients"
    shown_ms = min(values) - 0.1, max(values) + 0.1
    chart = Chart("latency against load, ms", x=(low, high), y=shown_ms, under=under, decades=True)
    for (_, line), colour in zip(lines.items(), COLOURS, strict=True):
        chart.line(places, line, colour)
        chart.points(places, line, colour, radius=2.5)
    bend = knee(outcomes)
    if bend is not None:
        chart.upright(math.log10(max(bend.load, 1.0)), "knee")
    skip = first_skip(outcomes)
    if skip is not None:
        chart.upright(math.log10(max(skip.load, 1.0)), "first skip")
    marks = [float(mark) for mark in range(int(low), int(high) + 2) if low <= mark <= high] or [places[0]]
    chart.labels(marks, [f"{10.0**mark:,.0f}" for mark in marks])
    return chart


def _log10_ms(outcome: Outcome, percent: float) -> float:
    return math.log10(max(outcome.result.series[0].latencies.percentiles([percent])[0], 100)) - 6
