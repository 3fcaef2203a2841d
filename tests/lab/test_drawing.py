"""Pictures as files: what is in them is what the session had."""

from __future__ import annotations

import io
import json
import re
import sys
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import image as matplotlib_image

from feedsim.errors import ConfigError
from feedsim.events import INT_NULL
from feedsim.lab import drawing
from feedsim.lab.drawing import heat_colours, rgb
from feedsim.lab.inspection import inspect_tape
from feedsim.lab.painters import painter_for
from feedsim.lab.picture import Picture
from feedsim.lab.spans import Span
from feedsim.lab.svg import png_bytes
from feedsim.market.scenarios import SCENARIOS
from feedsim.sources.base import Tables
from tests.lab.colour_vision import VISION, distance
from tests.lab.made import contexts, market, quotes, statuses, tape_of, truths
from tests.support.chunks import START_NS

SECONDS = 60


def _picture(tables: Tables, *, title: str = "a market") -> Picture:
    symbols = next(iter(tables.values())).symbols
    tape = tape_of(tables, seconds=SECONDS, symbols=symbols)
    picture = Picture.of(tape)
    picture.title = title
    inspect_tape(tape, on_chunk=picture.add)
    return picture


def _with_truth(halt: bool = True) -> Tables:
    """A label from second 12 to 24, phases from 6 to 36 of which the last failed, and a halt from 40 to 50."""
    rows = [
        (
            1000 * second,
            *(("long_bias", 0.6, 1) if 12 <= second < 24 else ("none", 0.0, 0)),
            "absorption" if 6 <= second < 20 else "retest" if 20 <= second < 36 else None,
            3 if 6 <= second < 36 else INT_NULL,
            "failed" if second == 35 else None,
        )
        for second in range(SECONDS)
    ]
    halts = statuses([(40_000, "halt", "limit"), (50_000, "open", "limit")])
    return {**market(1, seconds=SECONDS, symbols=("ES",)), "truth": truths(rows), **({"status": halts} if halt else {})}


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


# ----------------------------------------------------------------------------------------------------------- the truth


def _inside(svg: ElementTree.Element, group: str) -> list[tuple[str, float, float]]:
    """(title, first second, last second) of each group of spans, by its first rectangle."""
    found = []
    (plot,) = [rect for rect in svg.iter("rect") if rect.get("fill") == drawing.GROUND][:1]
    left, width = float(plot.get("x", "")), float(plot.get("width", ""))
    for element in svg.iter("g"):
        if element.get("class") == group:
            (rect,) = list(element.iter("rect"))[:1]
            start = (float(rect.get("x", "")) - left) / width * SECONDS
            end = start + float(rect.get("width", "")) / width * SECONDS
            found.append((str(element.findtext("title")), round(start, 1), round(end, 1)))
    return found


def test_a_page_shows_the_truth_where_it_was_told(tmp_path: Path) -> None:
    """Labels over the prices, phases with the outcome, trading that stands, and a key to them."""
    painter_for(tmp_path / "p.html")(_picture(_with_truth()))
    page = (tmp_path / "p.html").read_text("utf-8")
    (svg,) = _drawings(page)
    assert _inside(svg, "label") == [("▲ long_bias", 12, 24)]
    assert _inside(svg, "phase") == [("absorption", 6, 20), ("retest, failed", 20, 36)]
    assert _inside(svg, "pause") == [("halt: limit", 40, 50)]
    texts = [text.text for text in svg.iter("text")]
    assert texts.count("▲ long_bias") == texts.count("absorption") == 2  # there, and in the key
    assert {"✗", "✗ failed", "no trading", "halt: limit"} <= set(texts)
    found = re.search(r'<script type="application/json" id="session">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    assert [name for *_, name in json.loads(found[1])["panels"][0]["told"]] == [
        *("long_bias", "absorption", "retest", "halt: limit")
    ]


def test_a_page_shows_the_strike_that_pins(tmp_path: Path) -> None:
    """At its price, with an entry in the key."""
    pinned = contexts([(1000 * second, 0.7, [5000.0]) for second in range(10, 30)])
    painter_for(tmp_path / "p.html")(_picture({**market(1, seconds=SECONDS, symbols=("ES",)), "context": pinned}))
    (svg,) = _drawings((tmp_path / "p.html").read_text("utf-8"))
    (line,) = [path for path in svg.iter("path") if path.get("class") == "pin"]
    assert line.findtext("title") == "pin strike 5,000"
    marks = {text.text: float(text.get("y", "")) - 4 for text in svg.iter("text")}
    height = float(line.get("d", "").split()[1].partition("h")[0])
    assert height == pytest.approx(marks["5,000.00"], abs=0.1)
    assert "pin strike" in marks


def test_a_page_without_truth_has_no_key_of_it(tmp_path: Path) -> None:
    """Nor a strip of phases."""
    painter_for(tmp_path / "p.html")(_picture(market(1, seconds=SECONDS)))
    page = (tmp_path / "p.html").read_text("utf-8")
    assert not re.search(r'class="(label|phase|pause)"', page)
    assert "no trading" not in page


def _columns_of(pixels: np.ndarray, colour: str) -> tuple[int, int]:
    """First and last column that has a line of at least three pixels of a colour."""
    there = np.abs(pixels - rgb(colour)).max(axis=-1) < 14
    across = np.flatnonzero((there[:-2] & there[1:-1] & there[2:]).any(axis=0))
    return (int(across[0]), int(across[-1])) if len(across) else (-1, -1)


def test_a_png_shows_the_truth_where_it_was_told(tmp_path: Path) -> None:
    """The bar of a label and the box of a phase stand over their seconds."""
    path = tmp_path / "p.png"
    painter_for(path, size="1200x620")(_picture(_with_truth(halt=False)))
    pixels = np.round(matplotlib_image.imread(path)[:560, ..., :3] * 255).astype(int)  # without the key
    assert pixels.shape[1] == 1200
    left, right = 77, 1118  # of the panels: 0.7 and 0.75 inches of 110 pixels
    for colour, start, end in ((drawing.LABELS["long_bias"], 12, 24), (drawing.PHASES["absorption"], 6, 20)):
        first, last = _columns_of(pixels, colour)
        assert first == pytest.approx(left + (right - left) * start / SECONDS, abs=4)
        assert last == pytest.approx(left + (right - left) * end / SECONDS, abs=4)


@pytest.mark.parametrize(("size", "name"), [("100x100", "p.png"), ("1200*620", "p.png"), ("1200x620", "p.html")])
def test_a_size_that_cannot_be_is_refused(size: str, name: str, tmp_path: Path) -> None:
    """Too small, not a size, or not of a PNG."""
    with pytest.raises(ConfigError, match="plot_size: "):
        painter_for(tmp_path / name, size=size)


@pytest.mark.parametrize("vision", VISION)
def test_labels_and_phases_are_told_apart_by_everybody(vision: str) -> None:
    """The colours of labels, and those of the phases of one scenario, differ for the colour-blind too."""
    for one, other in combinations(drawing.LABELS.values(), 2):
        assert distance(one, other, vision) > 35
    for scenario in SCENARIOS.values():
        parts = [part for window in scenario.windows for part in (*window.phases, *window.last, *window.failing)]
        names = dict.fromkeys(part.name for part in parts)
        for one, other in combinations(names, 2):
            assert distance(drawing.PHASES[one], drawing.PHASES[other], vision) > 18, (one, other)


def test_phases_of_users_have_colours_too() -> None:
    """Each its own while there are enough, and known ones keep theirs."""
    names = ["coil", "lull", "spring", "coil"]
    colours = drawing.phase_colours([Span(0, 1, name) for name in names])
    assert list(colours) == ["coil", "lull", "spring"]
    assert len(set(colours.values())) == 3
    assert colours["lull"] == drawing.PHASES["lull"]
