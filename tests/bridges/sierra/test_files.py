"""The files of a folder: names, days, numbers that go on, and what a crash has left."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from feedsim.bridges.sierra import lines
from feedsim.bridges.sierra.files import Files, path_of
from feedsim.bridges.sierra.lines import Line, Place
from feedsim.bridges.sierra.options import Options, charts_of
from feedsim.config import SierraQuirk
from feedsim.sources.sierra.files import find_files

MIDNIGHT_NS = 1_755_820_800_000_000_000  # 2025-08-22 00:00 UTC
DAY = date(2025, 8, 22)


def options(*quirks: SierraQuirk, **given: Any) -> Options:
    return Options(charts=charts_of(("ES", "NQ"), {}), quirks=frozenset(quirks), **given)


def trade(ns: int, chart: int = 3) -> Line:
    return lines.trade(Place(ns, ns, chart, "ESU25_FUT_CME", 0, True), 1, 5000.0, 1)


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_names_are_those_of_the_live_bot(tmp_path: Path) -> None:
    """A file for each type in the study's folders, one for each chart, one for all."""
    names = [path_of(Path(), layout, date(2025, 2, 3), 3, "trade").as_posix() for layout in options().layouts]
    assert names == [
        "DATA_SIERRA_CHART/DATA_2025/FEVRIER/20250203/CHART_3/chart_3_trade_20250203.jsonl",
        "chart_3_20250203.jsonl",
        "unified_20250203.jsonl",
    ]


def test_all_files_of_a_day_are_there_before_the_first_line(tmp_path: Path) -> None:
    """The reader begins at their ends and opens no new ones; all have names that the source knows."""
    files = Files(tmp_path, options())
    files.turn_to(DAY)
    files.close()
    paths = sorted(tmp_path.rglob("*.jsonl"))
    assert len(paths) == 2 * 10 + 1 + 1 + 4 + 1  # types of ES and NQ, VIX, levels; charts; all
    assert all(path.stat().st_size == 0 for path in paths)
    assert {file.path for file in find_files(tmp_path).files} <= set(paths)


def test_lines_go_to_the_files_of_their_own_day(tmp_path: Path) -> None:
    """At midnight the next day's files are made; the seq goes on."""
    files = Files(tmp_path, options())
    files.append([trade(MIDNIGHT_NS - 1), trade(MIDNIGHT_NS)])
    files.append([trade(MIDNIGHT_NS + 1, 4)])
    files.close()
    before, after = (written(tmp_path / f"unified_202508{day}.jsonl") for day in (21, 22))
    assert [(line["chart"], line["seq"]) for line in before] == [(3, 1)]
    assert [(line["chart"], line["seq"]) for line in after] == [(3, 2), (4, 1)]
    assert [line["seq"] for line in written(tmp_path / "chart_3_20250822.jsonl")] == [2]
    assert (tmp_path / "chart_8_20250822.jsonl").exists()


def test_the_charts_clock_decides_the_day_where_it_is_wrong(tmp_path: Path) -> None:
    """With `local_time` midnight is two hours earlier in UTC."""
    files = Files(tmp_path, options("local_time", layouts=("unified",)))
    files.append([trade(MIDNIGHT_NS - 2 * 3600 * 10**9)])
    files.close()
    assert len(written(tmp_path / "unified_20250822.jsonl")) == 1


@pytest.mark.parametrize("layout", ["type", "chart", "unified"])
def test_a_seq_goes_on_after_a_restart_and_half_a_line_is_cut(tmp_path: Path, layout: Any) -> None:
    """By what the files say; a line that a crash has torn was never one."""
    for count in (3, 2):
        files = Files(tmp_path, options(layouts=(layout,)))
        files.append([trade(MIDNIGHT_NS + at) for at in range(count)])
        files.close()
        (path,) = (path for path in tmp_path.rglob("*.jsonl") if path.stat().st_size)
        with path.open("a") as torn:
            torn.write('{"t":45891.0,"seq":99,"ch')
    files = Files(tmp_path, options(layouts=(layout,)))
    files.turn_to(DAY)
    files.close()
    assert [line["seq"] for line in written(path)] == [1, 2, 3, 4, 5]


def test_numbers_that_are_passed_over_are_missing(tmp_path: Path) -> None:
    """A trade that could not be kept leaves a hole that the reader sees."""
    files = Files(tmp_path, options(layouts=("unified",)))
    files.append([trade(MIDNIGHT_NS)])
    files.pass_over(3, 2)
    files.append([trade(MIDNIGHT_NS)])
    files.close()
    assert [line["seq"] for line in written(tmp_path / "unified_20250822.jsonl")] == [1, 4]


def test_records_written_again_are_the_last_ones_as_they_were(tmp_path: Path) -> None:
    """Quotes and trades alone, in every file that has them."""
    files = Files(tmp_path, options())
    place = Place(MIDNIGHT_NS, MIDNIGHT_NS, 3, "ESU25_FUT_CME", 0, True)
    files.append([trade(MIDNIGHT_NS), lines.depth(place, "BID", 1, 5000.0, 1), trade(MIDNIGHT_NS)])
    files.append([lines.quote(place, 4999.75, 5000.0, 1, 1)])
    files.write_again(2)
    files.close()
    assert [line.get("seq") for line in written(tmp_path / "chart_3_20250822.jsonl")] == [1, None, 2, 3, 2, 3]
    (path,) = tmp_path.rglob("chart_3_quote_20250822.jsonl")
    assert [line["seq"] for line in written(path)] == [3, 3]
