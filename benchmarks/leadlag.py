"""Who leads in the synthetic market, as its books tell it, against who was told to."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.report import Figure, at_least, beside, within
from feedsim.instruments import NS_PER_S
from feedsim.lab.realism.generated import generated
from feedsim.lab.realism.leading import Leading
from feedsim.market.config import LONGEST_INTERVAL_MS, START_NS, STRONGEST, MarketConfig
from feedsim.market.sheets import Sheets

SEEDS = 8
MINUTES = 60
FROM_NS = START_NS + 45 * 60 * NS_PER_S
STRENGTHS = (0.15, 0.3, STRONGEST)


def measured(leadership: str, strength: float) -> Leading:
    """ES against NQ, over all seeds."""
    config = MarketConfig(leadership=leadership, strength=strength, l2_interval_ms=LONGEST_INTERVAL_MS)
    leading, sheets = Leading(), Sheets()
    for seed in range(SEEDS):
        made = generated(config, seed=seed, start_ns=FROM_NS, minutes=MINUTES, sheets=sheets)
        leading.add(made["ES"], made["NQ"])
    return leading


def _balanced(leading: Leading) -> Iterator[Figure]:
    yield within("balanced: lag of the largest covariance", leading.argmax_ms, -50, 50, unit=" ms", digits=0)
    yield within("balanced: lead-lag ratio, ES over NQ", leading.ratio, 0.8, 1.25)


def _led(leadership: str, strength: float, balanced: Leading) -> Iterator[Figure]:
    leading = measured(leadership, strength)
    sign = 1 if leadership == "ES_leads" else -1
    ratio = leading.ratio**sign
    name = f"{leadership} {strength:g}"
    yield at_least(f"{name}: lead-lag ratio, leader over follower", ratio, 1 + 1.5 * strength)
    yield beside(f"{name}: the same over that of a balanced pair", f"{ratio / balanced.ratio**sign:.2f}")
    yield beside(f"{name}: largest covariance, mean lag", f"{leading.argmax_ms:.0f} ms, {leading.late_ms:.0f} ms")


def run() -> list[Figure]:
    balanced = measured("balanced", 0.0)
    figures = list(_balanced(balanced))
    for leadership in ("NQ_leads", "ES_leads"):
        for strength in STRENGTHS:
            figures += _led(leadership, strength, balanced)
    return figures
