"""`feedsim.replay`: a market as an asynchronous generator of typed events, without a server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from feedsim.app.opening import make_player, open_tape
from feedsim.config import PaceSettings, Speed, load
from feedsim.errors import ConfigError
from feedsim.events import CHANNELS, Event
from feedsim.wire.codec import SCALE
from feedsim.wire.protocol import OPT_IN

CHUNK_ROWS = 8192  # nobody waits beside the one who iterates: larger chunks cost less an event

if TYPE_CHECKING:
    from feedsim.wire.messages import TimeUnit


async def replay(
    source: str = "synthetic:",
    *,
    speed: Speed = 1.0,
    channels: Sequence[str] | None = None,
    symbols: Sequence[str] | None = None,
    seed: int = 0,
    scenario: str = "normal",
    start: str = "",
    minutes: float = 0,
    bar_tf_s: Sequence[int] = (1, 60),
    footprint_tf_s: Sequence[int] = (60,),
    features_every_s: int = 1,
    depth: int = 10,
    ts: TimeUnit = "ms",
    loop: bool = False,
) -> AsyncIterator[Event]:
    """Yield the events of a source in the order of the tape, each when it is due.

    `source` is a path or `synthetic:`; `speed` is times real time, or "max". `channels` and `symbols` choose what is
    yielded (all but `truth` and `mbo` by default), `depth` cuts the levels of l2, `ts` is the unit of all times. The
    other arguments are the settings of the same names. Raises SourceError for data that is wrong, ConfigError for
    arguments.
    """
    wanted = _wanted(channels)
    settings = load(
        PaceSettings,
        given={
            "source": source,
            "speed": speed,
            "seed": seed,
            "scenario": scenario,
            "start": start,
            "minutes": minutes,
            "bar_tf_s": tuple(bar_tf_s),
            "footprint_tf_s": tuple(footprint_tf_s),
            "features_every_s": features_every_s,
            "loop": loop,
        },
    )
    tape = open_tape(settings)
    player = make_player(tape, settings, burst=CHUNK_ROWS, chunk_rows=CHUNK_ROWS)
    try:
        kept = None if symbols is None else _known(symbols, tape.symbols)
        async for chunk, lo, hi in player.play():
            events = chunk.iterate(lo, hi, channels=wanted, scale=SCALE[ts], depth=depth)
            for event in events if kept is None else (event for event in events if event.symbol in kept):
                yield event
    finally:
        player.close()
        tape.close()


def _wanted(channels: Sequence[str] | None) -> frozenset[str]:
    if channels is None:
        return frozenset(CHANNELS).difference(OPT_IN)
    for channel in channels:
        if channel not in CHANNELS:
            raise ConfigError(f"{channel!r}: there are {', '.join(CHANNELS)}", field="channels")
    return frozenset(channels)


def _known(symbols: Sequence[str], there: tuple[str, ...]) -> frozenset[str]:
    for symbol in symbols:
        if symbol not in there:
            raise ConfigError(f"{symbol!r}: this source has {', '.join(there)}", field="symbols")
    return frozenset(symbols)
