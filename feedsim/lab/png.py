"""A picture as a PNG by matplotlib: a column of panels for each symbol."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.patheffects import Normal, Stroke
from PIL import Image

from feedsim.lab import drawing
from feedsim.lab.axes import time_marks
from feedsim.lab.drawing import BUY, FAINT, GRID, GROUND, INK, NEUTRAL, PAPER, PRICE, SELL, VWAP
from feedsim.lab.overlay import Graph
from feedsim.lab.picture import Panel, Picture, held
from feedsim.lab.png_fills import draw_beside, draw_fills, draw_graph, draw_trips
from feedsim.lab.png_truth import draw_key, draw_labels, draw_pauses, draw_phases, draw_pins

DPI = 110
WIDTH_IN, WIDTH_MORE_IN, HEIGHT_IN = 13.0, 8.0, 9.0
TOP_IN, BOTTOM_IN, LEFT_IN, RIGHT_IN, KEY_IN = 0.95, 0.36, 0.7, 0.75, 0.2
PART = 4096  # colours that are compared at a time
COLOURS = 256  # of the file, which is then a third as large
BIG_TRADES = 40
_HALO = [Stroke(linewidth=2.6, foreground=GROUND, alpha=0.7), Normal()]  # lines are seen on bright depth too


def paint_png(picture: Picture, path: Path, *, size: tuple[int, int] | None = None) -> None:
    """Draw into `path`, as large as `size` says (pixels). Raises OSError."""
    panels = picture.panels
    wide, high = WIDTH_IN + WIDTH_MORE_IN * (len(panels) - 1), HEIGHT_IN
    if size is not None:
        wide, high = size[0] / DPI, size[1] / DPI
    figure = Figure(figsize=(wide, high), dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)
    key = draw_key(figure, picture)
    heights = (6.2, *((0.28,) if picture.has_phases else ()), *_heights_below(picture))
    grid = GridSpec(
        len(heights),
        len(panels),
        figure=figure,
        height_ratios=heights,
        hspace=0.06,
        wspace=0.14,
        left=LEFT_IN / wide,
        right=1 - RIGHT_IN / wide,
        top=1 - TOP_IN / high,
        bottom=(BOTTOM_IN + KEY_IN * key) / high,
    )
    figure.text(LEFT_IN / wide, 1 - 0.3 / high, picture.title, color=INK, fontsize=14, fontweight="bold", va="center")
    figure.text(LEFT_IN / wide, 1 - 0.56 / high, picture.subtitle, color=FAINT, fontsize=9.5, va="center")
    for place, panel in enumerate(panels):
        _draw_panel(figure, grid, place, picture, panel)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    """With few colours, those of the house among them: fine lines are seldom, and would lose theirs."""
    drawn = BytesIO()
    figure.savefig(drawn, format="png")
    with Image.open(drawn) as image:
        whole = image.convert("RGB")
    own = np.array([drawing.rgb(colour) for colour in drawing.OWN_COLOURS])
    found = np.array(whole.quantize(COLOURS - len(own)).getpalette()).reshape(-1, 3)
    palette = np.concatenate((own, found))[:COLOURS]
    few = Image.fromarray(_nearest(np.asarray(whole), palette))
    few.putpalette(palette.astype(np.uint8).tobytes())
    few.save(path, format="png", optimize=True)


def _nearest(pixels: npt.NDArray[np.uint8], palette: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """For each pixel the number of the colour that is nearest to it."""
    codes = pixels.astype(np.int64) @ np.array([65536, 256, 1])
    there, place = np.unique(codes, return_inverse=True)
    colours = np.stack((there >> 16, there >> 8 & 255, there & 255), axis=1)
    length = (palette**2).sum(axis=1)
    parts = (colours[start : start + PART] for start in range(0, len(colours), PART))
    nearest = np.concatenate([np.argmin(length - 2 * (part @ palette.T), axis=1) for part in parts])
    return nearest.astype(np.uint8)[place].reshape(codes.shape)


def _draw_panel(figure: Figure, grid: GridSpec, place: int, picture: Picture, panel: Panel) -> None:
    price = figure.add_subplot(grid[0, place])
    count = len(_heights_below(picture))
    below = [figure.add_subplot(grid[place_of - count, place], sharex=price) for place_of in range(count)]
    for axes in (price, *below):
        _dress(axes)
        axes.set_xlim(0, picture.columns)
    _draw_price(price, picture, panel)
    graphs = iter(below)
    if picture.with_flow:
        _draw_volume(next(graphs), picture, panel)
        _draw_delta(next(graphs), panel)
    for axes, graph in zip(graphs, panel.overlay.graphs, strict=False):
        _named(axes, graph.name)
        axes.yaxis.set_major_formatter(_graph_number(graph))
        draw_graph(axes, graph)
    _mark_time(below[-1], picture, most=11 if len(picture.panels) == 1 else 7)
    if picture.has_phases:
        strip = figure.add_subplot(grid[1, place], sharex=price)
        _dress(strip)
        draw_phases(strip, picture, panel)
    draw_labels(price, picture, panel)
    draw_pauses((price, *below), picture, panel)


def _heights_below(picture: Picture) -> list[float]:
    """Of the panels under the prices, beside the prices' 6.2."""
    graphs = max(len(panel.overlay.graphs) for panel in picture.panels)
    return [*([1.5, 1.5] if picture.with_flow else []), *[2.0] * graphs]


def _graph_number(graph: Graph) -> Callable[[float, float], str]:
    low, high = graph.range()
    return lambda value, _: f"{value:,.0f}" if high - low > 4 else f"{value:,.2f}"


def _dress(axes: Axes) -> None:
    axes.set_facecolor(GROUND)
    axes.tick_params(colors=FAINT, labelsize=8.5, length=0, labelbottom=False)
    axes.yaxis.tick_right()
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_color(GRID)


def _named(axes: Axes, name: str) -> None:
    box = {"facecolor": GROUND, "alpha": 0.7, "linewidth": 0, "pad": 1.5}
    axes.annotate(
        name,
        (0, 1),
        xycoords="axes fraction",
        xytext=(5, -4),
        textcoords="offset points",
        color=FAINT,
        fontsize=8.5,
        ha="left",
        va="top",
        zorder=5,
        bbox=box,
    )


def _mark_time(axes: Axes, picture: Picture, *, most: int) -> None:
    marks = time_marks(picture.start_ns, picture.end_ns, most)
    axes.set_xticks([(ns - picture.start_ns) / picture.length_ns for ns, _ in marks], [label for _, label in marks])
    axes.tick_params(labelbottom=True)
    axes.set_xlim(0, picture.columns)


# ------------------------------------------------------------------------------------------------------------- panels


def _draw_price(axes: Axes, picture: Picture, panel: Panel) -> None:
    low, high = panel.price_range()
    axes.set_ylim(low, high)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.2f}")
    axes.set_title(panel.symbol, color=INK, fontsize=12, fontweight="bold", loc="left", pad=7, y=1.0)
    axes.set_ylabel("price, index points", color=FAINT, fontsize=9, labelpad=8)
    _draw_depth(axes, picture, panel)
    middle = np.arange(picture.columns) + 0.5
    _draw_bands(axes, panel, middle)
    axes.vlines(middle, panel.low, panel.high, color=PRICE, linewidth=0.9, alpha=0.45, zorder=3)
    axes.plot(middle, panel.price(), color=PRICE, linewidth=1.2, zorder=4, label=panel.price_label, path_effects=_HALO)
    if panel.overlay.beside is not None:
        draw_beside(axes, panel.overlay.beside)
    draw_pins(axes, picture, panel)
    if picture.with_flow:
        _draw_trades(axes, panel)
    draw_trips(axes, panel.overlay)
    draw_fills(axes, panel.overlay)
    legend = axes.legend(
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=7,
        frameon=False,
        fontsize=8.5,
        labelcolor=FAINT,
        handlelength=1.4,
        columnspacing=1.4,
        borderaxespad=0.3,
    )
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set_sizes([30])


def _draw_depth(axes: Axes, picture: Picture, panel: Panel) -> None:
    """Resting size behind the price; thicker is brighter."""
    maps = [(heat, image) for heat in panel.depths() if (image := heat.image(carry=picture.carry)).any()]
    if not maps:
        return
    top = drawing.heat_top([image for _, image in maps])
    limits = axes.get_ylim()
    for place, (heat, image) in enumerate(maps):
        points = heat.bin_ticks * panel.tick
        base = heat.first_bin * points - panel.tick / 2  # a level is drawn around its price
        axes.imshow(
            drawing.heat_colours(image.T, top),
            extent=(0, picture.columns, base, base + image.shape[1] * points),
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            zorder=0.6 + place / 10,
        )
    axes.set_ylim(limits)
    _draw_depth_key(axes, top)


def _draw_depth_key(axes: Axes, top: float) -> None:
    """What the brightness of the depth means."""
    extent = axes.get_window_extent()
    wide, high = extent.width / DPI, extent.height / DPI  # inches
    key = axes.inset_axes((0.72 / wide, 1 + 0.1 / high, 1.2 / wide, 0.08 / high))
    shares = np.linspace(1 / 256, 1, 128)
    key.imshow(drawing.heat_colours(shares[None, :], 1.0), aspect="auto", extent=(0, 1, 0, 1))
    key.set_axis_off()
    for at, text, align in ((-0.06, "0", "right"), (1.06, f"{top:,.0f} lots a level", "left")):
        key.text(at, 0.42, text, color=FAINT, fontsize=8.5, ha=align, va="center")


def _draw_bands(axes: Axes, panel: Panel, middle: np.ndarray) -> None:
    vwap, sd = held(panel.vwap), held(panel.sd)
    if not np.isfinite(vwap).any():
        return
    for width, alpha in ((2, 0.5), (1, 0.8)):
        for side in (-1, 1):
            axes.plot(
                middle, vwap + side * width * sd, color=VWAP, linewidth=0.8, alpha=alpha, zorder=2,
                linestyle=(0, (4, 2)) if width == 2 else "-",
            )  # fmt: skip
    axes.fill_between(middle, vwap - sd, vwap + sd, color=VWAP, alpha=0.06, linewidth=0, zorder=1)
    axes.plot(middle, vwap, color=VWAP, linewidth=1.7, zorder=3, label="session VWAP ± 1 and 2 sd", path_effects=_HALO)


def _draw_trades(axes: Axes, panel: Panel) -> None:
    chosen = panel.biggest(BIG_TRADES)
    if not len(chosen):
        return
    side, size = panel.big_side[chosen], panel.big_size[chosen]
    area = 14 + 90 * drawing.shares(size)
    for wanted, colour, name in ((1, BUY, "large buys"), (-1, SELL, "large sells")):
        mask = side == wanted
        axes.scatter(
            chosen[mask] + 0.5,
            panel.big_price[chosen][mask],
            s=area[mask],
            color=colour,
            alpha=0.75,
            linewidths=0.6,
            edgecolors=PAPER,
            zorder=5,
            label=name,
        )


def _draw_volume(axes: Axes, picture: Picture, panel: Panel) -> None:
    _named(axes, "volume, by delta")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    if not panel.has_volume:
        _nothing(axes, "no volume in this source")
        return
    bars = panel.volume_bars(picture.bar_columns)
    axes.bar(
        bars.start, bars.volume, width=bars.width * 0.86, align="edge", color=drawing.delta_colours(bars), linewidth=0
    )
    axes.set_ylim(0, max(1.0, float(bars.volume.max()) * 1.12))


def _draw_delta(axes: Axes, panel: Panel) -> None:
    _named(axes, "cumulative delta")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:+,.0f}" if value else "0")
    if not panel.has_delta:
        _nothing(axes, "no aggressors in this source")
        return
    delta = panel.cumulative_delta()
    edges = np.arange(len(delta))
    for side, colour in ((1, BUY), (-1, SELL)):
        part = np.where(delta * side > 0, delta, 0)
        axes.fill_between(edges, part, step="post", color=colour, alpha=0.28, linewidth=0)
    axes.plot(edges, delta, color=INK, linewidth=1.1, drawstyle="steps-post")
    axes.axhline(0, color=NEUTRAL, linewidth=0.8)
    axes.margins(y=0.12)


def _nothing(axes: Axes, text: str) -> None:
    axes.set_yticks([])
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=FAINT, fontsize=9)
