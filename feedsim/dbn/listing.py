"""The instruments of a session as Databento names them: raw symbols, numbers, parents, continuous contracts.

CME's raw symbols have one digit of the year (`ESU5`); numbers are those of the source where it has them, else made of
the raw symbol, so that they are the same in every session.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feedsim.instruments import INSTRUMENTS, Contract, root_of

DATASET = "GLBX.MDP3"
PUBLISHER_ID = 1  # GLBX.MDP3.GLBX
LETTERS = "FGHJKMNQUVXZ"

_RAW = re.compile(rf"^(?P<root>[A-Z0-9]{{1,4}}?)(?P<letter>[{LETTERS}])(?P<year>\d{{1,2}})(?:[_\-. ].*)?$")
_CONTINUOUS = re.compile(r"^(?P<asset>[A-Z0-9]+)\.(?P<rule>[cnv])\.(?P<rank>\d+)$")
_LEAST_ID, _IDS = 100_000, 900_000


@dataclass(frozen=True, slots=True)
class Listed:
    """One instrument. `code` is its index among the session's symbols."""

    code: int
    symbol: str
    raw_symbol: str
    instrument_id: int
    contract: Contract | None

    @property
    def tick(self) -> float:
        known = INSTRUMENTS.get(self.symbol)
        return 0.0 if known is None else known.tick

    @property
    def multiplier(self) -> float:
        known = INSTRUMENTS.get(self.symbol)
        return 1.0 if known is None else known.multiplier


class Listing:
    """The instruments of a session, by the symbols' codes."""

    def __init__(
        self,
        symbols: tuple[str, ...],
        contracts: Mapping[str, str],
        *,
        start_ns: int,
        ids: Mapping[str, int] | None = None,
    ) -> None:
        """`ids` are the source's own numbers, by symbol."""
        self.instruments: list[Listed] = []
        taken = set((ids or {}).values())
        for code, symbol in enumerate(symbols):
            raw, contract = _named(contracts.get(symbol, symbol), start_ns)
            number = (ids or {}).get(symbol) or _free_id(raw, taken)
            taken.add(number)
            self.instruments.append(Listed(code, symbol, raw, number, contract))
        self.ids: npt.NDArray[np.uint32] = np.array([listed.instrument_id for listed in self.instruments], np.uint32)

    def resolve(self, stype: str, name: str) -> list[Listed]:
        """The instruments that a name of a kind of symbology means; none for a name that is not known."""
        if name == "ALL_SYMBOLS":
            return list(self.instruments)
        if stype == "raw_symbol":
            return [listed for listed in self.instruments if listed.raw_symbol == name]
        if stype == "instrument_id":
            return [listed for listed in self.instruments if str(listed.instrument_id) == name]
        if stype == "parent":
            asset, _, kind = name.partition(".")
            return [listed for listed in self.instruments if listed.symbol == asset and kind == "FUT"]
        match = _CONTINUOUS.match(name) if stype == "continuous" else None
        if match is None or int(match["rank"]):  # a session has the front contract alone
            return []
        return [listed for listed in self.instruments if listed.symbol == match["asset"]]


def _named(raw: str, start_ns: int) -> tuple[str, Contract | None]:
    """CME's name of a contract that a platform has written in its own way; other names are kept."""
    match = _RAW.match(raw)
    if match is None or root_of(raw) == raw:
        return raw, None
    digits = match["year"]
    now = int(np.datetime64(start_ns, "ns").astype("datetime64[Y]").astype(int)) + 1970
    year = 2000 + int(digits) if len(digits) == 2 else _year_ending(int(digits), now)
    month = LETTERS.index(match["letter"]) + 1
    return f"{match['root']}{match['letter']}{year % 10}", Contract(match["root"], year, month)


def _year_ending(digit: int, now: int) -> int:
    """The first year from the last one on that ends with a digit."""
    return next(year for year in range(now - 1, now + 9) if year % 10 == digit)


def _free_id(raw: str, taken: set[int]) -> int:
    number = zlib.crc32(raw.encode()) % _IDS
    while _LEAST_ID + number in taken:
        number = (number + 1) % _IDS
    return _LEAST_ID + number


def listing_of(symbols: tuple[str, ...], contracts: Mapping[str, str], start_ns: int, source: object) -> Listing:
    """The instruments of a session, under the source's own numbers where it has some (`instrument_ids`, by symbol)."""
    return Listing(symbols, contracts, start_ns=start_ns, ids=getattr(source, "instrument_ids", None))
