"""What a line that is known by the minute changes: a level of a book, the VIX, or an option level."""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple

from feedsim.instruments import root_of
from feedsim.sources.sierra.folds import ASK, BID, DEEPEST, VIX, level_key
from feedsim.sources.sierra.lines import Line, Lines
from feedsim.sources.sierra.routes import Routes

_SIDES = {"BID": BID, "ASK": ASK}


class Change(NamedTuple):
    """`queue` is what changes (`depth/` or `levels/` and a symbol's number, or `vix`), `key` the part of it."""

    queue: str
    key: str
    values: list[float]


def change_of(source: Lines, index: int, chart: int, routes: Routes) -> Change | None:
    """What the line at an index sets; None for a line of a chart or symbol that is not told. Raises SourceError."""
    line = source.lines[index]
    channel = "l2" if line.type == "depth" else "context"
    root = root_of(line.sym or "")
    if channel not in routes.channels:
        return None
    if line.type == "vix":
        return _priced(source, index, Change("vix", VIX, [line.last if line.last == line.last else line.price]))
    if root not in routes.symbols or (line.type == "depth" and routes.depth.get(root) != chart):
        return None
    code = routes.symbols.index(root)
    if line.type == "menthorq_level":
        return _priced(source, index, Change(f"levels/{code}", line.level_type, [_price(line)]))
    if line.side not in _SIDES or not 1 <= line.lvl <= DEEPEST or not line.size >= 0:
        raise source.error(f"expected side BID or ASK, lvl 1 to {DEEPEST} and a size of 0 or more", index)
    side = _SIDES[line.side]
    level = Change(f"depth/{code}", level_key(side, line.lvl), [side, line.lvl, _price(line), line.size])
    return _priced(source, index, level)


def _price(line: Line) -> float:
    return line.price if line.price == line.price else line.px


def _priced(source: Lines, index: int, change: Change) -> Change:
    if not all(map(isfinite, change.values)):
        raise source.error("expected a price", index)
    return change
