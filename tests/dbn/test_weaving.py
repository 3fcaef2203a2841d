"""Records of several parts become one stream: in order of position, then of parts, whole, and stamped if asked."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from feedsim.dbn.layout import MBP10, SYSTEM, TRADE, new_records
from feedsim.dbn.records import Part
from feedsim.dbn.weaving import Woven

KINDS = (TRADE, MBP10, SYSTEM)
POSITIONS = st.lists(st.integers(0, 9), max_size=8).map(sorted)


def part(number: int, at: list[int]) -> Part:
    records = new_records(KINDS[number], len(at), number)
    records["ts_event"] = 100 * number + np.arange(len(at))
    return Part(records, np.array(at, np.int64), np.zeros(len(at), np.int64), data=KINDS[number] is not SYSTEM)


@given(st.tuples(POSITIONS, POSITIONS, POSITIONS), st.booleans(), st.integers(0, 10), st.integers(0, 10))
def test_a_stream_is_the_parts_in_order(positions: tuple[list[int], ...], stamped: bool, lo: int, hi: int) -> None:
    """Against sorting by hand: the bytes of any range of positions, and how many records of data it has."""
    made = [part(number, at) for number, at in enumerate(positions)]
    woven = Woven(made, stamped=stamped)
    rows = woven.rows(min(lo, hi), max(lo, hi))
    by_hand = sorted((at, number, row) for number, one in enumerate(made) for row, at in enumerate(one.at.tolist()))
    wanted = [(number, row) for at, number, row in by_hand if min(lo, hi) <= at < max(lo, hi)]
    data = b""
    for number, row in wanted:
        record = made[number].records[row : row + 1].copy()
        if stamped:
            record["length"] += 2
        data += record.tobytes() + ((77).to_bytes(8, "little") if stamped else b"")
    assert woven.bytes(*rows, sent_ns=77) == data
    assert woven.count(*rows) == sum(made[number].data for number, _ in wanted)
