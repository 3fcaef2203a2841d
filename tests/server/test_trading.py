"""Orders over real sockets: whose they are, what a lost line costs, what others can do to them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

import feedsim
from feedsim.client import Feed, FeedLost, OrderRejected
from feedsim.errors import ProtocolError
from feedsim.testing import ServerThread
from feedsim.wire import messages as m

FAR = 4800.0  # a bid that nobody reaches, within the venue's band


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ServerThread(seed=3) as server:
        yield server.url


def connect(url: str, **options: object) -> Feed:
    return feedsim.connect(url, channels=["bar"], symbols=["ES"], **options)  # type: ignore[arg-type] # as they are given


async def drained(feed: Feed) -> None:
    """Whatever comes, until nothing does."""
    async for _ in feed.everything():
        pass


async def cut(feed: Feed) -> None:
    """The line is gone, and the client has noticed."""
    assert feed._websocket is not None
    feed._websocket.transport.abort()
    await feed._websocket.wait_closed()


async def test_an_order_is_answered_and_kept(url: str) -> None:
    """New, replaced, cancelled: each answer is the order's own event, and the feed knows what is open."""
    async with connect(url) as feed:
        order = await feed.buy("ES", 2, limit=FAR, client_order_id="mine")
        assert (order.state, order.remaining, order.client_order_id) == ("new", 2, "mine")
        assert set(feed.orders) == {"mine"}
        replaced = await feed.replace("mine", quantity=1)
        assert (replaced.state, replaced.remaining) == ("replaced", 1)
        assert feed.orders["mine"].quantity == 1
        assert (await feed.cancel("mine")).state == "cancelled"
        assert feed.orders == {}
        numbers = (order.n, replaced.n)
        assert numbers == (1, 2)


async def test_what_a_venue_refuses(url: str) -> None:
    """The order's own event says why; what is about no order is an error."""
    async with connect(url) as feed:
        with pytest.raises(OrderRejected) as refused:
            await feed.buy("ES", 1, limit=4800.1)
        assert refused.value.order.state == "rejected"
        assert refused.value.code == refused.value.order.reason != ""
        with pytest.raises(ProtocolError, match="no order has"):
            await feed.cancel("nothing")
        assert feed.orders == {}


async def test_nobody_else_hears_or_touches_it(url: str) -> None:
    """Another connection is another account: it hears nothing, and the order's name means nothing to it."""
    async with connect(url) as mine, connect(url) as other:
        assert mine.welcome.account != other.welcome.account
        await mine.buy("ES", 1, limit=FAR, client_order_id="mine")
        with pytest.raises(ProtocolError, match="order_rejected"):
            await other.cancel("mine")
        assert (await other.query_account(orders=True)).n == 1
        assert other.orders == {}
        await other.flatten()
        assert (await mine.query_account(orders=True)).state == "active"
        assert set(mine.orders) == {"mine"}


async def test_what_happened_while_the_line_was_gone_is_told(url: str) -> None:
    """After a resume the account hears all that came after its last event, once and in order."""
    async with connect(url) as feed:
        await feed.buy("ES", 1, limit=FAR, client_order_id="first")
        account, heard = feed.welcome.account, feed.heard_n
        assert account is not None
        await cut(feed)
        async with connect(url) as twin:  # somebody with the secret acts meanwhile
            resumed = await twin._ask(
                m.Resume(
                    session_id=twin.welcome.session_id, epoch=twin.welcome.epoch, seq=0, account=account, account_n=0
                )
            )
            assert isinstance(resumed, m.Welcome)
            assert resumed.account == account
            await twin.send(
                m.OrderNew(client_order_id="second", symbol="ES", side="buy", type="limit", price=FAR, quantity=1)
            )
            await twin.cancel("first")
            last = twin.heard_n
        events: list[m.AnyPrivate] = []
        async for event in feed.everything():
            if isinstance(event, m.Private):
                events.append(event)
                if event.n == last:
                    break
        assert last > heard
        assert [event.n for event in events] == list(range(1, last + 1))
        assert set(feed.orders) == {"second"}
        assert feed.welcome.account == account


async def test_orders_go_with_the_last_connection_where_that_was_asked_for(url: str) -> None:
    """And stay where it was not."""
    for wanted in (True, False):
        async with connect(url) as feed:
            await feed.query_account(cancel_on_disconnect=wanted)
            await feed.buy("ES", 1, limit=FAR, client_order_id="mine")
            welcome = feed.welcome
        async with connect(url) as again:
            again._begin_account()
            resume = m.Resume(
                session_id=welcome.session_id, epoch=welcome.epoch, seq=0, account=welcome.account, account_n=0
            )
            await again._ask(resume)
            await again.query_account()
            assert set(again.orders) == (set() if wanted else {"mine"})


async def test_ten_thousand_at_once(url: str) -> None:
    """What is above the limit is refused by its code, then the connection ends; others do not notice."""
    async with connect(url) as other, connect(url, reconnect=False) as flood:
        assert flood._websocket is not None
        order = m.OrderNew(symbol="ES", side="buy", type="limit", price=FAR, quantity=1, client_order_id="x")

        async def send() -> None:
            for number in range(10_000):
                order.client_order_id = f"o{number}"
                await flood._send(order)
                if number % 50 == 0:
                    await asyncio.sleep(0)

        sending = asyncio.get_running_loop().create_task(send())
        with pytest.raises(FeedLost, match="1008"):
            await drained(flood)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        assert (await other.buy("ES", 1, limit=FAR)).state == "new"


@pytest.mark.may_block("the test's own loop starts a server in a thread, and waits for it")
async def test_where_nobody_trades() -> None:
    """A server without an exchange says so, and names no account."""
    with ServerThread(orders=False) as server:
        async with connect(server.url) as feed:
            assert feed.welcome.account is None
            with pytest.raises(ProtocolError, match="without an exchange"):
                await feed.buy("ES", 1)
