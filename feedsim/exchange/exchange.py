"""The exchange of a session: requests take effect after their delay, orders fill from what is told, owners hear of it.

Pure: time and place on the tape are arguments. However the tape is cut into calls, the same happens (law 3).
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from feedsim.config import TradeSettings
from feedsim.events import Chunk
from feedsim.exchange.book import Book
from feedsim.exchange.desk import Desk
from feedsim.exchange.feed_rate import FeedRate
from feedsim.exchange.floor import Floor
from feedsim.exchange.latency import read_latency
from feedsim.exchange.log import LogEntry, OrderRequest, What
from feedsim.exchange.matching import Matching
from feedsim.exchange.order import Moment
from feedsim.exchange.outbox import Outbox
from feedsim.exchange.reading import STATUS, TOLD, TRADE, Reading
from feedsim.exchange.shadow import ShadowMatching
from feedsim.exchange.statements import Statements
from feedsim.exchange.venue import money, read_venue
from feedsim.wire.messages import Error, Private


class Waiting(NamedTuple):
    """A request on its way; they compare by when they take effect."""

    due_ns: int
    number: int
    account: str
    request: OrderRequest


class Exchange:
    """All accounts of one session. Symbols that the venue does not list cannot be traded."""

    def __init__(
        self,
        symbols: Iterable[str],
        *,
        settings: TradeSettings | None = None,
        matching: Matching | None = None,
        seed: int = 0,
        generated: bool = False,
        on_log: Callable[[LogEntry], None] | None = None,
    ) -> None:
        """`generated`: the tape is of the synthetic market, where cancelled lots were mostly at the end of a queue.

        Raises ConfigError.
        """
        self.settings = settings = settings or TradeSettings()
        venue = read_venue(settings.venue)
        self._seed = seed
        self._rate = FeedRate()
        self._delay_in = read_latency(settings.latency_in, "latency_in", self._rate)
        delay_out = read_latency(settings.latency_out, "latency_out", self._rate)
        share = settings.cancels == "share" or (not settings.cancels and not generated)
        self._in_market = matching is not None
        self._matching = matching or ShadowMatching(settings.fill, share=share, seed=seed)
        books = {symbol: Book(symbol, venue.products[symbol]) for symbol in symbols if symbol in venue.products}
        self._reading = Reading(books)
        self._outbox = Outbox(lambda account, k, ns: delay_out(seed, -self._floor.traders[account].number, k, ns))
        self._statements = Statements(venue, self._reading)
        put = self._outbox.put
        self._floor = Floor(self._matching, self._reading, self._statements, put, daily_loss=money(settings.daily_loss))
        self._desk = Desk(venue, settings, self._reading, self._statements, self._floor, put)
        self._on_log = on_log
        self._waiting: list[Waiting] = []
        self._entered: defaultdict[str, int] = defaultdict(int)
        self._latest: defaultdict[str, int] = defaultdict(int)
        """When an account's newest request takes effect: none overtakes another."""
        self._number = 0
        self._epoch = 1
        self._at = Moment(0, 0)
        """When and after which event the last thing happened; the same however often the clock is read."""
        self._told_ns = self._now_ns = 0

    # ---------------------------------------------------------------------------------------------------- what happens

    def _happen(
        self, what: What, account: str = "", request: OrderRequest | None = None, *, into: int | None = None
    ) -> None:
        """Log it, then do it: whatever changes an account other than the tape goes through here."""
        if self._on_log is not None:
            ns, seq = self._at
            self._on_log(
                LogEntry(
                    epoch=self._epoch, after_seq=seq, ns=ns, what=what, account=account, request=request, into=into
                )
            )
        desk = self._desk
        if fills := self._matching.at(self._at):
            self._floor.fill(fills, self._at)
        if request is not None:
            desk.do(self._floor.traders[account], request, self._at, lost=what == "lost")
        elif what == "open":
            desk.open_account(account)
        elif what == "epoch":
            desk.begin_anew(self._at, keep=self.settings.keep_account)
        elif what == "end":
            desk.end_session(self._at, keep=self.settings.keep_account)
        elif what == "disconnect":
            self._floor.cancel_all(self._floor.traders[account], "disconnect", self._at)

    def redo(self, entry: LogEntry) -> None:
        """What a log says happened here; everything up to its `after_seq` has been told."""
        self._at = Moment(entry.ns, entry.after_seq)
        self._now_ns = max(self._now_ns, entry.ns)
        if entry.what == "epoch":
            assert entry.into is not None
            self._open_epoch(entry.into)
        else:
            self._happen(entry.what, entry.account, entry.request)

    def _moment(self, ns: int, seq: int | None = None) -> None:
        self._at = Moment(max(ns, self._at.ns, self._told_ns), self._at.seq if seq is None else seq)

    # ------------------------------------------------------------------------------------------------------- accounts

    def open_account(self, account: str) -> None:
        """A known one is left as it is."""
        if account not in self._floor.traders:
            self._happen("open", account)

    def since(self, account: str, n: int) -> list[Private]:
        """What an account heard after its n-th private event.

        Where that is not known any more: every open order, the positions and the account, all as of its last event.
        """
        known = self._outbox.since(account, n)
        if known is not None:
            return known
        trader = self._floor.traders[account]
        told = [*self._statements.state(trader, self._at), self._statements.account_event(trader, self._at)]
        for event in told:
            event.n = self._outbox.last_n(account)
        return list(told)

    def cancel_on_disconnect(self, account: str, *, now_ns: int, head_seq: int) -> None:
        """Its last connection is gone: its open orders go, if it asked for that."""
        if self._floor.traders[account].cancel_on_disconnect:
            self._come(now_ns, head_seq)
            self._happen("disconnect", account)

    # ------------------------------------------------------------------------------------------------------- requests

    def enter(self, account: str, request: OrderRequest, *, now_ns: int, head_seq: int) -> None:
        """A request of an account came at session time `now_ns`, after the event `head_seq`."""
        self._come(now_ns, head_seq)
        trader = self._floor.traders[account]
        self._entered[account] += 1
        delay = self._delay_in(self._seed, trader.number, self._entered[account], self._at.ns)
        due_ns = max(self._at.ns + delay, self._latest[account])
        if due_ns <= self._at.ns:
            self._happen("request", account, request)
        else:
            self._latest[account] = due_ns
            self._number += 1
            heapq.heappush(self._waiting, Waiting(due_ns, self._number, account, request))

    def _come(self, now_ns: int, head_seq: int) -> None:
        self.advance(now_ns)
        self._moment(now_ns, head_seq)

    # ----------------------------------------------------------------------------------------------------------- time

    def on_told(self, chunk: Chunk, lo: int, hi: int) -> None:
        """The events at positions [lo, hi) were told."""
        last_ns = int(chunk.avail[hi - 1])
        while self._waiting and self._waiting[0].due_ns < last_ns:
            due_ns = self._waiting[0].due_ns
            split = max(lo, int(chunk.avail.searchsorted(due_ns, side="right")))
            self._read(chunk, lo, split)
            lo = split
            self._let_in(due_ns)
        self._read(chunk, lo, hi)
        if last_ns > self._now_ns:
            self._now_ns = last_ns

    def _read(self, chunk: Chunk, lo: int, hi: int) -> None:
        self._reading.to(chunk, hi)
        self._rate.to(chunk, hi)
        if lo >= hi:
            return
        minded = self._floor.minded()
        if minded:
            self._reading.read(lo, hi, minded, self._on_event)
        self._at = Moment(self._at.ns, chunk.first_seq + hi - 1)
        self._told_ns = int(chunk.avail[hi - 1])

    def advance(self, now_ns: int) -> None:
        """The session's clock is here and nothing else was told: what is due until now takes effect."""
        while self._waiting and self._waiting[0].due_ns <= now_ns:
            self._let_in(self._waiting[0].due_ns)
        self._now_ns = max(self._now_ns, now_ns)

    def on_idle(self) -> None:
        """Nothing is due for a moment: the time to look at what an order would have to wait for."""
        self._reading.keep_up()

    def _let_in(self, due_ns: int) -> None:
        waiting = heapq.heappop(self._waiting)
        self._moment(due_ns)
        self._happen("request", waiting.account, waiting.request)

    def knows(self, account: str) -> bool:
        """Whether an account was opened."""
        return account in self._floor.traders

    def first_that_matters(self, chunk: Chunk, lo: int, hi: int) -> int:
        """The first event at positions [lo, hi) with which something may happen: to an order, or because it is due; hi
        where there is none."""
        due_ns = self.next_due_ns
        if due_ns is not None:
            hi = min(hi, max(lo, int(chunk.avail.searchsorted(due_ns))))
        minded = self._floor.minded()
        return self._reading.first_of(chunk, lo, hi, minded) if minded else hi

    @property
    def next_due_ns(self) -> int | None:
        """When `advance` should be called: a request takes effect, or a report is due."""
        report_ns = self._outbox.next_due_ns
        if not self._waiting:
            return report_ns
        due_ns = self._waiting[0].due_ns
        return due_ns if report_ns is None else min(due_ns, report_ns)

    def take(self) -> list[tuple[str, Private | Error]]:
        """What accounts hear now, in order; `ts` in nanoseconds. Each is given once."""
        return self._outbox.take(max(self._now_ns, self._at.ns))

    def _on_event(self, book: Book, rank: int, values: tuple[int, ...], at: int) -> None:
        chunk = self._reading.chunk
        assert chunk is not None
        seq = chunk.first_seq + at
        if rank == STATUS:
            if book.phase == "closed":
                self._floor.on_closed(book.symbol, self._event_moment(chunk, at))
            return
        if self._in_market:
            moment = self._event_moment(chunk, at)
            self._floor.fill(self._matching.at(moment), moment)
        if rank == TRADE:
            price, size, side = values
            fills = self._matching.on_trade(book, price, size, side)
        else:
            fills = self._matching.on_quote(book, TOLD[rank], seq)
        if fills and book.phase == "open":
            self._floor.fill(fills, self._event_moment(chunk, at))
        if rank == TRADE and self._floor.minds_trade(book):
            self._floor.on_trade(book, self._event_moment(chunk, at))

    def _event_moment(self, chunk: Chunk, at: int) -> Moment:
        """No earlier than what happened before it."""
        return Moment(max(self._at.ns, int(chunk.avail[at])), chunk.first_seq + at)

    # --------------------------------------------------------------------------------------------------------- epochs

    def on_epoch(self, epoch: int) -> None:
        """The session moved: open orders expire, accounts begin anew or, with keep_account, go on."""
        if epoch == self._epoch:
            return
        self._moment(0)
        lost, self._waiting = sorted(self._waiting), []
        for waiting in lost:
            self._happen("lost", waiting.account, waiting.request)
        self._open_epoch(epoch)

    def _open_epoch(self, epoch: int) -> None:
        self._happen("epoch", into=epoch)
        self._epoch = epoch
        self._reading.forget(keep_last=self.settings.keep_account)
        self._rate.forget()
        self._matching.clear()
        self._outbox.release()
        self._latest.clear()
        self._at, self._now_ns, self._told_ns = Moment(0, 0), 0, 0

    def on_end(self) -> None:
        """The session is over; orders good till cancelled outlive it with keep_account."""
        self._moment(0)
        self._happen("end")
