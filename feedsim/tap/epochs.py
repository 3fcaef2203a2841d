"""What is known of one epoch while it is written: its digest above all. It can be made again from the rows on disk."""

from __future__ import annotations

import numpy as np

from feedsim.events import Digest, StreamKey, Streams
from feedsim.events.chunk import Ordered
from feedsim.events.columns import Int64
from feedsim.recording.manifest import Epoch, Hole
from feedsim.recording.reader import Recording

START = "start"


class EpochState:
    """The rows of one epoch that are safely on disk."""

    def __init__(self, epoch: int, reason: str, *, filtered: bool) -> None:
        self.epoch = epoch
        self.reason = reason
        self.filtered = filtered
        self.first_seq = 0
        self.last_seq = 0
        self.last_avail = 0
        self.rows = 0
        self.digest = Digest()
        self.gapless = True
        """Nothing between the first and the last row was lost."""
        self._all_from_1 = True
        self._seen: set[StreamKey] = set()

    def advance(self, first_seq: int, last_seq: int, rows: int, last_avail: int) -> None:
        if not self.rows:
            self.first_seq = first_seq
        self.last_seq = last_seq
        self.last_avail = last_avail
        self.rows += rows

    def see(self, parts: dict[str, Ordered], streams: Streams) -> None:
        """Notice which streams begin, and whether with their first event."""
        for part in parts.values():
            codes, first = np.unique(part.stream, return_index=True)
            for code, row in zip(codes.tolist(), first.tolist(), strict=True):
                if (key := streams.keys[code]) not in self._seen:
                    self._seen.add(key)
                    self._all_from_1 = self._all_from_1 and int(part.n[row]) == 1

    @property
    def complete_from_start(self) -> bool:
        return self._all_from_1 if self.filtered else self.first_seq == 1

    @property
    def whole(self) -> bool:
        """Whether the rows are everything that the epoch had up to the last of them."""
        return not self.filtered and self.complete_from_start and self.gapless

    def record(self) -> Epoch:
        """For the manifest."""
        return Epoch(
            epoch=self.epoch,
            reason=self.reason,
            first_seq=self.first_seq,
            last_seq=self.last_seq,
            rows=self.rows,
            complete_from_start=self.complete_from_start,
            digest=self.digest.hexdigest() if self.whole else None,
            stream_digests=self.digest.streams(),
        )


def reason_of(parts: dict[str, Ordered]) -> str:
    """Why an epoch was opened, from its first rows: its status event says so, unless it is the session's start."""
    status = parts.get("status")
    if status is not None and status.table.array("phase")[0] == "epoch":
        return str(status.table.array("reason")[0])
    return START


def load_epoch(recording: Recording, epoch: int) -> EpochState:
    """The state of an epoch from its rows on disk; holes that nobody knew of are added to the manifest.

    Raises SourceError (file, row) where rows are wrong.
    """
    manifest = recording.manifest
    state: EpochState | None = None
    for window in recording.windows(epoch):
        chunk, seq = window.chunk, window.seq
        if state is None:
            state = EpochState(epoch, reason_of(chunk.tables), filtered=manifest.filtered)
        if not manifest.filtered:
            _add_gaps(manifest.holes, state, seq)
        state.see(chunk.tables, chunk.streams)
        state.digest.update(chunk)
        state.advance(int(seq[0]), int(seq[-1]), len(seq), int(chunk.avail[-1]))
    assert state is not None
    state.gapless = not any(
        hole.epoch == epoch and state.first_seq < hole.first_seq <= state.last_seq for hole in manifest.holes
    )
    return state


def _add_gaps(holes: list[Hole], state: EpochState, seq: Int64) -> None:
    before = np.concatenate([[state.last_seq or seq[0] - 1], seq[:-1]])
    for index in np.flatnonzero(seq != before + 1).tolist():
        first, last = int(before[index]) + 1, int(seq[index]) - 1
        if not any(hole.epoch == state.epoch and covers(hole, first) for hole in holes):
            holes.append(Hole(epoch=state.epoch, first_seq=first, last_seq=last, reason="not found when recovered"))


def covers(hole: Hole, seq: int) -> bool:
    return hole.first_seq <= seq and (hole.last_seq is None or seq <= hole.last_seq)


def within(hole: Hole, other: Hole) -> bool:
    """Whether another hole says all that this one does."""
    ends_within = other.last_seq is None or (hole.last_seq is not None and hole.last_seq <= other.last_seq)
    return hole.epoch == other.epoch and other.first_seq <= hole.first_seq and ends_within
