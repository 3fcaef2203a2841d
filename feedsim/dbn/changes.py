"""What changed between a book and the one before it, and how a record says so; levels and records as rows of words.

NumPy moves and compares records field by field, and words many at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.dbn.before import Levels
from feedsim.dbn.layout import ADD, ASK, BID, CANCEL, LEVEL, MODIFY, NO_SIDE, UNDEF_PRICE


def words_of(records: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """A view with a row of words of 8 bytes for each record, or each row of levels."""
    return records.view(np.uint64).reshape(len(records), -1)


def set_levels(records: npt.NDArray[Any], levels: Levels) -> None:
    """All levels of records, which stand at their ends."""
    words = words_of(levels)
    words_of(records)[:, -words.shape[1] :] = words


def _fields_of(level: np.dtype[Any]) -> list[str]:
    """The field that each word of 4 bytes of a level belongs to."""
    fields: Mapping[str, Any] = level.fields or {}
    return [name for name in level.names or () for _ in range(fields[name][0].itemsize // 4)]


_BID_WORDS, _ASK_WORDS = (
    np.frombuffer(bytes(255 * (name.startswith(side)) for name in _fields_of(LEVEL)), np.uint64)[0]
    for side in ("bid", "ask")
)


def differ(levels: Levels, old: Levels) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Where bids and where asks are not the same: all fields of a level are compared at once, as words of 4 bytes."""
    words = levels.view(np.uint32).reshape(*levels.shape, -1) != old.view(np.uint32).reshape(*levels.shape, -1)
    together = words.view(np.uint64)[..., 0]
    return (together & _BID_WORDS) != 0, (together & _ASK_WORDS) != 0


def name_change(
    records: npt.NDArray[Any],
    levels: Levels,
    old: Levels,
    bids: npt.NDArray[np.bool_],
    asks: npt.NDArray[np.bool_],
) -> None:
    """What happened: lots came to a price, or went from it; more than that at once is a modification."""
    on_bid = bids.any(axis=1)
    depth = np.where(on_bid, bids.argmax(axis=1), asks.argmax(axis=1))
    now, then = _level_of(levels, depth), _level_of(old, depth)
    price, was = (np.where(on_bid, level["bid_px"], level["ask_px"]) for level in (now, then))
    size, had = (np.where(on_bid, level["bid_sz"], level["ask_sz"]).astype(np.int64) for level in (now, then))
    nearer = np.where(on_bid, price > was, price < was) & (price != UNDEF_PRICE) | (was == UNDEF_PRICE)
    same = price == was
    came = np.where(same, size > had, nearer)
    records["action"] = np.where(came, ADD, np.where(same & (size == had), MODIFY, CANCEL))
    records["price"] = np.where(came | same, price, was)
    records["size"] = np.where(same, np.where(size == had, size, np.abs(size - had)), np.where(came, size, had))
    records["side"] = np.where(on_bid, BID, ASK)
    records["depth"] = depth
    both = on_bid & asks.any(axis=1)
    records["side"][both] = NO_SIDE
    records["action"][both & ~(was == UNDEF_PRICE)] = MODIFY


def _level_of(levels: Levels, depth: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
    """One level of each row."""
    if levels.shape[1] == 1:
        return levels[:, 0]
    words = words_of(levels).reshape(*levels.shape, -1)
    return words[np.arange(len(levels)), depth].view(LEVEL)[:, 0]
