"""Fill truth: whatever is asked on whatever tape, fills, money and reports are those that an audit works out anew."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.events import Chunk
from feedsim.exchange import Exchange, TradeSettings, replay
from feedsim.hub.desk import tell_to_news
from feedsim.wire.messages import Private
from tests.exchange import audit
from tests.exchange.flows import Heard, cuts, flows, run, synthetic, walk

TAPES = {
    "normal": lambda: synthetic(),
    "crash": lambda: synthetic(3, "flash_crash", 0.2),
    "walk": lambda: walk(1),
}
RULES = st.builds(
    TradeSettings,
    fill=st.sampled_from(("queue", "touch", "pessimistic")),
    cancels=st.sampled_from(("share", "behind")),
    latency_in=st.sampled_from(("0", "3ms", "lognormal:2ms:1", "feed:2ms:100")),
    latency_out=st.sampled_from(("0", "7ms")),
    daily_loss=st.sampled_from((0, 500)),
)


@pytest.mark.parametrize("name", TAPES)
@settings(max_examples=10)
@given(data=st.data())
def test_an_audit_agrees(name: str, data: st.DataObject) -> None:
    """Cash, positions, fees and P&L reconcile, and every fill is one that the tape's book allowed, once."""
    tape = TAPES[name]()
    flow = data.draw(flows(tape))
    told = run(tape, flow, data.draw(RULES))
    audit.check(audit_tape(name), told)


_audited: dict[str, audit.Tape] = {}


def audit_tape(name: str) -> audit.Tape:
    if name not in _audited:
        _audited[name] = audit.Tape(TAPES[name]())
    return _audited[name]


@pytest.mark.parametrize("name", TAPES)
@settings(max_examples=15)
@given(data=st.data())
def test_no_news_is_passed_over(name: str, data: st.DataObject) -> None:
    """Told up to the next news, an account hears after each event what it hears where events are told one by one."""
    tape = TAPES[name]()
    flow = data.draw(flows(tape))
    rules = data.draw(RULES)

    def one_by_one(exchange: Exchange, chunk: Chunk, lo: int, hi: int) -> None:
        for at in range(lo, hi):
            exchange.on_told(chunk, at, at + 1)
            single.extend((chunk.first_seq + at, account, repr(event)) for account, event in exchange.take())

    def to_news(exchange: Exchange, chunk: Chunk, lo: int, hi: int) -> None:
        ahead: Any = SimpleNamespace(chunk=chunk, position=lo)
        while lo < hi:
            lo, heard = tell_to_news(exchange, ahead, chunk, lo, hi)
            assert ahead.position == lo
            jumps.extend((chunk.first_seq + lo - 1, account, repr(event)) for account, event in heard)

    single: list[tuple[int, str, str]] = []
    jumps: list[tuple[int, str, str]] = []
    run(tape, flow, rules, tell=one_by_one)
    run(tape, flow, rules, tell=to_news)
    assert jumps == single


def plain(heard: Heard) -> list[Any]:
    return [(account, repr(event)) for account, event in heard]


@pytest.mark.parametrize("name", TAPES)
@settings(max_examples=10)
@given(data=st.data())
def test_cuts_and_wake_ups_change_nothing(name: str, data: st.DataObject) -> None:
    """However the tape is cut into calls, and however often the clock is read, each account hears the same (law 3)."""
    tape = TAPES[name]()
    flow = data.draw(flows(tape))
    delays = data.draw(
        st.sampled_from((("lognormal:5ms:1", "0"), ("lognormal:5ms:1", "20ms"), ("feed:3ms:50", "feed:5ms:80")))
    )
    rules = TradeSettings(latency_in=delays[0], latency_out=delays[1])
    whole = run(tape, flow, rules)
    most = data.draw(st.sampled_from((1, 7, 300)))
    parts = run(tape, flow, rules, cut=cuts(data.draw(st.integers(0, 99)), most), wakes=True)
    assert whole.log == parts.log
    for account in ("ann", "ben"):
        assert [repr(event) for event in whole.of(account)] == [repr(event) for event in parts.of(account)]


@pytest.mark.parametrize("name", TAPES)
@settings(max_examples=10)
@given(data=st.data())
def test_the_log_replays(name: str, data: st.DataObject) -> None:
    """Tape and order log give the same private events again, and the same log."""
    tape = TAPES[name]()
    flow = data.draw(flows(tape))
    rules = TradeSettings(latency_in="lognormal:5ms:1", daily_loss=300)
    first = run(tape, flow, rules)
    log: list[Any] = []
    again = replay(Exchange(("ES", "NQ"), settings=rules, seed=1, on_log=log.append), tape, first.log)
    assert plain(again) == plain(first.heard)
    assert log == first.log


@settings(max_examples=10)
@given(data=st.data())
def test_an_account_does_not_see_the_other(data: st.DataObject) -> None:
    """What one account hears is the same whether another trades or not."""
    tape = TAPES["normal"]()
    flow = data.draw(flows(tape))
    both = run(tape, flow)
    alone = run(tape, [each for each in flow if each.account == "ann"])

    def of_ann(heard: Heard) -> list[str]:
        # Numbers of fills are the session's.
        told = [event for name, event in heard if name == "ann"]
        for event in told:
            if isinstance(event, Private) and hasattr(event, "fill_id"):
                event.fill_id = 0
        return [repr(event) for event in told]

    assert of_ann(both.heard) == of_ann(alone.heard)
