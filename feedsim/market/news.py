"""News at times that the user sets, as windows of the schedule."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import pairwise

import msgspec

from feedsim.errors import ConfigError
from feedsim.instruments import EXCHANGE_TZ, NS_PER_S
from feedsim.market.chance import stream, uniform
from feedsim.market.scenario import Decay, News, Phase
from feedsim.market.scenarios import NEWS_WINDOW
from feedsim.market.windows import DrawnPhase, DrawnWindow

NEWS_IDS = 1_000_000_000  # no window that is drawn has such a number


def placed_news(news: tuple[News, ...], start_ns: int, seed: int) -> tuple[DrawnWindow, ...]:
    """The windows of some news in order, in seconds since the start. Raises ConfigError where two overlap."""
    placed = sorted((_placed(each, start_ns, seed, NEWS_IDS + code) for code, each in enumerate(news)), key=_start)
    for one, other in pairwise(placed):
        if other.start < one.end:
            raise ConfigError(
                f"two overlap: what begins {other.start} s after the start, before the one that ends at {one.end} s; "
                f"each takes {one.end - one.start} s",
                field="news",
            )
    return tuple(placed)


def _start(window: DrawnWindow) -> int:
    return window.start


def _placed(news: News, start_ns: int, seed: int, window_id: int) -> DrawnWindow:
    chance = stream(seed, f"news times {window_id}")
    lengths = [
        round(low + (high - low) * uniform(chance)) for low, high in (phase.seconds for phase in NEWS_WINDOW.phases)
    ]
    at = _second(news.at, start_ns) - lengths[0]
    phases: list[DrawnPhase] = []
    for phase, length in zip(NEWS_WINDOW.phases, lengths, strict=True):
        phases.append(DrawnPhase(phase=_sized(phase, abs(news.size)), start=at, end=at + length, round=1))
        at += length
    return DrawnWindow(
        window=NEWS_WINDOW, phases=tuple(phases), window_id=window_id, failed=False, mirror=news.size < 0
    )


def _sized(phase: Phase, size: float) -> Phase:
    """A phase whose jump is larger or smaller."""
    jump = phase.lean.get("jump")
    if jump is None or isinstance(jump, Decay):
        return phase
    low, high = jump if isinstance(jump, tuple) else (jump, jump)
    return msgspec.structs.replace(phase, lean={**phase.lean, "jump": (low * size, high * size)})


def _second(at: str | float, start_ns: int) -> int:
    """Seconds since the start."""
    if not isinstance(at, str):
        if not 0 <= at < 60 * 24 * 366:
            raise ConfigError(f"{at}: expected minutes since the session's start", field="news.at")
        return round(at * 60)
    start = datetime.fromtimestamp(start_ns // NS_PER_S, EXCHANGE_TZ)
    try:
        moment = datetime.combine(start.date(), time.fromisoformat(at), EXCHANGE_TZ)
    except ValueError:
        raise ConfigError(f"{at!r}: write it as 14:00, New York time", field="news.at") from None
    if moment < start:
        moment = datetime.combine(start.date() + timedelta(days=1), time.fromisoformat(at), EXCHANGE_TZ)
    return int(moment.timestamp()) - start_ns // NS_PER_S
