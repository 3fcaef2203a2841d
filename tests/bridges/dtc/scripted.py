"""A DTC client of the tests' own: numbers, names and places as the protocol's document has them, none of the bridge's.

Over TCP it speaks JSON, every message ended by a NUL byte; over a WebSocket compact JSON, values by their places.
"""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

LONGEST_S = 20.0  # that any answer may take; only a broken server needs it

Message = dict[str, Any]


class TcpClient:
    """JSON over TCP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int, *, receive_buffer: int = 0) -> TcpClient:
        """`receive_buffer`: bytes that the client's own kernel takes for it; 0: as many as usual."""
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
        return cls(*await asyncio.open_connection(sock=connection, limit=1 << 24))

    def send(self, type: int, **fields: Any) -> None:
        self.send_bytes(json.dumps({"Type": type, **fields}).encode() + b"\0")

    def send_bytes(self, data: bytes) -> None:
        self.writer.write(data)

    async def receive(self) -> Message:
        """Raises EOFError where the server has closed."""
        data = await asyncio.wait_for(self.reader.readuntil(b"\0"), LONGEST_S)
        return dict(json.loads(data[:-1]))

    async def next(self, *types: int) -> Message:
        """The next message of one of some types; others are passed over."""
        while (message := await self.receive())["Type"] not in types:
            pass
        return message

    async def log_on(self, **fields: Any) -> Message:
        self.send(1, **{"ProtocolVersion": 8, "HeartbeatIntervalInSeconds": 30, "ClientName": "test", **fields})
        return await self.next(2)

    async def rest(self) -> list[Message]:
        """Everything until the server closes."""
        messages: list[Message] = []
        try:
            while True:
                messages.append(await self.receive())
        except (EOFError, ConnectionError):
            await self.close()
            return messages

    async def close(self) -> None:
        self.writer.close()
        await asyncio.gather(self.writer.wait_closed(), return_exceptions=True)


def _words(text: str) -> list[str]:
    return text.split()


PLACES: dict[int, list[str]] = {
    1: _words("ProtocolVersion Username Password GeneralTextData Integer_1 Integer_2 HeartbeatIntervalInSeconds"),
    2: _words(
        "ProtocolVersion Result ResultText ReconnectAddress Integer_1 ServerName MarketDepthUpdatesBestBidAndAsk"
        " TradingIsSupported OCOOrdersSupported OrderCancelReplaceSupported SymbolExchangeDelimiter"
        " SecurityDefinitionsSupported HistoricalPriceDataSupported ResubscribeWhenMarketDataFeedAvailable"
        " MarketDepthIsSupported OneHistoricalPriceDataRequestPerConnection BracketOrdersSupported"
    ),
    3: _words("NumDroppedMessages CurrentDateTime"),
    5: _words("Reason DoNotReconnect"),
    6: _words("ProtocolVersion Encoding ProtocolType"),
    7: _words("ProtocolVersion Encoding ProtocolType"),
    101: _words("RequestAction SymbolID Symbol Exchange IntervalForSnapshotUpdatesInMilliseconds"),
    102: _words("RequestAction SymbolID Symbol Exchange NumLevels"),
    103: _words("SymbolID RejectText"),
    104: _words(
        "SymbolID SessionSettlementPrice SessionOpenPrice SessionHighPrice SessionLowPrice SessionVolume"
        " SessionNumTrades OpenInterest BidPrice AskPrice AskQuantity BidQuantity LastTradePrice LastTradeVolume"
        " LastTradeDateTime BidAskDateTime SessionSettlementDateTime TradingSessionDate TradingStatus"
        " MarketDepthUpdateDateTime"
    ),
    106: _words("SymbolID Side Price Quantity UpdateType DateTime NumOrders"),
    107: _words("SymbolID AtBidOrAsk Price Volume DateTime"),
    108: _words("SymbolID BidPrice BidQuantity AskPrice AskQuantity DateTime"),
    116: _words("SymbolID Status"),
    121: _words("SymbolID RejectText"),
    122: _words("SymbolID Side Price Quantity Level IsFirstMessageInBatch IsLastMessageInBatch DateTime NumOrders"),
    203: _words("ServerOrderID ClientOrderID"),
    204: _words("ServerOrderID ClientOrderID Price1 Price2 Quantity Price1IsSet Price2IsSet"),
    208: _words(
        "Symbol Exchange TradeAccount ClientOrderID OrderType BuySell Price1 Price2 Quantity TimeInForce"
        " GoodTillDateTime IsAutomatedOrder IsParentOrder FreeFormText OpenOrClose MaxShowQuantity"
    ),
    209: _words("Symbol Exchange TradeAccount ClientOrderID FreeFormText IsAutomatedOrder"),
    300: _words("RequestID RequestAllOrders ServerOrderID TradeAccount"),
    301: _words(
        "RequestID TotalNumMessages MessageNumber Symbol Exchange PreviousServerOrderID ServerOrderID ClientOrderID"
        " ExchangeOrderID OrderStatus OrderUpdateReason OrderType BuySell Price1 Price2 TimeInForce GoodTillDateTime"
        " OrderQuantity FilledQuantity RemainingQuantity AverageFillPrice LastFillPrice LastFillDateTime"
        " LastFillQuantity LastFillExecutionID TradeAccount InfoText NoOrders ParentServerOrderID"
        " OCOLinkedOrderServerOrderID OpenOrClose PreviousClientOrderID FreeFormText OrderReceivedDateTime"
        " LatestTransactionDateTime"
    ),
    302: _words("RequestID RejectText"),
    305: _words("RequestID TradeAccount"),
    306: _words(
        "RequestID TotalNumberMessages MessageNumber Symbol Exchange Quantity AveragePrice PositionIdentifier"
        " TradeAccount NoPositions Unsolicited MarginRequirement EntryDateTime"
    ),
    307: _words("RequestID RejectText"),
    400: _words("RequestID"),
    401: _words("TotalNumberMessages MessageNumber TradeAccount RequestID"),
    506: _words("RequestID Symbol Exchange"),
    507: _words(
        "RequestID Symbol Exchange SecurityType Description MinPriceIncrement PriceDisplayFormat"
        " CurrencyValuePerIncrement IsFinalMessage FloatToIntPriceMultiplier IntToFloatPriceDivisor UnderlyingSymbol"
        " UpdatesBidAskOnly StrikePrice PutOrCall ShortInterest SecurityExpirationDate BuyRolloverInterest"
        " SellRolloverInterest EarningsPerShare SharesOutstanding IntToFloatQuantityDivisor HasMarketDepthData"
    ),
    509: _words("RequestID RejectText"),
    600: _words(
        "RequestID CashBalance BalanceAvailableForNewPositions AccountCurrency TradeAccount SecuritiesValue"
        " MarginRequirement TotalNumberMessages MessageNumber NoAccountBalances Unsolicited OpenPositionsProfitLoss"
        " DailyProfitLoss InfoText"
    ),
    601: _words("RequestID TradeAccount"),
    602: _words("RequestID RejectText"),
    701: _words("MessageText"),
}
"""The places of fields in compact JSON: those of the vendor's public header, version 8."""


class WebSocketClient:
    """Compact JSON over a WebSocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    @classmethod
    async def open(cls, port: int, **options: Any) -> WebSocketClient:
        return cls(await connect(f"ws://127.0.0.1:{port}/", compression=None, max_queue=None, **options))

    async def send(self, type: int, *values: Any) -> None:
        await self.socket.send(json.dumps({"Type": type, "F": values}))

    async def next(self, *types: int) -> Message:
        while True:
            data = json.loads(await asyncio.wait_for(self.socket.recv(), LONGEST_S))
            if data["Type"] in types:
                named = zip(PLACES.get(data["Type"], []), data["F"], strict=False)
                return {"Type": data["Type"], **dict(named)}
