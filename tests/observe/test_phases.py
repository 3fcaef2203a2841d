"""Phases against the calendar, minute by minute."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from feedsim.events import Table
from feedsim.instruments import NS_PER_S
from feedsim.observe import Phases
from tests.observe.cases import RANGE, SYMBOLS, ns, open_at, rows

NO_TRADES = Table.empty("trade", SYMBOLS)
MINUTE = 60 * NS_PER_S


@given(start=st.integers(*RANGE), hours=st.integers(0, 300))
def test_every_change_is_told(start: int, hours: int) -> None:
    """One row where the session starts, then one where trading opens or closes, each saying what it is from then on."""
    end = start + hours * 60 * MINUTE + 1
    told = Phases(("ES",), {}, start_ns=start).observe(Table.empty("trade", ("ES",)), end)
    assert told.avail[0] == start
    assert told.array("reason")[0] == "session start"
    minutes = range(-(-(start + 1) // MINUTE) * MINUTE, end, MINUTE * 60)
    hourly = [-(-at // (60 * MINUTE)) * 60 * MINUTE for at in minutes]
    changes = [at for at in hourly if start < at < end and open_at(at) != open_at(at - 1)]
    assert told.avail[1:].tolist() == changes
    assert [phase == "open" for phase in told.array("phase")] == [open_at(at) for at in told.avail.tolist()]


def test_a_week() -> None:
    """The daily break and the weekend have their names; both symbols are told, with their contracts."""
    start, end = ns("2025-08-21T17:00:00"), ns("2025-08-24T18:00:00") + 1
    told = rows(Phases(SYMBOLS, {"ES": "ESU25_FUT_CME"}, start_ns=start).observe(NO_TRADES, end))
    one = [(row["ts"], row["phase"], row["reason"]) for row in told if row["symbol"] == 1]
    assert one == [
        (ns("2025-08-21T17:00:00"), "closed", "session start"),
        (ns("2025-08-21T18:00:00"), "open", "globex open"),
        (ns("2025-08-22T17:00:00"), "closed", "weekend"),
        (ns("2025-08-24T18:00:00"), "open", "globex open"),
    ]
    assert [row["symbol"] for row in told] == [0, 1] * 4
    assert [row["contract"] for row in told] == ["ESU25_FUT_CME", "NQ"] * 4
    daily = Phases(SYMBOLS, {}, start_ns=start - 1).observe(NO_TRADES, start + 1)
    assert daily.array("reason").tolist() == ["session start"] * 2 + ["daily break"] * 2


def reasons(start: str, end: str) -> list[tuple[int, str, str]]:
    told = rows(Phases(("ES",), {}, start_ns=ns(start)).observe(Table.empty("trade", ("ES",)), ns(end)))
    return [(row["ts"], row["phase"], row["reason"]) for row in told]


def test_starts_at_a_change() -> None:
    """What begins at that very time is what is told, once."""
    assert reasons("2025-08-21T18:00:00", "2025-08-21T18:00:01") == [
        (ns("2025-08-21T18:00:00"), "open", "session start")
    ]
    assert reasons("2025-08-21T17:00:00", "2025-08-21T17:00:01") == [
        (ns("2025-08-21T17:00:00"), "closed", "session start")
    ]


def test_holidays() -> None:
    """An early close and the eve of a day without a session say why trading ends."""
    assert reasons("2025-12-23T17:30:00", "2025-12-26T17:00:01") == [
        (ns("2025-12-23T17:30:00"), "closed", "session start"),
        (ns("2025-12-23T18:00:00"), "open", "globex open"),
        (ns("2025-12-24T13:00:00"), "closed", "early close"),
        (ns("2025-12-25T18:00:00"), "open", "globex open"),
        (ns("2025-12-26T17:00:00"), "closed", "weekend"),
    ]
    assert reasons("2024-12-31T16:59:00", "2024-12-31T17:00:01")[-1][2] == "holiday"


def test_nothing_before_the_start() -> None:
    """The start's own row waits for its time and is told once."""
    phases = Phases(SYMBOLS, {}, start_ns=RANGE[0])
    assert len(phases.observe(NO_TRADES, RANGE[0])) == 0
    assert len(phases.observe(NO_TRADES, RANGE[0] + 1)) == 2
    assert len(phases.observe(NO_TRADES, RANGE[0] + 1)) == 0
