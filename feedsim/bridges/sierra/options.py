"""How chart files are written: layouts, charts, keys, and the faults of the real feed that are wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from feedsim.config import SierraKeys, SierraLayout, SierraQuirk
from feedsim.errors import ConfigError

CHARTS = {"ES": 3, "NQ": 4, "MES": 5, "MNQ": 6, "vix": 8, "levels": 10}
"""Numbers of the charts, where nobody gives others."""
VIX, LEVELS = "vix", "levels"
MOST_CHARTS = 999


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Of one folder of files."""

    layouts: tuple[SierraLayout, ...] = ("type", "chart", "unified")
    keys: SierraKeys = "superset"
    quirks: frozenset[SierraQuirk] = frozenset()
    charts: dict[str, int] = msgspec.field(default_factory=CHARTS.copy)
    """Chart numbers by symbol, and of the VIX and the option levels."""
    utc_offset_s: int = 7200
    """The charts' clock minus UTC, for the quirk `local_time`."""
    pace: bool = True

    @property
    def day_offset_ns(self) -> int:
        """What is added to a time to find the day whose files it belongs to, and to the stamps of bars."""
        return self.utc_offset_s * 1_000_000_000 if "local_time" in self.quirks else 0


def charts_of(symbols: Sequence[str], given: Mapping[str, int]) -> dict[str, int]:
    """The number of each symbol's chart, the VIX's and the option levels'. Raises ConfigError."""
    names = [*symbols, VIX, LEVELS]
    for name, number in given.items():
        if name not in names:
            raise ConfigError(f"{name!r}: there are {', '.join(names)}", field="sierra_charts")
        if not 1 <= number <= MOST_CHARTS:
            raise ConfigError(f"{name}={number}: a chart's number is 1 to {MOST_CHARTS}", field="sierra_charts")
    charts = {name: given[name] if name in given else CHARTS[name] for name in names if name in given or name in CHARTS}
    for name in names:
        free = (number for number in range(11, MOST_CHARTS) if number not in charts.values())
        charts.setdefault(name, next(free))
    doubled = [name for name in names if list(charts.values()).count(charts[name]) > 1]
    if doubled:
        raise ConfigError(f"{' and '.join(doubled)} would share a chart", field="sierra_charts")
    return charts
