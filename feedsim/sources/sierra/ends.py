"""Parts of chart files: whole lines at the head, at the tail and in between, whatever the files' size."""

from __future__ import annotations

from feedsim.errors import SourceError
from feedsim.sources.sierra.files import ChartFile
from feedsim.sources.sierra.lines import Line, Lines, decode_block
from feedsim.sources.text_lines import Block

HEAD = 1 << 16  # bytes of a file with one type of lines
PART = 1 << 20  # bytes at either end of a file with all types, and of bars and trades to compare
MIDDLE = 1 << 17  # bytes at each of some places in between
MIDDLES = 8


def lines_between(file: ChartFile, start: int, stop: int) -> Lines:
    """The whole lines of a part of a file."""
    start, stop = max(start, 0), min(stop, file.size)
    try:
        with file.path.open("rb") as opened:
            opened.seek(start)
            data = opened.read(stop - start)
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", file=str(file.path)) from error
    skipped = data.find(b"\n") + 1 if start else 0
    whole = data[skipped:] if stop == file.size else data[skipped : data.rfind(b"\n") + 1]
    try:
        return decode_block(Block(whole, start + skipped, 1), str(file.path))
    except SourceError as error:
        before = _lines_before(file, start + skipped) if start else 0
        raise SourceError(error.problem, file=error.file, row=(error.row or 0) + before) from error


def _lines_before(file: ChartFile, offset: int) -> int:
    count = 0
    with file.path.open("rb") as opened:
        while offset:
            data = opened.read(min(offset, 1 << 20))
            count += data.count(b"\n")
            offset -= len(data)
    return count


def head(file: ChartFile, size: int = HEAD) -> Lines:
    return lines_between(file, 0, size)


def tail(file: ChartFile, size: int = HEAD) -> Lines:
    return lines_between(file, file.size - size, file.size)


def sample(file: ChartFile) -> list[Lines]:
    """Parts of a file with lines of all types; the whole of a small one."""
    if file.size <= 4 * PART:
        return [lines_between(file, 0, file.size)]
    step = (file.size - 2 * PART) // (MIDDLES + 1)
    middles = [PART + step * number for number in range(1, MIDDLES + 1)]
    return [head(file, PART), *(lines_between(file, at, at + MIDDLE) for at in middles), tail(file, PART)]


def chart_of(file: ChartFile, line: Line) -> int:
    """The chart that a line belongs to."""
    if line.chart >= 0:
        return line.chart
    return line.graph if line.graph >= 0 else file.chart
