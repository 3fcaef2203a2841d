"""The spans of a PNG: labels and strikes over the prices, a strip of phases below them, a veil where nothing trades."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from feedsim.lab import drawing
from feedsim.lab.drawing import FAINT, INK, PAPER, PAUSE, PAUSE_LINE, PIN
from feedsim.lab.picture import Panel, Picture

LETTER_PX = 5.6  # the width of a letter of the strip, which decides whether a name fits
FONT_SIZE = 7.5  # points
LABEL_BAR = 0.012  # of the height of the prices
KEY_ENTRIES = 10  # in a row


def draw_labels(axes: Axes, picture: Picture, panel: Panel) -> None:
    """Shade where a label is told; a bar at the top has its sign, and its name where there is room."""
    for label in panel.spans.labels:
        start, end = picture.place(label)
        colour, text = drawing.label_colour(label), drawing.label_text(label)
        axes.axvspan(start, end, color=colour, alpha=0.2, linewidth=0, zorder=1.5)
        axes.axvspan(start, end, ymin=1 - LABEL_BAR, ymax=1, color=colour, linewidth=0, zorder=6)
        for edge in (start, end):
            axes.axvline(edge, color=colour, linewidth=0.7, alpha=0.8, zorder=1.6)
        axes.text(
            (start + end) / 2,
            1 - LABEL_BAR - 0.012,
            text if _fits(axes, text, start, end) else text[0],
            transform=axes.get_xaxis_transform(),
            color=colour,
            fontsize=FONT_SIZE + 0.5,
            ha="center",
            va="top",
            zorder=6,
            bbox={"facecolor": PAPER, "alpha": 0.7, "linewidth": 0, "pad": 1.0},
        )


def draw_pins(axes: Axes, picture: Picture, panel: Panel) -> None:
    """A line along the strike that holds the price, while it does."""
    for index, (span, strike) in enumerate(panel.spans.pins):
        name = "pin strike" if not index else "_"  # what begins so is not in the legend
        start, end = picture.place(span)
        axes.hlines(strike, start, end, color=PIN, linewidth=1.7, linestyle=(0, (1, 1.5)), zorder=3.5, label=name)


def draw_phases(axes: Axes, picture: Picture, panel: Panel) -> None:
    """A strip of the phases, named where the name fits, with the outcome where a window ends."""
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.grid(visible=False)
    colours = drawing.phase_colours(panel.spans.phases)
    for phase in panel.spans.phases:
        start, end = picture.place(phase)
        colour = colours[phase.name]
        axes.axvspan(start, end, color=colour, linewidth=0)
        axes.axvline(start, color=PAPER, linewidth=0.8)
        if _fits(axes, phase.name, start, end):
            _write(axes, (start + end) / 2, phase.name, drawing.phase_ink(colour), "center")
        if phase.outcome:
            _write(axes, end + 0.003 * picture.columns, drawing.OUTCOMES.get(phase.outcome, "?"), INK, "left")


def _write(axes: Axes, x: float, text: str, colour: str, align: str) -> None:
    axes.text(x, 0.46, text, color=colour, fontsize=FONT_SIZE, ha=align, va="center", clip_on=True)


def _fits(axes: Axes, text: str, start: float, end: float) -> bool:
    width_px = float(axes.get_window_extent().width)
    left, right = axes.get_xlim()
    return len(text) * LETTER_PX + 4 <= (end - start) / (right - left) * width_px


def draw_pauses(panels: Sequence[Axes], picture: Picture, panel: Panel) -> None:
    """A hatched veil where trading stands, which says why."""
    for pause in panel.spans.pauses(picture.end_ns):
        start, end = picture.place(pause)
        for axes in panels:
            axes.axvspan(
                start, end, facecolor=PAUSE, edgecolor=PAUSE_LINE, alpha=0.88, hatch="///", linewidth=0, zorder=4.5
            )
        text = next((text for text in drawing.pause_texts(pause) if _fits(panels[0], text, start, end)), None)
        if text is not None:
            panels[0].text(
                (start + end) / 2,
                0.5,
                text,
                transform=panels[0].get_xaxis_transform(),
                color=INK,
                fontsize=FONT_SIZE + 1,
                ha="center",
                va="center",
                zorder=7,
                bbox={"facecolor": PAUSE, "linewidth": 0, "pad": 2.0},
            )


def draw_key(figure: Figure, picture: Picture) -> int:
    """What the colours mean, at the bottom; returns the number of rows that it takes."""
    entries = drawing.truth_key(picture)
    if not entries:
        return 0
    handles = [
        Patch(facecolor=colour or "none", hatch="////" if name == "no trading" else None, edgecolor=PAPER, label=name)
        for colour, name in entries
    ]
    columns = min(KEY_ENTRIES * len(picture.panels), len(handles))
    figure.legend(
        handles=handles,
        loc="lower center",
        borderaxespad=0.1,
        ncols=columns,
        frameon=False,
        fontsize=8.5,
        labelcolor=FAINT,
        handlelength=1.1,
        handleheight=0.9,
        columnspacing=1.5,
    )
    return -(-len(handles) // columns)
