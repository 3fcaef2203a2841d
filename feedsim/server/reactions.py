"""The page /reactions: the server's timing of orders as JSON lines; `?after=N` leaves out what is known."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs

import msgspec

from feedsim.hub.reactions import ReactionLog


def reactions_page(log: ReactionLog, query: str) -> tuple[str, bytes]:
    """The content type and the lines: a head, then a row for each order."""
    given = parse_qs(query).get("after", ["0"])[-1]
    return "application/jsonl", b"\n".join(_lines(log, int(given) if given.isdecimal() else 0)) + b"\n"


def _lines(log: ReactionLog, after: int) -> Iterator[bytes]:
    encode = msgspec.json.Encoder().encode
    yield encode(log.head())
    yield from map(encode, log.after(after))
