"""Days on which Globex has no session or closes early: the table holidays.toml, read once.

The table is made by `make holidays`; days outside its years are taken for ordinary ones.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, time
from functools import cache
from pathlib import Path
from types import MappingProxyType

_TABLE = Path(__file__).with_name("holidays.toml")


@cache
def closes() -> Mapping[date, time | None]:
    """When the sessions of special days close, New York time; None for a day that has no session."""
    table = tomllib.loads(_TABLE.read_text("utf-8"))
    special: dict[date, time | None] = dict.fromkeys(table["closed"])
    for closing, days in table["early"].items():
        special.update(dict.fromkeys(days, time.fromisoformat(closing)))
    return MappingProxyType(special)
