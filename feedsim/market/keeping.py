"""One symbol's market as bytes: the records of its layers, and what was told and not taken."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.market.sheets import Rows


class Saved(msgspec.Struct, array_like=True):
    """Records and rows as bytes."""

    book: bytes
    factors: bytes
    options: bytes
    minute_ns: int
    day_ns: int
    code: int
    told: list[tuple[int, bytes, bytes, bytes]]
    user_rows: list[bytes]

    def packed(self) -> bytes:
        return zlib.compress(msgspec.msgpack.encode(self), 1)

    @classmethod
    def unpacked(cls, state: bytes) -> Saved:
        return msgspec.msgpack.decode(zlib.decompress(state), type=cls)


def bare_book(states: npt.NDArray[Any]) -> bytes:
    """A record of the kernel's STATE without what stands in its arrays behind the ends of the queues."""
    book = states.copy()
    behind = np.arange(book["sizes"].shape[2]) >= book["count"][0][:, None]
    book["sizes"][0][behind] = 0
    book["ids"][0][behind] = 0
    book["told_rows"] = 0
    book["logged"] = 0
    return book.tobytes()


def rows_of(saved: bytes, width: int) -> Rows:
    return np.frombuffer(saved, np.int64).reshape(-1, width)
