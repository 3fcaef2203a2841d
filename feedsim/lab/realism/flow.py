"""What market orders do: their size and sign, and how the price answers them and the flow of orders."""

from __future__ import annotations

import numpy as np

from feedsim.instruments import NS_PER_S
from feedsim.lab.realism.arrays import Aggressors, Float64, Int64, Quotes, Session
from feedsim.lab.realism.sums import LEAST, Autocorrelation, Logit, Mean, Regression, counted, quantile_of

SIGN_LAGS = (1, 2, 3, 4, 5, 7, 10, 14, 20, 30, 50, 70, 100)
FLOW_WINDOWS_S = (0.1, 1.0, 5.0, 10.0)
TRADE_WINDOWS_S = (1.0, 5.0)
RESPONSE_LAGS = (1, 2, 5, 10, 20, 50, 100)
BETA_WINDOW_S = 10.0
LARGEST = 20_000  # lots


class Flow:
    """Metrics of aggressors, and of order flow at the best quotes."""

    def __init__(self) -> None:
        self.by_size = np.zeros(LARGEST + 1, np.int64)
        self._size = Mean()
        self._exact, self._through = Mean(), Mean()
        self.signs = Autocorrelation(SIGN_LAGS)
        self.buys = Logit()
        self.response = {lag: Mean() for lag in RESPONSE_LAGS}
        self.flow = {window: Regression() for window in FLOW_WINDOWS_S}
        self.trade = {window: Regression() for window in TRADE_WINDOWS_S}

    def add_orders(self, orders: Aggressors) -> None:
        """Of a session that tells who the aggressors were."""
        counted(self.by_size, orders.size)
        self._size.add(orders.size)
        self._through.add(orders.first != orders.last)
        self.signs.add(orders.side)

    def add_against_quotes(self, session: Session, orders: Aggressors) -> None:
        quotes = session.quotes
        assert quotes is not None
        seen = orders.take(orders.quote >= 0)
        at = seen.quote
        self._exact.add(seen.size == np.where(seen.side > 0, quotes.ask_size[at], quotes.bid_size[at]))
        self.buys.add(quotes.imbalance[at], seen.side > 0)
        for window, regression in self.trade.items():
            regression.add(*_by_window(session, window, orders.ts, orders.side * orders.size))
        events = session.book_events()
        if len(events):
            self._add_response(quotes, seen, events)

    def _add_response(self, quotes: Quotes, orders: Aggressors, events: Int64) -> None:
        """The trade is the first of `lag` book events; its mid is that just before."""
        mid = quotes.mid
        first = np.searchsorted(events, orders.ts)
        for lag, mean in self.response.items():
            there = first + lag <= len(events)
            later = events[first[there] + lag - 1]
            after = mid[np.searchsorted(quotes.ts, later, side="right") - 1]
            mean.add(orders.side[there] * (after - mid[orders.quote[there]]))

    def add_quotes(self, session: Session) -> None:
        quotes = session.quotes
        assert quotes is not None
        flow = order_flow(quotes)
        for window, regression in self.flow.items():
            regression.add(*_by_window(session, window, quotes.ts[1:], flow))

    def values(self, depth: float) -> dict[str, float]:
        """By name of the metric; `depth` is the mean size of a best quote."""
        orders = int(self.by_size.sum())
        found = {
            "mo_size_mean": self._size.mean,
            "mo_p1": float(self.by_size[1] / orders) if orders >= LEAST else np.nan,
            "mo_q99": quantile_of(self.by_size, 0.99),
            "mo_eq_queue": self._exact.mean,
            "mo_multilevel": self._through.mean,
            "kappa_buy_I": self.buys.slope,
            "response_20": self.response[20].mean,
            "ofi_beta_x_2D": self.flow[BETA_WINDOW_S].slope * 2 * depth,
        }
        found |= {f"sign_acf.{lag}": self.signs.at(lag) for lag in SIGN_LAGS}
        found |= {f"ofi_r2.{window:g}": regression.r2 for window, regression in self.flow.items()}
        found |= {f"ti_r2.{window:g}": regression.r2 for window, regression in self.trade.items()}
        return found


def order_flow(quotes: Quotes) -> Float64:
    """Order flow imbalance e_n of each quote but the first, in lots (Cont, Kukanov and Stoikov 2014)."""
    bid, ask, bids, asks = quotes.bid, quotes.ask, quotes.bid_size, quotes.ask_size
    e = np.where(bid[1:] >= bid[:-1], bids[1:], 0) - np.where(bid[1:] <= bid[:-1], bids[:-1], 0)
    e = e - np.where(ask[1:] <= ask[:-1], asks[1:], 0) + np.where(ask[1:] >= ask[:-1], asks[:-1], 0)
    return e.astype(np.float64)


def _by_window(session: Session, window_s: float, times: Int64, lots: Float64 | Int64) -> tuple[Float64, Float64]:
    """Sums of lots in each window [t, t + window), and the change of the mid over it in ticks."""
    step = round(window_s * NS_PER_S)
    mids = session.mids(step)
    at = (times - session.start_ns) // step
    inside = (at >= 0) & (at < len(mids) - 1)
    sums = np.bincount(at[inside], weights=lots[inside], minlength=max(len(mids) - 1, 0))
    return sums.astype(np.float64), np.diff(mids)
