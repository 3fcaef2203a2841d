"""Which painter draws a picture into which file."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from feedsim.errors import ConfigError

if TYPE_CHECKING:
    from feedsim.lab.picture import Picture

Painter = Callable[["Picture"], None]

LEAST_SIZE, LARGEST_SIZE = (600, 400), (8000, 6000)  # pixels


def painter_for(path: Path, *, size: str = "") -> Painter:
    """What draws a picture into `path`, by its ending; `size` of a PNG is `1200x620` (pixels), or what fits.

    Raises ConfigError where that cannot be done here.
    """
    pixels = _pixels(path, size) if size else None
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
    return partial(_written, partial(paint_png, size=pixels), path)


def _pixels(path: Path, size: str) -> tuple[int, int]:
    if path.suffix != ".png":
        raise ConfigError(f"{size}: only a .png has a size; other pictures fit the window", field="plot_size")
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", size)
    wide, high = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (LEAST_SIZE[0] <= wide <= LARGEST_SIZE[0] and LEAST_SIZE[1] <= high <= LARGEST_SIZE[1]):
        least, largest = (f"{wide}x{high}" for wide, high in (LEAST_SIZE, LARGEST_SIZE))
        raise ConfigError(f"{size!r}: expected pixels as 1200x620, from {least} to {largest}", field="plot_size")
    return wide, high


def _written(paint: Callable[[Picture, Path], None], path: Path, picture: Picture) -> None:
    try:
        paint(picture, path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}", field="plot") from None
