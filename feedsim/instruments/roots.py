"""Contract specifications by root: tick, multiplier, tick value."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Root, month letter, one or two digits of the year, then what a platform adds: ESZ5, ESZ25_FUT_CME, NQH26-CME.
_CONTRACT = re.compile(r"^(?P<root>[A-Z0-9]{1,4}?)[FGHJKMNQUVXZ]\d{1,2}(?:[_\-. ].*)?$")


@dataclass(frozen=True, slots=True)
class Instrument:
    """One futures root. `tick` in index points, `multiplier` in dollars a point."""

    root: str
    name: str
    tick: float
    multiplier: float

    @property
    def tick_value(self) -> float:
        """Dollars a tick."""
        return self.tick * self.multiplier


INSTRUMENTS: dict[str, Instrument] = {
    instrument.root: instrument
    for instrument in (
        Instrument("ES", "E-mini S&P 500", tick=0.25, multiplier=50.0),
        Instrument("NQ", "E-mini Nasdaq-100", tick=0.25, multiplier=20.0),
        Instrument("MES", "Micro E-mini S&P 500", tick=0.25, multiplier=5.0),
        Instrument("MNQ", "Micro E-mini Nasdaq-100", tick=0.25, multiplier=2.0),
    )
}


def root_of(raw: str) -> str:
    """The root of a raw contract name (`ESZ25_FUT_CME` → `ES`); a name that is no contract is its own root."""
    if raw in INSTRUMENTS:
        return raw
    match = _CONTRACT.match(raw)
    return match["root"] if match else raw
