"""The table of fees, margins and limits: feedsim's own, and one of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedsim.errors import ConfigError
from feedsim.exchange import venue as room
from feedsim.exchange.venue import dollars, read_venue
from tests.exchange.pit import Pit, account

OWN = Path(room.__file__).with_name("venue.toml")


def test_the_own_table() -> None:
    """Four products, each with a side's fee in whole 1/10,000 dollar, and the day of the figures."""
    venue = read_venue()
    assert set(venue.products) == {"ES", "NQ", "MES", "MNQ"}
    assert venue.as_of == "2025-08-01"
    es = venue.products["ES"]
    assert (es.tick_value, es.fee, es.band) == (125_000, 26_900, 48)


def test_docs_show_the_own_table() -> None:
    """docs/trading.md has its figures and its day."""
    text = (Path(__file__).parents[2] / "docs" / "trading.md").read_text("utf-8")
    venue = read_venue()
    assert f"those of {venue.as_of}" in text
    for symbol, product in venue.products.items():
        fees = (f"{dollars(fee):.2f}" for fee in (product.commission, product.exchange, product.nfa))
        margins = (f"{dollars(margin):,.0f}" for margin in (product.margin_day, product.margin_overnight))
        assert f"| {' | '.join((symbol, *fees, *margins))} |" in text


def test_a_table_of_the_user(tmp_path: Path) -> None:
    """Its fees are charged."""
    file = tmp_path / "mine.toml"
    file.write_text(OWN.read_text().replace("commission = 1.29", "commission = 0.5"))
    assert account(Pit(venue=str(file)).new(quantity=2)).fees == 2 * 1.9


def test_a_product_of_the_user(tmp_path: Path) -> None:
    """One that feedsim does not know needs tick and multiplier."""
    file = tmp_path / "mine.toml"
    text = OWN.read_text().replace("[products.ES]", "[products.CL]")
    file.write_text(text)
    with pytest.raises(ConfigError, match="CL: a product that feedsim does not know needs tick and multiplier"):
        read_venue(str(file))
    file.write_text(text.replace("[products.CL]", "[products.CL]\ntick = 0.01\nmultiplier = 1000"))
    assert read_venue(str(file)).products["CL"].tick_value == 100_000


@pytest.mark.parametrize(
    ("old", "new"), [("nfa = 0.02", "nfa = -1"), ("band = 12", "bend = 12"), ('"2025-08-01"', "[")]
)
def test_a_wrong_table(tmp_path: Path, old: str, new: str) -> None:
    """One line that names the file."""
    file = tmp_path / "mine.toml"
    file.write_text(OWN.read_text().replace(old, new))
    with pytest.raises(ConfigError) as caught:
        read_venue(str(file))
    assert caught.value.file == str(file)


def test_no_table() -> None:
    """A file that is not there."""
    with pytest.raises(ConfigError, match="cannot be read"):
        read_venue("/nowhere/venue.toml")
