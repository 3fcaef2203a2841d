"""What the best quotes do: spread, sizes, depletions, moves of the mid."""

from __future__ import annotations

import numpy as np

from feedsim.instruments import NS_PER_S
from feedsim.lab.realism.arrays import Aggressors, Float64, Int64, Mask, Quotes, Session
from feedsim.lab.realism.sums import LEAST, Autocorrelation, Logit, Mean, Regression, counted, quantile_of

WIDEST = 60  # ticks; a wider spread counts as this
LARGEST = 20_000  # lots
MINUTE_S = 60


class Quoting:
    """Metrics of quotes, and of trades against them."""

    def __init__(self) -> None:
        self.time_by_spread = np.zeros(WIDEST + 1)
        """ns by ticks, in regular trading …"""
        self.night_by_spread = np.zeros(WIDEST + 1)
        """… and outside of it."""
        self.by_size = np.zeros(LARGEST + 1, np.int64)
        """Rows by lots of a best quote, both sides."""
        self.up = Logit()
        self._wide_ns: list[float] = []
        self._depleted = self._traded_away = 0
        self._sizes = Regression()
        self.depth = Mean()
        self._spread_at_trades = Mean()
        self._same = Mean()
        self._second, self._minute = Mean(), Mean(LEAST * MINUTE_S)  # minutes that overlap
        self._still = Mean()
        self.price_changes = Autocorrelation((1, 2, 3, 4, 5))

    def add(self, session: Session, orders: Aggressors | None) -> None:
        """A session that has quotes."""
        quotes = session.quotes
        assert quotes is not None
        self._add_quotes(session, quotes)
        self._add_moves(quotes)
        self._add_changes(session)
        if orders is not None:
            self._add_trades(quotes, orders)

    def _add_quotes(self, session: Session, quotes: Quotes) -> None:
        held, spread = quotes.held(session.end_ns), quotes.spread
        regular = ~_night(session, quotes)
        self.time_by_spread += _time_by(spread[regular], held[regular])
        self.add_night(session)
        counted(self.by_size, quotes.bid_size)
        counted(self.by_size, quotes.ask_size)
        self._sizes.add(quotes.bid_size, quotes.ask_size)
        self.depth.add((quotes.bid_size + quotes.ask_size) / 2, held)
        wide = np.concatenate(((False,), spread > 1, (False,)))
        starts = np.flatnonzero(wide[1:-1] & ~wide[:-2])
        ends = np.flatnonzero(wide[1:-1] & ~wide[2:]) + 1
        over = ends < len(quotes)  # what was wide at the end is not over
        self._wide_ns += (quotes.ts[ends[over]] - quotes.ts[starts[over]]).tolist()

    def add_night(self, session: Session) -> None:
        """How wide the spread is outside of regular trading."""
        quotes = session.quotes
        assert quotes is not None
        night = _night(session, quotes)
        self.night_by_spread += _time_by(quotes.spread[night], quotes.held(session.end_ns)[night])

    def _add_moves(self, quotes: Quotes) -> None:
        twice = quotes.bid + quotes.ask
        moved = np.flatnonzero(np.diff(twice))
        after = np.searchsorted(moved, np.arange(len(twice)))
        known = (after < len(moved)) & (quotes.spread == 1)
        signs = np.sign(np.diff(twice)[moved])
        self.up.add(quotes.imbalance[known], signs[after[known]] > 0)
        narrow = twice[quotes.spread == 1]
        moves = np.sign(np.diff(narrow))
        moves = moves[moves != 0]
        self._same.add(moves[1:] == moves[:-1])

    def _add_changes(self, session: Session) -> None:
        mids = session.mids(NS_PER_S)
        mids = mids[np.isfinite(mids)]
        changes = np.diff(mids)
        self._second.add(changes)
        self._still.add(changes == 0)
        if len(mids) > MINUTE_S:
            self._minute.add(mids[MINUTE_S:] - mids[:-MINUTE_S])

    def _add_trades(self, quotes: Quotes, orders: Aggressors) -> None:
        self.price_changes.add(np.diff(orders.last))
        seen = orders.take(orders.quote >= 0)
        self._spread_at_trades.add(quotes.spread[seen.quote])
        bid_gone, ask_gone = np.diff(quotes.bid) < 0, np.diff(quotes.ask) > 0
        self._depleted += int(bid_gone.sum() + ask_gone.sum())
        seen = seen.take(seen.quote < len(quotes) - 1)
        for side, gone in ((1, ask_gone), (-1, bid_gone)):
            rows = np.unique(seen.quote[seen.side == side])
            self._traded_away += int(gone[rows].sum())

    def values(self) -> dict[str, float]:
        """By name of the metric; NaN where too little was seen."""
        second, minute = self._second.variance, self._minute.variance
        ratio = second / (minute / MINUTE_S) if minute > 0 else np.nan
        same = self._same.mean
        return {
            "spread1_time": _narrow(self.time_by_spread),
            "spread1_time_ETH": _narrow(self.night_by_spread),
            "spread1_share": _narrow(self.time_by_spread),
            "spread_mean": self._spread_at_trades.mean,
            "wide_median_us": float(np.median(self._wide_ns)) / 1000 if len(self._wide_ns) >= LEAST else np.nan,
            "depl_by_trade": self._traded_away / self._depleted if self._depleted >= LEAST else np.nan,
            "L1_median": quantile_of(self.by_size, 0.5),
            "corr_bidask_size": self._sizes.correlation,
            "kappa_up_I": self.up.slope,
            "p_cont_1tick": same,
            "eta": same / (2 * (1 - same)) if same < 1 else np.nan,
            "trade_px_acf1": self.price_changes.at(1),
            "var_ratio_1s_60s_mid": ratio,
            "var_ratio_1s_60s": ratio,
            "sd1s_ticks_per_sd60": (ratio / MINUTE_S) ** 0.5,
            "zero_1s": self._still.mean,
        }


def _night(session: Session, quotes: Quotes) -> Mask:
    """Rows outside of regular trading."""
    day = session.day
    if day is None:
        return np.zeros(len(quotes), np.bool_)
    return (quotes.ts < day.rth_open_ns) | (quotes.ts >= day.rth_close_ns)


def _time_by(spread: Int64, held: Int64) -> Float64:
    return np.bincount(np.clip(spread, 0, WIDEST), weights=held, minlength=WIDEST + 1).astype(np.float64)


def _narrow(time_by_spread: Float64) -> float:
    """The share of one tick; NaN without any time."""
    time = time_by_spread.sum()
    return float(time_by_spread[1] / time) if time > 0 else np.nan
