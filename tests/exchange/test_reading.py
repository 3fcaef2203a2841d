"""A book is the same whether its events were read one by one or only the newest, wherever somebody looks at it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.events import Chunk
from feedsim.exchange.book import Book
from feedsim.exchange.reading import CHANNELS, Reading
from feedsim.exchange.venue import read_venue
from feedsim.playback.tape import Tape, TapeConfig
from tests.support.memory_source import MemorySource, small_tables

SYMBOLS = ("ES", "NQ")
CONFIG = TapeConfig(bar_tf_s=(), footprint_tf_s=(), profile_every_s=0, features_every_s=0)


def chunks_of(channels: set[str], seed: int, rows: int, *, gaps: bool, coarse: bool) -> list[Chunk]:
    tables = {name: table for name, table in small_tables(seconds=15, seed=seed).items() if name in channels}
    rng = np.random.default_rng(seed)
    if gaps and "l1" in tables:  # sides that are empty for a while
        for side in ("bid", "ask"):
            tables["l1"].array(f"{side}_size")[rng.random(len(tables["l1"])) < 0.2] = 0
    if coarse and "l2" in tables:
        tables["l2"].array("coarse")[:] = True
    tape, chunks = Tape(MemorySource(tables, SYMBOLS), CONFIG), []
    while (chunk := tape.advance(rows)) is not None:
        chunks.append(chunk)
    return chunks


def reading() -> Reading:
    products = read_venue().products
    return Reading({symbol: Book(symbol, products[symbol]) for symbol in SYMBOLS})


def state(book: Book) -> Any:
    return book.phase, book.last, book.sides, book.with_depth


@given(
    channels=st.sets(st.sampled_from(["trade", "l1", "l2"]), min_size=1),
    seed=st.integers(0, 9),
    rows=st.integers(3, 200),
    gaps=st.booleans(),
    coarse=st.booleans(),
    looks=st.lists(st.tuples(st.floats(0, 1), st.sampled_from(SYMBOLS)), max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_both_ways_leave_the_same_books(
    channels: set[str], seed: int, rows: int, gaps: bool, coarse: bool, looks: list[tuple[float, str]]
) -> None:
    chunks = chunks_of(channels, seed, rows, gaps=gaps, coarse=coarse)
    one_by_one, newest = reading(), reading()
    minded = dict.fromkeys(SYMBOLS, CHANNELS)
    last = chunks[-1].last_seq
    wanted = sorted({(round(share * last), symbol) for share, symbol in looks} | {(last, symbol) for symbol in SYMBOLS})
    for chunk in chunks:
        cuts = sorted({min(max(seq + 1 - chunk.first_seq, 0), len(chunk)) for seq, _ in wanted} | {0, len(chunk)})
        for lo, hi in pairwise(cuts):
            one_by_one.to(chunk, hi)
            one_by_one.read(lo, hi, minded, lambda *_: None)
            newest.to(chunk, hi)
            for seq, symbol in wanted:
                if seq == chunk.first_seq + hi - 1:
                    assert state(newest.catch_up(symbol)) == state(one_by_one.books[symbol]), f"{symbol} after {seq}"
