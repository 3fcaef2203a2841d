"""One client without a socket: its life by the clock, and what happens when its connection takes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from feedsim.bridges.dtc.accounts import TradeAccount
from feedsim.bridges.dtc.client import FULL, HEARTBEAT_S, LOGON_S, MOST_SUBSCRIPTIONS, MOST_WAITING, RATE, Client
from feedsim.bridges.dtc.market import Market
from feedsim.bridges.dtc.trading import Trader


class Wire:
    """A link; `waiting` is what its client has not taken."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.waiting = 0
        self.closed = False

    def write(self, messages: Sequence[bytes]) -> None:
        assert not self.closed
        self.messages += map(json.loads, messages)

    def buffered(self) -> int:
        return self.waiting

    def close(self) -> None:
        self.closed = True


class EmptyHouse:
    """A bridge without a session."""

    def __init__(self) -> None:
        self.symbols: Sequence[str] = ("ES", "NQ")
        self.markets: Mapping[str, Market] = {symbol: Market() for symbol in self.symbols}
        self.server = "test"
        self.token: str | None = None
        self.trading = False
        self.refused: list[str] = []
        self.dropped = self.sent = self.sent_bytes = 0

    def find(self, text: str) -> str | None:
        return text if text in self.symbols else None

    def sym(self, symbol: str) -> str:
        return symbol

    def account(self, name: str, client: Trader) -> TradeAccount | None:  # noqa: ARG002 # a house's signature
        return None

    def logged_on(self, client: Client) -> None:
        """Nobody counts."""

    def on_dropped(self, count: int) -> None:
        self.dropped += count

    def on_refused(self, reason: str) -> None:
        self.refused.append(reason)

    def on_sent(self, count: int, size: int) -> None:
        self.sent += count
        self.sent_bytes += size


class Desk:
    """A client, its link and its house, and a clock."""

    def __init__(self, *, logged_on: bool = True, **logon: Any) -> None:
        self.wire, self.house, self.now = Wire(), EmptyHouse(), 100.0
        self.client = Client(self.wire, self.house, symbol="ES", encoding=None, now=self.now)
        if logged_on:
            self.say(1, ProtocolVersion=8, **logon)

    def say(self, type: int, **fields: Any) -> None:
        self.client.receive(json.dumps({"Type": type, **fields}).encode(), self.now)

    def wait(self, seconds: float) -> None:
        """Half a second at a time, as the bridge does it."""
        for _ in range(round(seconds * 2)):
            self.now += 0.5
            self.client.tick(self.now, int(self.now))

    def heard(self, type: int) -> list[dict[str, Any]]:
        return [message for message in self.wire.messages if message["Type"] == type]


def test_heartbeats_come_at_the_interval_that_was_asked_for() -> None:
    """Within bounds; every message of the client shows that it is alive."""
    desk = Desk(HeartbeatIntervalInSeconds=5)
    for _ in range(4):
        desk.wait(5)
        desk.say(3)
    assert len(desk.heard(3)) == 4
    assert not desk.wire.closed


@pytest.mark.parametrize(("asked", "interval"), [(0, HEARTBEAT_S[0]), (7, 7), (10_000, HEARTBEAT_S[2]), (-5, 1)])
def test_two_missed_heartbeats_end_it(asked: int, interval: int) -> None:
    """Not before: a client whose second is late by less stays."""
    desk = Desk(HeartbeatIntervalInSeconds=asked)
    desk.wait(2 * interval)
    assert not desk.wire.closed
    desk.wait(0.5)
    assert desk.wire.closed
    assert "two heartbeats" in desk.heard(5)[0]["Reason"]
    assert desk.house.refused == ["heartbeat"]


def test_who_does_not_log_on_in_time_goes() -> None:
    """Whatever else it does: an encoding request is no logon."""
    desk = Desk(logged_on=False)
    desk.say(6, Encoding=2)
    desk.wait(LOGON_S)
    assert desk.wire.closed
    assert "logon" in desk.heard(5)[0]["Reason"]


def test_what_is_not_taken_is_dropped_counted_and_made_good() -> None:
    """Market data only: above the limit it is dropped until there is room, then a snapshot of all is sent."""
    desk = Desk(HeartbeatIntervalInSeconds=5)
    desk.say(101, RequestAction=1, SymbolID=1)
    desk.say(102, RequestAction=1, SymbolID=1, Symbol="NQ")
    assert desk.client.may_take(1)
    assert desk.house.sent == len(desk.wire.messages)
    desk.wire.waiting = FULL + 1
    assert not desk.client.may_take(3)
    desk.wire.waiting = FULL // 2
    assert not desk.client.may_take(4)
    assert (desk.house.dropped, len(desk.heard(104)), len(desk.heard(122))) == (7, 1, 1)
    desk.wire.waiting = 0
    assert not desk.client.may_take(1)
    assert (desk.house.dropped, len(desk.heard(104)), len(desk.heard(122))) == (7, 2, 2)
    assert desk.client.may_take(1)
    desk.wait(5)
    assert desk.heard(3)[0]["NumDroppedMessages"] == 7


def test_who_takes_nothing_at_all_is_closed() -> None:
    """Where even what must arrive would wait without end."""
    desk = Desk()
    desk.wire.waiting = MOST_WAITING + 1
    desk.say(506, Symbol="ES")
    assert desk.wire.closed
    assert desk.house.refused == ["slow"]


def test_more_messages_than_a_client_may_send_end_it() -> None:
    """In one second; over several they are taken."""
    desk = Desk()
    for _ in range(3):
        for _ in range(RATE - 1):
            desk.say(3)
        desk.now += 1
    assert not desk.wire.closed
    for _ in range(RATE + 1):
        desk.say(3)
    assert "messages in a second" in desk.heard(5)[0]["Reason"]


def test_subscriptions_have_a_limit_and_an_end() -> None:
    """One too many is refused; one that ended makes room."""
    desk = Desk()
    for number in range(MOST_SUBSCRIPTIONS + 1):
        desk.say(101, RequestAction=1, SymbolID=number)
    (refused,) = desk.heard(103)
    assert refused["SymbolID"] == MOST_SUBSCRIPTIONS
    desk.say(101, RequestAction=2, SymbolID=0)
    desk.now += 1
    desk.say(101, RequestAction=1, SymbolID=MOST_SUBSCRIPTIONS)
    assert set(desk.client.data) == set(range(1, MOST_SUBSCRIPTIONS + 1))


def test_a_snapshot_alone_subscribes_to_nothing() -> None:
    """Request action 3."""
    desk = Desk()
    desk.say(101, RequestAction=3, SymbolID=1)
    desk.say(102, RequestAction=3, SymbolID=1)
    assert (len(desk.heard(104)), len(desk.heard(122))) == (1, 1)
    assert (desk.client.data, desk.client.depth) == ({}, {})


def test_a_type_that_is_not_served_is_named_and_ignored() -> None:
    """A client may ask for historical data; it is told that there is none."""
    desk = Desk()
    desk.say(800, RequestID=1)
    assert desk.heard(701) == [{"Type": 701, "MessageText": "Type 800 is not served here"}]
    assert not desk.wire.closed


def test_a_logoff_is_the_end() -> None:
    """Without a word more."""
    desk = Desk()
    desk.say(5, Reason="bye")
    assert desk.wire.closed
    desk.say(3)
    assert [message["Type"] for message in desk.wire.messages] == [2]
