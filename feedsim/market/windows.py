"""Windows of a scenario that were drawn: each of their phases with its times."""

from __future__ import annotations

from dataclasses import dataclass, replace

from feedsim.market.scenario import Phase, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPhase:
    """A phase with its times, in seconds of the block."""

    phase: Phase
    start: int
    end: int
    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnWindow:
    """A window with its times, in seconds of the block."""

    window: Window
    phases: tuple[DrawnPhase, ...]
    window_id: int
    failed: bool
    mirror: bool

    @property
    def start(self) -> int:
        return self.phases[0].start

    @property
    def end(self) -> int:
        return self.phases[-1].end

    @property
    def label_start(self) -> int:
        """Where the phase begins before the first that tells a label, or that one where there is none before it."""
        told = next((at for at, each in enumerate(self.phases) if each.phase.confidence), 0)
        return self.phases[max(told - 1, 0)].start

    @property
    def side(self) -> int:
        return -self.window.side if self.mirror else self.window.side

    def moved(self, seconds: int) -> DrawnWindow:
        """The same at another time."""
        phases = (replace(each, start=each.start + seconds, end=each.end + seconds) for each in self.phases)
        return replace(self, phases=tuple(phases))

    @property
    def outcome(self) -> str:
        return "failed" if self.failed else "held"

    @property
    def label(self) -> str:
        swapped = {"long_bias": "short_bias", "short_bias": "long_bias"}
        return swapped.get(self.window.label, self.window.label) if self.mirror else self.window.label
