"""What comes next in each stream: events that are known are told from new ones, and none is missing unnamed."""

from __future__ import annotations

from feedsim.errors import FeedsimError
from feedsim.events import CHANNEL_OF, Event, StreamKey
from feedsim.wire.messages import Skipped


class GapError(FeedsimError):
    """A stream went on past what was due next, and nothing said so."""

    def __init__(self, stream: StreamKey, expected: int, got: int) -> None:
        self.stream, self.expected, self.got = stream, expected, got
        super().__init__(f"{stream}: expected n {expected}, got {got}")


class StreamCounts:
    """Counts the events of every stream; a stream begins with the first that comes."""

    def __init__(self, *, conflated: bool) -> None:
        """`conflated`: events that a later one replaces are left out, so gaps mean nothing."""
        self._conflated = conflated
        self._next: dict[tuple[str, str, int], int] = {}

    def clear(self) -> None:
        """All streams begin again."""
        self._next.clear()

    def skip(self, skipped: Skipped) -> None:
        """The server names what will not come."""
        channel, symbol, *tf_s = skipped.stream
        self._next[channel, symbol, tf_s[0] if tf_s else 0] = skipped.last_n + 1

    def is_new(self, event: Event) -> bool:
        """Count an event; False if it was told before a resume. Raises GapError where one is missing and not named."""
        n = event.n
        key = CHANNEL_OF[type(event)], event.symbol, getattr(event, "tf_s", 0)  # a named tuple takes four times as long
        expected = self._next.get(key, n)
        if n < expected:
            return False
        if n > expected and not self._conflated:
            raise GapError(StreamKey(*key), expected, n)
        self._next[key] = n + 1
        return True
