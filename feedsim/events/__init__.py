"""What happens in a market: one Struct a channel, the same as columns, and the tape's chunks of both."""

from feedsim.events.chunk import Chunk, StreamKey, Streams
from feedsim.events.columns import INT_NULL, SCHEMAS, Column, Field, Kind, Ragged, Schema, Table
from feedsim.events.digest import Digest
from feedsim.events.types import (
    CHANNELS,
    EVENT_TYPES,
    L1,
    L2,
    RANK,
    Bar,
    Context,
    Event,
    Footprint,
    Leadership,
    Mbo,
    Profile,
    Status,
    Trade,
    Truth,
)

__all__ = [
    "CHANNELS",
    "EVENT_TYPES",
    "INT_NULL",
    "L1",
    "L2",
    "RANK",
    "SCHEMAS",
    "Bar",
    "Chunk",
    "Column",
    "Context",
    "Digest",
    "Event",
    "Field",
    "Footprint",
    "Kind",
    "Leadership",
    "Mbo",
    "Profile",
    "Ragged",
    "Schema",
    "Status",
    "StreamKey",
    "Streams",
    "Table",
    "Trade",
    "Truth",
]
