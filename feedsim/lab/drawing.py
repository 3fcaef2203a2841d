"""The colours and signs of a picture, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from feedsim.lab.picture import Picture, VolumeBars
    from feedsim.lab.spans import Span

PAPER, GROUND, GRID, INK, FAINT = "#0b0e14", "#0f141d", "#1d2633", "#d5dbe5", "#8a95a6"
BUY, SELL, NEUTRAL, PRICE, VWAP, PIN = "#2ec4a0", "#f0616d", "#75808f", "#f4f7fb", "#ffc24d", "#ff6ad5"
# Depth, from nothing to the thickest level.
HEAT = ("#0f141d", "#10233a", "#123454", "#15496e", "#1b6584", "#3b9191", "#b9bd6c", "#ffe9a3")

# Told apart without red and green as well, and by their signs: ▲ long, ▼ short (the side), ◆ a warning.
LABELS = MappingProxyType({"long_bias": "#3d9bff", "short_bias": "#ff7a3c", "divergence_warning": "#f7c4e6"})
SIGNS = MappingProxyType({1: "▲", -1: "▼", 0: "◆"})
PHASES = MappingProxyType(
    {
        "lull": "#56606e",
        "absorption": "#c4aef2",
        "breakout": "#f0e46a",
        "retest": "#3f6fb5",
        "impulse": "#f0e46a",
        "pullback": "#3f6fb5",
        "shock": "#b5533c",
        "news": "#d0b24a",
        "divergence": "#d98cc0",
        "reversal": "#3f6fb5",
        "flush": "#b5533c",
        "aftermath": "#aab3c0",
    }
)
OTHER_PHASES = ("#3f6fb5", "#f0e46a", "#c4aef2", "#b5533c", "#8fd0c0", "#d98cc0")  # of scenarios of users, in turn
PAUSE, PAUSE_LINE = "#1a2029", "#4a5565"
OWN_COLOURS = tuple(
    dict.fromkeys(
        (
            *(PAPER, GROUND, GRID, INK, FAINT, BUY, SELL, NEUTRAL, PRICE, VWAP, PIN, PAUSE, PAUSE_LINE),
            *(*HEAT, *LABELS.values(), *PHASES.values(), *OTHER_PHASES),
        )
    )
)
OUTCOMES = MappingProxyType({"held": "✓", "failed": "✗"})


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


def phase_colours(phases: Sequence[Span]) -> dict[str, str]:
    """The colour of each phase that there is, in the order in which they come first."""
    colours: dict[str, str] = {}
    for phase in phases:
        if phase.name not in colours:
            own = sum(name not in PHASES for name in colours)
            colours[phase.name] = PHASES.get(phase.name, OTHER_PHASES[own % len(OTHER_PHASES)])
    return colours


def label_colour(label: Span) -> str:
    return LABELS.get(label.name, NEUTRAL)


def label_text(label: Span) -> str:
    """Its sign, which is seen without its colour, and its name."""
    return f"{SIGNS[label.side]} {label.name}"


def pause_texts(pause: Span) -> tuple[str, str]:
    """Why trading stands, and shorter."""
    return pause.name, pause.name.partition(":")[0]


def phase_ink(colour: str) -> str:
    """What is read on a phase's colour."""
    red, green, blue = rgb(colour)
    return PAPER if 0.299 * red + 0.587 * green + 0.114 * blue > 105 else INK


def truth_key(picture: Picture) -> list[tuple[str, str]]:
    """What the colours of the spans mean: (colour, what it is); without a colour it is a sign that is explained."""
    labels = {label_text(label): label_colour(label) for panel in picture.panels for label in panel.spans.labels}
    phases = [phase for panel in picture.panels for phase in panel.spans.phases]
    outcomes = {phase.outcome for phase in phases}
    paused = any(panel.spans.pauses(picture.end_ns) for panel in picture.panels)
    return [
        *((colour, text) for text, colour in sorted(labels.items())),
        *((colour, name) for name, colour in phase_colours(phases).items()),
        *(("", f"{sign} {outcome}") for outcome, sign in OUTCOMES.items() if outcome in outcomes),
        *([(PAUSE_LINE, "no trading")] if paused else []),
    ]
