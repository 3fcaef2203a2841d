"""What a load plan found: the knee, the first skip, and how they are told; and one plan on a real server."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from feedsim.lab.latency.load import Outcome, _toml, first_skip, knee, run_plan
from feedsim.lab.latency.load_page import load_drawing, load_facts, load_page, told
from feedsim.lab.latency.offset import SAME_CLOCK
from feedsim.lab.latency.oneway import Frame, Listened, one_way
from feedsim.lab.latency.plan import Plan, Step
from tests.support.day import write_day


def outcome(name: str, load: float, p99_ms: float, *, skipped: int = 0) -> Outcome:
    frames = [Frame(0, round(p99_ms * 1000), {"l1": 1})] * 100
    result = one_way(Listened(frames=frames, seconds=1.0), SAME_CLOCK, title=name, clock="c")
    return Outcome(Step(name=name, clients=10), result, load / 10, skipped, 1.5 if skipped else None, 0.001, 0.1)


def test_the_knee_is_the_last_step_before_latency_bends() -> None:
    """By load, not by the order of the plan; at more than three times the lightest step's p99."""
    outcomes = [outcome("d", 40_000, 9), outcome("a", 1000, 1), outcome("c", 30_000, 2.9), outcome("b", 20_000, 1.1)]
    found = knee(outcomes)
    assert found is not None
    assert found.step.name == "c"
    assert knee(outcomes[1:]) is None
    assert "behind step c, 30,000 events/s" in told(outcomes)[0]
    assert told(outcomes[1:]) == ["no knee: p99 stays within 3 times that of the lightest step", "nothing was skipped"]


def test_the_first_skip_is_the_plans_first() -> None:
    """In the order in which the steps were run."""
    outcomes = [outcome("a", 5000, 1), outcome("b", 9000, 1, skipped=7), outcome("c", 7000, 1, skipped=9)]
    found = first_skip(outcomes)
    assert found is not None
    assert found.step.name == "b"
    assert told(outcomes)[1] == "the first skip was in step b, 1.5 s after its start: 7 events"
    assert load_facts(outcomes)["first_skip"] == "b"


def test_a_page_has_every_step_and_is_well_formed() -> None:
    """Names of steps cannot break it; the drawing is an SVG of its own with a point for each step and percentile."""
    outcomes = [outcome("a<b>&", 5000, 1), outcome("b", 9000, 20, skipped=7)]
    page = load_page(outcomes, title="x<y")
    assert "a&lt;b&gt;&amp;" in page
    assert "<b>" not in page
    drawing = ElementTree.fromstring(load_drawing(outcomes, title="x<y"))  # ours
    assert len([part for part in drawing.iter() if part.tag.endswith("circle")]) == 8
    assert {"knee", "first skip"} <= {part.text for part in drawing.iter()}
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(svg)


def test_settings_are_written_as_they_were_read() -> None:
    """Texts, numbers, truths, lists and tables."""
    import tomllib

    settings = {"source": 'a "b"', "seed": 7, "loop": True, "bar_tf_s": [1, 60], "option": {"price.ES": "6500"}}
    assert tomllib.loads(_toml(settings)) == settings


@pytest.mark.timeout(120)
async def test_a_plan_is_run_on_servers_of_its_own(tmp_path: Path) -> None:
    """Each step has its speed and its clients; what was heard is of that step."""
    day = write_day(tmp_path / "day", seconds=600, seed=3)
    steps = (Step(name="slow", seconds=0.5, speed=20), Step(name="fast", seconds=0.5, speed=200, clients=3))
    plan = Plan(steps=steps, server={"source": str(day), "bar_tf_s": [60]})
    names: list[str] = []
    slow, fast = await run_plan(plan, on_step=names.append)
    assert names == ["slow", "fast"]
    assert fast.events_per_s > 3 * slow.events_per_s > 0
    assert fast.load == 3 * fast.events_per_s
    assert slow.result.series[0].latencies.count > 0
    assert slow.skipped == fast.skipped == 0
