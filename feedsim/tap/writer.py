"""The file work of a tap, in one thread: journal, digest, segments, manifest.

Everything up to `durable` is on disk and stays so, whatever fails afterwards.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec

import feedsim
from feedsim.errors import SourceError, TapError
from feedsim.events import CHANNELS
from feedsim.recording.files import lock, make_folder, remove_locked
from feedsim.recording.journal import JournalHead, JournalWriter, schemas_of
from feedsim.recording.manifest import JOURNALS, MANIFEST, Epoch, Header, Hole, Manifest, write_manifest
from feedsim.recording.reader import Recording, open_recording
from feedsim.recording.schema import to_batch
from feedsim.tap.epochs import EpochState, load_epoch, reason_of, within
from feedsim.tap.recover import LOCK, recover_locked
from feedsim.tap.sealing import seal_journal
from feedsim.tap.slices import Slice

SEGMENT_BYTES = 64 << 20  # of journal before it is sealed
# Given back when the disk is full, so that the manifest can still say so.
BALLAST = "ballast"
BALLAST_BYTES = 512 << 10


class Writer:
    """Raises TapError from the start, and OSError from work: the recording is then as it was at `durable`."""

    def __init__(
        self,
        directory: Path,
        header: Header,
        *,
        continue_: bool = False,
        segment_bytes: int = SEGMENT_BYTES,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.directory = directory
        self.segment_bytes = segment_bytes
        self.rows = 0
        self.bytes = 0
        """Written to journals."""
        self._now_ns = now_ns
        self._folder = directory / JOURNALS
        self._journal: JournalWriter | None = None
        self._state: EpochState | None = None
        self._unsynced: list[Slice] = []
        self._sealing: deque[tuple[Path, Epoch]] = deque()
        self._seal: Iterator[None] | None = None
        self._lost: list[Hole] = []
        self._durable = (0, 0)
        try:
            self._lock, self.manifest = self._open(header, continue_=continue_)
        except OSError as error:
            raise TapError(f"{directory}: cannot record into this folder: {_reason(error)}") from None
        self.generation = max(self.manifest.generations, default=0)
        """Number of the newest journal."""
        self._filtered = self.manifest.filtered

    # ------------------------------------------------------------------------------------------------------- opening

    def _open(self, header: Header, *, continue_: bool) -> tuple[IO[bytes], Manifest]:
        make_folder(self.directory)
        there = [path.name for path in self.directory.iterdir() if path.name != f".{MANIFEST}.tmp"]
        if there and not continue_:
            self._refuse_used()
        if there and MANIFEST not in there:
            raise TapError(f"{self.directory}: the folder has files but no {MANIFEST}: no recording to continue")
        if not there:
            write_manifest(self.directory, self._new_manifest(header))
        make_folder(self._folder)
        held = lock(self._folder / LOCK)
        try:
            manifest = self._continued(header) if there and continue_ else self._begun(header)
            (self._folder / BALLAST).write_bytes(bytes(BALLAST_BYTES))
        except BaseException:
            held.close()
            raise
        return held, manifest

    def _new_manifest(self, header: Header) -> Manifest:
        now = self._now_ns()
        return Manifest(
            feedsim=feedsim.__version__,
            state="open",
            created_ns=now,
            updated_ns=now,
            session_id=header.session_id,
            source=header.source,
            config=header.config,
            contracts=header.contracts,
            symbols=header.symbols,
            filtered=header.filter is not None,
            filter=header.filter,
            epochs=[],
            holes=[],
            segments=[],
        )

    def _refuse_used(self) -> None:
        """A folder must be empty, or have a recording that ended before its first event (the port was in use, say)."""
        try:
            recording = open_recording(self.directory)
            unused = not recording.epochs and not recording.manifest.holes
        except SourceError:
            unused = False
        if not unused:
            raise TapError(f"{self.directory}: the folder is not empty: name a new one, or continue its recording")

    def _begun(self, header: Header) -> Manifest:
        self._refuse_used()
        recover_locked(self.directory)
        manifest = self._new_manifest(header)
        write_manifest(self.directory, manifest)
        return manifest

    def _continued(self, header: Header) -> Manifest:
        recording, state = recover_locked(self.directory)
        manifest = recording.manifest
        if manifest.feedsim != feedsim.__version__:
            problem = f"it was begun by feedsim {manifest.feedsim}, this is {feedsim.__version__}"
            raise TapError(f"{self.directory}: cannot be continued: {problem}")
        for name in ("source", "config", "symbols", "filter"):
            if _as_json(getattr(manifest, name)) != _as_json(getattr(header, name)):
                raise TapError(f"{self.directory}: cannot be continued: it is of a session with another {name}")
        if state is None and recording.epochs:
            state = self._loaded(recording)
        if state is not None:
            self._state, self._durable = state, (state.epoch, state.last_seq)
            # What was lost at the end may come again; if it does not, it will be noticed again.
            manifest.holes = [h for h in manifest.holes if h.epoch < state.epoch or h.first_seq <= state.last_seq]
        manifest.state = "open"
        manifest.updated_ns = self._now_ns()
        write_manifest(self.directory, manifest)
        return manifest

    def _loaded(self, recording: Recording) -> EpochState:
        try:
            return load_epoch(recording, recording.epochs[-1])
        except SourceError as error:
            raise TapError(str(error)) from None

    # ------------------------------------------------------------------------------------------------------- writing

    @property
    def durable(self) -> tuple[int, int]:
        """Epoch and seq: all of the epoch's events up to there that the tap was told are on disk."""
        return self._durable

    @property
    def last_avail(self) -> int:
        """Of the last row on disk, in nanoseconds; 0 where there is none in this epoch."""
        return self._state.last_avail if self._state is not None else 0

    def write(self, slices: Sequence[Slice | Hole]) -> None:
        """Append to the journal and make it durable; holes lie between what comes before and after them."""
        for item in slices:
            if isinstance(item, Hole):
                self._sync()
                self._add_hole(item)
            else:
                self._append(item)
        self._sync()

    def _append(self, item: Slice) -> None:
        parts = item.parts()
        state = self._state
        if state is None or state.epoch != item.epoch:
            self.rotate()
            state = self._state = EpochState(item.epoch, reason_of(parts), filtered=self._filtered)
        journal = self._journal or self._open_journal(state)
        batches = [(channel, to_batch(part, item.epoch)) for channel, part in parts.items()]
        before = journal.size
        journal.append(batches, first_seq=item.first_seq, last_seq=item.last_seq)
        self.bytes += journal.size - before
        if self._filtered:
            state.see(parts, item.streams)
        self._unsynced.append(item)
        if journal.size >= self.segment_bytes:
            self.rotate()

    def _open_journal(self, state: EpochState) -> JournalWriter:
        head = JournalHead(self.generation + 1, state.epoch, state.reason, schemas_of(CHANNELS))
        self._journal = JournalWriter(self._folder, head)
        self.generation += 1
        return self._journal

    def _sync(self) -> None:
        """What was appended becomes durable, and only then is it counted and hashed."""
        if self._journal is None or self._state is None:
            return
        self._journal.sync()
        for item in self._unsynced:
            item.hash_into(self._state.digest)
            self._state.advance(item.first_seq, item.last_seq, item.rows, item.last_avail)
            self.rows += item.rows
        self._unsynced.clear()
        self._durable = (self._state.epoch, self._state.last_seq)

    def _add_hole(self, hole: Hole) -> None:
        if self._state is not None and self._state.epoch == hole.epoch:
            self._state.gapless = False
        self.manifest.holes.append(hole)
        try:
            self.save()
        except OSError:
            self.manifest.holes.pop()  # it is among what is lost then
            raise

    # ------------------------------------------------------------------------------------------------------- sealing

    @property
    def sealing(self) -> int:
        """How many journals wait to become segments."""
        return len(self._sealing)

    def rotate(self) -> None:
        """End the journal; `seal_step` will make segments of it."""
        if self._journal is None or self._state is None:
            return
        self._sync()
        journal, self._journal = self._journal, None
        journal.close()
        self._sealing.append((journal.path, self._state.record()))

    def seal_step(self) -> None:
        """Work on the oldest journal that waits, for as long as one row group takes."""
        if not self._sealing:
            return
        if self._seal is None:
            path, epoch = self._sealing[0]
            self._seal = seal_journal(self.directory, self.manifest, path, epoch, now_ns=self._now_ns)
        try:
            next(self._seal)
        except StopIteration:
            self._sealing.popleft()
            self._seal = None
        except BaseException:
            self._seal = None  # the journal is still there: it can be begun again
            raise

    def _seal_all(self) -> None:
        while self._sealing:
            self.seal_step()

    # --------------------------------------------------------------------------------------------------- the end

    def close(self) -> None:
        """Seal everything: a recording that is complete as far as it goes."""
        self.rotate()
        self._seal_all()
        self.manifest.state = "sealed"
        self.save()
        self._release()

    def give_up(self) -> None:
        """After a failure: take back what is not durable, and make room for a last word in the manifest."""
        self._unsynced.clear()
        if self._journal is not None:
            self._journal.cut_to_synced()
        (self._folder / BALLAST).unlink(missing_ok=True)

    def set_lost(self, holes: list[Hole]) -> None:
        """Say what was told after the failure and not recorded, as far as is known now. Raises OSError."""
        known = [hole for hole in self.manifest.holes if hole not in self._lost]
        self.manifest.holes = [hole for hole in known if not any(within(hole, lost) for lost in holes)] + holes
        self._lost = holes
        self.save()

    def close_given_up(self, holes: list[Hole]) -> None:
        """Seal what can be sealed; what cannot stays as a journal, to be recovered. Raises OSError."""
        try:
            self.rotate()
            self._seal_all()
            self.manifest.state = "sealed"
        finally:
            try:
                self.set_lost(holes)
            finally:
                self._release()

    def save(self) -> None:
        """Raises OSError."""
        self.manifest.updated_ns = self._now_ns()
        write_manifest(self.directory, self.manifest)

    def _release(self) -> None:
        """Let others have the folder."""
        if self._journal is not None:
            self._journal.close()
        if self.manifest.state == "sealed":
            remove_locked(self._folder, self._lock)
        else:
            self._lock.close()


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _as_json(value: Any) -> bytes:
    return msgspec.json.encode(value, order="deterministic")
