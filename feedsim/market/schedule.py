"""A scenario drawn in time: for each second of a block of two hours what leans on the market, and what the truth is.

A block depends on (scenario, seed, its number, the session's scale) alone, so an unlimited session exists and a session
of an hour or more is the beginning of any longer one. Shorter sessions scale their windows by minutes / 60.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.market.chance import exp, log, stream, total, uniform
from feedsim.market.modulators import NEUTRAL
from feedsim.market.news import placed_news
from feedsim.market.scenario import Amount, Decay, Range, Scenario, Window, mirrored
from feedsim.market.windows import DrawnPhase, DrawnWindow

BLOCK_S = 7200
ATTEMPTS = 64
RAMP_S = 6.0  # of what a window leaves behind, back to neutral
_COLUMN = {name: column for column, name in enumerate(NEUTRAL)}
_NEUTRAL = np.array(list(NEUTRAL.values()))
_FACTORS = frozenset(name for name, value in NEUTRAL.items() if value == 1.0)
_SUDDEN = frozenset({"jump", "halt"})

Rows = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true in one second."""

    label: str = "none"
    confidence: float = 0.0
    side: int = 0
    phase: str | None = None
    window_id: int | None = None
    outcome: str | None = None


NOTHING = Truth()


class Block:
    """One block: `rows` is [BLOCK_S scaled, modulators], `truth` one a second."""

    def __init__(
        self, scenario: Scenario, seed: int, number: int, scale: float, news: tuple[DrawnWindow, ...] = ()
    ) -> None:
        self.seconds = block_seconds(scale)
        self._scale = scale
        self._chance = stream(seed, f"schedule {scenario.name} {number}")
        self.rows: Rows = np.tile(_NEUTRAL, (self.seconds, 1))
        self.truth: list[Truth] = [NOTHING] * self.seconds
        self.windows: list[DrawnWindow] = []
        self._lean_always(scenario)
        for window in scenario.windows:
            for drawn in self._draw(window, number):
                self.windows.append(drawn)
                self._lean(drawn)
                self._tell(drawn)
        for drawn in news:
            self._chance = stream(seed, f"news {drawn.window_id}")
            self.windows.append(drawn)
            self._lean(drawn)
            self._tell(drawn)

    # ------------------------------------------------------------------------------------------------ when they come

    def _draw(self, window: Window, number: int) -> list[DrawnWindow]:
        """Windows one after the other; a true one lies within the first half, so that an hour has one."""
        drawn: list[DrawnWindow] = []
        for _ in range(ATTEMPTS):
            drawn = list(self._renewal(window, number))
            if window.fill or any(self._is_whole(each) for each in drawn):
                return drawn
        return [replace(each, failed=False) for each in drawn]

    def _is_whole(self, drawn: DrawnWindow) -> bool:
        """Whether a true window with all that its label tells of lies in the first half."""
        end = self._label_end(drawn) if drawn.window.early_s else drawn.end
        return not drawn.failed and drawn.label_start >= 0 and end <= self.seconds // 2

    def _label_end(self, drawn: DrawnWindow) -> float:
        """When the last of its phases that tell a label tells it no more."""
        ends = [float(drawn.end)]
        for each in drawn.phases:
            if each.phase.confidence:
                told_s = each.phase.label_s
                ends.append(each.end if told_s is None else each.start + (each.phase.onset_s + told_s) * self._scale)
        return ends[-1]

    def _renewal(self, window: Window, number: int) -> Iterator[DrawnWindow]:
        longest = window.gap_s[1] + total(phase.seconds[1] for phase in (*window.phases, *window.last))
        at = 0 if window.fill else self._between((-longest, window.gap_s[1])) * self._scale
        count = 0
        while at < self.seconds:
            one = self._place(window, int(at), number * 1000 + count)
            if at >= -window.early_s * self._scale and (one.end <= self.seconds or window.fill):
                count += 1
                yield one
            at = one.end + self._between(window.gap_s) * self._scale

    def _place(self, window: Window, at: int, window_id: int) -> DrawnWindow:
        failed = uniform(self._chance) < window.fails
        mirror = uniform(self._chance) < window.mirror
        rounds = int(self._between((window.repeat[0], window.repeat[1] + 0.999)))
        if window.fill:
            rounds = window.repeat[1]
        wanted = [(phase, turn) for turn in range(1, rounds + 1) for phase in window.phases]
        wanted += [(phase, rounds) for phase in (window.failing if failed else window.last)]
        phases: list[DrawnPhase] = []
        for phase, turn in wanted:
            length = max(round(self._between(phase.seconds) * self._scale), 1)
            if window.fill and at >= self.seconds:
                break
            phases.append(DrawnPhase(phase=phase, start=at, end=at + length, round=turn))
            at += length
        return DrawnWindow(window=window, phases=tuple(phases), window_id=window_id, failed=failed, mirror=mirror)

    def _between(self, bounds: Range) -> float:
        low, high = bounds
        return low + (high - low) * uniform(self._chance)

    # ------------------------------------------------------------------------------------------------- what they lean

    def _lean_always(self, scenario: Scenario) -> None:
        for name, amount in scenario.always.items():
            self.rows[:, _COLUMN[name]] = self._course(amount, NEUTRAL[name], self.seconds)

    def _lean(self, drawn: DrawnWindow) -> None:
        before: dict[str, float] = {}
        for each in drawn.phases:
            lean = mirrored(each.phase.lean) if drawn.mirror else dict(each.phase.lean)
            after: dict[str, float] = {}
            for name in dict.fromkeys((*before, *lean)):
                length = each.end - each.start
                amount = lean.get(name, NEUTRAL[name])
                course = self._course(amount, NEUTRAL[name], length)
                if name in _SUDDEN:
                    course = self._sudden(name, course)
                else:
                    course = self._ramped(course, before.get(name, NEUTRAL[name]), each.phase.ramp_s)
                self._apply(name, each.start, course)
                after[name] = float(course[-1])
            self._lean_iceberg(drawn, each)
            before = {name: value for name, value in after.items() if name not in _SUDDEN}
        self._ramp_out(drawn, before)

    def _course(self, amount: Amount, neutral: float, length: int) -> Rows:
        if isinstance(amount, Decay):
            tau = max(amount.tau_s * self._scale, 1.0)
            fade = [exp(-amount.power * log(1.0 + second / tau)) for second in range(length)]
            return neutral + (amount.peak - neutral) * np.array(fade)
        return np.full(length, self._between(amount) if isinstance(amount, tuple) else amount)

    def _ramped(self, course: Rows, before: float, ramp_s: float) -> Rows:
        seconds = min(max(round(ramp_s * self._scale), 1), len(course))
        weight = np.ones(len(course))
        weight[:seconds] = (np.arange(seconds) + 0.5) / seconds
        return before + (course - before) * weight

    @staticmethod
    def _sudden(name: str, course: Rows) -> Rows:
        """A jump happens in the first second alone; a halt lasts."""
        if name == "jump":
            course[1:] = 0.0
        return course

    def _ramp_out(self, drawn: DrawnWindow, before: dict[str, float]) -> None:
        ramp = max(round(RAMP_S * self._scale), 1)
        for name, value in before.items():
            self._apply(name, drawn.end, self._ramped(np.full(ramp, NEUTRAL[name]), value, RAMP_S))

    def _apply(self, name: str, start: int, course: Rows) -> None:
        """A factor multiplies what is there, an addend is added to it."""
        course, start = course[max(-start, 0) :], max(start, 0)
        course = course[: max(self.seconds - start, 0)]
        there = self.rows[start : start + len(course), _COLUMN[name]]
        if name in _FACTORS:
            there *= course
        else:
            there += course

    def _lean_iceberg(self, drawn: DrawnWindow, each: DrawnPhase) -> None:
        iceberg = each.phase.iceberg
        if iceberg is None:
            return
        side = (iceberg.side == "ask") != drawn.mirror
        values = {
            "iceberg": float(drawn.window_id * 64 + each.round + 1),
            "iceberg_side": float(side),
            "iceberg_offset": float(int(self._between((iceberg.offset[0], iceberg.offset[1] + 0.999)))),
            "iceberg_reserve": self._between(iceberg.reserve),
            "iceberg_refresh": self._between(iceberg.refresh),
        }
        for name, value in values.items():
            self.rows[max(each.start, 0) : max(each.end, 0), _COLUMN[name]] = value

    # ------------------------------------------------------------------------------------------------- what is true

    def _tell(self, drawn: DrawnWindow) -> None:
        for each in drawn.phases:
            for second in range(max(each.start, 0), min(each.end, self.seconds)):
                self.truth[second] = self._truth(drawn, each, second)
        self._label_goes_on(drawn)
        if 0 < drawn.end <= self.seconds:
            self.truth[drawn.end - 1] = replace(self.truth[drawn.end - 1], outcome=drawn.outcome)

    def _truth(self, drawn: DrawnWindow, each: DrawnPhase, second: int) -> Truth:
        nothing = Truth(phase=each.phase.name, window_id=drawn.window_id)
        confidence = each.phase.confidence
        onset = each.start + each.phase.onset_s * self._scale
        if not confidence or each.round < drawn.window.label_from_round or second < onset:
            return nothing
        if each.phase.label_s is not None and second >= onset + each.phase.label_s * self._scale:
            return nothing
        return replace(nothing, label=drawn.label, confidence=confidence, side=drawn.side)

    def _label_goes_on(self, drawn: DrawnWindow) -> None:
        """The onset of a later phase does not take back what an earlier one told."""
        told = NOTHING
        for each in drawn.phases:
            for second in range(max(each.start, 0), min(each.end, self.seconds)):
                truth = self.truth[second]
                waiting = each.phase.confidence and second < each.start + each.phase.onset_s * self._scale
                if truth.label == "none" and waiting and told.label != "none":
                    self.truth[second] = replace(truth, label=told.label, confidence=told.confidence, side=told.side)
                told = self.truth[second]


def block_seconds(scale: float) -> int:
    return max(round(BLOCK_S * scale), 1)


class Schedule:
    """The blocks of a session from its start on, each drawn when it is asked for."""

    def __init__(self, scenario: Scenario, *, seed: int, minutes: float | None, start_ns: int = 0) -> None:
        """Raises ConfigError for news whose times overlap or cannot be read."""
        self.scenario = scenario
        self.scale = 1.0 if minutes is None else min(1.0, minutes / 60)
        self._seconds = block_seconds(self.scale)
        self.news = placed_news(scenario.news, start_ns, seed)

        @lru_cache(maxsize=4)
        def block(number: int) -> Block:
            return Block(scenario, seed, number, self.scale, tuple(self._news_of(number)))

        self.block = block

    def _news_of(self, number: int) -> Iterator[DrawnWindow]:
        """The news that touches a block, in its seconds."""
        since = number * self._seconds
        for window in self.news:
            if window.start < since + self._seconds and window.end + RAMP_S > since:
                yield window.moved(-since)

    def rows(self, second: int, count: int) -> Rows:
        """What leans in `count` seconds of the session."""
        parts: list[Any] = []
        while count > 0:
            number, at = divmod(second, self._seconds)
            part = self.block(number).rows[at : at + count]
            parts.append(part)
            second += len(part)
            count -= len(part)
        return np.concatenate(parts)

    def truth(self, second: int) -> Truth:
        number, at = divmod(second, self._seconds)
        return self.block(number).truth[at]
