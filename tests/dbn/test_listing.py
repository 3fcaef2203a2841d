"""What instruments are called: raw symbols of platforms in CME's way, and the same numbers in every session."""

from __future__ import annotations

import pytest

from feedsim.dbn.listing import Listing

AUGUST_2025 = 1_755_783_000_000_000_000


@pytest.mark.parametrize(
    ("contract", "raw", "year"),
    [
        ("ESU25", "ESU5", 2025),
        ("ESZ25_FUT_CME", "ESZ5", 2025),
        ("NQH26-CME", "NQH6", 2026),
        ("MESU5", "MESU5", 2025),
        ("ESH0", "ESH0", 2030),
    ],
)
def test_contracts_have_one_digit_of_the_year(contract: str, raw: str, year: int) -> None:
    """As the exchange writes them, with the year that the digit means."""
    (listed,) = Listing(("X",), {"X": contract}, start_ns=AUGUST_2025).instruments
    assert listed.raw_symbol == raw
    assert listed.contract is not None
    assert listed.contract.year == year


def test_a_name_that_is_no_contract_is_kept() -> None:
    """It has a number, and no expiry."""
    (listed,) = Listing(("SPX",), {}, start_ns=AUGUST_2025).instruments
    assert (listed.raw_symbol, listed.contract) == ("SPX", None)


def test_numbers_do_not_depend_on_what_else_there_is() -> None:
    """The same contract has the same number, alone or beside others; the source's own number comes first."""
    both = Listing(("ES", "NQ"), {"ES": "ESU25", "NQ": "NQU25"}, start_ns=AUGUST_2025)
    alone = Listing(("NQ",), {"NQ": "NQU5"}, start_ns=AUGUST_2025)
    assert alone.ids[0] == both.ids[1]
    given = Listing(("ES", "NQ"), {"ES": "ESU25", "NQ": "NQU25"}, start_ns=AUGUST_2025, ids={"ES": 118})
    assert given.ids.tolist() == [118, both.ids[1]]


@pytest.mark.parametrize("name", ["ES.c.1", "ES.x.0", "ES.FUT.0", "", "CL.c.0"])
def test_unknown_continuous_names_are_nothing(name: str) -> None:
    """A session has the front contract alone."""
    assert Listing(("ES",), {"ES": "ESU25"}, start_ns=AUGUST_2025).resolve("continuous", name) == []
