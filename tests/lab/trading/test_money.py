"""The report's money: to the cent what the exchange told, and what counting lot by lot gives."""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.errors import SourceError
from feedsim.events import Chunk, Trade
from feedsim.exchange import TradeSettings
from feedsim.exchange.venue import dollars
from feedsim.lab.trading.equity import curve_of, drawdown
from feedsim.lab.trading.history import History
from feedsim.lab.trading.trips import first_disagreement, trips_of
from feedsim.wire.messages import AccountEvent, FillEvent, OrderNew
from tests.exchange.flows import Asked, Run, flows, run, synthetic, walk
from tests.lab.trading.runs import PRODUCTS, histories, prices, study

TAPES = {"normal": lambda: synthetic(), "walk": lambda: walk(1)}
MULTIPLIER = {"ES": 50, "NQ": 20}
RULES = st.builds(
    TradeSettings,
    fill=st.sampled_from(("queue", "touch")),
    latency_in=st.sampled_from(("0", "lognormal:2ms:1")),
    latency_out=st.sampled_from(("0", "7ms")),
)


def fifo(fills: list[FillEvent]) -> tuple[Fraction, int]:
    """Realised dollars and lots closed, lot by lot."""
    held: dict[str, deque[tuple[int, Fraction]]] = {"ES": deque(), "NQ": deque()}
    realized, closed = Fraction(0), 0
    for fill in fills:
        side, lots = (1 if fill.side == "buy" else -1), held[fill.symbol]
        for _ in range(fill.quantity):
            if lots and lots[0][0] != side:
                entry_side, entry = lots.popleft()
                realized += entry_side * (Fraction(fill.price) - entry) * MULTIPLIER[fill.symbol]
                closed += 1
            else:
                lots.append((side, Fraction(fill.price)))
    return realized, closed


def fills_of(told: Run, account: str) -> list[FillEvent]:
    return [event for event in told.of(account) if isinstance(event, FillEvent)]


@pytest.mark.parametrize("name", TAPES)
@settings(max_examples=25)
@given(data=st.data())
def test_trades_add_up_to_the_account(name: str, data: st.DataObject) -> None:
    """Gross of the trades is what lots in a row give and what the account was told; every lot is in one trade only."""
    tape = TAPES[name]()
    told = run(tape, data.draw(flows(tape)), data.draw(RULES))
    market = prices(tape)
    for account, history in zip(("ann", "ben"), histories(told), strict=True):
        assert first_disagreement(history, PRODUCTS) is None
        trips = trips_of(history, PRODUCTS, market)
        realized, closed = fifo(fills_of(told, account))
        assert dollars(sum(trip.gross for trip in trips)) == realized
        assert sum(trip.lots for trip in trips) == closed
        assert all(trip.fees == trip.lots * 2 * PRODUCTS[trip.entry.symbol].fee for trip in trips)
        last = [event for event in told.of(account) if isinstance(event, AccountEvent)][-1:]
        assert all(event.realized == realized for event in last)


@pytest.mark.parametrize("name", TAPES)
@settings(max_examples=25)
@given(data=st.data())
def test_the_curve_goes_through_what_the_account_was_told(name: str, data: st.DataObject) -> None:
    """After each event at which an account heard of its equity, the curve has that equity, to the cent."""
    tape = TAPES[name]()
    told = run(tape, data.draw(flows(tape)), data.draw(RULES))
    market = prices(tape)
    for history in histories(told):
        if not history.fills:
            continue
        curve = curve_of(history, PRODUCTS, market, 0)
        newest = {statement.event.after_seq: statement for statement in history.statements}
        for seq, statement in newest.items():
            if not _told_all(history, seq, statement.fills) or not _marked(history, market, seq):
                continue
            assert dollars(int(curve.at(2 * seq + 1))) == statement.event.equity


def _told_all(history: History, seq: int, fills: int) -> bool:
    """Whether no fill at the same place came after what was told."""
    return fills == sum(fill.at.seq <= seq for fill in history.fills)


def _marked(history: History, market: dict, seq: int) -> bool:  # type: ignore[type-arg] # of Prices
    return all(market[symbol].last.at(seq) > 0 for symbol in history.symbols)


@settings(max_examples=25)
@given(data=st.data())
def test_excursions_are_the_extremes_between_entry_and_exit(data: st.DataObject) -> None:
    """Of every trade, over the tape's own trades, one by one."""
    tape = TAPES["walk"]()
    told = run(tape, data.draw(flows(tape)))
    printed = _printed(tape)
    for history in histories(told):
        for trip in trips_of(history, PRODUCTS, prices(tape)):
            first, last = trip.entry.at.seq, trip.exit.at.seq
            before = [price for seq, price in printed[trip.entry.symbol] if seq <= first][-1:]
            between = [price for seq, price in printed[trip.entry.symbol] if first < seq <= last]
            fills = [fill.price for part in trip.parts for fill in (part.entry, part.exit)]
            moves = [trip.entry.side * (price - trip.entry_ticks) for price in (*before, *between, *fills)]
            assert trip.worst == min(0, *moves)
            assert trip.best == max(0, *moves)


def _printed(tape: tuple[Chunk, ...]) -> dict[str, list[tuple[int, int]]]:
    """Trades by symbol: seq and price in ticks."""
    found: dict[str, list[tuple[int, int]]] = {"ES": [], "NQ": []}
    for chunk in tape:
        for event in chunk.events(channels=frozenset(("trade",))):
            assert isinstance(event, Trade)
            found[event.symbol].append((event.seq, round(event.price * 4)))
    return found


@settings(max_examples=15)
@given(data=st.data())
def test_drawdown_is_the_deepest_fall(data: st.DataObject) -> None:
    """No later value lies farther below an earlier one, and two lie exactly so far apart."""
    tape = TAPES["walk"]()
    told = run(tape, data.draw(flows(tape)))
    for history in histories(told):
        curve = curve_of(history, PRODUCTS, prices(tape), 0)
        values, peak, deepest = curve.value.tolist(), curve.value[0], 0
        for value in values:
            peak = max(peak, value)
            deepest = max(deepest, peak - value)
        assert drawdown(curve).amount == deepest


def test_net_is_what_equity_gained() -> None:
    """Gross, open positions and fees make up the net P&L, of each account and of both together."""
    tape = TAPES["walk"]()
    flow = [
        Asked(0.2, "ann", OrderNew(client_order_id="a", symbol="ES", side="buy", quantity=3)),
        Asked(0.4, "ben", OrderNew(client_order_id="b", symbol="NQ", side="sell", quantity=2)),
        Asked(0.7, "ann", OrderNew(client_order_id="c", symbol="ES", side="sell", quantity=1)),
    ]
    report = study(tape, run(tape, flow)).finish()
    for one in (*report.accounts, report.together):
        assert round(one.gross + one.open_profit - one.fees - one.net, 4) == 0
    assert report.together.net == pytest.approx(sum(one.net for one in report.accounts))
    assert [one.open_lots for one in report.accounts] == [2, 2]
    assert report.together.fees == pytest.approx(6 * 2.69)
    assert report.together.equity == pytest.approx(200_000 + report.together.net)


def test_a_log_that_does_not_add_up_is_refused() -> None:
    """An account that was told another sum than its fills give: nobody can say which is right."""
    tape = TAPES["walk"]()
    told = run(tape, [Asked(0.2, "ann", OrderNew(client_order_id="a", symbol="ES", side="buy", quantity=3))])
    for place, (account, event) in enumerate(told.heard):
        if isinstance(event, AccountEvent):
            told.heard[place] = (account, msgspec.structs.replace(event, fees=event.fees + 0.01))
    with pytest.raises(SourceError, match=r"the log does not add up: account 1, private event \d+: fees was"):
        study(tape, told)
