"""`feedsim inspect` and `feedsim sources`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from feedsim.cli import look
from tests.cli.calls import CommandLine

ZEROS = b"\x89PNG\r\n\x1a\n"


def test_inspect_prints_tables(recording: Path, feedsim: CommandLine) -> None:
    """Streams with their times in New York and UTC, quotes, trades, books, bars, and the verdict."""
    said = feedsim("inspect", str(recording))
    assert (said.code, said.err) == (0, "")
    assert "New York  2025-08-21 09:30:00.000" in said.out
    assert "UTC       2025-08-21 13:30:00.000" in said.out
    for title in ("Streams", "Quotes", "Trades against the quote", "Books, and l1", "own bars against its trades"):
        assert title in said.out
    assert "no breach" in said.out


def test_inspect_as_json_has_the_same_facts(recording: Path, feedsim: CommandLine) -> None:
    """For scripts: one object on stdout."""
    report = json.loads(feedsim("inspect", str(recording), "--json").out)
    assert report["kind"] == "recording"
    assert sum(stream["rows"] for stream in report["streams"]) == report["events"]
    assert {facts["symbol"] for facts in report["quotes"]} == {"ES", "NQ"}


@pytest.mark.parametrize("name", ["p.png", "p.html"])
def test_inspect_draws(name: str, recording: Path, tmp_path: Path, feedsim: CommandLine) -> None:
    """The picture is written beside the tables, and stderr says where."""
    file = tmp_path / name
    said = feedsim("inspect", str(recording), "--plot", str(file))
    assert said.code == 0
    assert said.err == f"drawn into {file}\n"
    assert file.read_bytes().startswith(ZEROS if name == "p.png" else b"<!doctype html>")


def test_inspect_a_part(recording: Path, feedsim: CommandLine) -> None:
    """`--start` and `--minutes` choose what is looked at."""
    whole = json.loads(feedsim("inspect", str(recording), "--json").out)
    part = json.loads(feedsim("inspect", str(recording), "--json", "--start", "09:30:05", "--minutes", "0.1").out)
    assert 0 < part["events"] < whole["events"] / 2
    assert part["start_ns"] == whole["start_ns"] + 5 * 10**9


def test_a_source_without_an_end_is_looked_at_for_a_while(
    feedsim: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so, and how to have more."""
    monkeypatch.setattr(look, "DEFAULT_MINUTES", 0.25)
    said = feedsim("inspect", "synthetic:", "--json")
    assert "this source has no end: its first 0.25 minutes" in said.err
    report = json.loads(said.out)
    assert 10 < (report["end_ns"] - report["start_ns"]) / 1e9 <= 15


def test_sources_lists_what_is_below(recording: Path, feedsim: CommandLine) -> None:
    """The scenarios of the synthetic market first, then what lies there with its kind."""
    said = feedsim("sources", str(recording.parent))
    assert said.code == 0
    lines = [line.split() for line in said.out.splitlines()]
    assert ["synthetic", "synthetic:normal"] in [line[:2] for line in lines]
    assert [line[0] for line in lines if str(recording) in line] == ["recording"]
