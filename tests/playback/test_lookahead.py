"""What is read ahead can be read anew behind an order, and nothing that was told changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.events import Chunk, Digest
from feedsim.instruments import NS_PER_MS
from feedsim.playback.lookahead import Lookahead
from feedsim.playback.tape import Tape
from feedsim.sources.synthetic import SyntheticSource


class Order(NamedTuple):
    side: str
    size: int
    away: int | None
    """Ticks from 5,000 where it rests; None takes what is there."""
    symbol: str = "ES"

    def enter(self, source: SyntheticSource, order_id: int) -> Callable[[int], object]:
        price = None if self.away is None else 5000 + 0.25 * self.away
        return lambda _: source.inject(self.symbol, order_id=order_id, side=self.side, size=self.size, price=price)


orders = st.builds(
    Order, st.sampled_from(["buy", "sell"]), st.integers(1, 300), st.none() | st.integers(-12, 12), st.just("ES")
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("tell"), st.integers(1, 400)),
        st.tuples(st.just("read"), st.integers(1, 3)),
        st.tuples(st.just("step"), st.integers(1, 25)),
        st.tuples(st.just("order"), st.integers(0, 30), orders),
    ),
    max_size=14,
)


def tape(seed: int) -> Tape:
    made = Tape(SyntheticSource(seed=seed, minutes=1 / 6))
    made.skip_to_start()
    return made


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    SyntheticSource(minutes=1).prepare_orders()


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 5), steps=steps, rows=st.integers(20, 700), keep_places=st.booleans())
def test_orders_change_what_follows_and_nothing_that_was_told(
    seed: int, steps: list[tuple[object, ...]], rows: int, keep_places: bool
) -> None:
    """However far was read ahead, the session is the one in which these orders came at these times."""
    ahead = Lookahead(tape(seed), takes_orders=True, keep_places=keep_places)
    told: list[Chunk] = []
    digest = Digest()
    ahead.on_told = told.append
    entered: list[tuple[int, Order]] = []

    def tell(count: int) -> bool:
        chunk = ahead.current(rows)
        if chunk is None:
            return False
        hi = min(ahead.position + count, len(chunk))
        digest.update(chunk, ahead.position, hi)
        ahead.position = hi
        return True

    for what, number, *order in steps:
        assert isinstance(number, int)
        if what == "tell":
            tell(number)
        elif what == "read":
            for _ in range(number):
                ahead.read(rows)
        elif what == "step":
            for _ in range(number):
                ahead.read_on(rows)
        else:
            (one,) = order
            assert isinstance(one, Order)
            ns = max(ahead.told_ns + 1, entered[-1][0] if entered else 0, ahead.tape.start_ns) + number * NS_PER_MS
            source = ahead.tape.source
            assert isinstance(source, SyntheticSource)
            ahead.amend(ns, one.enter(source, -1 - len(entered)))
            entered.append((ns, one))
    while tell(rows):
        pass

    plain = tape(seed)
    source = plain.source
    assert isinstance(source, SyntheticSource)
    expected = Digest()
    for at, (ns, one) in enumerate(entered):
        expected.update(plain.read(ns))
        one.enter(source, -1 - at)(ns)
    while (chunk := plain.advance(500)) is not None:
        expected.update(chunk)
    assert digest.hexdigest() == expected.hexdigest()
    whole = Digest()
    for chunk in told:
        whole.update(chunk)
    assert whole.hexdigest() == expected.hexdigest()
    assert all(chunk.streams is told[0].streams for chunk in told), "a stream has another number now"
    assert [chunk.first_seq for chunk in told[1:]] == [chunk.last_seq + 1 for chunk in told[:-1]]


def test_without_places_nothing_can_be_changed() -> None:
    """A session whose source takes no orders keeps nothing for it."""
    ahead = Lookahead(tape(0))
    ahead.current(100)
    with pytest.raises(AssertionError, match="places"):
        ahead.amend(ahead.tape.start_ns + 1, lambda _: None)
