"""Which trading day it is, and which margin holds."""

from __future__ import annotations

from feedsim.exchange.venue import Product
from feedsim.instruments import NS_PER_MINUTE, TradingDay, session_at


class Hours:
    """Looks the calendar up once a session."""

    def __init__(self, overnight_minutes: int) -> None:
        self._overnight_ns = overnight_minutes * NS_PER_MINUTE
        self._from_ns = 0
        self._day: TradingDay | None = None

    def forget(self) -> None:
        """The clock may go back."""
        self._day = None

    def session(self, ns: int) -> TradingDay:
        """The one of a time, or the next."""
        if self._day is None or not self._from_ns <= ns < self._day.close_ns:
            self._day, self._from_ns = session_at(ns), ns
        return self._day

    def close_ns(self, ns: int) -> int:
        """When the session of a time, or the next one, closes: it names the trading day."""
        return self.session(ns).close_ns

    def margin(self, product: Product, ns: int) -> int:
        """A lot's: overnight from some minutes before the close to the next opening."""
        day = self.session(ns)
        if day.open_ns <= ns < day.close_ns - self._overnight_ns:
            return product.margin_day
        return product.margin_overnight
