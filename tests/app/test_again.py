"""Sessions whose orders entered the market: what was traded fixes them, and nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import feedsim
from feedsim.app.again import Again
from feedsim.app.proof import prove
from feedsim.app.trading import exchange_maker
from feedsim.config import TradeSettings
from feedsim.events import Digest, Trade
from feedsim.exchange import LogEntry
from feedsim.instruments import NS_PER_MS
from feedsim.playback.tape import Tape
from feedsim.sources.synthetic import SyntheticSource
from feedsim.testing import ServerThread
from feedsim.wire.messages import Bracket, Error, FillEvent, Flatten, OrderCancel, OrderNew, OrderReplace, Private

SETTINGS = TradeSettings(source="synthetic:", impact="shared", balance=1e9, orders_per_s=0)
PRICES = st.integers(-10, 10).map(lambda ticks: 5000 + 0.25 * ticks)


class Journal:
    """Keeps the log."""

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []
        self.on_log = self.entries.append


class Live(Again):
    """Enters a script's requests while it tells: (events between two, ms later, account, request)."""

    def __init__(self, script: list[tuple[int, int, str, Any]], *args: Any, **options: Any) -> None:
        self.script, self.next_at = list(script), 0
        super().__init__(*args, **options)

    def _enter_due(self) -> None:
        while self.script and self.lookahead.told_seq >= self.next_at + self.script[0][0]:
            _, later_ms, account, request = self.script.pop(0)
            self.next_at = self.lookahead.told_seq
            now_ns = max(self.lookahead.told_ns, self.tape.start_ns) + later_ms * NS_PER_MS
            self._exchange.open_account(account)
            self._exchange.enter(account, request, now_ns=now_ns, head_seq=self.lookahead.told_seq)
            self.heard += self._exchange.take()


def tape(seed: int) -> Tape:
    made = Tape(SyntheticSource(seed=seed, minutes=1 / 8))
    made.skip_to_start()
    made.open_epoch(1, "")
    return made


def played(session: Again) -> tuple[str, list[tuple[str, Private | Error]]]:
    digest = Digest()
    for chunk in session:
        digest.update(chunk)
    return digest.hexdigest(), session.heard


def again(seed: int, entries: Iterable[LogEntry], rows: int) -> tuple[str, list[tuple[str, Private | Error]]]:
    make = exchange_maker(SETTINGS)
    assert make is not None
    return played(Again(tape(seed), make, entries, rows=rows))


new_orders = st.builds(
    OrderNew,
    client_order_id=st.sampled_from("abcdefgh"),
    symbol=st.sampled_from(["ES", "NQ"]).map(lambda _: "ES"),
    side=st.sampled_from(["buy", "sell"]),
    type=st.sampled_from(["market", "limit", "stop"]),
    quantity=st.sampled_from([1, 3, 40, 250]),
    price=PRICES,
    stop_price=PRICES,
    tif=st.sampled_from(["day", "ioc", "gtc"]),
    bracket=st.none() | st.just(Bracket(stop_loss=4999.0, take_profit=5001.0)),
).map(lambda order: _with_its_prices(order))
changes = (
    st.builds(OrderCancel, client_order_id=st.sampled_from("abcdefgh"))
    | st.builds(OrderReplace, client_order_id=st.sampled_from("abcdefgh"), quantity=st.sampled_from([1, 2, 50]))
    | st.builds(Flatten)
)
scripts = st.lists(
    st.tuples(st.integers(0, 500), st.integers(0, 20), st.sampled_from(["one", "two"]), new_orders | changes),
    min_size=1,
    max_size=10,
)


def _with_its_prices(order: OrderNew) -> OrderNew:
    """Only the prices that its type has."""
    if order.type != "limit":
        order.price = None
    if order.type != "stop":
        order.stop_price = None
    return order


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    SyntheticSource(minutes=1).prepare_orders()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 3), script=scripts, rows=st.integers(50, 900), other_rows=st.integers(50, 900))
def test_the_log_makes_the_session_again(seed: int, script: list[Any], rows: int, other_rows: int) -> None:
    """Whatever was traded when: seed and log give every event and every private event, however far is read ahead."""
    journal = Journal()
    make = exchange_maker(SETTINGS, journal=journal)  # type: ignore[arg-type] # it logs
    assert make is not None
    live = played(Live(script, tape(seed), make, (), rows=rows))
    assert again(seed, journal.entries, other_rows) == live


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 3), script=scripts)
def test_what_takes_is_on_the_tape(seed: int, script: list[Any]) -> None:
    """Every lot that an order took printed at its price, from then on; and no resting lot filled without a print."""
    make = exchange_maker(SETTINGS)
    assert make is not None
    session = Live(script, tape(seed), make, (), rows=300)
    trades: list[Trade] = []
    for chunk in session:
        trades += [event for event in chunk.events(scale=1) if isinstance(event, Trade) and event.symbol == "ES"]
    fills = [event for _, event in session.heard if isinstance(event, FillEvent)]
    for fill in fills:
        taker = fill.liquidity == "taker"
        side = 1 if (fill.side == "buy") == taker else -1
        near = [t for t in trades if abs(t.ts - fill.ts) <= 25 * NS_PER_MS and t.price == fill.price and t.side == side]
        assert sum(trade.size for trade in near) >= fill.quantity, (fill, near)


def test_over_the_wire(tmp_path: Path) -> None:
    """A bot on the shared session: its trades move the tape, and `feedsim verify` makes both again."""

    async def trade(url: str) -> str | None:
        async with feedsim.connect(url, channels=["trade", "l1"], symbols=["ES"]) as feed:
            count = 0
            async for _ in feed:
                count += 1
                if count == 300:
                    await feed.buy("ES", 250)
                elif count == 900:
                    await feed.flatten()
            assert feed.positions["ES"].quantity == 0
            assert feed.state is not None
            return feed.state.digest

    digests = []
    for number, impact in enumerate(("shared", "none")):
        chosen = {"minutes": 1 / 3, "seed": 5, "balance": 1e7, "impact": impact, "tap": str(tmp_path / str(number))}
        with ServerThread(lockstep=True, exit_at_end=True, **chosen) as server:
            digests.append(asyncio.run(trade(server.url)))
    assert digests[0] != digests[1]
    for number in range(2):
        with (tmp_path / "printed").open("w") as printed:
            assert prove(tmp_path / str(number), source=None, seal=False, console=Console(file=printed, width=200))
        assert "equal when entered again" in (tmp_path / "printed").read_text()
