"""The events as Structs: the single definition of every channel's fields, their order and their meaning.

Columns, Parquet schemas, the wire and its JSON Schema are derived from these classes.
Times are integers whose unit the reader chose (nanoseconds inside, milliseconds on the wire by default).
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Time = Annotated[int, Meta(description="time since the epoch, in the unit that was asked for (ms, us or ns)")]
Price = Annotated[float, Meta(description="price in index points")]
Lots = Annotated[int, Meta(description="contracts")]


class Event(msgspec.Struct, gc=False, tag_field="type", omit_defaults=True):
    """What all events have: `seq` is the position on the tape, `n` the position in the event's own stream."""

    seq: int
    n: int
    ts: Time
    symbol: str


class Status(Event, gc=False, tag="status", omit_defaults=True):
    """A change of the session's phase, or the start of a new epoch (after a seek or a loop)."""

    phase: Annotated[str, Meta(description="pre_open, open, halt, auction, closed or epoch")]
    reason: str
    contract: Annotated[str, Meta(description="the raw contract name, as the source had it")]


class Bar(Event, gc=False, tag="bar", omit_defaults=True):
    """One bar, sent at its end; `ts` is its start and the window is [ts, ts + tf_s).

    `vwap` is anchored at the session's open; bands are vwap ± k volume-weighted standard deviations.
    """

    tf_s: Annotated[int, Meta(description="length of the bar in seconds")]
    open: Price | None
    high: Price | None
    low: Price | None
    close: Price | None
    volume: Lots
    vwap: Price | None
    vwap_sd1: Annotated[float, Meta(description="vwap + 1 standard deviation")] | None
    vwap_sd2: Annotated[float, Meta(description="vwap + 2 standard deviations")] | None
    vwap_dn1: Annotated[float, Meta(description="vwap - 1 standard deviation")] | None
    vwap_dn2: Annotated[float, Meta(description="vwap - 2 standard deviations")] | None
    delta: Annotated[int, Meta(description="bought minus sold volume, by aggressor")] | None
    cum_delta: Annotated[int, Meta(description="delta summed since the session's open")] | None
    trades: Annotated[int, Meta(description="number of trades")] | None


class Footprint(Event, gc=False, tag="footprint", omit_defaults=True):
    """Volume by price inside one bar: `bid_volume` was sold at the bid, `ask_volume` bought at the ask."""

    bar_start_ts: Time
    tf_s: int
    price_level: list[float]
    bid_volume: list[int]
    ask_volume: list[int]
    delta: int
    poc: Annotated[float, Meta(description="price with the most volume")] | None


class Profile(Event, gc=False, tag="profile", omit_defaults=True):
    """The session's volume profile so far and the prior day's, once a minute."""

    poc: Price | None
    vah: Annotated[float, Meta(description="value area high (70 % of volume)")] | None
    val: Annotated[float, Meta(description="value area low (70 % of volume)")] | None
    high: Price | None
    low: Price | None
    settlement: Price | None
    prior_high: Price | None
    prior_low: Price | None
    prior_close: Price | None
    prior_poc: Price | None
    prior_vah: Price | None
    prior_val: Price | None


class Context(Event, gc=False, tag="context", omit_defaults=True):
    """Options context of one symbol."""

    vix: float | None
    gamma_flip: Price | None
    call_wall: Price | None
    put_wall: Price | None
    pin_strength: float | None
    put_call_ratio: float | None
    gamma_exposure: float | None
    dealer_position: float | None
    gamma_flip_level: Price | None
    pin_levels: list[float] | None
    call_walls: list[float] | None
    put_walls: list[float] | None
    vol_trigger: float | None


class Leadership(Event, gc=False, tag="leadership", omit_defaults=True):
    """Leadership and order-flow features of one symbol."""

    confluence_score: float | None
    delta_divergence: float | None
    delta_divergence_signed: float | None
    volume_imbalance: float | None
    sierra_pattern_strength: float | None
    leadership_strength: float | None
    volatility_regime: str | None
    options_flow_bias: float | None
    gamma_proximity: float | None
    leadership_mode: str | None
    leadership_strength_param: float | None


class Truth(Event, gc=False, tag="truth", omit_defaults=True):
    """Ground truth of a generated session: opt-in, never in a default subscription."""

    label: str
    confidence: float
    side: Annotated[int, Meta(description="1 long, -1 short, 0 neutral")]
    phase: str | None
    window_id: int | None
    outcome: Annotated[str, Meta(description="in a window's closing row only")] | None


class Mbo(Event, gc=False, tag="mbo", omit_defaults=True):
    """What happened to one order (market by order): opt-in, and only where the source knows its orders."""

    action: Annotated[int, Meta(description="ASCII of A add, C cancel, M modify, T trade, F fill, R clear")]
    side: Annotated[int, Meta(description="1 a bid or a buyer, -1 an ask or a seller, 0 neither")]
    price: Price | None
    size: Lots
    order_id: int
    flags: Annotated[int, Meta(description="bits of DBN: 128 the last of one event, 32 of a snapshot")] = 0
    sequence: Annotated[int, Meta(description="the venue's number of the message")] = 0
    ts_in_delta: Annotated[int, Meta(description="ns from the venue's sending to receiving")] = 0
    channel_id: int = 0


class Trade(Event, gc=False, tag="trade", omit_defaults=True):
    """One trade."""

    price: Price
    size: Lots
    side: Annotated[int, Meta(description="1 the buyer was the aggressor, -1 the seller, 0 unknown")]
    trade_id: int


class L1(Event, gc=False, tag="l1", omit_defaults=True):
    """Best bid and offer; last_* are null before the first trade."""

    bid: Price
    ask: Price
    last_price: Price | None
    bid_size: Lots
    ask_size: Lots
    last_size: Lots | None


class L2(Event, gc=False, tag="l2", omit_defaults=True):
    """The book, best level first on both sides."""

    levels: Annotated[int, Meta(description="levels of the deeper side")]
    bid_px: list[float]
    bid_sz: list[int]
    ask_px: list[float]
    ask_sz: list[int]
    mid: Price | None
    spread: Price | None
    bid_ct: Annotated[list[int], Meta(description="orders a level, where known")] | None = None
    ask_ct: Annotated[list[int], Meta(description="orders a level, where known")] | None = None
    coarse: Annotated[bool, Meta(description="the source knew only the minute of this book")] = False


# In the order of their rank at equal time: what a window contains is told before the first event of the next.
EVENT_TYPES: dict[str, type[Event]] = {
    "status": Status,
    "bar": Bar,
    "footprint": Footprint,
    "profile": Profile,
    "context": Context,
    "leadership": Leadership,
    "truth": Truth,
    "mbo": Mbo,
    "trade": Trade,
    "l1": L1,
    "l2": L2,
}
CHANNELS: tuple[str, ...] = tuple(EVENT_TYPES)
CHANNEL_OF = {event_type: channel for channel, event_type in EVENT_TYPES.items()}
RANK: dict[str, int] = {channel: rank for rank, channel in enumerate(CHANNELS)}
