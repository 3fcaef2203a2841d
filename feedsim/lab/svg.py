"""One symbol's panels as an SVG drawing."""

from __future__ import annotations

import base64
import html
import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from feedsim.lab import drawing
from feedsim.lab.axes import round_marks, time_marks
from feedsim.lab.drawing import BUY, GRID, GROUND, INK, NEUTRAL, PAPER, PIN, PRICE, SELL, VWAP
from feedsim.lab.picture import Panel, Picture, held
from feedsim.lab.svg_fills import draw_beside, draw_fills, draw_graph, draw_trips, graph_name
from feedsim.lab.svg_frame import (
    GAP,
    GRAPH_HEIGHT,
    KEY_HEIGHT,
    LEFT,
    OTHER_HEIGHT,
    PLOT_WIDTH,
    PRICE_HEIGHT,
    PRICE_TOP,
    RIGHT,
    STRIP_GAP,
    STRIP_HEIGHT,
    TIMES_HEIGHT,
    VIEW,
    Frame,
)
from feedsim.lab.svg_truth import draw_key, draw_labels, draw_pauses, draw_phases, draw_pins

BIG_TRADES = 40


def drawing_of(picture: Picture, panel: Panel, place: int) -> str:
    """All panels of one symbol; `place` tells drawings of one page apart."""
    price = Frame(PRICE_TOP, PRICE_HEIGHT, picture.columns, *panel.price_range())
    strip = Frame(price.bottom + STRIP_GAP, STRIP_HEIGHT, picture.columns, 0, 1) if picture.has_phases else None
    below = list(_below((price if strip is None else strip).bottom + GAP, picture, panel))
    frames = (price, *(frame for frame, _, _ in below))
    bottom = frames[-1].bottom
    key = list(draw_key(picture, bottom + TIMES_HEIGHT))
    height = bottom + TIMES_HEIGHT + (KEY_HEIGHT if key else 0)
    parts = [
        f'<svg viewBox="0 0 {VIEW} {height:.0f}" role="img" aria-label="{html.escape(panel.symbol)}">',
        f'<text class="symbol" x="{LEFT}" y="20">{html.escape(panel.symbol)}</text>',
        f'<text class="says" x="{LEFT + 60}" y="20" xml:space="preserve"></text>',
        *(_clip(frame, f"clip{place}-{index}") for index, frame in enumerate(frames)),
        *(_ground(frame) for frame in frames),
        *_time_marks(picture, frames),
    ]
    for index, (frame, lines, name) in enumerate(((price, _price(price, picture, panel), ""), *below)):
        parts += _value_marks(frame, whole=index > 0)
        parts += [f'<g clip-path="url(#clip{place}-{index})">', *lines, "</g>"]
        parts.append(f'<text x="{LEFT + 6}" y="{frame.top + 15}" xml:space="preserve">{name}</text>')
    parts += draw_phases(strip, picture, panel) if strip is not None else []
    parts += draw_pauses(frames, picture, panel, place)
    parts += draw_labels(price, picture, panel)
    parts += [*key, *_key(panel, picture), f'<line class="cross" y1="{PRICE_TOP}" y2="{bottom}"/>', "</svg>"]
    return "\n".join(parts)


def _below(top: float, picture: Picture, panel: Panel) -> Iterator[tuple[Frame, Iterator[str], str]]:
    """The panels under the prices: frame, what is in it, and its name."""
    if picture.with_flow:
        volume = Frame(top, OTHER_HEIGHT, picture.columns, *_volume_range(picture, panel))
        yield volume, _volume(volume, picture, panel), "volume, by delta"
        delta = Frame(volume.bottom + GAP, OTHER_HEIGHT, picture.columns, *_delta_range(panel))
        yield delta, _delta(delta, panel), "cumulative delta"
        top = delta.bottom + GAP
    for graph in panel.overlay.graphs:
        frame = Frame(top, GRAPH_HEIGHT, picture.columns, *graph.range())
        yield frame, draw_graph(frame, graph), graph_name(graph)
        top = frame.bottom + GAP


# ------------------------------------------------------------------------------------------------- ground and marks


def _clip(frame: Frame, name: str) -> str:
    return f'<clipPath id="{name}">{_rectangle(frame)}</clipPath>'


def _ground(frame: Frame) -> str:
    return _rectangle(frame, f' fill="{GROUND}"')


def _rectangle(frame: Frame, more: str = "") -> str:
    return f'<rect x="{LEFT}" y="{frame.top}" width="{PLOT_WIDTH}" height="{frame.height}"{more}/>'


def _time_marks(picture: Picture, frames: Sequence[Frame]) -> Iterator[str]:
    below = frames[-1].bottom + 16
    for ns, label in time_marks(picture.start_ns, picture.end_ns, 13):
        x = float(frames[0].x((ns - picture.start_ns) / picture.length_ns))
        for frame in frames:
            yield f'<path d="M{x:.1f} {frame.top}v{frame.height}" stroke="{GRID}"/>'
        align = "start" if x < LEFT + 16 else "middle"
        yield f'<text x="{x:.1f}" y="{below}" text-anchor="{align}">{label}</text>'


def _value_marks(frame: Frame, *, whole: bool) -> Iterator[str]:
    for value in round_marks(frame.low, frame.high, 9 if not whole else 3):
        y = float(frame.y(value))
        yield f'<path d="M{LEFT} {y:.1f}h{PLOT_WIDTH}" stroke="{GRID}"/>'
        text = f"{value:,.0f}" if whole and frame.high - frame.low > 4 else f"{value:,.2f}"
        yield f'<text x="{VIEW - RIGHT + 8}" y="{y + 4:.1f}">{text}</text>'


def _key(panel: Panel, picture: Picture) -> Iterator[str]:
    """What the colours mean, at the right of the symbol's name; the crosshair's values take its place."""
    prices = [(PRICE, panel.price_label), (VWAP, "session VWAP ± 1 and 2 sd")]
    yield '<g class="key">'
    x = LEFT + 60.0
    prices += [(PIN, "pin strike")] if panel.spans.pins else []
    for colour, name in (*prices, *_marks_key(panel, picture)):
        yield f'<rect x="{x:.0f}" y="13" width="14" height="4" rx="2" fill="{colour}"/>'
        yield f'<text x="{x + 20:.0f}" y="20">{name}</text>'
        x += 46 + 6.2 * len(name)
    images = [image for heat in panel.depths() if (image := heat.image(carry=picture.carry)).any()]
    if images:
        for index, colour in enumerate(drawing.HEAT[1:]):
            yield f'<rect x="{x + 10 * index:.0f}" y="11" width="10.5" height="8" fill="{colour}"/>'
        yield f'<text x="{x + 78:.0f}" y="20">0 to {drawing.heat_top(images):,.0f} lots a level</text>'
    yield "</g>"


def _marks_key(panel: Panel, picture: Picture) -> list[tuple[str, str]]:
    beside = panel.overlay.beside
    lines = [] if beside is None else [(beside.colour, beside.name)]
    if picture.with_flow:
        return [*lines, (BUY, "large buys"), (SELL, "large sells")]
    return [*lines, (BUY, "▲ bought"), (SELL, "▼ sold; hollow: it rested")]


# ------------------------------------------------------------------------------------------------------------- panels


def _price(frame: Frame, picture: Picture, panel: Panel) -> Iterator[str]:
    yield from _depth(frame, picture, panel)
    middle = np.arange(picture.columns) + 0.5
    vwap, sd = held(panel.vwap), held(panel.sd)
    for width, style in ((2, 'stroke-dasharray="5 3" opacity=".55"'), (1, 'opacity=".8"')):
        for side in (-1, 1):
            yield _stroke(frame.line(middle, vwap + side * width * sd), VWAP, 1, style)
    yield _stroke(frame.line(middle, vwap), VWAP, 2)
    spans = zip(frame.x(middle).tolist(), frame.y(panel.high).tolist(), frame.y(panel.low).tolist(), strict=True)
    traded = "".join(f"M{x:.1f} {high:.1f}V{low:.1f}" for x, high, low in spans if high == high)
    yield _stroke(traded, PRICE, 1, 'opacity=".4"')
    line = frame.line(middle, panel.price())
    yield _stroke(line, GROUND, 3.2, 'opacity=".6"')
    yield _stroke(line, PRICE, 1.5)
    if panel.overlay.beside is not None:
        yield from draw_beside(frame, panel.overlay.beside)
    yield from draw_pins(frame, picture, panel)
    if picture.with_flow:
        yield from _big_trades(frame, panel)
    yield from draw_trips(frame, panel.overlay)
    yield from draw_fills(frame, panel.overlay)


def _stroke(path: str, colour: str, width: float, more: str = "") -> str:
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round" {more}/>'


def _depth(frame: Frame, picture: Picture, panel: Panel) -> Iterator[str]:
    maps = [(heat, image) for heat in panel.depths() if (image := heat.image(carry=picture.carry)).any()]
    if not maps:
        return
    top = drawing.heat_top([image for _, image in maps])
    for heat, image in maps:
        points = heat.bin_ticks * panel.tick
        base = heat.first_bin * points - panel.tick / 2  # a level is drawn around its price
        low, high = float(frame.y(base)), float(frame.y(base + image.shape[1] * points))
        pixels = drawing.heat_colours(image.T[::-1], top)
        source = base64.b64encode(png_bytes(pixels)).decode()
        yield (
            f'<image x="{LEFT}" y="{high:.2f}" width="{PLOT_WIDTH}" height="{low - high:.2f}" '
            f'preserveAspectRatio="none" href="data:image/png;base64,{source}"/>'
        )


def _big_trades(frame: Frame, panel: Panel) -> Iterator[str]:
    chosen = panel.biggest(BIG_TRADES)
    if not len(chosen):
        return
    for column, share in zip(chosen.tolist(), drawing.shares(panel.big_size[chosen]).tolist(), strict=True):
        size, side, price = int(panel.big_size[column]), int(panel.big_side[column]), float(panel.big_price[column])
        colour = BUY if side > 0 else SELL if side < 0 else NEUTRAL
        x, y = float(frame.x(column + 0.5)), float(frame.y(price))
        verb = "bought" if side > 0 else "sold" if side < 0 else "traded"
        yield (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{2.2 + 4.3 * share**0.5:.1f}" fill="{colour}" '
            f'fill-opacity=".8" stroke="{PAPER}"><title>{size:,} {verb} at {price:,.2f}</title></circle>'
        )


def _volume_range(picture: Picture, panel: Panel) -> tuple[float, float]:
    return 0.0, max(1.0, float(panel.volume_bars(picture.bar_columns).volume.max()) * 1.1)


def _volume(frame: Frame, picture: Picture, panel: Panel) -> Iterator[str]:
    if not panel.has_volume:
        yield _nothing(frame, "no volume in this source")
        return
    bars = panel.volume_bars(picture.bar_columns)
    width = PLOT_WIDTH / frame.columns * bars.width * 0.86
    bottom = frame.bottom
    rows = zip(frame.x(bars.start).tolist(), frame.y(bars.volume).tolist(), drawing.delta_colours(bars), strict=True)
    for x, y, colour in rows:
        yield f'<path d="M{x:.1f} {bottom}V{y:.1f}h{width:.1f}V{bottom}z" fill="{colour}"/>'


def _delta_range(panel: Panel) -> tuple[float, float]:
    delta = panel.cumulative_delta()
    low, high = min(0.0, float(delta.min())), max(0.0, float(delta.max()))
    around = max(0.12 * (high - low), 0.5)
    return low - around, high + around


def _delta(frame: Frame, panel: Panel) -> Iterator[str]:
    if not panel.has_delta:
        yield _nothing(frame, "no aggressors in this source")
        return
    delta = panel.cumulative_delta().astype(np.float64)
    column = np.repeat(np.arange(len(delta) + 1), 2)[1:-1]
    steps = np.repeat(delta, 2)
    zero = float(frame.y(0.0))
    for side, colour in ((1, BUY), (-1, SELL)):
        area = frame.line(column, np.where(steps * side > 0, steps, 0.0))
        yield f'<path d="M{LEFT} {zero:.1f}{area.replace("M", "L")}V{zero:.1f}z" fill="{colour}" opacity=".28"/>'
    yield f'<path d="M{LEFT} {zero:.1f}h{PLOT_WIDTH}" stroke="{NEUTRAL}"/>'
    yield _stroke(frame.line(column, steps), INK, 1.3)


def _nothing(frame: Frame, text: str) -> str:
    return f'<text x="{VIEW / 2}" y="{frame.top + 54}" text-anchor="middle">{text}</text>'


def png_bytes(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Rows of (red, green, blue, alpha) as a PNG file (ISO/IEC 15948: no filter, one zlib stream)."""
    height, width, _ = pixels.shape
    rows = np.concatenate((np.zeros((height, 1), np.uint8), pixels.reshape(height, width * 4)), axis=1)
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
