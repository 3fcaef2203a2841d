"""One line of a Sierra chart file as a Struct, blocks of lines as Structs, quotes and trades as records of an array.

The study's readers disagree about names, so a line may carry each value under several; the first one present counts.
Times are exact: a day count is turned into nanoseconds by whole numbers, from the digits that the file has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.errors import SourceError
from feedsim.events.columns import Int64
from feedsim.sources.text_lines import Block

NAN = float("nan")
UNIX_EPOCH_DAYS = 25_569  # 1970-01-01 in Sierra's day count, which starts on 1899-12-30
NS_PER_DAY = 86_400 * 1_000_000_000
_NANODAYS = 1_000_000_000  # a day; one of them is 86,400 ns
_LONGEST_SEQ = 1 << 40

Records = npt.NDArray[np.void]
"""Quotes and trades: dtype RECORD."""

RECORD = np.dtype(
    [
        ("key", "i8"),  # seq, and the day's number above its 40 bits: the order of a chart's records
        ("ts", "i8"),  # as stamped, ns UTC
        ("avail", "i8"),
        ("symbol", "i8"),
        ("input", "i8"),  # which of a chart's files
        ("trade", "?"),
        ("side", "i8"),
        ("bid", "f8"),  # or a trade's price
        ("ask", "f8"),
        ("bid_size", "i8"),  # or a trade's size
        ("ask_size", "i8"),
    ]
)
CONTENT = ("ts", "trade", "side", "bid", "ask", "bid_size", "ask_size")
"""What a record says: equal in both copies of a record that was written twice."""


class Line(msgspec.Struct, gc=False):
    """All that is read of a line of any type. Floats that are absent are NaN: JSON has none."""

    type: str = ""
    t: float = NAN
    ts: str | int | float | None = None
    sym: str | None = None
    side: str = ""
    px: float = NAN
    price: float = NAN
    vol: float = NAN
    volume: float = NAN
    qty: float = NAN
    size: float = NAN
    seq: int = -1
    chart: int = -1
    graph: int = -1
    bid: float = NAN
    ask: float = NAN
    bq: float = NAN
    aq: float = NAN
    lvl: int = 0
    o: float = NAN
    h: float = NAN
    l: float = NAN  # noqa: E741 - the file's own name for the low
    c: float = NAN
    v: float = NAN
    bidvol: float = NAN
    askvol: float = NAN
    last: float = NAN
    level_type: str = ""


MINUTE_LINES = ("depth", "vix", "menthorq_level")
"""Types of the lines that are known by the minute only, and are told."""


def is_tick(line: Line) -> bool:
    """Whether a line is a quote or a trade."""
    return line.type in ("quote", "trade")


_decoder = msgspec.json.Decoder(Line)


class Lines(NamedTuple):
    """A block of lines, decoded, with the rows that they are in."""

    file: str
    lines: list[Line]
    rows: Sequence[int]
    torn: bool
    """The last line had no end yet; it is left out."""

    def error(self, problem: str, index: int) -> SourceError:
        return SourceError(problem, file=self.file, row=self.rows[index])


def decode_block(block: Block, file: str) -> Lines:
    """The lines of a block. Raises SourceError for the first line that is no JSON object of the known fields' types."""
    try:
        lines = _decoder.decode_lines(block.data)
        if len(lines) == block.data.count(b"\n") and block.data.endswith(b"\n"):
            return Lines(file, lines, range(block.row, block.row + len(lines)), torn=False)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass  # found again below, where the row is known
    return _decode_singly(block, file)


def _decode_singly(block: Block, file: str) -> Lines:
    texts = block.data.split(b"\n")
    lines: list[Line] = []
    rows: list[int] = []
    for row, text in enumerate(texts, block.row):
        if not text.strip():
            continue
        try:
            lines.append(_decoder.decode(text))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            if row == block.row + len(texts) - 1:  # no newline behind it: the study is still writing it
                return Lines(file, lines, rows, torn=True)
            raise SourceError(f"expected one JSON object: {error}", file=file, row=row) from error
        rows.append(row)
    return Lines(file, lines, rows, torn=False)


# ------------------------------------------------------------------------------------------------------------- times


def day_count_ns(days: npt.NDArray[np.float64]) -> Int64:
    """Sierra's day counts as int64 nanoseconds UTC, exact for what is printed with up to 15 digits in all.

    Up to 9 decimals the float is within a hundredth of a whole number of nanodays, which is then the number printed.
    """
    scaled = days * _NANODAYS
    nanodays = np.rint(scaled)
    ns = (nanodays.astype(np.int64) - UNIX_EPOCH_DAYS * _NANODAYS) * (NS_PER_DAY // _NANODAYS)
    for index in np.flatnonzero(np.abs(scaled - nanodays) > 0.02).tolist():  # more than 9 decimals
        ns[index] = int((Decimal(repr(float(days[index]))) - UNIX_EPOCH_DAYS) * NS_PER_DAY)
    return ns


_ISO = re.compile(
    r"(?P<whole>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9})\d*)?(?P<zone>Z|[+-]\d\d:?\d\d)?"
)


def iso_ns(text: str) -> int:
    """An ISO 8601 time as nanoseconds UTC, which it is taken for where it names no zone. Raises ValueError."""
    match = _ISO.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no ISO 8601 time")
    moment = datetime.fromisoformat(match["whole"] + (match["zone"] or "Z"))
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + int((match["fraction"] or "").ljust(9, "0"))


def times_ns(source: Lines, indices: Sequence[int]) -> Int64:
    """The times of some lines: `t`, or the ISO text in `ts` where there is no `t`."""
    lines = source.lines
    days = np.array([lines[index].t for index in indices], np.float64)
    absent = np.isnan(days)
    bad = ~absent & ~((days > UNIX_EPOCH_DAYS) & (days < 100_000))
    if bad.any():
        index = int(np.argmax(bad))
        raise source.error(f"t is {days[index]}, expected a day count (45916.389089)", indices[index])
    ns = day_count_ns(np.where(absent, UNIX_EPOCH_DAYS, days))
    for index in np.flatnonzero(absent).tolist():
        text = lines[indices[index]].ts
        try:
            ns[index] = iso_ns(text if isinstance(text, str) else "")
        except ValueError as error:
            raise source.error("expected a time: t as a day count or ts as ISO text", indices[index]) from error
    return ns


# ----------------------------------------------------------------------------------------------- quotes and trades


def records_of(source: Lines, indices: Sequence[int]) -> Records:
    """The quotes and trades at some indices; key is the seq, avail the stamp. Raises SourceError."""
    lines = source.lines
    found = np.zeros(len(indices), RECORD)
    found["key"] = [lines[index].seq for index in indices]
    found["ts"] = found["avail"] = times_ns(source, indices)
    trade = np.array([lines[index].type == "trade" for index in indices], np.bool_)
    found["trade"] = trade
    _fill_quotes(found, np.flatnonzero(~trade), [line for index in indices if (line := lines[index]).type != "trade"])
    _fill_trades(found, np.flatnonzero(trade), [line for index in indices if (line := lines[index]).type == "trade"])
    _check(source, indices, found)
    return found


def _fill_quotes(found: Records, at: npt.NDArray[np.intp], quotes: list[Line]) -> None:
    found["bid"][at] = [line.bid for line in quotes]
    found["ask"][at] = [line.ask for line in quotes]
    found["bid_size"][at] = _lots([line.bq for line in quotes])
    found["ask_size"][at] = _lots([line.aq for line in quotes])


def _fill_trades(found: Records, at: npt.NDArray[np.intp], trades: list[Line]) -> None:
    found["side"][at] = [_SIDES.get(line.side.upper(), 0) for line in trades]
    found["bid"][at] = [_first(line.px, line.price) for line in trades]
    found["bid_size"][at] = _lots([_first(line.vol, line.volume, line.qty, line.size) for line in trades])


_SIDES = {"BUY": 1, "SELL": -1}


def _first(*values: float) -> float:
    return next((value for value in values if value == value), NAN)


def _lots(values: list[float]) -> Int64:
    """Whole numbers; -1 for what is none."""
    sizes = np.array(values, np.float64)
    whole = (sizes >= 0) & (sizes < 1 << 53) & (np.floor(sizes) == sizes)
    return np.where(whole, sizes, -1).astype(np.int64)


def _check(source: Lines, indices: Sequence[int], found: Records) -> None:
    key = found["key"]
    checks = (
        ((key < 0) | (key >= _LONGEST_SEQ), "seq is missing or out of range"),
        (~np.isfinite(found["bid"]) | ~np.isfinite(found["ask"]), "expected bid and ask, or px of a trade"),
        ((found["bid_size"] < 0) | (found["ask_size"] < 0), "expected whole sizes of 0 or more (bq and aq, or vol)"),
    )
    for bad, problem in checks:
        if bad.any():
            raise source.error(problem, indices[int(np.argmax(bad))])
