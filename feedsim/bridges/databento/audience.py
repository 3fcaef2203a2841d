"""The clients that want the same: what they get is made once for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedsim.bridges.databento.tellings import Tellings, Wanted
from feedsim.dbn.weaving import Woven
from feedsim.hub.ring import Block

if TYPE_CHECKING:
    from feedsim.bridges.databento.client import Client

KEPT_BLOCKS = 2  # what is told now, and what was read ahead


class Audience:
    """Weaves blocks for its members, and counts what slow ones among them may miss."""

    def __init__(self, wanted: Wanted, tellings: Tellings) -> None:
        self.wanted = wanted
        self.kept, self.skipped = wanted.split()
        self.members: set[Client] = set()
        self.total = 0
        """Records of schemas that slow readers may miss, told since it began."""
        self.all = 0
        """Records of all schemas."""
        self._tellings = tellings
        self._woven: dict[int, tuple[Block, Woven, Woven | None]] = {}

    def forget(self) -> None:
        """The blocks of the old epoch are gone."""
        self._woven.clear()

    def weave(self, block: Block) -> Woven:
        return self._weave(block)[1]

    def count(self, block: Block, lo: int, hi: int) -> int:
        """Records at positions [lo, hi) that slow readers may miss."""
        _, woven, skipped = self._weave(block)
        if not self.skipped.schemas:
            return 0
        of = woven if skipped is None else skipped
        return of.count(*of.rows(lo, hi))

    def _weave(self, block: Block) -> tuple[Block, Woven, Woven | None]:
        known = self._woven.get(block.first_seq)
        if known is None or known[0] is not block:
            mixed = self.kept.schemas and self.skipped.schemas
            skipped = self._tellings.weave(block, self.skipped) if mixed else None
            known = self._woven[block.first_seq] = (block, self._tellings.weave(block, self.wanted), skipped)
            while len(self._woven) > KEPT_BLOCKS:
                del self._woven[min(self._woven)]
        return known
