"""A folder of exported sessions as a feed: its events merged in one order, or its tables as DataFrames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedsim.errors import ConfigError, SourceError
from feedsim.instruments import NS_PER_MS, NS_PER_S, root_of
from feedsim.playback.tape import Tape
from feedsim.sources.seed import FILES, SeedSource, recognise

if TYPE_CHECKING:
    import pandas as pd

CHUNK_ROWS = 8192
DAY_NS = 86_400 * NS_PER_S
_TIMES = {"footprint": "bar_start_ts"}
_TABLES = {Path(file).stem: channel for channel, file in FILES.items()}
_ORDER = ("l1", "l2", "bars", "footprint", "context", "leadership_features", "ground_truth")


class OfflineEvent(dict[str, Any]):
    """One event: `type`, `avail` and `ts` in ms, `symbol`, and the fields of its channel; also as attributes."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"a {self.get('type')} event has no {name!r}") from None


class OfflineFeed:
    """Iterating yields the events in the order in which a live feed could have told them: by `avail`.

    A bar or a footprint is told at its end. `data_dir` is one export, or a folder of exports of days that follow each
    other; dates are UTC and both are included. A feed can be iterated again and again.
    """

    def __init__(
        self,
        data_dir: str | Path,
        symbols: Sequence[str] | None = None,
        start_date: str | date | None = None,
        end_date: str | date | None = None,
    ) -> None:
        """Raises ConfigError for dates and symbols that there cannot be, SourceError for a folder without exports."""
        self.data_dir = Path(data_dir)
        self.start_date, self.end_date = _day(start_date, "start_date"), _day(end_date, "end_date")
        if self.start_date and self.end_date and self.end_date < self.start_date:
            raise ConfigError(f"{self.end_date}: expected {self.start_date} or later", field="end_date")
        self._first_ns = 0 if self.start_date is None else _midnight(self.start_date)
        self._until_ns = 1 << 62 if self.end_date is None else _midnight(self.end_date) + DAY_NS
        self.folders = self._folders()
        self.symbols = self._known(symbols)

    def _folders(self) -> list[Path]:
        """The exports, by time; each ends before the next begins."""
        if not self.data_dir.is_dir():
            raise SourceError("no such folder", file=str(self.data_dir))
        if recognise(self.data_dir):
            return [self.data_dir]
        found = sorted(path for path in self.data_dir.iterdir() if path.is_dir() and recognise(path))
        if not found:
            raise SourceError(f"no export here; expected {', '.join(sorted(FILES.values()))}", file=str(self.data_dir))
        spans = sorted((*_span(path), path) for path in found)
        for (_, end_ns, path), (start_ns, _, after) in pairwise(spans):
            if start_ns < end_ns:
                raise SourceError(f"its times overlap those of {path.name}: read them one by one", file=str(after))
        return [path for _, _, path in spans]

    def _known(self, symbols: Sequence[str] | None) -> tuple[str, ...]:
        if isinstance(symbols, str):
            raise ConfigError(f'{symbols!r}: expected a list of names, as ["ES", "NQ"]', field="symbols")
        there: set[str] = set()
        for path in self.folders:
            source = SeedSource(path)
            there |= {*source.info.symbols, *source.info.contracts.values()}
            source.close()
        for symbol in symbols or ():
            if symbol not in there:
                raise ConfigError(f"{symbol!r}: there is {', '.join(sorted(there))}", field="symbols")
        return tuple(symbols) if symbols else tuple(sorted({root_of(name) for name in there}))

    def __iter__(self) -> Iterator[OfflineEvent]:
        return self.events()

    def events(self, *channels: str) -> Iterator[OfflineEvent]:
        """The events of some channels (l1, l2, bar, footprint, context, leadership, truth), or of all."""
        for channel in channels:
            if channel not in FILES:
                raise ConfigError(f"{channel!r}: there is {', '.join(FILES)}", field="channels")
        wanted = frozenset(channels or FILES)
        roots = {root_of(symbol) for symbol in self.symbols}
        for folder in self.folders:
            tape = Tape(SeedSource(folder))
            try:
                for event in self._events(tape, wanted):
                    if event["symbol"] in roots:
                        yield event
            finally:
                tape.close()

    def _events(self, tape: Tape, channels: frozenset[str]) -> Iterator[OfflineEvent]:
        while (chunk := tape.advance(CHUNK_ROWS)) is not None:
            avail = chunk.avail.tolist()
            for event in chunk.iterate(channels=channels, scale=NS_PER_MS):
                at_ns = avail[event.seq - chunk.first_seq]
                if self._first_ns <= at_ns < self._until_ns:
                    yield _as_dict(event, at_ns)

    def frame(self, table: str) -> pd.DataFrame:
        """One table (l1, l2, bars …), of the symbols and dates, as it was exported."""
        import pandas as pd

        if table not in _TABLES:
            raise ConfigError(f"{table!r}: there is {', '.join(_ORDER)}", field="table")
        files = [folder / f"{table}.parquet" for folder in self.folders]
        frames = [self._within(pd.read_parquet(file), table) for file in files if file.is_file()]
        with_rows = [frame for frame in frames if len(frame)] or frames[:1]
        return pd.concat(with_rows, ignore_index=True) if with_rows else pd.DataFrame()

    def frames(self) -> dict[str, pd.DataFrame]:
        """All tables that there are, by name."""
        there = [name for name in _ORDER if any((folder / f"{name}.parquet").is_file() for folder in self.folders)]
        return {name: self.frame(name) for name in there}

    def _within(self, frame: pd.DataFrame, table: str) -> pd.DataFrame:
        ns = frame[_TIMES.get(table, "ts")].to_numpy("int64") * NS_PER_MS
        kept = (ns >= self._first_ns) & (ns < self._until_ns)
        if "symbol" in frame.columns:
            roots = {root_of(symbol) for symbol in self.symbols}
            names = [name for name in frame["symbol"].unique() if root_of(name) in roots]
            kept &= frame["symbol"].isin(names).to_numpy()
        return frame[kept]


def _as_dict(event: Any, at_ns: int) -> OfflineEvent:
    told = OfflineEvent(type=event.__struct_config__.tag, avail=at_ns // NS_PER_MS)
    for name in event.__struct_fields__:
        told[name] = getattr(event, name)
    return told


def _span(path: Path) -> tuple[int, int]:
    source = SeedSource(path)
    source.close()
    return source.info.start_ns, source.info.end_ns or source.info.start_ns


def _day(value: str | date | None, field: str) -> date | None:
    if isinstance(value, datetime):
        return (value if value.tzinfo is None else value.astimezone(UTC)).date()
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ConfigError(f"{value!r}: expected a day, as 2025-08-21", field=field) from None


def _midnight(day: date) -> int:
    return (
        (datetime(day.year, day.month, day.day, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC))
        // timedelta(seconds=1)
        * NS_PER_S
    )
