"""One of everything that is said and asked, with all its fields filled and with as few as there may be."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from feedsim.events import CHANNELS, EVENT_TYPES, SCHEMAS, Event, Field, Kind
from feedsim.wire import messages as m

INT64 = st.integers(-(2**63) + 1, 2**63 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(max_size=8)


def _values(field: Field) -> st.SearchStrategy[Any]:
    kinds: dict[Kind, st.SearchStrategy[Any]] = {
        Kind.INT: INT64,
        Kind.FLOAT: FLOATS,
        Kind.BOOL: st.booleans(),
        Kind.TEXT: TEXT,
        Kind.INT_LIST: st.lists(INT64, max_size=4),
        Kind.FLOAT_LIST: st.lists(FLOATS, max_size=4),
    }
    values = kinds[field.kind]
    return st.none() | values if field.nullable else values


def events(channel: str) -> st.SearchStrategy[Event]:
    """Any event of a channel."""
    fields = {field.name: _values(field) for field in SCHEMAS[channel].fields}
    return st.builds(EVENT_TYPES[channel], seq=st.integers(0, 2**62), n=st.integers(0, 2**62), **fields)


any_event = st.sampled_from(CHANNELS).flatmap(events)

CLOCK = m.ClockInfo(1_755_783_000_000, 2.5, "playing")

SAID: list[Any] = [
    m.Welcome(
        id=1,
        protocol=1,
        server="feedsim/0",
        session_id="live",
        epoch=1,
        seq=5,
        controllable=True,
        auth_required=False,
        channels=["l1"],
        symbols=["ES"],
        tf_s=[1, 60],
        ticks={"ES": 0.25},
        sources=["live"],
        clock=m.ClockInfo(0, "max", "paused"),
        rebase_ms=-5,
        heartbeat_s=1.0,
        account="account-x",
        lockstep=True,
    ),
    m.Subscribed(
        id=None,
        channels=["l1"],
        symbols=["ES"],
        streams=[("l1", "ES")],
        tf_s=None,
        depth=10,
        conflate_ms=0,
        ts="ms",
        batch=True,
        policy="skip",
        epoch=1,
        seq=0,
    ),
    m.Heartbeat(seq=1, durable_seq=None, clock=CLOCK, sent=1),
    m.Skipped(stream=["bar", "ES", 60], first_n=1, last_n=2, reason="slow_consumer"),
    m.ReplayState(id=3, state="ended", epoch=2, seq=9, clock=CLOCK, digest="ab"),
    m.ReplayState(state="paused", epoch=2, seq=9, clock=CLOCK, digest=None),
    m.Stepped(ts=1_755_783_000_100, seq=9, reason="traded"),
    m.Pong(id=2, sent=3),
    m.Error(id=None, code="resume_too_old", message="no"),
    m.Events(sent=1, events=[]),
    m.Snapshot(epoch=1, seq=2, events=[]),
    m.HistoryAnswer(id=2, events=[]),
]

HEARD: list[m.AnyPrivate] = [
    m.OrderEvent(
        n=1,
        after_seq=2,
        ts=3,
        id=4,
        client_order_id="a",
        symbol="ES",
        side="buy",
        order_type="stop",
        state="rejected",
        quantity=0.5,
        stop_price=5000.25,
        parent="b",
        reason="quantity",
        message="no",
    ),
    m.FillEvent(
        n=2,
        after_seq=2,
        ts=3,
        client_order_id="a",
        symbol="ES",
        fill_id=1,
        side="sell",
        price=5000.25,
        quantity=1,
        fee=2.25,
        liquidity="maker",
    ),
    m.PositionEvent(
        n=3, after_seq=2, ts=3, symbol="ES", quantity=-1, average_price=5000.25, realized=0, unrealized=-12.5, fees=2.25
    ),
    m.AccountEvent(
        n=4,
        after_seq=2,
        ts=3,
        account="account-x",
        state="active",
        balance=1.0,
        equity=2.0,
        realized=3.0,
        unrealized=4.0,
        fees=5.0,
        margin=6.0,
        free=7.0,
    ),
]
"""What the owner of an account hears, in `events` frames."""

ASKED: list[Any] = [
    m.Auth(id=1, token="é"),
    m.Subscribe(),
    m.Subscribe(
        id=1, channels=("l1",), symbols=("ES",), tf_s=(60,), depth=20, conflate_ms=9, ts="ns", batch=False, from_seq=0
    ),
    m.Subscribe(policy="wait"),
    m.Unsubscribe(channels=("bar",)),
    m.History(channel="bar", symbol="ES", tf_s=60, count=5000, ts="us"),
    m.Replay(),
    m.Replay(source="live", speed="max", start=1, end=2, seed=3),
    m.ReplayPause(),
    m.ReplayResume(),
    m.ReplayStop(),
    m.ReplaySpeed(speed=0.5),
    m.ReplaySeek(ts=1_755_783_000_000),
    m.ReplayStep(count=3, unit="bar"),
    m.ReplayJump(to="open"),
    m.Resume(session_id="live", epoch=1, seq=4),
    m.Resume(session_id="live", epoch=1, seq=4, account="account-x", account_n=7),
    m.Ping(id=-1),
    m.Ack(),
    m.Ack(until=1_755_783_000_200),
    m.OrderNew(client_order_id="a", symbol="ES", side="buy", quantity=1),
    m.OrderNew(
        id=8,
        client_order_id="b",
        symbol="ES",
        side="sell",
        type="stop_limit",
        quantity=2,
        price=5000.25,
        stop_price=5000.5,
        tif="gtc",
        post_only=True,
        reduce_only=True,
        bracket=m.Bracket(stop_loss=5010.0, take_profit=4990.0),
        seen_seq=812,
    ),
    m.OrderReplace(client_order_id="a", quantity=3, price=1.0, stop_price=2.0, seen_seq=0),
    m.OrderCancel(client_order_id="a", seen_seq=3),
    m.CancelAll(symbol="ES"),
    m.Flatten(),
    m.AccountQuery(orders=True, cancel_on_disconnect=True),
]
