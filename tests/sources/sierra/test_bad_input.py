"""Chart files that cannot be replayed: each is a SourceError with file, row and what was expected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from feedsim.errors import SourceError
from feedsim.sources.sierra.source import SierraSource
from tests.support.sierra_files import START_NS, chart_file, depth, quote, trade

SECOND_NS = 10**9


def _trades(count: int) -> list[str]:
    return [trade(seq, START_NS + seq * SECOND_NS) for seq in range(1, count + 1)]


def _read(folder: Path) -> None:
    source = SierraSource(folder)
    try:
        source.read(1 << 62)
    finally:
        source.close()


@pytest.mark.parametrize(
    ("break_it", "expected"),
    [
        (lambda line: line[: len(line) // 2], "expected one JSON object"),
        (lambda _: "not json at all", "expected one JSON object"),
        (lambda line: line.replace('"px":5000.25', '"px":"high"'), "expected one JSON object"),
        (lambda line: line.replace('"px":5000.25', '"px":NaN'), "expected one JSON object"),
        (lambda line: line.replace('"px":5000.25,', ""), "expected bid and ask, or px"),
        (lambda line: line.replace('"vol":1', '"vol":-1'), "expected whole sizes"),
        (lambda line: line.replace('"vol":1', '"vol":1.5'), "expected whole sizes"),
        (lambda line: line.replace('"vol":1,', ""), "expected whole sizes"),
        (lambda line: line.replace('"seq":', '"seqno":'), "seq is missing"),
        (lambda line: line.replace('"seq":', '"seq":-'), "seq is missing or out of range"),
        (lambda line: line.replace('"sym":"ESZ25_FUT_CME",', ""), "sym is missing"),
        (lambda line: line.replace('"t":', '"u":'), "expected a time"),
        (lambda _: "[]", "expected one JSON object"),
        (lambda line: line.encode().replace(b"BUY", b"\xff\xfe").decode("latin-1"), None),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, break_it: Callable[[str], str], expected: str | None) -> None:
    """The file, the row and what was expected; a side that is none is a trade of unknown side."""
    lines = _trades(9)
    lines[4] = break_it(lines[4])
    path = chart_file(tmp_path, "trade", lines)
    if expected is None:
        assert SierraSource(tmp_path).read(1 << 62)["trade"].array("side").tolist() == [1, 1, 1, 1, 0, 1, 1, 1, 1]
        return
    with pytest.raises(SourceError, match=expected) as caught:
        _read(tmp_path)
    assert caught.value.file == str(path)
    assert caught.value.row == 5


def test_text_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    """Bytes that are no text are an error of their row."""
    path = chart_file(tmp_path, "trade", _trades(5))
    path.write_bytes(path.read_bytes().replace(b"BUY", b"\xff\xff\xff"))
    with pytest.raises(SourceError) as caught:
        _read(tmp_path)
    assert caught.value.row == 1


def test_a_seq_that_runs_back_later_is_refused(tmp_path: Path) -> None:
    """A seq that comes again at a later time is no record written again: the order would be unknown."""
    lines = [*_trades(5), trade(2, START_NS + 99 * SECOND_NS)]
    chart_file(tmp_path, "trade", lines)
    with pytest.raises(SourceError, match="comes again at a later time") as caught:
        _read(tmp_path)
    assert caught.value.row == 6


def test_a_record_written_again_with_other_content_is_refused(tmp_path: Path) -> None:
    """Two records of one seq that say different things: neither can be believed."""
    lines = [*_trades(5), trade(2, START_NS + 2 * SECOND_NS, px=1.0)]
    chart_file(tmp_path, "trade", lines)
    with pytest.raises(SourceError, match="comes again with other content") as caught:
        _read(tmp_path)
    assert caught.value.row == 6


def test_a_depth_line_without_a_side_is_refused(tmp_path: Path) -> None:
    """Side, level and size of depth are checked, and the row is named."""
    chart_file(tmp_path, "trade", _trades(3))
    lines = [depth(START_NS, "BID", 1, 5000.0, 3), depth(START_NS, "MID", 1, 5000.0, 3)]
    path = chart_file(tmp_path, "depth", lines)
    with pytest.raises(SourceError, match="expected side BID or ASK") as caught:
        _read(tmp_path)
    assert (caught.value.file, caught.value.row) == (str(path), 2)


def test_empty_files_are_said(tmp_path: Path) -> None:
    """An empty file beside others is a note; nothing but empty files is an error."""
    chart_file(tmp_path, "quote", [], end="")
    with pytest.raises(SourceError, match="expected quote, trade"):
        SierraSource(tmp_path)
    chart_file(tmp_path, "trade", _trades(2))
    assert "1 empty files" in SierraSource(tmp_path).info.notes


def test_a_folder_without_chart_files_is_refused(tmp_path: Path) -> None:
    """The error shows how such files are named."""
    (tmp_path / "notes.jsonl").write_text("{}\n")
    with pytest.raises(SourceError, match="no chart files here"):
        SierraSource(tmp_path)


def test_a_file_that_became_shorter_is_named(tmp_path: Path) -> None:
    """A file that is cut while it is read does not end quietly."""
    path = chart_file(tmp_path, "quote", [quote(seq, START_NS + seq * SECOND_NS) for seq in range(1, 9)])
    source = SierraSource(tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SourceError, match="became shorter") as caught:
        source.read(1 << 62)
    source.close()
    assert caught.value.file == str(path)
