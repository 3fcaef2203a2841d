"""From settings to tapes and players."""

from __future__ import annotations

import asyncio
import math
from datetime import datetime, timedelta
from typing import Any

from feedsim.config import PaceSettings, SourceSettings
from feedsim.errors import ConfigError
from feedsim.instruments import EXCHANGE_TZ, NS_PER_MINUTE, NS_PER_S, format_ns
from feedsim.playback.pacing import pacer_for
from feedsim.playback.player import Player
from feedsim.playback.tape import Tape, TapeConfig
from feedsim.sources.base import Source
from feedsim.sources.catalog import Market, open_source


def open_tape(settings: SourceSettings) -> Tape:
    """The tape of the session that settings describe. Raises SourceError or ConfigError."""
    source = _open(settings)
    try:
        info = source.info
        start_ns = parse_start(settings.start, info.start_ns) if settings.start else info.start_ns
        if settings.source.startswith("synthetic:"):
            start_ns = info.start_ns + round(settings.warmup_minutes * NS_PER_MINUTE)
        if info.end_ns is not None and not info.start_ns <= start_ns < info.end_ns:
            there = f"{format_ns(info.start_ns)} to {format_ns(info.end_ns)}"
            raise ConfigError(f"{settings.start}: outside the source, which has {there}", field="start")
        end_ns = start_ns + round(settings.minutes * NS_PER_MINUTE) if settings.minutes else None
        config = TapeConfig(
            bar_tf_s=settings.bar_tf_s,
            footprint_tf_s=settings.footprint_tf_s,
            flat_bars=settings.flat_bars,
            features_every_s=settings.features_every_s,
        )
        return Tape(source, config, start_ns=start_ns, end_ns=end_ns)
    except Exception:
        source.close()
        raise


def _open(settings: SourceSettings) -> Source:
    if not settings.source.startswith("synthetic:"):
        return open_source(settings.source, options=settings.option)
    warmup_ns = round(settings.warmup_minutes * NS_PER_MINUTE)
    length_ns = warmup_ns + round(settings.minutes * NS_PER_MINUTE)
    market = Market(
        scenario=settings.scenario,
        seed=settings.seed,
        symbols=settings.symbols,
        start_ns=market_start(settings) - warmup_ns,
        minutes=length_ns / NS_PER_MINUTE if settings.minutes else None,
    )
    return open_source(settings.source, market=market, options=settings.option)


def market_start(settings: SourceSettings) -> int:
    """When a session of the synthetic market begins. Raises ConfigError."""
    from feedsim.market.config import START_NS

    return parse_start(settings.start, START_NS) if settings.start else START_NS


def make_player(tape: Tape, settings: PaceSettings, *, exit_at_end: bool = True, **options: Any) -> Player:
    """A player for a tape; must be called in a running loop."""
    return Player(
        tape,
        pacer_for(asyncio.get_running_loop()),
        speed=math.inf if settings.speed == "max" else settings.speed,
        loop=settings.loop,
        jump_closed=settings.closed == "jump",
        exit_at_end=exit_at_end,
        **options,
    )


# ------------------------------------------------------------------------------------------------------------- times


def parse_start(text: str, first_ns: int) -> int:
    """A start time as epoch nanoseconds: ISO, or HH:MM[:SS] on the day of `first_ns`; New York time without an offset.

    Raises ConfigError.
    """
    try:
        if len(text) <= 8 and ":" in text:
            day = datetime.fromtimestamp(first_ns // NS_PER_S, EXCHANGE_TZ).date()
            moment = datetime.fromisoformat(f"{day}T{text}")
        else:
            moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r}: write it as 2025-08-21T09:30[:00][+00:00] or 09:30", field="start") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=EXCHANGE_TZ)
    whole = moment.replace(microsecond=0)
    return int(whole.timestamp()) * NS_PER_S + (moment - whole) // timedelta(microseconds=1) * 1000
