"""Which files are read, by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedsim.sources.sierra.files import ALL, NO_CHART, find_files, identity, parse_name, recognise
from tests.support.sierra_files import START_NS, trade, write


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        ("chart_3_trade_20250916.jsonl", (3, "trade", "20250916")),
        ("CHART_10_MenthorQ_Levels_20250916.jsonl", (10, "menthorq", "20250916")),
        ("chart_3_20250916.jsonl", (3, ALL, "20250916")),
        ("unified_20250916.jsonl", (NO_CHART, ALL, "20250916")),
        ("chart_3_trade_2025.jsonl", None),
        ("trades.jsonl", None),
    ],
)
def test_names(name: str, parsed: tuple[int, str, str] | None) -> None:
    """Chart, type and day, as a study names files; other names are not taken."""
    assert parse_name(Path(name)) == parsed


def test_the_most_detailed_layout_is_read(tmp_path: Path) -> None:
    """Where layouts lie side by side and tell the same, each event is read once."""
    for name in ("chart_3_trade_20250916", "chart_3_20250916", "unified_20250916", "chart_4_20250916"):
        write(tmp_path / f"{name}.jsonl", [trade(1, START_NS)])
    found = find_files(tmp_path)
    assert [file.path.stem for file in found.files] == ["chart_3_trade_20250916", "chart_4_20250916"]
    assert found.notes[0].startswith("2 files tell again what others tell")


def test_studies_that_are_not_read_are_said(tmp_path: Path) -> None:
    """Files of other types are named in a note."""
    for kind in ("trade", "atr", "pvwap"):
        write(tmp_path / f"chart_3_{kind}_20250916.jsonl", [trade(1, START_NS)])
    assert find_files(tmp_path).notes == ("studies that are not read: atr, pvwap",)


def test_recognise(tmp_path: Path) -> None:
    """A folder with a chart file at any depth, or any .jsonl file."""
    assert not recognise(tmp_path)
    path = write(tmp_path / "DATA_2025" / "CHART_3" / "chart_3_trade_20250916.jsonl", [trade(1, START_NS)])
    assert recognise(tmp_path)
    assert recognise(path)
    assert not recognise(tmp_path / "absent")


def test_identity_tells_a_change(tmp_path: Path) -> None:
    """Other bytes at an end, or another length, are another source."""
    path = write(tmp_path / "chart_3_trade_20250916.jsonl", [trade(1, START_NS)])
    before = identity(tmp_path, find_files(tmp_path).files)
    path.write_text(path.read_text().replace('"vol":1', '"vol":2'))
    assert identity(tmp_path, find_files(tmp_path).files) != before
