"""Sums of a symbol's trades since its session opened: volume-weighted price, its deviation, and the delta.

Prices are taken relative to the session's first, and summed one trade after the other from what was carried: sums of
on-tick prices are exact, those of any others do not depend on where windows were cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.events.columns import Float64, Int64
from feedsim.observe.windows import Sessions, runs


class Anchor(msgspec.Struct, array_like=True):
    """The sums after the last trade."""

    session: int = -1
    """When the session opened (ns); -1 before the first trade."""
    reference: float = 0.0
    volume: int = 0
    pv: float = 0.0
    """Σ v·(p − reference)"""
    pv2: float = 0.0
    """Σ v·(p − reference)²"""
    delta: int = 0


@dataclass(slots=True)
class Bands:
    """What is known of the session at some times: NaN and 0 where it has no trades yet."""

    vwap: Float64
    sd: Float64
    delta: Int64


@dataclass(slots=True)
class Sums:
    """Row k: the sums after k of a window's trades; row 0 is what was carried."""

    avail: Int64
    session: Int64
    reference: Float64
    volume: Int64
    pv: Float64
    pv2: Float64
    delta: Int64

    def last(self) -> Anchor:
        return Anchor(
            int(self.session[-1]),
            float(self.reference[-1]),
            int(self.volume[-1]),
            float(self.pv[-1]),
            float(self.pv2[-1]),
            int(self.delta[-1]),
        )

    def at(self, ends: Int64, sessions: Sessions) -> Bands:
        """As it stands just before `ends`. VWAP = Σpv/Σv, sd = √(Σvp²/Σv − VWAP²), both since the session's open."""
        row = np.searchsorted(self.avail, ends)
        current = sessions.opened_at(ends - 1)
        alive = self.session[row] == current
        known = alive & (self.volume[row] > 0)
        volume = np.where(known, self.volume[row], 1)
        mean = self.pv[row] / volume
        variance = np.maximum(self.pv2[row] / volume - mean * mean, 0.0)
        return Bands(
            vwap=np.where(known, self.reference[row] + mean, np.nan),
            sd=np.where(known, np.sqrt(variance), np.nan),
            delta=np.where(alive, self.delta[row], 0),
        )


def running_sums(anchor: Anchor, avail: Int64, price: Float64, size: Int64, side: Int64, opened: Int64) -> Sums:
    """The sums after each trade; `opened` is when each trade's session opened."""
    rows = len(avail) + 1
    sums = Sums(
        avail=avail,
        session=np.concatenate(([anchor.session], opened)),
        reference=np.full(rows, anchor.reference),
        volume=np.full(rows, anchor.volume),
        pv=np.full(rows, anchor.pv),
        pv2=np.full(rows, anchor.pv2),
        delta=np.full(rows, anchor.delta),
    )
    for lo, hi in runs(opened):
        if opened[lo] != anchor.session:
            anchor = Anchor(session=int(opened[lo]), reference=float(price[lo]))
        lots, relative = size[lo:hi], price[lo:hi] - anchor.reference
        weighted = lots * relative
        into = slice(lo + 1, hi + 1)
        sums.reference[into] = anchor.reference
        sums.volume[into] = np.cumsum(lots) + anchor.volume
        sums.pv[into] = _cumulated(anchor.pv, weighted)
        sums.pv2[into] = _cumulated(anchor.pv2, weighted * relative)
        sums.delta[into] = np.cumsum(lots * side[lo:hi]) + anchor.delta
        # Only the last run is carried on, and a run that follows another is of a new session.
    return sums


def _cumulated(carried: float, values: Float64) -> npt.NDArray[np.float64]:
    """Running sums that begin with what was carried, added in the order of the trades."""
    return np.cumsum(np.concatenate(([carried], values)))[1:]
