"""Labels, phases and pauses as spans of time, against the rows that they were made of."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from feedsim.events import INT_NULL, Table
from feedsim.instruments import NS_PER_S
from feedsim.lab.inspection import inspect_tape
from feedsim.lab.picture import Picture
from feedsim.lab.spans import HOLDS_S, Span, Spans
from tests.lab.made import contexts, quotes, statuses, tape_of, truths
from tests.support.chunks import START_NS

LABELS = (("none", 0), ("long_bias", 1), ("divergence_warning", 1), ("divergence_warning", -1))
PHASES = ((None, INT_NULL), ("lull", 1), ("breakout", 1), ("lull", 2))
ROW = st.tuples(st.sampled_from(LABELS), st.sampled_from(PHASES))


def _row(second: int, label: tuple[str, int], phase: tuple[str | None, int]) -> tuple[object, ...]:
    return (second * 1000, label[0], 0.5 if label[1] else 0.0, label[1], phase[0], phase[1], None)


def _told(spans: Sequence[Span], second: int) -> list[Span]:
    ns = START_NS + second * NS_PER_S + NS_PER_S // 2
    return [span for span in spans if span.start_ns <= ns < span.end_ns]


@given(rows=st.lists(ROW, min_size=1, max_size=40), cut=st.integers(0, 40))
def test_spans_tell_what_the_rows_told(rows: list[tuple[tuple[str, int], tuple[str | None, int]]], cut: int) -> None:
    """In every second, wherever the chunks were cut; and neighbours that are the same are one."""
    table = truths([_row(second, *row) for second, row in enumerate(rows)])
    spans = Spans()
    for part in (table.take(slice(0, cut)), table.take(slice(cut, None))):
        spans.add_truth(part)
    for second, (label, phase) in enumerate(rows):
        labels = [(span.name, span.side) for span in _told(spans.labels, second)]
        phases = [(span.name, span.window) for span in _told(spans.phases, second)]
        assert labels == ([] if label[0] == "none" else [label])
        assert phases == ([] if phase[0] is None else [phase])
    assert _told([*spans.labels, *spans.phases], len(rows)) == []
    assert len(spans.labels) == _runs([label for label, _ in rows], ("none", 0))
    assert len(spans.phases) == _runs([phase for _, phase in rows], (None, INT_NULL))


def _runs(told: Sequence[object], nothing: object) -> int:
    return sum(now != nothing and now != before for before, now in zip([nothing, *told[:-1]], told, strict=True))


def test_a_coarser_grid_has_no_holes() -> None:
    """Rows of every five seconds hold until the next one."""
    spans = Spans()
    spans.add_truth(truths([_row(second, LABELS[1], PHASES[1]) for second in (0, 5, 10)]))
    (label,), (phase,) = spans.labels, spans.phases
    assert (label.start_ns, label.end_ns) == (phase.start_ns, phase.end_ns) == (START_NS, START_NS + 11 * NS_PER_S)


def test_a_label_ends_where_the_market_closes() -> None:
    """It does not reach over hours in which nothing is told."""
    spans = Spans()
    spans.add_truth(truths([_row(0, LABELS[1], PHASES[0]), _row(HOLDS_S + 10, LABELS[1], PHASES[0])]))
    assert [(span.end_ns - span.start_ns) // NS_PER_S for span in spans.labels] == [1, 1]


def test_the_outcome_is_that_of_the_phase_that_ends_the_window() -> None:
    """And of no other."""
    rows = [
        (0, "none", 0.0, 0, "lull", 7, None),
        (1000, "none", 0.0, 0, "retest", 7, None),
        (2000, "none", 0.0, 0, "retest", 7, "failed"),
        (3000, "none", 0.0, 0, "lull", 8, None),
    ]
    spans = Spans()
    spans.add_truth(truths(rows))
    assert [(phase.name, phase.outcome) for phase in spans.phases] == [("lull", ""), ("retest", "failed"), ("lull", "")]


def test_a_strike_pins_while_it_is_strong() -> None:
    """Of the levels the first; a source that tells no levels has no pin."""
    rows: list[tuple[int, float, list[float] | None]] = [
        (0, 0.1, [5000.0, 4990.0]),
        (1000, 0.5, [5000.0, 4990.0]),
        (2000, 0.6, [5000.0]),
        (3000, 0.6, [5005.0]),
        (4000, 0.6, None),
        (5000, float("nan"), [5005.0]),
    ]
    spans = Spans()
    spans.add_context(contexts(rows))
    starts = [((span.start_ns - START_NS) / NS_PER_S, (span.end_ns - START_NS) / NS_PER_S) for span, _ in spans.pins]
    assert starts == [(1, 3), (3, 4)]
    assert [strike for _, strike in spans.pins] == [5000.0, 5005.0]


def test_trading_stands_until_it_opens() -> None:
    """A new epoch says nothing of that; a halt that goes on lasts until the end."""
    spans = Spans()
    rows = [
        (0, "open", "session start"),
        (1000, "halt", "limit"),
        (1500, "epoch", "seek"),
        (3000, "open", "limit"),
        (9000, "closed", "weekend"),
    ]
    spans.add_status(statuses(rows))
    end_ns = START_NS + 12 * NS_PER_S
    pauses = [
        ((p.start_ns - START_NS) / NS_PER_S, (p.end_ns - START_NS) / NS_PER_S, p.name) for p in spans.pauses(end_ns)
    ]
    assert pauses == [(1, 3, "halt: limit"), (9, 12, "closed: weekend")]
    assert len(spans.pauses(START_NS + 9 * NS_PER_S)) == 1


def test_a_picture_has_the_spans_of_each_symbol() -> None:
    """Told by the tape, in its panel, in columns of the picture."""
    symbols = ("ES", "NQ")
    of_es, of_nq = _row(5, LABELS[1], PHASES[1]), _row(6, LABELS[3], PHASES[0])
    truth = Table.concatenate([truths([of_es], symbols), truths([of_nq], symbols, 1)])
    tables = {"l1": quotes([(0, 10.0, 10.25, 1, 1)], symbols), "truth": truth}
    tape = tape_of(tables, seconds=60, symbols=symbols)
    picture = Picture.of(tape)
    inspect_tape(tape, on_chunk=picture.add)
    es, nq = picture.panels
    (label,), (other,) = es.spans.labels, nq.spans.labels
    assert (label.name, other.name) == ("long_bias", "divergence_warning")
    assert [column * picture.length_ns / NS_PER_S for column in picture.place(label)] == [5, 6]
    assert picture.has_phases
    assert not any(panel.spans.pauses(picture.end_ns) for panel in picture.panels)
    outside = Span(START_NS - NS_PER_S, START_NS + 10**6 * NS_PER_S, "lull")
    assert picture.place(outside) == (0, picture.columns)
