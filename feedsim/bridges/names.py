"""How Sierra Chart names futures, in its files and over DTC."""

from __future__ import annotations

from collections.abc import Mapping


def sym_of(symbol: str, contracts: Mapping[str, str]) -> str:
    """A symbol's contract as Sierra Chart has it (`ESU25_FUT_CME`); the symbol itself where it is not known."""
    contract = contracts.get(symbol)
    if contract is None:
        return symbol
    return contract if "_" in contract else f"{contract}_FUT_CME"
