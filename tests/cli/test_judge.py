"""`feedsim realism`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.calls import CommandLine
from tests.support.shared_data import SEED_EXPORT, SIERRA, needs_seed_export, needs_sierra

SHORT = ("--seeds", "1", "--minute-seeds", "0", "--minutes", "2")


def test_a_generated_market(tmp_path: Path, feedsim: CommandLine) -> None:
    """A table, the same figures as JSON, and a page of plots that loads nothing."""
    figures, page = tmp_path / "r.json", tmp_path / "r.html"
    said = feedsim("realism", "synthetic:", *SHORT, "--json", str(figures), "--html", str(page))
    assert said.code == 0
    assert said.err == f"drawn into {page}\n"
    assert "1 seeds from 0 of 2 min through regular trading; ES as es_2025, NQ as nq_2025" in said.out
    result = json.loads(figures.read_bytes())
    rows = {(row["block"], row["metric"]): row for row in result["rows"]}
    assert rows["ES", "mo_p1"]["verdict"] in ("inside", "outside")
    for block in result["blocks"]:
        assert f"{block['inside']} of {block['metrics']} inside" in said.out or not block["metrics"]
    drawn = page.read_text("utf-8")
    assert drawn.startswith("<!doctype html>")
    assert "mo_p1" in drawn
    assert not any(word in drawn for word in ("http", "{{", "<script"))


def test_json_on_stdout(feedsim: CommandLine) -> None:
    """One object, no table."""
    said = feedsim("realism", "synthetic:", *SHORT, "--symbols", "NQ", "--json", "-")
    assert {row["block"] for row in json.loads(said.out)["rows"]} == {"NQ"}


def test_a_recording(recording: Path, feedsim: CommandLine) -> None:
    """What it tells is measured, the rest is named with its reason; the exit code is 0 whatever the verdicts."""
    said = feedsim("realism", str(recording))
    assert (said.code, said.err) == (0, "")
    assert "spread1_time" in said.out
    assert "ES, not measurable here: the orders themselves are not told" in said.out


@needs_sierra
def test_a_recorded_night_of_es(feedsim: CommandLine) -> None:
    """Chart files: the night's spread, no day's; times too coarse for single orders."""
    said = feedsim("realism", str(SIERRA), "--json", "-")
    rows = {row["metric"]: row for row in json.loads(said.out)["rows"]}
    assert rows["spread1_time_ETH"]["verdict"] == "inside"
    assert rows["spread1_time"]["why"] == "nothing of regular trading here"
    assert rows["kappa_buy_I"]["value"] > 0
    assert rows["mo_p1"]["why"].startswith("times are too coarse")


@needs_seed_export
def test_a_poor_market_does_not_pass(feedsim: CommandLine) -> None:
    """The old generator's export: few metrics are inside, and its prices are off the tick."""
    result = json.loads(feedsim("realism", str(SEED_EXPORT), "--json", "-").out)
    banded = sum(block["metrics"] for block in result["blocks"])
    assert banded > 0
    assert sum(block["inside"] for block in result["blocks"]) < banded / 2
    assert any("off the tick" in note for note in result["notes"])


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("synthetic:", "--seeds", "0"), "seeds"),
        (("synthetic:", "--json", "/nowhere/at/all.json"), "/nowhere/at/all.json"),
        (("synthetic:", "--html", "/nowhere/at/all.html"), "/nowhere/at/all.html"),
        (("synthetic:", "--days", "-1"), "days"),
        (("synthetic:norml",), "did you mean normal"),
        (("nothing-here",), "nothing-here"),
    ],
)
def test_refusals(arguments: tuple[str, ...], word: str, feedsim: CommandLine) -> None:
    """One line that names what was wrong, before any work."""
    assert word in feedsim.refused("realism", *arguments)
