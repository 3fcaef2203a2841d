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


PLACES: dict[int, list[str]] = {
    2: ["ProtocolVersion", "Result", "ResultText", "ReconnectAddress", "Integer_1", "ServerName"],
    5: ["Reason", "DoNotReconnect"],
    7: ["ProtocolVersion", "Encoding", "ProtocolType"],
    104: ["SymbolID", "SessionSettlementPrice", "SessionOpenPrice", "SessionHighPrice", "SessionLowPrice"],
    106: ["SymbolID", "Side", "Price", "Quantity", "UpdateType", "DateTime", "NumOrders"],
    107: ["SymbolID", "AtBidOrAsk", "Price", "Volume", "DateTime"],
    108: ["SymbolID", "BidPrice", "BidQuantity", "AskPrice", "AskQuantity", "DateTime"],
    122: ["SymbolID", "Side", "Price", "Quantity", "Level", "IsFirstMessageInBatch", "IsLastMessageInBatch"],
    301: [
        *("RequestID", "TotalNumMessages", "MessageNumber", "Symbol", "Exchange", "PreviousServerOrderID"),
        *("ServerOrderID", "ClientOrderID", "ExchangeOrderID", "OrderStatus", "OrderUpdateReason", "OrderType"),
        *("BuySell", "Price1", "Price2", "TimeInForce", "GoodTillDateTime", "OrderQuantity", "FilledQuantity"),
    ],
}


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
