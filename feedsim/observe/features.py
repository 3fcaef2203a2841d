"""One symbol's features, second by second, from what its trades, quotes and context came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.events import Table
from feedsim.events.columns import Float64, Int64
from feedsim.instruments import NS_PER_S, TradingDay
from feedsim.observe import confluence, options_flow, patterns, regime
from feedsim.observe.past import Past, Stretch
from feedsim.observe.rolling import Average, ago, decayed, unit

_DIVERGENCE_S, _DIVERGED, _MINUTE, _USUAL_S = 45, 0.15, 60, 300
_VIEW_S = 30
"""What a trader looks at as now: half of a short breakout, and long enough for delta to say something."""
_ONE_SIDED = 0.6
"""Delta as a share of volume that is as one-sided as flow gets."""
_IMBALANCE_KEEP = 1.0 - 1.0 / 10
_FORGET = 1.0 - 1.0 / 600
_STEP_S = 10
"""Deviations are measured on changes over so many seconds, which bid and offer in turn hardly disturb."""
_LEAST = {"ES": 10, "NQ": 3, "MES": 10, "MNQ": 3}
_LEAST_ELSEWHERE = 3
"""Lots that make an imbalance at a price."""


class _Carried(msgspec.Struct, array_like=True):
    """What is averaged over longer than the past that is kept."""

    delta: float = 0.0
    volume: float = 0.0
    """Of the last seconds, for the volume imbalance."""
    squares: Average = msgspec.field(default_factory=Average)
    usual: Average = msgspec.field(default_factory=Average)


class _State(msgspec.Struct, array_like=True):
    past: bytes
    carried: _Carried
    regime: regime.Regime
    context: tuple[list[float], list[bytes]]


@dataclass(slots=True)
class Known:
    """A stretch of seconds as far as a symbol can tell by itself."""

    stretch: Stretch
    drive: Float64
    """−1 … 1: the flow where the price goes with it."""
    views: dict[str, Float64]
    columns: dict[str, npt.NDArray[Any]]


class Features:
    """Hears a symbol's rows, then knows the seconds that they make."""

    def __init__(self, symbol: str, *, origin_ns: int) -> None:
        self.symbol = symbol
        self._past = Past(symbol, origin_ns=origin_ns)
        self._context = options_flow.Told()
        self._carried = _Carried()
        self._regime = regime.Regime()

    @property
    def first_ns(self) -> int | None:
        """When the first quote came."""
        return self._past.track.first_ns

    def hear(self, channel: str, table: Table, rows: npt.NDArray[np.intp]) -> None:
        if channel == "l1":
            self._past.track.hear_quotes(table, rows)
        elif channel == "trade":
            self._past.track.hear_trades(table, rows)
        else:
            self._context.hear(table, rows)

    def open_session(self, ns: int) -> None:
        """A session's seconds begin: nothing is left of the one before but what volatility it had."""
        self._past.open_session(ns)
        self._carried = _Carried()

    def know(self, ends: Int64, day: TradingDay) -> Known:
        """The next seconds of a session, by their ends."""
        now = self._past.tell(ends)
        context = self._context.at(ends)
        deviation = self._deviation(now)
        pattern = self._pattern(now, deviation)
        signed = _divergence(now, deviation)
        flow = _flow_view(now)
        return Known(
            stretch=now,
            drive=confluence.where_agreed(flow, now.move(_VIEW_S)),
            views={
                "vwap": _vwap_view(now, deviation),
                "flow": flow,
                "options": options_flow.side(context, now.price),
                "pattern": pattern,
            },
            columns={
                "delta_divergence": np.abs(signed),
                "delta_divergence_signed": signed,
                "volume_imbalance": self._imbalance(now),
                "sierra_pattern_strength": pattern,
                "volatility_regime": self._volatility(now, ends, day, context["vix"]),
                "options_flow_bias": options_flow.bias(context),
                "gamma_proximity": options_flow.proximity(context, now.price),
            },
        )

    def _imbalance(self, now: Stretch) -> Float64:
        """Delta over volume of trades with a side, both averaged over 10 s; one lot more of volume shrinks it to 0."""
        bought, sold = now.latest("bought"), now.latest("sold")
        delta = decayed(self._carried.delta, (bought - sold).astype(np.float64), _IMBALANCE_KEEP)
        volume = decayed(self._carried.volume, (bought + sold).astype(np.float64), _IMBALANCE_KEEP)
        self._carried.delta, self._carried.volume = float(delta[-1]), float(volume[-1])
        return delta / (volume + 1.0)

    def _deviation(self, now: Stretch) -> Float64:
        """Standard deviation of the price's change over one second, ticks, from the last ten minutes."""
        squares = self._carried.squares.take(now.latest("squares"), now.age >= _STEP_S, _FORGET)
        deviation: Float64 = np.sqrt(np.maximum(squares, 1.0) / _STEP_S) / 2.0
        return deviation

    def _pattern(self, now: Stretch, deviation: Float64) -> Float64:
        seen = patterns.levels(now.cells, now.rows, least=_LEAST.get(self.symbol, _LEAST_ELSEWHERE))
        usual = self._carried.usual.take(seen.usual, now.age >= _MINUTE, _FORGET)
        a_minute = now.move(_MINUTE), deviation * _MINUTE**0.5
        absorbed = patterns.absorption(seen.largest, usual, *a_minute, now.delta(_MINUTE))
        absorbed = np.where(usual > 0, absorbed, 0.0)
        up = a_minute[0] > 0
        behind = [
            np.where(up, now.total("bought", length), now.total("sold", length)) / length for length in (_MINUTE, 10)
        ]
        exhausted = patterns.exhaustion(*a_minute, behind[0], behind[1])
        activity = now.total("volume", _VIEW_S) / _VIEW_S / np.maximum(now.a_second("volume", _USUAL_S), 0.1)
        driven = patterns.initiative(now.move(_VIEW_S), deviation * _VIEW_S**0.5, now.delta(_VIEW_S), activity)
        scores = (absorbed, patterns.stacked(seen.run), exhausted, driven)
        pattern: Float64 = np.max(scores, axis=0) * unit(now.age / _MINUTE)
        return pattern

    def _volatility(self, now: Stretch, ends: Int64, day: TradingDay, vix: Float64) -> npt.NDArray[Any]:
        """The regime's names."""
        regular = (day.rth_open_ns, day.rth_close_ns)
        seconds = np.minimum(np.maximum(now.age - _STEP_S, 0), regime.WINDOW)
        realised = now.total("squares", regime.WINDOW) / _STEP_S / np.maximum(seconds, 1)
        before = regime.shape(ends - regime.WINDOW * NS_PER_S, *regular)
        squares = ago(now.columns["squares"], regime.WINDOW, now.rows) / _STEP_S / (before * before)
        learnt = self._regime.learn(squares, now.age - _STEP_S > regime.WINDOW)
        half_tick = max(self._past.track.tick, 1e-12) / 2.0
        told = regime.variance_of(vix, now.price, self.symbol) / (half_tick * half_tick)
        told = np.where(now.price > 0, told, np.nan)
        ratios = regime.ratios(realised, seconds, regime.shape(ends, *regular), learnt, told)
        return regime.NAMES[self._regime.follow(ratios)]

    def save(self) -> bytes:
        return msgspec.msgpack.encode(_State(self._past.save(), self._carried, self._regime, self._context.save()))

    def restore(self, saved: bytes) -> None:
        state = msgspec.msgpack.decode(saved, type=_State)
        self._past.restore(state.past)
        self._carried, self._regime = state.carried, state.regime
        self._context.restore(*state.context)


def _divergence(now: Stretch, deviation: Float64) -> Float64:
    """Price against delta over 45 s, −1 … 1: positive where it rose on selling. Less while the 45 s are not full."""
    move = now.move(_DIVERGENCE_S)
    direction = np.sign(move)
    against = unit(-direction * now.delta(_DIVERGENCE_S) / _DIVERGED)
    weight = unit(np.abs(move) / (deviation * _DIVERGENCE_S**0.5))
    return direction * against * weight * unit(now.age / _DIVERGENCE_S)


def _flow_view(now: Stretch) -> Float64:
    """Delta where the order flow imbalance of the quotes has its sign."""
    delta = confluence.signed_unit(now.delta(_VIEW_S) / _ONE_SIDED)
    return confluence.where_agreed(delta, now.total("ofi", _VIEW_S)) * unit(now.age / _MINUTE)


def _vwap_view(now: Stretch, deviation: Float64) -> Float64:
    """The price's side of the session's VWAP, and the slope: the last ten seconds' mean price against the minute's."""
    lots = now.latest("lots")
    mean = now.latest("lots_price") / np.maximum(lots, 1)
    side = np.where(lots > 0, np.sign(now.mid / 2.0 - now.reference - mean), 0.0)
    slope = (now.mean_price(_STEP_S) - now.mean_price(_MINUTE)) / (0.5 * deviation * _MINUTE**0.5)
    return (side + confluence.signed_unit(slope)) / 2.0 * unit(now.age / _MINUTE)
