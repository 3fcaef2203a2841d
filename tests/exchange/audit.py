"""What a session's fills must be, worked out anew from its events: an account kept by cash flows in fractions, books
put together from single events, and every lot that was shown counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from feedsim.events import L1, L2, Chunk, Trade
from feedsim.wire.messages import AccountEvent, Error, FillEvent, OrderEvent, PositionEvent, Private
from tests.exchange.flows import Run

MULTIPLIER = {"ES": Fraction(50), "NQ": Fraction(20)}
FEE = {"ES": Fraction("2.69"), "NQ": Fraction("2.69")}
BALANCE = Fraction(100_000)
OVER = ("filled", "cancelled", "expired")
CENT = Fraction(1, 10_000)


class Tape:
    """All events of a tape by seq, and the book after each."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        wanted = frozenset(("trade", "l1", "l2"))
        self.events: dict[int, Any] = {e.seq: e for chunk in chunks for e in chunk.events(channels=wanted)}

    def before(self, symbol: str, seq: int, kind: type[Any]) -> Any:
        """The newest event of a kind up to a seq."""
        for at in range(seq, 0, -1):
            event = self.events.get(at)
            if isinstance(event, kind) and event.symbol == symbol:
                return event
        return None

    def mark(self, symbol: str, seq: int, quantity: int) -> Fraction:
        trade = self.before(symbol, seq, Trade)
        if trade is not None:
            return Fraction(trade.price)
        return Fraction(self.offers(symbol, seq, "sell" if quantity > 0 else "buy")[0][0])

    def offers(self, symbol: str, seq: int, side: str) -> list[tuple[float, int]]:
        """What a buyer or seller is offered after an event: levels of the newest l2 less those that
        an l1 or a trade after it passed."""
        up = 1 if side == "buy" else -1
        ask = "ask" if side == "buy" else "bid"
        l2 = self.before(symbol, seq, L2)
        first = l2 if l2 is not None else self.before(symbol, seq, L1)
        levels: dict[float, int] = {}
        for at in range(first.seq, seq + 1):
            event = self.events.get(at)
            if event is None or event.symbol != symbol:
                continue
            if isinstance(event, L2):
                levels = dict(zip(getattr(event, f"{ask}_px"), getattr(event, f"{ask}_sz"), strict=True))
            elif isinstance(event, L1):
                top = getattr(event, ask)
                levels = {price: size for price, size in levels.items() if (price - top) * up > 0}
                levels[top] = getattr(event, f"{ask}_size")
            elif event.side == up and any((price - event.price) * up <= 0 for price in levels):
                levels = {price: size for price, size in levels.items() if (price - event.price) * up >= 0}
                levels[event.price] = levels.get(event.price, 0) - event.size
                levels = {price: size for price, size in levels.items() if size > 0}
        return sorted(levels.items(), key=lambda level: level[0] * up)

    def tells(self, symbol: str, side: str, price: float) -> list[tuple[int, int]]:
        """(seq, lots) each time that a level of the side that `side` trades with is told; lots that trade, below 0."""
        up = 1 if side == "buy" else -1
        ask = "ask" if side == "buy" else "bid"
        told = []
        for seq, event in self.events.items():
            if event.symbol != symbol:
                continue
            if isinstance(event, L1):
                top = getattr(event, ask)
                if (price - top) * up < 0:
                    told.append((seq, 0))
                elif price == top:
                    told.append((seq, getattr(event, f"{ask}_size")))
            elif isinstance(event, L2):
                levels = dict(zip(getattr(event, f"{ask}_px"), getattr(event, f"{ask}_sz"), strict=True))
                if (price - list(levels)[-1]) * up <= 0:
                    told.append((seq, levels.get(price, 0)))
            elif isinstance(event, Trade) and event.side == up:
                if event.price == price:
                    told.append((seq, -event.size))
                elif (price - event.price) * up < 0:
                    told.append((seq, 0))
        return told


def check(tape: Tape, run: Run) -> None:
    """Everything that must hold for each account. Raises AssertionError."""
    for account in {name for name, _ in run.heard}:
        heard = run.of(account)
        private = [event for event in heard if isinstance(event, Private)]
        assert [event.n for event in private] == list(range(1, len(private) + 1))
        _check_order(heard)
        _check_lives(private)
        _check_money(tape, account, private)
        _check_fills(tape, private)
        _check_lots_once(tape, private)


def _check_order(heard: Sequence[Private | Error]) -> None:
    places = [(event.after_seq, event.ts) for event in heard if isinstance(event, Private)]
    assert places == sorted(places)


def _check_lives(private: Sequence[Private]) -> None:
    """No order trades before it is told as new, after it is told to be over, or more than its quantity."""
    state: dict[str, str] = {}
    filled: dict[str, int] = defaultdict(int)
    ids = [event.fill_id for event in private if isinstance(event, FillEvent)]
    assert len(set(ids)) == len(ids)
    for event in private:
        if isinstance(event, OrderEvent) and event.state != "rejected":
            name = event.client_order_id
            if event.id is None or state.get(name) not in OVER:
                assert state.get(name) not in OVER or event.state == state[name]
            state[name] = event.state
            assert event.filled == filled[name]
            assert event.filled <= event.quantity
            assert event.remaining == (0 if event.state in OVER else event.quantity - event.filled)
            assert (event.state == "filled") == (event.filled == event.quantity)
        elif isinstance(event, FillEvent):
            assert state[event.client_order_id] not in OVER
            filled[event.client_order_id] += event.quantity


def _check_money(tape: Tape, account: str, private: Sequence[Private]) -> None:
    """Cash flows in fractions, lot by lot, give the same cash, equity, positions and fees to 1/10,000 dollar."""
    paid: dict[str, Fraction] = defaultdict(Fraction)
    held: dict[str, list[tuple[int, Fraction]]] = defaultdict(list)
    realized: dict[str, Fraction] = defaultdict(Fraction)
    fees: dict[str, Fraction] = defaultdict(Fraction)
    for event in private:
        if isinstance(event, FillEvent):
            sign, price = (1 if event.side == "buy" else -1), Fraction(event.price)
            value = MULTIPLIER[event.symbol]
            for _ in range(event.quantity):
                paid[event.symbol] -= sign * price * value
                if held[event.symbol] and held[event.symbol][0][0] == -sign:
                    _, opened = held[event.symbol].pop(0)
                    realized[event.symbol] += (opened - price) * sign * value
                else:
                    held[event.symbol].append((sign, price))
            fee = event.quantity * FEE[event.symbol]
            assert abs(Fraction(event.fee) - fee) < CENT
            fees[event.symbol] += fee
        elif isinstance(event, PositionEvent):
            name = event.symbol
            quantity = sum(sign for sign, _ in held[name])
            assert event.quantity == quantity
            open_profit = _open_profit(tape, name, quantity, event.after_seq, paid[name]) - realized[name]
            _near(event.realized, realized[name])
            _near(event.fees, fees[name])
            _near(event.unrealized, open_profit)
        elif isinstance(event, AccountEvent):
            made = sum(realized.values(), Fraction())
            _near(event.balance, BALANCE + made - sum(fees.values(), Fraction()))
            total = sum(
                (
                    _open_profit(tape, name, sum(sign for sign, _ in lots), event.after_seq, paid[name])
                    for name, lots in held.items()
                ),
                Fraction(),
            )
            _near(event.equity, BALANCE + total - sum(fees.values(), Fraction()))
            _near(event.free, Fraction(event.equity) - Fraction(event.margin))
            assert event.account == account


def _open_profit(tape: Tape, symbol: str, quantity: int, seq: int, paid: Fraction) -> Fraction:
    """All that a symbol made, by cash flows: what was received less what was paid, and what is held at the mark."""
    if not quantity:
        return paid
    return paid + quantity * tape.mark(symbol, seq, quantity) * MULTIPLIER[symbol]


def _near(told: float, expected: Fraction) -> None:
    assert abs(Fraction(told) - expected) < CENT, (told, float(expected))


def _check_fills(tape: Tape, private: Sequence[Private]) -> None:
    """A taker gets what the book offers there, best first; a maker its own price where the market came to it."""
    price: dict[str, float | None] = {}
    for event in private:
        if isinstance(event, OrderEvent) and event.state != "rejected":
            price[event.client_order_id] = event.price
        elif isinstance(event, FillEvent):
            up = 1 if event.side == "buy" else -1
            limit = price[event.client_order_id]
            assert limit is None or (limit - event.price) * up >= 0
            if event.liquidity == "taker":
                offers = dict(tape.offers(event.symbol, event.after_seq, event.side))
                assert event.price in offers, (event, offers)
                assert event.quantity <= offers[event.price]
            else:
                assert event.price == limit
                happened = tape.events[event.after_seq]
                assert happened.symbol == event.symbol
                if isinstance(happened, Trade):
                    assert happened.side in (-up, 0)
                    assert (event.price - happened.price) * up >= 0
                else:
                    best = tape.offers(event.symbol, event.after_seq, event.side)[0][0]
                    assert (event.price - best) * up >= 0


def _check_lots_once(tape: Tape, private: Sequence[Private]) -> None:
    """From any first take on, an account takes of a level no more than was shown then and what was added since."""
    takes: dict[tuple[str, str, float], list[tuple[int, int]]] = defaultdict(list)
    for event in private:
        if isinstance(event, FillEvent) and event.liquidity == "taker":
            takes[event.symbol, event.side, event.price].append((event.after_seq, event.quantity))
    for (symbol, side, price), taken in takes.items():
        told = tape.tells(symbol, side, price)
        for first, (start, _) in enumerate(taken):
            shown = dict(tape.offers(symbol, start, side))[price]
            room, size, last = shown, shown, start
            for seq, lots in taken[first:]:
                for _, now in [each for each in told if last < each[0] <= seq]:
                    room += max(now - size, 0)
                    size = now if now >= 0 else max(size + now, 0)
                last = seq
                room -= lots
                assert room >= 0, (symbol, side, price, taken)
