"""The colours of a picture, and which painter draws into which file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from feedsim.errors import ConfigError

if TYPE_CHECKING:
    from feedsim.lab.picture import Picture, VolumeBars

PAPER, GROUND, GRID, INK, FAINT = "#0b0e14", "#0f141d", "#1d2633", "#d5dbe5", "#8a95a6"
BUY, SELL, NEUTRAL, PRICE, VWAP = "#2ec4a0", "#f0616d", "#75808f", "#f4f7fb", "#ffc24d"
# Depth, from nothing to the thickest level.
HEAT = ("#0f141d", "#10233a", "#123454", "#15496e", "#1b6584", "#3b9191", "#b9bd6c", "#ffe9a3")

Painter = Callable[["Picture"], None]


def painter_for(path: Path) -> Painter:
    """What draws a picture into `path`, by its ending. Raises ConfigError where that cannot be done here."""
    if path.suffix not in (".png", ".html"):
        raise ConfigError(f"{path}: pictures are .png or .html", field="plot")
    if not path.parent.is_dir():
        raise ConfigError(f"{path}: no such folder", field="plot")
    if path.suffix == ".html":
        from feedsim.lab.page import paint_html

        return partial(_written, paint_html, path)
    try:
        from feedsim.lab.png import paint_png
    except ImportError:
        raise ConfigError("a .png needs matplotlib: pip install 'feedsim[plot]'", field="plot") from None
    return partial(_written, paint_png, path)


def _written(paint: Callable[[Picture, Path], None], path: Path, picture: Picture) -> None:
    try:
        paint(picture, path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}", field="plot") from None


def rgb(colour: str) -> tuple[int, int, int]:
    """#rrggbb as three bytes."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def shares(sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Where each size lies between the least and the most, 0 … 1; in the middle if all are equal."""
    least, most = int(sizes.min()), int(sizes.max())
    return np.asarray((sizes - least) / (most - least) if most > least else np.full(len(sizes), 0.5))


def heat_top(images: Sequence[npt.NDArray[np.float64]]) -> float:
    """The size that gets the last colour: few levels are thicker, and the usual one is well below."""
    filled = np.concatenate([image[image > 0] for image in images])
    return max(float(np.quantile(filled, 0.998)), 2.2 * float(np.median(filled))) if len(filled) else 1.0


def heat_colours(image: npt.NDArray[np.float64], top: float) -> npt.NDArray[np.uint8]:
    """Sizes as (…, 4) bytes: red, green, blue, and clear where nothing rests."""
    stops = np.array([rgb(colour) for colour in HEAT], np.float64)
    place = np.clip(image / top, 0, 1) * (len(stops) - 1)
    low = np.minimum(place.astype(np.int64), len(stops) - 2)
    share = (place - low)[..., None]
    colours = np.round(stops[low] * (1 - share) + stops[low + 1] * share)
    return np.concatenate((colours, 255.0 * (image > 0)[..., None]), axis=-1).astype(np.uint8)


def delta_colours(bars: VolumeBars) -> list[str]:
    """Each bar by the share of its volume that was bought or sold on balance."""
    colours = []
    for delta, volume in zip(bars.delta.tolist(), bars.volume.tolist(), strict=True):
        share = min(abs(delta) / volume * 2.5, 1.0) if volume else 0.0
        side, grey = rgb(BUY if delta > 0 else SELL), rgb(NEUTRAL)
        mixed = (round(g * (1 - share) + s * share) for g, s in zip(grey, side, strict=True))
        colours.append("#{:02x}{:02x}{:02x}".format(*mixed))
    return colours
