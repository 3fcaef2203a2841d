"""The spans of an SVG drawing: labels and strikes over the prices, a strip of phases below, a veil over pauses."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from feedsim.lab import drawing
from feedsim.lab.drawing import GROUND, INK, PAPER, PAUSE, PAUSE_LINE, PIN
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
        edges = f"M{x:.1f} {frame.top}v{frame.height}m{width:.1f} 0V{frame.top}"
        yield f'<g class="label" fill="{colour}"><title>{html.escape(text)}</title>'
        yield _box(x, frame.top, width, frame.height, 'opacity=".18"')
        yield _box(x, frame.top, width, LABEL_BAR, "")
        yield f'<path d="{edges}" stroke="{colour}" fill="none"/>'
        shown = text if _fits(text, width) else text[0]
        yield _box(x + width / 2 - len(shown) * LETTER / 2 - 3, frame.top + LABEL_BAR + 2, *_ground_of(shown, PAPER))
        yield _text(x + width / 2, frame.top + LABEL_BAR + 13, shown, colour)
        yield "</g>"


def draw_pins(frame: Frame, picture: Picture, panel: Panel) -> Iterator[str]:
    """A line along the strike that holds the price, while it does."""
    for span, strike in panel.spans.pins:
        x, width = _across(frame, picture, span)
        yield (
            f'<path class="pin" d="M{x:.1f} {float(frame.y(strike)):.1f}h{width:.1f}" stroke="{PIN}" '
            f'stroke-width="2" stroke-dasharray="2 3"><title>pin strike {strike:,g}</title></path>'
        )


def draw_phases(frame: Frame, picture: Picture, panel: Panel) -> Iterator[str]:
    """A strip of the phases, named where the name fits, with the outcome where a window ends."""
    yield _box(LEFT, frame.top, PLOT_WIDTH, frame.height, f'fill="{GROUND}"')
    colours = drawing.phase_colours(panel.spans.phases)
    for phase in panel.spans.phases:
        x, width = _across(frame, picture, phase)
        colour = colours[phase.name]
        title = f"{phase.name}, {phase.outcome}" if phase.outcome else phase.name
        yield f'<g class="phase"><title>{html.escape(title)}</title>'
        yield _box(x, frame.top, width, frame.height, f'fill="{colour}" stroke="{PAPER}" stroke-width=".7"')
        if _fits(phase.name, width):
            yield _text(x + width / 2, frame.bottom - 5, phase.name, drawing.phase_ink(colour))
        if phase.outcome:
            yield _text(x + width + 9, frame.bottom - 5, drawing.OUTCOMES.get(phase.outcome, "?"), INK)
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
        yield f'<g class="pause"><title>{html.escape(pause.name)}</title>'
        for frame in frames:
            yield _box(x, frame.top, width, frame.height, f'fill="url(#pause{place})" opacity=".88"')
        text = next((text for text in drawing.pause_texts(pause) if _fits(text, width)), None)
        if text is not None:
            middle, base = x + width / 2, frames[0].top + frames[0].height / 2
            yield _box(middle - len(text) * LETTER / 2 - 3, base - 11, *_ground_of(text, PAUSE))
            yield _text(middle, base, text, INK)
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


def _box(x: float, y: float, width: float, height: float, more: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" {more}/>'


def _ground_of(text: str, colour: str) -> tuple[float, float, str]:
    """Width, height and colour of what a text is read on."""
    return len(text) * LETTER + 6, 15, f'fill="{colour}" opacity=".75"'


def _text(middle: float, base: float, text: str, colour: str) -> str:
    return (
        f'<text x="{middle:.1f}" y="{base:.1f}" text-anchor="middle" style="fill:{colour}">{html.escape(text)}</text>'
    )
