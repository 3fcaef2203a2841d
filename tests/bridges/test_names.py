"""Sierra Chart's names of futures."""

from __future__ import annotations

import pytest

from feedsim.bridges.names import sym_of


@pytest.mark.parametrize(
    ("contracts", "name"),
    [({"ES": "ESU25"}, "ESU25_FUT_CME"), ({"ES": "ESZ25_FUT_CME"}, "ESZ25_FUT_CME"), ({"NQ": "NQU25"}, "ES")],
)
def test_names_are_sierra_charts(contracts: dict[str, str], name: str) -> None:
    """A name that is one already is left alone; a symbol whose contract is not known is its own."""
    assert sym_of("ES", contracts) == name
