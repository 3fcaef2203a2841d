"""One client: it logs on, shows that it is alive, asks for market data and trades. It knows no sockets.

Market data that its connection does not take is dropped and counted in the heartbeats' NumDroppedMessages; when it
takes it again, a snapshot follows. What its account hears is never dropped.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from feedsim.bridges.dtc import messages as m
from feedsim.bridges.dtc.codec import GarbageError, NotServedError, decode, encode
from feedsim.bridges.dtc.enums import Encoding, FeedStatus, LogonStatus, RequestAction, read
from feedsim.bridges.dtc.market import Market
from feedsim.bridges.dtc.trading import Trading, TradingHouse
from feedsim.instruments import INSTRUMENTS

HEARTBEAT_S = (30, 1, 300)  # usual, least and most seconds between heartbeats
LOGON_S = 10.0  # a client that has not logged on by then is sent away
DEPTH = 10  # levels, where a client names no number
MOST_DEPTH = 20
MOST_SUBSCRIPTIONS = 64
RATE = 200  # messages in a second, above which a client is sent away
FULL = 128 * 1024  # bytes that wait for a connection, above which market data is dropped
MOST_WAITING = 512 * 1024  # bytes at which it is closed: it does not even take what its account has to hear


class Link(Protocol):
    """A client's connection: takes whole messages."""

    def write(self, messages: Sequence[bytes]) -> None: ...

    def buffered(self) -> int: ...

    def close(self) -> None: ...


class House(TradingHouse, Protocol):
    """What a client may use of its bridge."""

    symbols: Sequence[str]
    markets: Mapping[str, Market]
    server: str
    token: str | None

    def find(self, text: str) -> str | None:
        """The symbol that a name stands for; None where there is none."""
        ...

    def sym(self, symbol: str) -> str: ...

    def logged_on(self, client: Client) -> None: ...

    def on_dropped(self, count: int) -> None: ...

    def on_sent(self, count: int, size: int) -> None: ...


class Client:
    """`receive` gets each message, `tick` is called once a second."""

    def __init__(self, link: Link, house: House, *, symbol: str, encoding: Encoding | None, now: float) -> None:
        """`symbol` is meant where a request names none; `encoding` None: that of the client's first message."""
        self._link, self._house, self._symbol = link, house, symbol
        self.encoding = encoding
        self.name = ""
        self.data: dict[int, str] = {}
        """Symbols whose trades and quotes it gets, by its numbers for them."""
        self.depth: dict[int, tuple[str, int]] = {}
        """Symbols and levels of depth."""
        self.gone = False
        self._trading = Trading(house, self)
        self._on = False
        self._heartbeat_s = float(HEARTBEAT_S[0])
        self._began = self._heard = self._beat = now
        self._second, self._count = int(now), 0
        self._dropped = 0
        self._behind = False
        self._told: list[bytes] = []
        self._told_bytes = 0
        self._handlers: dict[type[m.Message], Callable[[Any], None]] = {
            m.EncodingRequest: self._encode,
            m.LogonRequest: self._log_on,
            m.Heartbeat: lambda _: None,
            m.Logoff: lambda _: self.end(),
            m.MarketDataRequest: self._market_data,
            m.MarketDepthRequest: self._market_depth,
            m.SecurityDefinitionForSymbolRequest: self._definition,
            **self._trading.handlers,
        }

    # ------------------------------------------------------------------------------------------------------ its life

    def receive(self, data: bytes, now: float) -> None:
        """One message, without its end. What is none, or comes too early or too often, ends the connection."""
        if self.gone:
            return
        self._heard = now
        if self._too_many(now):
            self.leave(f"more than {RATE} messages in a second", refused="rate")
            return
        try:
            form, message = decode(data)
        except NotServedError as error:
            if self._on:
                self.send(m.GeneralLogMessage(message_text=f"Type {error.type} is not served here"))
            else:
                self.leave("log on first", refused="logon")
            return
        except GarbageError as error:
            self.leave(f"not a message: {error}", refused="garbage")
            return
        self.encoding = self.encoding or form
        if not self._on and not isinstance(message, m.EncodingRequest | m.LogonRequest | m.Heartbeat | m.Logoff):
            self.leave("log on first", refused="logon")
            return
        self._handlers[type(message)](message)

    def _too_many(self, now: float) -> bool:
        if int(now) != self._second:
            self._second, self._count = int(now), 0
        self._count += 1
        return self._count > RATE

    def tick(self, now: float, wall_s: int) -> None:
        """Send a heartbeat when it is time; leave who has missed two, or never logged on."""
        if not self._on:
            if now - self._began >= LOGON_S:
                self.leave(f"no logon in {LOGON_S:g} s", refused="logon")
        elif now - self._heard > 2 * self._heartbeat_s:
            self.leave(f"nothing heard for two heartbeats of {self._heartbeat_s:g} s", refused="heartbeat")
        elif now - self._beat >= self._heartbeat_s:
            self._beat = now
            self.send(m.Heartbeat(num_dropped_messages=self._dropped, current_date_time=wall_s))

    def leave(self, reason: str, *, refused: str = "") -> None:
        """Send the client away with the protocol's last word."""
        if refused:
            self._house.on_refused(refused)
        self.send(m.Logoff(reason=reason[:95]))
        self.end()

    def end(self) -> None:
        if not self.gone:
            self.gone = True
            self._link.close()

    def send(self, message: m.Message) -> None:
        """A message that has to arrive."""
        self.tell([encode(message, self.encoding or Encoding.JSON)])
        self.flush()

    def tell(self, messages: Sequence[bytes]) -> None:
        """Encoded messages, in their order, with the next `flush`."""
        self._told += messages
        self._told_bytes += sum(map(len, messages))

    def flush(self) -> None:
        """Write what was told since the last time, all at once."""
        told, self._told = self._told, []
        size, self._told_bytes = self._told_bytes, 0
        if self.gone or not told:
            return
        if self._link.buffered() > MOST_WAITING:
            self._house.on_refused("slow")
            self.end()
            return
        self._link.write(told)
        self._house.on_sent(len(told), size)

    # --------------------------------------------------------------------------------------------------------- logon

    def _encode(self, request: m.EncodingRequest) -> None:
        """Another encoding than the two of JSON is refused by naming the one that is spoken, as the protocol has it."""
        try:
            wanted = read(Encoding, request.encoding)
        except ValueError:
            wanted = Encoding.BINARY
        before = self.encoding or Encoding.JSON
        after = wanted if wanted in (Encoding.JSON, Encoding.JSON_COMPACT) else before
        if after is not wanted:
            self._house.on_refused("encoding")
        self.encoding = before
        self.send(m.EncodingResponse(encoding=after))
        self.encoding = after

    def _log_on(self, request: m.LogonRequest) -> None:
        token = self._house.token
        if token is not None and not hmac.compare_digest(request.password.encode(), token.encode()):
            self._house.on_refused("token")
            self._answer_logon(LogonStatus.ERROR_NO_RECONNECT, "the Password is not this server's token")
            self.end()
            return
        usual, least, most = HEARTBEAT_S
        self._heartbeat_s = float(min(max(request.heartbeat_interval_in_seconds or usual, least), most))
        self.name = request.client_name or request.username
        self._trading.account_name = request.trade_account or self._trading.account_name
        self._on = True
        self._answer_logon(LogonStatus.SUCCESS, "this is a simulated market")
        self._house.logged_on(self)

    def _answer_logon(self, status: LogonStatus, text: str) -> None:
        trading = int(self._house.trading)
        self.send(
            m.LogonResponse(
                result=status,
                result_text=text,
                server_name=self._house.server,
                trading_is_supported=trading,
                order_cancel_replace_supported=trading,
            )
        )

    # --------------------------------------------------------------------------------------------------- market data

    def named(self, text: str) -> str | None:
        """The symbol that a request means; None where there is none of that name."""
        return self._house.find(text) if text else self._symbol

    def unknown(self, text: str) -> str:
        """What is said of a name that is none."""
        return f"{text!r}: there are {', '.join(map(self._house.sym, self._house.symbols))}"

    def _wanted(self, request: m.MarketDataRequest | m.MarketDepthRequest, known: int) -> tuple[RequestAction, str]:
        """What is asked for which symbol. Raises ValueError."""
        action = read(RequestAction, request.request_action)
        symbol = self.named(request.symbol)
        if action is RequestAction.UNSUBSCRIBE:
            return action, symbol or ""
        if symbol is None:
            raise ValueError(self.unknown(request.symbol))
        if known >= MOST_SUBSCRIPTIONS:
            raise ValueError(f"at most {MOST_SUBSCRIPTIONS} subscriptions")
        return action, symbol

    def _market_data(self, request: m.MarketDataRequest) -> None:
        try:
            action, symbol = self._wanted(request, len(self.data))
        except ValueError as error:
            self._house.on_refused("symbol")
            self.send(m.MarketDataReject(symbol_id=request.symbol_id, reject_text=str(error)[:95]))
            return
        self.data.pop(request.symbol_id, None)
        if action is RequestAction.UNSUBSCRIBE:
            return
        if action is not RequestAction.SNAPSHOT:
            self.data[request.symbol_id] = symbol
            self.send(m.MarketDataFeedSymbolStatus(symbol_id=request.symbol_id, status=FeedStatus.AVAILABLE))
        self._send_snapshot(request.symbol_id, symbol)

    def _market_depth(self, request: m.MarketDepthRequest) -> None:
        try:
            action, symbol = self._wanted(request, len(self.depth))
        except ValueError as error:
            self._house.on_refused("symbol")
            self.send(m.MarketDepthReject(symbol_id=request.symbol_id, reject_text=str(error)[:95]))
            return
        self.depth.pop(request.symbol_id, None)
        if action is RequestAction.UNSUBSCRIBE:
            return
        levels = min(request.num_levels or DEPTH, MOST_DEPTH)
        if action is not RequestAction.SNAPSHOT:
            self.depth[request.symbol_id] = (symbol, levels)
        self._send_depth(request.symbol_id, symbol, levels)

    def _send_snapshot(self, symbol_id: int, symbol: str) -> None:
        snapshot = self._house.markets[symbol].snapshot
        snapshot.symbol_id = symbol_id
        self.send(snapshot)

    def _send_depth(self, symbol_id: int, symbol: str, levels: int) -> None:
        for level in self._house.markets[symbol].depth_snapshot(levels):
            level.symbol_id = symbol_id
            self.send(level)

    def snapshots(self, *, data_of: Collection[str], depth_of: Collection[str]) -> None:
        """The newest state of what it is subscribed to, of some symbols."""
        for symbol_id, symbol in self.data.items():
            if symbol in data_of:
                self._send_snapshot(symbol_id, symbol)
        for symbol_id, (symbol, levels) in self.depth.items():
            if symbol in depth_of:
                self._send_depth(symbol_id, symbol, levels)

    def may_take(self, count: int) -> bool:
        """Whether so many messages of market data may be written now; else they are dropped."""
        waiting = self._link.buffered() + self._told_bytes
        if self._behind and waiting < FULL // 4:
            self._behind = False
            self.snapshots(data_of=self._house.symbols, depth_of=self._house.symbols)
            return False  # the snapshots have it
        if self._behind or waiting > FULL:
            self._behind = True
            self._dropped += count
            self._house.on_dropped(count)
            return False
        return True

    def _definition(self, request: m.SecurityDefinitionForSymbolRequest) -> None:
        symbol = self.named(request.symbol)
        if symbol is None:
            self._house.on_refused("symbol")
            text = self.unknown(request.symbol)[:95]
            self.send(m.SecurityDefinitionReject(request_id=request.request_id, reject_text=text))
            return
        instrument = INSTRUMENTS[symbol]
        self.send(
            m.SecurityDefinitionResponse(
                request_id=request.request_id,
                symbol=self._house.sym(symbol),
                exchange=request.exchange,
                description=instrument.name,
                min_price_increment=instrument.tick,
                currency_value_per_increment=instrument.tick_value,
                underlying_symbol=symbol,
            )
        )
