"""A session over DTC: a port for each symbol's clients, all of which may ask for any symbol and share the accounts."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec
import structlog

from feedsim.bridges.base import BridgeCounts
from feedsim.bridges.dtc.accounts import TradeAccount
from feedsim.bridges.dtc.client import Client
from feedsim.bridges.dtc.codec import encode
from feedsim.bridges.dtc.enums import Encoding
from feedsim.bridges.dtc.market import TOLD, Market
from feedsim.bridges.dtc.messages import (
    Logoff,
    MarketDataUpdateBidAsk,
    MarketDataUpdateTrade,
    MarketDepthUpdateLevel,
    Message,
)
from feedsim.bridges.dtc.trading import Trader
from feedsim.bridges.dtc.transport import Transport
from feedsim.bridges.due import DueEvents
from feedsim.bridges.names import sym_of
from feedsim.errors import ConfigError
from feedsim.events import L1, L2, Event, Profile, Trade
from feedsim.hub.ring import Block
from feedsim.hub.session import Session
from feedsim.instruments import root_of

MOST_CLIENTS = 100  # of all ports
MOST_ACCOUNTS = 64
SEND_BUFFER = 256 * 1024  # bytes that the kernel may hold for one client
_ACCOUNT = re.compile(r"[\w.@-]{1,32}")
_TICK_S = 0.5

log = structlog.get_logger()

Update = MarketDataUpdateTrade | MarketDataUpdateBidAsk | MarketDepthUpdateLevel


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where and for whom."""

    host: str
    ports: Mapping[str, int]
    """By the symbol that its clients mean where they name none; 0 takes a free port."""
    server: str
    token: str | None = None
    max_clients: int = MOST_CLIENTS


class DtcBridge:
    """All DTC ports of a session."""

    name = "dtc"

    def __init__(
        self,
        session: Session,
        settings: Settings,
        *,
        allows: Callable[[str | None], bool],
        on_logged_on: Callable[[Client], None] = lambda _: None,
        on_gone: Callable[[Client], None] = lambda _: None,
    ) -> None:
        """`allows` decides over the origins of WebSockets; the others hear of each client that comes and goes."""
        self.counts = BridgeCounts()
        self.refused: defaultdict[str, int] = defaultdict(int)
        self.ports: dict[str, int] = {}
        """As they were bound."""
        self.server, self.token = settings.server, settings.token
        self.symbols: Sequence[str] = session.tape.symbols
        self.markets: Mapping[str, Market] = {symbol: Market() for symbol in self.symbols}
        self._session, self._settings = session, settings
        self._allows = allows
        self._on_logged_on, self._on_gone = on_logged_on, on_gone
        self._contracts = session.tape.info.contracts
        self._due = DueEvents(TOLD)
        self._transports: set[Transport] = set()
        self._clients: set[Client] = set()
        self._accounts: dict[str, TradeAccount] = {}
        self._hearing: defaultdict[str, set[Trader]] = defaultdict(set)
        self._servers: list[asyncio.Server] = []
        self._ticking: asyncio.Task[None] | None = None
        self._anew: dict[str, set[str]] = {"data": set(), "depth": set()}
        """Symbols of a new epoch that nobody has heard of yet."""

    # ----------------------------------------------------------------------------------------------------------- life

    @property
    def greeting(self) -> str:
        return ", ".join(f"{symbol} on {self._settings.host}:{port}" for symbol, port in self.ports.items())

    async def start(self) -> None:
        """Listen. Raises ConfigError."""
        loop = asyncio.get_running_loop()
        for symbol, port in self._settings.ports.items():
            field = f"dtc_{symbol.lower()}"
            if symbol not in self.symbols:
                raise ConfigError(f"the session has no {symbol}, only {', '.join(self.symbols)}", field=field)
            make = partial(self._make_client, symbol)
            try:
                server = await loop.create_server(
                    partial(Transport, make, admit=self._admit, forget=self._transports.discard, allows=self._allows),
                    self._settings.host,
                    port,
                    backlog=100,
                )
            except OSError as error:
                problem = f"cannot listen on {self._settings.host}:{port}: {error.strerror}"
                raise ConfigError(problem, field=field) from None
            for listener in server.sockets:  # accepted sockets inherit it: kernel buffers hide a slow reader
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            self._servers.append(server)
            self.ports[symbol] = int(server.sockets[0].getsockname()[1])
        self._ticking = loop.create_task(self._tick(), name="feedsim dtc")
        self._session.follow(self)

    async def close(self, reason: str) -> None:
        """Log everybody off."""
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        for server in self._servers:
            server.close()
        for client in list(self._clients):
            client.leave(reason)
        for transport in list(self._transports):
            transport.close()
        for account in self._accounts.values():
            account.leave()
        await asyncio.sleep(0)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_TICK_S)
            for client in list(self._clients):
                client.tick(loop.time(), int(time.time()))

    def _admit(self, transport: Transport) -> bool:
        """A connection has come; where there are too many, it is told so, and goes."""
        most = self._settings.max_clients
        if len(self._transports) >= most:
            self.on_refused("full")
            transport.write([encode(Logoff(reason=f"full: {most} clients are here"), Encoding.JSON)])
            return False
        self._transports.add(transport)
        return True

    def _make_client(self, symbol: str, transport: Transport, websocket: bool) -> _Guest:
        loop = asyncio.get_running_loop()
        encoding = Encoding.JSON_COMPACT if websocket else None
        client = Client(transport, self, symbol=symbol, encoding=encoding, now=loop.time())
        self._clients.add(client)
        self.counts.clients = len(self._clients)
        return _Guest(client, self._lose, loop.time)

    def _lose(self, client: Client) -> None:
        self._clients.discard(client)
        self.counts.clients = len(self._clients)
        for clients in self._hearing.values():
            clients.discard(client)
        self._on_gone(client)

    # -------------------------------------------------------------------------------------------- what clients may use

    def find(self, text: str) -> str | None:
        """A symbol by its root, its contract's name, or that with what Sierra Chart adds."""
        if text in self.symbols:
            return text
        root = root_of(text.upper())
        return root if root in self.symbols else None

    def sym(self, symbol: str) -> str:
        return sym_of(symbol, self._contracts)

    @property
    def trading(self) -> bool:
        return self._session.desk is not None

    def account(self, name: str, client: Trader) -> TradeAccount | None:
        """The account of that name; None where nobody trades, for a bad name, or for one account too many."""
        desk = self._session.desk
        if desk is None or not _ACCOUNT.fullmatch(name):
            return None
        if name not in self._accounts:
            if len(self._accounts) >= MOST_ACCOUNTS:
                return None
            self._accounts[name] = TradeAccount(name, desk, self.sym, partial(self._tell, name))
        self._hearing[name].add(client)
        return self._accounts[name]

    def _tell(self, account: str, message: Message) -> None:
        for client in list(self._hearing[account]):
            client.send(message)

    def logged_on(self, client: Client) -> None:
        self._on_logged_on(client)

    def on_dropped(self, count: int) -> None:
        self.counts.skipped += count

    def on_refused(self, reason: str) -> None:
        self.counts.refused += 1
        self.refused[reason] += 1

    def on_sent(self, count: int, size: int) -> None:
        self.counts.sent += count
        self.counts.bytes += size

    # ----------------------------------------------------------------------------------------------------- being told

    some_wait = False

    async def ready(self) -> None:
        """Nobody is waited for: what a client does not take is dropped and counted."""

    def prepare(self, block: Block) -> None:
        """Messages are made when they are due, for who is there then."""

    def publish(self, block: Block, lo: int, hi: int) -> None:
        for event in self._due.take(block, lo, hi):
            self._on_event(event, block.shift_ns)
        for client in self._clients:
            client.flush()

    def restart(self) -> None:
        """The market begins anew; whoever is subscribed gets a snapshot with its first quote."""
        self.markets = {symbol: Market() for symbol in self.symbols}
        self._anew = {"data": set(self.symbols), "depth": set(self.symbols)}

    def _on_event(self, event: Event, shift_ns: int) -> None:
        market, symbol = self.markets[event.symbol], event.symbol
        match event:
            case Trade():
                self._send_data(symbol, [market.trade(event, shift_ns)])
            case L1():
                update = market.quote(event, shift_ns)
                if symbol in self._anew["data"]:
                    self._anew["data"].remove(symbol)
                    self._send_snapshots(data_of=(symbol,))
                elif update is not None:
                    self._send_data(symbol, [update])
            case L2():
                market.depth(event, shift_ns)
                if symbol in self._anew["depth"]:
                    self._anew["depth"].remove(symbol)
                    self._send_snapshots(depth_of=(symbol,))
                else:
                    self._send_depth(symbol, market)
            case Profile():
                market.profile(event)

    def _send_snapshots(self, *, data_of: Sequence[str] = (), depth_of: Sequence[str] = ()) -> None:
        for client in self._clients:
            client.snapshots(data_of=data_of, depth_of=depth_of)

    def _send_data(self, symbol: str, updates: Sequence[Update]) -> None:
        written: dict[tuple[Encoding, int], list[bytes]] = {}
        for client in self._clients:
            for symbol_id, wanted in client.data.items():
                if wanted == symbol and client.may_take(len(updates)):
                    self._write(client, symbol_id, updates, written)

    def _send_depth(self, symbol: str, market: Market) -> None:
        changed: dict[int, Sequence[Update]] = {}
        written: dict[int, dict[tuple[Encoding, int], list[bytes]]] = {}
        for client in self._clients:
            for symbol_id, (wanted, levels) in client.depth.items():
                if wanted != symbol:
                    continue
                if levels not in changed:
                    changed[levels] = market.depth_updates(levels)
                if changed[levels] and client.may_take(len(changed[levels])):
                    self._write(client, symbol_id, changed[levels], written.setdefault(levels, {}))

    @staticmethod
    def _write(
        client: Client, symbol_id: int, updates: Sequence[Update], written: dict[tuple[Encoding, int], list[bytes]]
    ) -> None:
        """Encoded once for all clients with the same form and number for the symbol."""
        encoding = client.encoding or Encoding.JSON
        if (encoding, symbol_id) not in written:
            for update in updates:
                update.symbol_id = symbol_id
            written[encoding, symbol_id] = [encode(update, encoding) for update in updates]
        client.tell(written[encoding, symbol_id])


class _Guest:
    """A client as its transport sees it."""

    def __init__(self, client: Client, lose: Callable[[Client], None], now: Callable[[], float]) -> None:
        self._client, self._lose, self._now = client, lose, now

    def receive(self, data: bytes) -> None:
        try:
            self._client.receive(data, self._now())
        except Exception:  # our own mistake ends one connection, and is seen in the log
            log.exception("a DTC client failed", client=self._client.name)
            self._client.leave("internal error")

    def leave(self, reason: str, *, refused: str = "") -> None:
        self._client.leave(reason, refused=refused)

    def lost(self) -> None:
        self._client.gone = True
        self._lose(self._client)
