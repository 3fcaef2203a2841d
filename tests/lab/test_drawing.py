"""Pictures as files: what is in them is what the session had."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import image as matplotlib_image

from feedsim.errors import ConfigError
from feedsim.lab import drawing
from feedsim.lab.drawing import heat_colours, painter_for, rgb
from feedsim.lab.inspection import inspect_tape
from feedsim.lab.picture import Picture
from feedsim.lab.svg import png_bytes
from feedsim.sources.base import Tables
from tests.lab.made import market, quotes, tape_of
from tests.support.chunks import START_NS

SECONDS = 60


def _picture(tables: Tables, *, title: str = "a market") -> Picture:
    symbols = next(iter(tables.values())).symbols
    tape = tape_of(tables, seconds=SECONDS, symbols=symbols)
    picture = Picture.of(tape)
    picture.title = title
    inspect_tape(tape, on_chunk=picture.add)
    return picture


def _drawings(page: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(found) for found in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


def test_a_png_has_the_promised_size_and_is_not_empty(tmp_path: Path) -> None:
    """The file is an image of the right shape with the colours of price, buys and sells in it."""
    path = tmp_path / "p.png"
    painter_for(path)(_picture(market(1, seconds=SECONDS)))
    pixels = np.round(matplotlib_image.imread(path)[..., :3] * 255).astype(int)
    assert pixels.shape == (990, 2310, 3)
    for colour in (drawing.PRICE, drawing.VWAP, drawing.GROUND):
        assert (np.abs(pixels - rgb(colour)).max(axis=-1) < 12).any()


def test_a_page_has_the_series_and_needs_nothing_else(tmp_path: Path) -> None:
    """Prices, volumes and delta are in the page, which loads nothing; each symbol has its drawing."""
    path = tmp_path / "p.html"
    picture = _picture(market(1, seconds=SECONDS))
    painter_for(path)(picture)
    page = path.read_text("utf-8")
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    found = re.search(r'<script type="application/json" id="session">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    session = json.loads(found[1])
    assert [panel["symbol"] for panel in session["panels"]] == ["ES", "NQ"]
    for panel, gathered in zip(session["panels"], picture.panels, strict=True):
        assert panel["bought"] == gathered.bought.tolist()
        assert panel["cumulative_delta"] == gathered.cumulative_delta().tolist()
        assert panel["price"] == [None if price != price else price for price in gathered.price().tolist()]
        assert len(panel["vwap"]) == picture.columns
    for svg in _drawings(page):
        texts = [text.text for text in svg.iter("text")]
        assert "volume, by delta" in texts
        assert "09:30:30" in texts
        assert len(list(svg.iter("image"))) == 1


def test_a_title_cannot_break_the_page(tmp_path: Path) -> None:
    """The name of a source is text, whatever it has in it."""
    path = tmp_path / "p.html"
    painter_for(path)(_picture(market(1, seconds=5), title="<script>&{{data}}"))
    page = path.read_text("utf-8")
    assert "<script>&{{" not in page
    assert "<h1>&lt;script&gt;&amp;" in page


def test_a_symbol_cannot_break_the_page(tmp_path: Path) -> None:
    """Nor the name of a symbol, which stands in the data of the script."""
    picture = Picture("x", ("</script><b>",), START_NS, START_NS + 60 * 10**9)
    painter_for(tmp_path / "p.html")(picture)
    page = (tmp_path / "p.html").read_text("utf-8")
    assert "<b>" not in page
    assert page.count("</script>") == 2


@pytest.mark.parametrize("name", ["p.png", "p.html"])
def test_a_source_without_trades_is_drawn_as_well(name: str, tmp_path: Path) -> None:
    """Quotes alone make a picture."""
    painter_for(tmp_path / name)(_picture({"l1": quotes([(0, 10.0, 10.25, 1, 1), (900, 10.25, 10.5, 1, 1)])}))
    assert (tmp_path / name).stat().st_size > 1000


@pytest.mark.parametrize(
    ("name", "says"), [("p.gif", r"pictures are \.png or \.html"), ("no/p.png", "no such folder"), ("p", "pictures")]
)
def test_a_file_that_cannot_be_drawn_into_is_refused_before_any_work(name: str, says: str, tmp_path: Path) -> None:
    """The ending and the folder are looked at first."""
    with pytest.raises(ConfigError, match=f"plot: .*{says}"):
        painter_for(tmp_path / name)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """What the system says of it is told."""
    (tmp_path / "p.html").mkdir()
    with pytest.raises(ConfigError, match=r"p\.html: cannot be written: Is a directory"):
        painter_for(tmp_path / "p.html")(_picture(market(1, seconds=5)))


def test_without_matplotlib_a_png_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Matplotlib is an extra."""
    monkeypatch.delitem(sys.modules, "feedsim.lab.png", raising=False)
    for name in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigError, match=re.escape("pip install 'feedsim[plot]'")):
        painter_for(tmp_path / "p.png")


@given(seed=st.integers(0, 2**32), height=st.integers(1, 9), width=st.integers(1, 9))
def test_own_png_bytes_are_read_by_others(seed: int, height: int, width: int) -> None:
    """The PNG that is written here is the image that matplotlib reads."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4)).astype(np.uint8)
    read = matplotlib_image.imread(io.BytesIO(png_bytes(pixels)))
    assert np.array_equal(np.round(read * 255).astype(np.uint8), pixels)


def test_depth_colours_go_from_ground_to_bright() -> None:
    """Nothing is clear, more is brighter, and what is above the top is as the top."""
    colours = heat_colours(np.array([0.0, 1.0, 5.0, 10.0, 99.0]), 10.0).astype(int)
    assert colours[:, 3].tolist() == [0, 255, 255, 255, 255]
    brightness = colours[:, :3].sum(axis=1)
    assert (np.diff(brightness[:4]) > 0).all()
    assert colours[3].tolist() == colours[4].tolist() == [*rgb(drawing.HEAT[-1]), 255]
