"""The tape: a source's rows and what is computed from them, in one order, chunk by chunk, never all in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np

from feedsim.errors import ConfigError
from feedsim.events import CHANNELS, Chunk, Table
from feedsim.instruments import NS_PER_S, session_at
from feedsim.observe import Bars, Footprints, Leadership, MarketObserver, Observer, Phases, Profiles
from feedsim.observe.steps import Steps, whole
from feedsim.playback.merge import Merger
from feedsim.sources.base import Source, Tables

# Bars of up to this length that the last events fall in are still told at their end, after the source has ended.
TAIL_NS = 60 * NS_PER_S
FIRST_WINDOW_NS = NS_PER_S // 4
LONGEST_WINDOW_NS = 60 * NS_PER_S


class TapeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What is computed beside the source's own rows. It is part of what fixes the tape's bytes."""

    bar_tf_s: tuple[int, ...] = (1, 60)
    """Lengths of the bars, in seconds."""
    footprint_tf_s: tuple[int, ...] = (60,)
    """Lengths of the footprints, in seconds."""
    flat_bars: bool = True
    """Tell a bar of volume 0 where nothing traded."""
    profile_every_s: int = 60
    features_every_s: int = 1
    """Seconds between rows of leadership features; 0: none."""

    @property
    def tf_s(self) -> tuple[int, ...]:
        """All lengths that there are bars or footprints of."""
        return tuple(sorted({*self.bar_tf_s, *self.footprint_tf_s}))

    def __post_init__(self) -> None:
        for name in ("bar_tf_s", "footprint_tf_s"):
            if any(not 1 <= tf <= 86_400 or 86_400 % tf for tf in getattr(self, name)):
                raise ConfigError(f"{list(getattr(self, name))}: lengths must divide a day (86400 seconds)", field=name)
        every = self.features_every_s
        if every and (not 1 <= every <= 86_400 or 86_400 % every):
            raise ConfigError(f"{every}: must divide a day (86400 seconds), or be 0", field="features_every_s")


class _State(msgspec.Struct, array_like=True):
    position_ns: int
    start_ns: int
    reason: str
    window_ns: int
    source: bytes
    merger: bytes
    observers: list[bytes]
    phases: bool


@dataclass(slots=True)
class Checkpoint:
    """A place on the tape that can be gone back to."""

    epoch: int
    seq: int
    position_ns: int
    state: bytes


class Tape:
    """One session's events. `read` tells the next window, `advance` the next chunk of about a wanted size.

    It begins at the source's start, which may be before the session's: whoever plays it goes to `start_ns` with
    `roll_to` first. An epoch begins at seq 1 wherever the tape stands when `open_epoch` is called.
    """

    def __init__(
        self,
        source: Source,
        config: TapeConfig | None = None,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> None:
        """`start_ns` and `end_ns` bound the session (its last bars included); None for the source's own bounds."""
        info = source.info
        self.source = source
        self.config = config or TapeConfig()
        self.info = info
        self.symbols = info.symbols
        self.start_ns = info.start_ns if start_ns is None else max(start_ns, info.start_ns)
        ends = [end for end in (end_ns, info.end_ns) if end is not None]
        self.end_ns = min(ends) if ends else None
        self.limited = end_ns is not None and end_ns == self.end_ns
        if self.end_ns is not None and self.start_ns >= self.end_ns:
            raise ConfigError("the session would end before it starts", field="start")
        self.position_ns = info.start_ns
        self.merger = Merger(info.symbols)
        self._observers: list[Observer] = self._make_observers()
        self._leadership = self._make_leadership()
        self._own = _own_channels(info.channels, [observer.channel for observer in self._observers])
        self._opened = False
        self._phases: Observer | None = None
        self._phases_start_ns = self.position_ns
        self._epoch_reason = ""
        self._window_ns = FIRST_WINDOW_NS

    def _make_observers(self) -> list[Observer]:
        info, config = self.info, self.config
        if info.ordered or "trade" not in info.channels:
            return []
        observers: list[Observer] = []
        if config.bar_tf_s:
            observers.append(Bars(info.symbols, config.bar_tf_s, flat=config.flat_bars))
        if config.footprint_tf_s:
            observers.append(Footprints(info.symbols, config.footprint_tf_s))
        if config.profile_every_s:
            observers.append(Profiles(info.symbols, every_s=config.profile_every_s))
        return observers

    def _make_leadership(self) -> MarketObserver | None:
        """Features for a source that has what they are made of, and brings none."""
        info, every_s = self.info, self.config.features_every_s
        if info.ordered or not every_s or "leadership" in info.channels or not {"trade", "l1"} <= set(info.channels):
            return None
        mode, strength = info.leadership or (None, None)
        with_context = "context" in info.channels
        return Leadership(info.symbols, every_s=every_s, mode=mode, strength=strength, with_context=with_context)

    # ------------------------------------------------------------------------------------------ what is known of it

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that the tape tells, in rank order."""
        told = set(self._own) | {observer.channel for observer in self._observers} | {"status"}
        if self._leadership is not None:
            told.add(self._leadership.channel)
        return tuple(channel for channel in CHANNELS if channel in told)

    @property
    def close_ns(self) -> int | None:
        """Nothing is told at or after this time: the end, or the end of the minute in which a source ended."""
        if self.end_ns is None or self.info.ordered:
            return self.end_ns
        if self.limited:
            return self.end_ns + 1
        return -(-self.end_ns // TAIL_NS) * TAIL_NS + 1

    @property
    def ended(self) -> bool:
        return self.close_ns is not None and self.position_ns >= self.close_ns

    @property
    def epoch(self) -> int:
        return self.merger.epoch

    @property
    def seq(self) -> int:
        """The last seq that was read."""
        return self.merger.seq

    # ------------------------------------------------------------------------------------------------------- reading

    def read(self, until_ns: int) -> Chunk:
        """Everything not read yet whose available time is before `until_ns`."""
        return whole(self._reading(until_ns))

    def advance(self, rows: int) -> Chunk | None:
        """The next chunk with at least one event and, where the rate allows, about `rows`; None at the end."""
        return whole(self.advancing(rows))

    def advancing(self, rows: int) -> Steps[Chunk | None]:
        """`advance` in steps, none of which takes much longer than the source's; in between the tape is nowhere."""
        while not self.ended:
            chunk = yield from self._reading(self._next_edge())
            self._fit_window(len(chunk), rows)
            if len(chunk):
                return chunk
        return None

    def _reading(self, until_ns: int) -> Steps[Chunk]:
        self._open_if_new()
        tables = yield from self._window(until_ns, with_phases=True)
        yield
        return self.merger.merge(tables)

    def roll_to(self, ns: int) -> Iterator[Tables]:
        """Read up to `ns` without numbering anything; yields what was computed or read on the way, for history."""
        if self.info.ordered:
            self.source.seek(ns)
            self.position_ns = max(self.position_ns, ns)
            return
        while self.position_ns < ns:
            yield whole(self._window(min(self._next_edge(), ns), with_phases=False))
            self._window_ns = min(self._window_ns * 2, LONGEST_WINDOW_NS)

    def skip_to_start(self) -> None:
        """Go to the session's start, for whoever does not need what was before it."""
        for _ in self.roll_to(self.start_ns):
            pass

    def open_epoch(self, epoch: int, reason: str) -> None:
        """Number from 1 again from here on; a status event tells why."""
        self.merger = Merger(self.symbols, epoch=epoch)
        self._opened = False
        self._epoch_reason = reason

    def _open_if_new(self) -> None:
        if not self._opened:
            self._opened = True
            self._phases = self._phases_from(self.position_ns)

    def _phases_from(self, start_ns: int) -> Observer | None:
        self._phases_start_ns = start_ns
        if self.info.ordered and not self._epoch_reason and start_ns <= self.info.start_ns:
            return None
        return Phases(self.symbols, dict(self.info.contracts), start_ns=start_ns)

    def _window(self, until_ns: int, *, with_phases: bool) -> Steps[Tables]:
        close = self.close_ns
        until_ns = until_ns if close is None else min(until_ns, close)
        source_until = until_ns if self.end_ns is None else min(until_ns, self.end_ns)
        read = self.source.read(source_until)
        tables = {channel: read[channel] for channel in self._own if channel in read}
        trades = read.get("trade") or Table.empty("trade", self.symbols)
        for observer in self._observers:
            yield
            tables[observer.channel] = observer.observe(trades, until_ns)
        if self._leadership is not None:
            yield
            tables[self._leadership.channel] = yield from self._leadership.observing(read, until_ns)
        if with_phases and self._phases is not None:
            self._add_status(tables, self._phases.observe(Table.empty("trade", self.symbols), until_ns))
            if self.info.ordered:
                self._phases = None  # from here on the recording tells its own
        self.position_ns = max(self.position_ns, until_ns)
        return {channel: table for channel, table in tables.items() if len(table)}

    def _add_status(self, tables: Tables, phases: Table) -> None:
        parts = [phases]
        if self._epoch_reason:
            parts.insert(0, self._epoch_status())
            self._epoch_reason = ""
        if "status" in tables:
            parts.append(tables["status"])
        status = Table.concatenate(parts)
        order = np.lexsort((status.array("symbol"), status.avail))
        tables["status"] = status.take(order)

    def _epoch_status(self) -> Table:
        at = np.full(len(self.symbols), self._phases_start_ns, np.int64)
        return Table.build(
            "status",
            self.symbols,
            {
                "ts": at,
                "symbol": np.arange(len(self.symbols)),
                "phase": ["epoch"] * len(self.symbols),
                "reason": [self._epoch_reason] * len(self.symbols),
                "contract": [self.info.contracts.get(symbol, symbol) for symbol in self.symbols],
            },
        )

    # -------------------------------------------------------------------------------------------- windows that fit

    def _next_edge(self) -> int:
        """The end of the next window: closed hours are one window, whatever their length."""
        edge = self.position_ns + self._window_ns
        opening = session_at(self.position_ns).open_ns
        return max(edge, opening) if opening > self.position_ns else edge

    def _fit_window(self, got: int, wanted: int) -> None:
        if got < max(wanted // 2, 1):
            self._window_ns = min(self._window_ns * 2, LONGEST_WINDOW_NS)
        elif got > wanted * 2:
            self._window_ns = max(self._window_ns // 2, 1)

    # ---------------------------------------------------------------------------------------------------- checkpoints

    def checkpoint(self) -> Checkpoint:
        """This place on the tape, so that `restore` can come back to it."""
        self._open_if_new()
        state = _State(
            self.position_ns,
            self._phases_start_ns,
            self._epoch_reason,
            self._window_ns,
            self.source.save(),
            self.merger.save(),
            [part.save() for part in self._computed()],
            self._phases is not None,
        )
        return Checkpoint(self.epoch, self.seq, self.position_ns, msgspec.msgpack.encode(state))

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back (or on) to a place that a tape of the same source and config gave."""
        state = msgspec.msgpack.decode(checkpoint.state, type=_State)
        self.position_ns, self._window_ns = state.position_ns, state.window_ns
        self.source.restore(state.source)
        self.merger.restore(state.merger)
        self._opened = True
        self._epoch_reason = state.reason
        self._phases = self._phases_from(state.start_ns) if state.phases else None
        for part, saved in zip(self._computed(), state.observers, strict=True):
            part.restore(saved)

    def _computed(self) -> list[Observer | MarketObserver]:
        """All whose state is part of a place on the tape."""
        others = (self._leadership, self._phases)
        return [*self._observers, *(part for part in others if part is not None)]

    def close(self) -> None:
        self.source.close()


def _own_channels(channels: tuple[str, ...], computed: list[str]) -> tuple[str, ...]:
    """The channels of a source that are sent: where bars can be computed from trades, its own are not."""
    return tuple(channel for channel in channels if channel not in computed)
