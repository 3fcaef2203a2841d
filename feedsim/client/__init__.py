"""The client: `async with feedsim.connect(url) as feed`, and the events of a feed come as typed Structs, in order."""

from feedsim.client.feed import Feed, FeedLost, connect
from feedsim.client.streams import GapError
from feedsim.client.trading import OrderRejected

__all__ = ["Feed", "FeedLost", "GapError", "OrderRejected", "connect"]
