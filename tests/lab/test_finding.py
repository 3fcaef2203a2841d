"""Which sources are found below a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from feedsim.lab import finding
from feedsim.lab.finding import Search, scenarios
from tests.lab.made import market, tape_of
from tests.support.recordings import record


def _below(folder: Path) -> list[tuple[str, str]]:
    return [(found.kind, found.path.relative_to(folder).as_posix()) for found in Search().below(folder)]


def _write(path: Path, text: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _charts(folder: Path, day: str = "20250916") -> None:
    for kind in ("quote", "trade"):
        _write(folder / f"chart_3_{kind}_{day}.jsonl", "{}\n")


def test_every_kind_is_found_under_its_name(tmp_path: Path) -> None:
    """A recording, an export, chart files and CSV; nothing else, and nothing twice."""
    chunk = tape_of(market(1, seconds=5), seconds=5, symbols=("ES", "NQ")).read(2**62)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    record(tmp_path / "deep" / "er" / "monday", [chunk])
    _charts(tmp_path / "charts")
    _write(tmp_path / "data" / "trades.csv", "ts,symbol,price,size,side\n")
    _write(tmp_path / "data" / "notes.txt")
    assert _below(tmp_path) == [
        ("sierra", "charts"),
        ("csv", "data/trades.csv"),
        ("recording", "deep/er/monday"),
    ]


def test_chart_files_of_many_days_are_one_source(tmp_path: Path) -> None:
    """The folder above them all is what a user names; it ends where there is something else as well."""
    for day in ("20250916", "20250917"):
        _charts(tmp_path / "sierra" / "SEPTEMBRE" / day / "CHART_3", day)
    assert _below(tmp_path) == [("sierra", "sierra")]
    (found,) = Search().below(tmp_path)
    assert (found.files, found.size) == (4, 12)
    _write(tmp_path / "sierra" / "prices.csv", "ts,symbol,price,size,side\n")
    assert _below(tmp_path) == [("sierra", "sierra/SEPTEMBRE"), ("csv", "sierra/prices.csv")]


def test_a_folder_that_is_a_source_itself(tmp_path: Path) -> None:
    """Looking into a recording finds the recording."""
    chunk = tape_of(market(1, seconds=5), seconds=5, symbols=("ES", "NQ")).read(2**62)
    record(tmp_path / "r", [chunk])
    assert _below(tmp_path / "r") == [("recording", ".")]


def test_hidden_folders_and_environments_are_passed_over(tmp_path: Path) -> None:
    """Nobody keeps market data there, and they are large."""
    for name in (".cache", "node_modules", "venv"):
        _charts(tmp_path / name)
    assert _below(tmp_path) == []


def test_depth_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies deeper is not looked at, and that is said."""
    monkeypatch.setattr(finding, "MAX_DEPTH", 2)
    _charts(tmp_path / "a" / "b")
    _charts(tmp_path / "a" / "b" / "c" / "d")
    search = Search()
    assert [found.files for found in search.below(tmp_path)] == [2]
    assert search.cut_short


def test_time_is_bounded(tmp_path: Path) -> None:
    """When it takes too long, what was found so far is told."""
    for name in ("a", "b"):
        _charts(tmp_path / name)
    ticks = iter([0.0, *[0.1] * 4, *[99.0] * 50])
    search = Search(clock=lambda: next(ticks))
    assert [found.path.name for found in search.below(tmp_path)] == ["a"]
    assert search.cut_short


def test_a_folder_that_cannot_be_read_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One closed door does not end the search."""
    _charts(tmp_path / "open")
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refusing(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert _below(tmp_path) == [("sierra", "open")]


def test_there_are_scenarios() -> None:
    """The default scenario is one of them."""
    assert "normal" in scenarios()
