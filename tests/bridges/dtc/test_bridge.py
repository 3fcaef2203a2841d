"""The bridge as clients meet it: real sockets, both forms of JSON, the session of a real service."""

from __future__ import annotations

import asyncio
import random
import struct
from typing import Any, cast

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from feedsim.app.service import Service
from feedsim.events import L1, L2, Trade
from tests.bridges.busy import BUSY
from tests.bridges.dtc.conftest import Served, dtc, port
from tests.bridges.dtc.scripted import Message, TcpClient, WebSocketClient
from tests.hub.lines import tape_events
from tests.server.talking import serving

ES = 7
"""A client's number for the symbol."""


async def test_a_client_logs_on_subscribes_and_gets_every_update_of_its_symbol(served: Served) -> None:
    """10,000 and more, in the tape's order: trades, quotes where they changed, and books that follow from changes."""
    async with served(wait_clients=2, speed=40.0) as service:
        client = await TcpClient.open(port(service))
        client.send(101, RequestAction=1, SymbolID=ES)  # not logged on: the connection ends
        assert (await client.rest())[-1]["Reason"] == "log on first"

        client = await TcpClient.open(port(service))
        logon = await client.log_on()
        assert (logon["Result"], logon["ProtocolVersion"]) == (1, 8)
        client.send(101, RequestAction=1, SymbolID=ES)
        status, snapshot = await client.receive(), await client.receive()
        assert (status["Type"], status["Status"], snapshot["Type"]) == (116, 2, 104)
        client.send(102, RequestAction="SUBSCRIBE", SymbolID=ES, Symbol="ES", NumLevels=5)
        client.send(101, RequestAction=1, SymbolID=8, Symbol="NQ")
        await client.next(104)
        await begin(service)
        expected, books = expected_updates("ES")
        told: list[tuple[Any, ...]] = []
        followed = Book()
        updates = 0
        while len(told) < len(expected):
            message = await client.receive()
            updates += message["Type"] in (106, 107, 108)
            if message.get("SymbolID") != ES:
                continue
            if message["Type"] == 107:
                told.append((107, message["Price"], message["Volume"], message["AtBidOrAsk"]))
            elif message["Type"] == 108:
                told.append(
                    (108, *(message[f"{side}{what}"] for side in ("Bid", "Ask") for what in ("Price", "Quantity")))
                )
            elif followed.take(message):
                assert followed.sides() == next(books)
        assert told == expected
        assert updates >= 10_000
        await client.close()


async def begin(service: Service) -> None:
    """Let the session begin, which has waited for a second client."""
    other = await TcpClient.open(port(service))
    await other.log_on()
    await other.close()


class Book:
    """As a client keeps it: levels by price, set and deleted."""

    def __init__(self) -> None:
        self.levels: dict[int, dict[float, float]] = {1: {}, 2: {}}

    def take(self, message: Message) -> bool:
        """Whether this was the last change of a batch."""
        if message["Type"] == 106:
            side = self.levels[message["Side"]]
            if message["UpdateType"] == 2:
                del side[message["Price"]]
            else:
                side[message["Price"]] = message["Quantity"]
            return bool(message["FinalUpdateInBatch"] == 1)
        return False

    def sides(self) -> list[list[tuple[float, float]]]:
        return [sorted(side.items()) for side in self.levels.values()]


def expected_updates(symbol: str) -> tuple[list[tuple[Any, ...]], Any]:
    """Straight from the tape."""
    updates: list[tuple[Any, ...]] = []
    books: list[list[list[tuple[float, float]]]] = []
    last: tuple[Any, ...] = ()
    for event in tape_events(BUSY):
        if event.symbol != symbol:
            continue
        if isinstance(event, Trade):
            updates.append((107, event.price, event.size, {1: 2, -1: 1}[event.side]))
        elif isinstance(event, L1):
            quote = (108, event.bid, event.bid_size, event.ask, event.ask_size)
            if quote != last:
                updates.append(quote)
            last = quote
        elif isinstance(event, L2):
            sides = ((event.bid_px, event.bid_sz), (event.ask_px, event.ask_sz))
            books.append([sorted(zip(*side, strict=True)) for side in sides])
    return updates, iter(books)


async def test_compact_json_over_a_websocket_tells_the_same(served: Served) -> None:
    """On the same port; values by their places."""
    async with served(wait_clients=2) as service:
        client = await WebSocketClient.open(port(service))
        await client.send(1, 8, "", "", "", 0, 0, 30)
        assert (await client.next(2))["Result"] == 1
        await client.send(102, 1, ES, "ES", "", 3)
        await client.send(101, 1, ES, "ES", "")
        assert (await client.next(104))["SymbolID"] == ES
        await begin(service)
        trades = [event for event in tape_events(BUSY) if isinstance(event, Trade) and event.symbol == "ES"]
        for event in trades[:200]:
            told = await client.next(107)
            assert (told["Price"], told["Volume"], told["SymbolID"]) == (event.price, event.size, ES)
        assert (await client.next(106))["Side"] in (1, 2)
        await client.send(6, 8, 2, "DTC")
        assert (await client.next(7))["Encoding"] == 2
        await client.socket.close()


async def test_a_client_trades_and_its_account_is_on_both_ports(served: Served) -> None:
    """Buy one at the market, hear of the fill, the position and the balance; another port sees the same account."""
    async with served(speed=1.0) as service:
        client, other = await TcpClient.open(port(service)), await TcpClient.open(port(service, "NQ"))
        assert (await client.log_on(TradeAccount="BOT"))["TradingIsSupported"] == 1
        client.send(101, RequestAction=1, SymbolID=ES)
        await client.next(108)
        client.send(
            208, Symbol="ES", ClientOrderID="a1", OrderType="MARKET", BuySell="BUY", OrderQuantity=1, TimeInForce="DAY"
        )
        accepted, filled = await client.next(301), await client.next(301)
        assert (accepted["OrderStatus"], accepted["OrderUpdateReason"], accepted["TradeAccount"]) == (4, 2, "BOT")
        assert (filled["OrderStatus"], filled["OrderUpdateReason"], filled["FilledQuantity"]) == (7, 4, 1)
        price = filled["LastFillPrice"]
        assert filled["AverageFillPrice"] == price
        position, balance = await client.next(306), await client.next(600)
        assert (position["Quantity"], position["AveragePrice"], position["Unsolicited"]) == (1, price, 1)
        assert balance["CashBalance"] < 100_000
        await other.log_on(TradeAccount="BOT")
        other.send(305, RequestID=3)
        assert (await other.next(306))["AveragePrice"] == price
        other.send(601, RequestID=4)
        assert (await other.next(600))["CashBalance"] == balance["CashBalance"]
        other.send(400, RequestID=5)
        assert (await other.next(401))["TradeAccount"] == "BOT"
        other.send(209, Symbol="ES", ClientOrderID="flat")
        assert (await client.next(306))["Quantity"] == 0
        await client.close()
        await other.close()


async def test_resting_orders_are_changed_taken_out_and_listed(served: Served) -> None:
    """A limit and a stop order; what the exchange refuses is refused in the protocol's words."""
    async with served(speed=1.0) as service:
        client = await TcpClient.open(port(service))
        await client.log_on()
        client.send(101, RequestAction=1, SymbolID=ES)
        bid = (await client.next(108))["BidPrice"]
        client.send(208, ClientOrderID="l", OrderType=2, BuySell=1, Price1=bid - 20, Quantity=2, TimeInForce="TIF_GTC")
        client.send(
            208, ClientOrderID="s", OrderType="STOP_LIMIT", BuySell=1, Price1=bid + 2, Price2=bid + 3, Quantity=1
        )
        limit, stop = await client.next(301), await client.next(301)
        assert (limit["Price1"], limit["TimeInForce"], limit["OrderType"]) == (bid - 20, 2, 2)
        assert (stop["Price1"], stop["Price2"], stop["OrderStatus"]) == (bid + 2, bid + 3, 4)
        client.send(204, ServerOrderID=limit["ServerOrderID"], ClientOrderID="l", Price1=bid - 19, Quantity=3)
        changed = await client.next(301)
        assert (changed["OrderUpdateReason"], changed["Price1"], changed["OrderQuantity"]) == (7, bid - 19, 3)
        client.send(300, RequestID=9, RequestAllOrders=1)
        listed = [await client.next(301) for _ in range(2)]
        assert {order["ClientOrderID"] for order in listed} == {"l", "s"}
        assert [(order["MessageNumber"], order["TotalNumMessages"], order["RequestID"]) for order in listed] == [
            (1, 2, 9), (2, 2, 9)
        ]  # fmt: skip
        client.send(203, ServerOrderID="l")
        assert (await client.next(301))["OrderStatus"] == 8
        client.send(203, ServerOrderID="l")
        again = await client.next(301)
        assert (again["OrderUpdateReason"], "cancelled" in again["InfoText"]) == (9, True)
        client.send(204, ServerOrderID="nobody", Price1=1)
        assert (await client.next(301))["OrderUpdateReason"] == 10
        client.send(208, ClientOrderID="x", OrderType="LIMIT", BuySell="BUY", Price1=bid + 0.1, Quantity=1)
        refused = await client.next(301)
        assert (refused["OrderStatus"], refused["OrderUpdateReason"]) == (9, 8)
        assert "tick" in refused["InfoText"]
        client.send(208, ClientOrderID="y", OrderType="ICEBERG", BuySell="BUY", Quantity=1)
        assert "ICEBERG" in (await client.next(301))["InfoText"]
        client.send(208, Symbol="CL", ClientOrderID="z", OrderType=1, BuySell=1, Quantity=1)
        assert "'CL'" in (await client.next(301))["InfoText"]
        await client.close()


async def test_a_flatten_that_is_meant_as_a_cancel_is_refused_and_says_why(served: Served, logged: list[str]) -> None:
    """The position stays, the order stays, and the log names the mistake once."""
    async with served(speed=1.0) as service:
        client = await TcpClient.open(port(service))
        await client.log_on()
        client.send(101, RequestAction=1, SymbolID=ES)
        bid = (await client.next(108))["BidPrice"]
        client.send(208, ClientOrderID="l", OrderType="LIMIT", BuySell="BUY", Price1=bid - 20, Quantity=1)
        await client.next(301)
        for fields in (
            {"ClientOrderID": "l"},
            {"ServerOrderID": "l", "Symbol": "ES"},
            {"ClientOrderID": "l", "Symbol": "ES"},
        ):
            client.send(209, **fields)
            refused = await client.next(301)
            assert (refused["OrderUpdateReason"], refused["OrderStatus"]) == (9, 4)
            assert "Type 203" in refused["InfoText"]
        await client.close()
    assert sum("takes flatten for cancel" in entry for entry in logged) == 1


async def test_without_orders_nobody_trades(served: Served) -> None:
    """Everything about orders is refused; market data is not."""
    async with served(orders=False) as service:
        client = await TcpClient.open(port(service))
        assert (await client.log_on())["TradingIsSupported"] == 0
        client.send(208, ClientOrderID="a", OrderType=1, BuySell=1, Quantity=1)
        assert (await client.next(301))["OrderUpdateReason"] == 8
        for asked, refused in ((300, 302), (305, 307), (601, 602)):
            client.send(asked, RequestID=asked)
            assert (await client.next(refused))["RequestID"] == asked
        client.send(101, RequestAction=1, SymbolID=ES)
        await client.next(107)
        await client.close()


async def test_definitions_and_names(served: Served) -> None:
    """A root, a contract's name or Sierra Chart's; what is none is refused with what there is."""
    async with served() as service:
        client = await TcpClient.open(port(service, "NQ"))
        await client.log_on()
        for request, name, root in ((1, "ES", "ES"), (2, "ESU5", "ES"), (3, "NQZ25_FUT_CME", "NQ"), (4, "", "NQ")):
            client.send(506, RequestID=request, Symbol=name)
            answer = await client.next(507)
            assert (answer["RequestID"], answer["UnderlyingSymbol"]) == (request, root)
            assert answer["MinPriceIncrement"] == 0.25
        assert answer["CurrencyValuePerIncrement"] == 5
        client.send(506, RequestID=5, Symbol="CL")
        assert "'CL'" in (await client.next(509))["RejectText"]
        client.send(101, RequestAction=1, SymbolID=1, Symbol="CL")
        assert "'CL'" in (await client.next(103))["RejectText"]
        client.send(102, RequestAction=9, SymbolID=1, Symbol="ES")
        assert "SUBSCRIBE" in (await client.next(121))["RejectText"]
        await client.close()


# ------------------------------------------------------------------------------------------- encodings and bad input


async def test_other_encodings_are_refused_in_the_encoding_response(served: Served) -> None:
    """In JSON, and in binary to who asks in binary; both go on in JSON."""
    async with served() as service:
        client = await TcpClient.open(port(service))
        for asked, answered in ((0, 2), (1, 2), (4, 2), ("nonsense", 2), (3, 3)):
            client.send(6, ProtocolVersion=8, Encoding=asked, ProtocolType="DTC")
            answer = await client.receive() if asked != 3 else await client.next(7)
            assert answer["Encoding"] == answered
        binary = await TcpClient.open(port(service))
        binary.send_bytes(struct.pack("<HHii4s", 16, 6, 8, 0, b"DTC\0"))
        assert struct.unpack("<HHii4s", await binary.reader.readexactly(16)) == (16, 7, 8, 2, b"DTC\0")
        assert (await binary.log_on())["Result"] == 1
        await client.close()
        await binary.close()


GARBAGE = {
    "no JSON": b"hello\0",
    "no object": b"[1]\0",
    "no type": b"{}\0",
    "wrong type": b'{"Type":"1"}\0',
    "wrong field": b'{"Type":101,"SymbolID":{"a":1}}\0',
    "deep": b'{"Type":1,"F":' + b"[" * 5000 + b"\0",
    "not UTF-8": b'{"Type":1,"Username":"\xff\xfe"}\0',
    "huge": b"x" * 70_000,
    "huge number": b'{"Type":1,"HeartbeatIntervalInSeconds":1e400}\0',
    "binary logon": struct.pack("<HHi", 8, 1, 8) + bytes(100),
    "HTTP": b"POST / HTTP/1.1\r\nHost: x\r\n\r\n\0",
    "bad handshake": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "bad frames": b"GET garbage\r\n\r\n",
}


@pytest.mark.parametrize("name", GARBAGE)
async def test_garbage_ends_its_connection_and_nobody_elses(served: Served, name: str) -> None:
    """With a logoff that says what was wrong, where the protocol is spoken at all."""
    async with served() as service:
        good = await TcpClient.open(port(service))
        await good.log_on()
        good.send(101, RequestAction=1, SymbolID=ES)
        bad = await TcpClient.open(port(service))
        bad.send_bytes(GARBAGE[name])
        data = await asyncio.wait_for(bad.reader.read(), 20)
        if b"GET" not in GARBAGE[name]:
            assert b'"Type":5' in data
            assert dtc(service).counts.refused == 1
        await good.next(107)
        await good.close()
        await bad.close()


async def test_random_bytes_never_reach_anybody(served: Served) -> None:
    """A hundred connections of noise, whole and in pieces; the server's log has nothing to say of them."""
    rng = random.Random(4)
    async with served() as service:
        for _ in range(100):
            bad = await TcpClient.open(port(service))
            for _ in range(rng.randint(1, 3)):
                bad.send_bytes(rng.randbytes(rng.randint(1, 200)) + rng.choice([b"", b"\0"]))
                await asyncio.sleep(0)
            await bad.close()
        good = await TcpClient.open(port(service))
        assert (await good.log_on())["Result"] == 1
        await good.close()


async def test_a_wrong_password_is_refused_where_there_is_a_token(served: Served) -> None:
    """In the logon's own answer; the right one is let in."""
    async with served(token="secret", wait_clients=0) as service:
        client = await TcpClient.open(port(service))
        assert (await client.log_on(Password="guess"))["Result"] == 3
        assert await client.rest() == []
        client = await TcpClient.open(port(service))
        assert (await client.log_on(Password="secret"))["Result"] == 1
        await client.close()


async def test_a_foreign_page_opens_no_websocket(served: Served) -> None:
    """One of this machine does; the answer to the other is an HTTP error."""
    async with served() as service:
        with pytest.raises(InvalidStatus):
            await WebSocketClient.open(port(service), origin="https://evil.example")
        client = await WebSocketClient.open(port(service), origin="http://localhost:3000")
        await client.socket.close()


async def test_more_clients_than_there_may_be_are_told_so(served: Served) -> None:
    """And gone; the others stay."""
    async with served(max_clients=3) as service:
        clients = [await TcpClient.open(port(service)) for _ in range(3)]
        for client in clients:
            assert (await client.log_on())["Result"] == 1
        late = await TcpClient.open(port(service, "NQ"))
        assert [message["Reason"] for message in await late.rest()] == ["full: 3 clients are here"]
        await clients[0].close()
        for client in clients[1:]:
            client.send(506, Symbol="ES")
            await client.next(507)
            await client.close()


async def test_a_silent_client_is_dropped_after_two_missed_heartbeats(served: Served) -> None:
    """With the server's own heartbeats before, and a logoff; one that sends heartbeats stays."""
    async with served(speed=1.0) as service:
        silent, alive = await TcpClient.open(port(service)), await TcpClient.open(port(service))
        await silent.log_on(HeartbeatIntervalInSeconds=1)
        await alive.log_on(HeartbeatIntervalInSeconds=1)

        async def beat() -> None:
            while True:
                await alive.next(3)
                alive.send(3)

        beating = asyncio.create_task(beat())
        messages = await silent.rest()
        assert [message["Type"] for message in messages][-1] == 5
        assert "two heartbeats" in messages[-1]["Reason"]
        assert [message["Type"] for message in messages].count(3) >= 1
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        alive.send(506, Symbol="ES")
        await alive.next(507)
        await alive.close()


async def test_a_client_that_never_reads_loses_by_count_and_holds_nobody_up(served: Served) -> None:
    """The other gets everything; when it reads again, its heartbeats say how much it has missed."""
    async with served(speed=60.0, wait_clients=2, loop=True) as service:
        slow, good = await TcpClient.open(port(service), receive_buffer=1 << 17), await TcpClient.open(port(service))
        await slow.log_on(HeartbeatIntervalInSeconds=1)
        for number in range(12):
            slow.send(101, RequestAction=1, SymbolID=number, Symbol=("ES", "NQ")[number % 2])
        await slow.next(104)
        transport = cast("asyncio.Transport", slow.writer.transport)
        transport.pause_reading()  # as a process that stands still in a debugger
        await good.log_on()
        good.send(101, RequestAction=1, SymbolID=1)
        while not dtc(service).counts.skipped:
            slow.send(3)  # it is alive, and does not read
            for _ in range(50):
                await good.next(107)
        service.sessions.live.player.pause()
        transport.resume_reading()
        while not (beat := await slow.next(3))["NumDroppedMessages"]:
            slow.send(3)
        assert beat["NumDroppedMessages"] <= dtc(service).counts.skipped
        await good.close()
        await slow.close()


async def test_a_session_that_begins_again_is_told_by_a_snapshot(served: Served) -> None:
    """After a loop a subscriber gets the new state before its updates."""
    async with served(loop=True, minutes=0.2) as service:
        client = await TcpClient.open(port(service))
        await client.log_on()
        client.send(101, RequestAction=1, SymbolID=ES)
        await client.next(104)
        client.send(102, RequestAction=1, SymbolID=ES)
        await client.next(122)
        again = await client.next(104)
        assert again["SessionNumTrades"] < 50
        levels = [await client.next(122)]
        while not levels[-1]["IsLastMessageInBatch"]:
            levels.append(await client.receive())
        assert {level["Type"] for level in levels} == {122}
        assert levels[0]["IsFirstMessageInBatch"] == 1
        await client.close()


async def test_the_end_of_the_server_is_a_logoff(served: Served) -> None:
    """With the reason, and a closed socket."""
    async with served() as service:
        client = await TcpClient.open(port(service))
        await client.log_on()
        websocket = await WebSocketClient.open(port(service))
        await websocket.send(1, 8)
        await websocket.next(2)
    assert (await client.rest())[-1] == {"Type": 5, "Reason": "the server is going away", "DoNotReconnect": 0}
    assert (await websocket.next(5))["Reason"] == "the server is going away"
    with pytest.raises(ConnectionClosed):
        await websocket.next(5)


async def test_a_port_that_is_taken_and_a_symbol_that_is_not_there_are_errors_of_the_setting(
    served: Served, busy: Any
) -> None:
    """In one line."""
    from feedsim.errors import ConfigError

    async with served() as service:
        with pytest.raises(ConfigError, match=r"dtc_nq: cannot listen on 127.0.0.1:\d+"):
            async with serving(str(busy), dtc_nq=port(service)):
                pass
    with pytest.raises(ConfigError, match="dtc_nq: the session has no NQ, only ES"):
        async with serving("synthetic:", symbols=("ES",), dtc_nq=0):
            pass
