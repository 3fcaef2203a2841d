"""The truth in an SVG drawing: labels over the prices, a strip of phases below them, a veil where nothing trades."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from feedsim.lab import drawing
from feedsim.lab.drawing import GROUND, INK, PAPER, PAUSE, PAUSE_LINE
from feedsim.lab.picture import Panel, Picture
from feedsim.lab.spans import Span
from feedsim.lab.svg_frame import LEFT, PLOT_WIDTH, Frame

LETTER = 6.4  # units that a letter takes
LABEL_BAR = 4  # units


def draw_labels(frame: Frame, picture: Picture, panel: Panel) -> Iterator[str]:
    """Shade where a label is told; a bar at the top has its sign, and its name where there is room."""
    for label in panel.spans.labels:
        x, width = _across(frame, picture, label)
        colour, text = drawing.label_colour(label), drawing.label_text(label)
        shown = text if _fits(text, width) else text[0]
        half = len(shown) * LETTER / 2 + 3
        yield f'<g class="label" fill="{colour}"><title>{html.escape(text)}</title>'
        yield f'<rect x="{x:.1f}" y="{frame.top}" width="{width:.1f}" height="{frame.height}" opacity=".18"/>'
        yield f'<rect x="{x:.1f}" y="{frame.top}" width="{width:.1f}" height="{LABEL_BAR}"/>'
        yield f'<path d="M{x:.1f} {frame.top}v{frame.height}m{width:.1f} 0V{frame.top}" stroke="{colour}" fill="none"/>'
        yield _backed(x + width / 2, frame.top + LABEL_BAR + 13, half, PAPER)
        yield f'<text x="{x + width / 2:.1f}" y="{frame.top + LABEL_BAR + 13}" text-anchor="middle" '
        yield f'style="fill:{colour}">{html.escape(shown)}</text></g>'


def draw_phases(frame: Frame, picture: Picture, panel: Panel) -> Iterator[str]:
    """A strip of the phases, named where the name fits, with the outcome where a window ends."""
    yield f'<rect x="{LEFT}" y="{frame.top}" width="{PLOT_WIDTH}" height="{frame.height}" fill="{GROUND}"/>'
    colours = drawing.phase_colours(panel.spans.phases)
    for phase in panel.spans.phases:
        x, width = _across(frame, picture, phase)
        colour, name = colours[phase.name], html.escape(phase.name)
        yield f'<g class="phase"><title>{name}{html.escape(phase.outcome and f", {phase.outcome}")}</title>'
        yield (
            f'<rect x="{x:.1f}" y="{frame.top}" width="{width:.1f}" height="{frame.height}" fill="{colour}" '
            f'stroke="{PAPER}" stroke-width=".7"/>'
        )
        if _fits(phase.name, width):
            ink = drawing.phase_ink(colour)
            yield f'<text x="{x + width / 2:.1f}" y="{frame.bottom - 5}" text-anchor="middle" style="fill:{ink}">'
            yield f"{name}</text>"
        if phase.outcome:
            sign = drawing.OUTCOMES.get(phase.outcome, "?")
            yield f'<text x="{x + width + 4:.1f}" y="{frame.bottom - 5}" style="fill:{INK}">{sign}</text>'
        yield "</g>"


def draw_pauses(frames: Sequence[Frame], picture: Picture, panel: Panel, place: int) -> Iterator[str]:
    """A hatched veil where trading stands, which says why; `place` tells drawings of one page apart."""
    pauses = panel.spans.pauses(picture.end_ns)
    if not pauses:
        return
    yield (
        f'<pattern id="pause{place}" width="7" height="7" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="7" height="7" fill="{PAUSE}"/>'
        f'<path d="M0 0v7" stroke="{PAUSE_LINE}" stroke-width="2"/></pattern>'
    )
    for pause in pauses:
        x, width = _across(frames[0], picture, pause)
        name = html.escape(pause.name)
        yield f'<g class="pause"><title>{name}</title>'
        for frame in frames:
            yield f'<rect x="{x:.1f}" y="{frame.top}" width="{width:.1f}" height="{frame.height}" '
            yield f'fill="url(#pause{place})" opacity=".88"/>'
        text = next((text for text in drawing.pause_texts(pause) if _fits(text, width)), None)
        if text is not None:
            middle, base = x + width / 2, frames[0].top + frames[0].height / 2
            yield _backed(middle, base, len(text) * LETTER / 2 + 4, PAUSE)
            yield f'<text x="{middle:.1f}" y="{base}" text-anchor="middle" style="fill:{INK}">'
            yield f"{html.escape(text)}</text>"
        yield "</g>"


def draw_key(picture: Picture, top: float) -> Iterator[str]:
    """What the colours mean, in a row."""
    x = float(LEFT)
    for colour, name in drawing.truth_key(picture):
        if colour:
            yield f'<rect x="{x:.0f}" y="{top + 4}" width="14" height="10" rx="2" fill="{colour}"/>'
            x += 20
        yield f'<text x="{x:.0f}" y="{top + 13}">{html.escape(name)}</text>'
        x += 18 + LETTER * len(name)


def _across(frame: Frame, picture: Picture, span: Span) -> tuple[float, float]:
    """Left edge and width."""
    start, end = picture.place(span)
    left, right = float(frame.x(start)), float(frame.x(end))
    return left, right - left


def _fits(text: str, width: float) -> bool:
    return len(text) * LETTER + 6 <= width


def _backed(middle: float, base: float, half: float, colour: str) -> str:
    """A ground on which text is read."""
    return (
        f'<rect x="{middle - half:.1f}" y="{base - 11:.1f}" width="{2 * half:.1f}" height="15" '
        f'fill="{colour}" opacity=".75"/>'
    )
