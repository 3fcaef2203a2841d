"""docs/scenarios.md: its tables, made of the table of scenarios, and the commands that it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from feedsim.market.modulators import NEUTRAL
from feedsim.market.scenario import Amount, Decay, Iceberg, Phase, Range, Scenario, Window, mirrored
from feedsim.market.scenarios import SCENARIOS

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "scenarios.md"
OTHER_SIDE = MappingProxyType({"ask": "bid", "bid": "ask"})
OTHER_LABEL = MappingProxyType({"long_bias": "short_bias", "short_bias": "long_bias"})
_SECTION = re.compile(r"^### `(\w+)`\n(.*?)(?=^##|\Z)", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def commands(text: str) -> dict[str, str]:
    """The command that draws each scenario's picture. Raises ValueError for a section that has not exactly one."""
    shown: dict[str, str] = {}
    for found in _SECTION.finditer(text):
        (shown[found[1]],) = re.findall(r"^feedsim inspect .*", found[2], re.MULTILINE)
    return shown


def with_tables(text: str) -> str:
    """The page with each block `<!-- table: NAME -->` … `<!-- end of table -->` filled anew."""
    return _BLOCK.sub(lambda found: f"{found[1]}{table(SCENARIOS[found[2]])}\n{found[3]}", text)


def table(scenario: Scenario) -> str:
    """A row for each phase, and a sentence for each window."""
    rows = list(_rows(scenario))
    if not rows:
        return "It leans on nothing, and has no windows: its label is `none`."
    head = ["| phase | seconds | leans on | label told |", "|---|---|---|---|"]
    sentences = [_sentence(window) for window in scenario.windows] or ["It has no windows: its label is `none`."]
    return "\n".join([*head, *rows, "", *sentences])


def _rows(scenario: Scenario) -> Iterator[str]:
    if scenario.always:
        yield f"| all the time | | {_lean(scenario.always)} | |"
    for window in scenario.windows:
        for part, phases in (("", window.phases), ("then ", window.last), ("if it fails ", window.failing)):
            for phase in phases:
                leans = _leans(phase, mirror=window.mirror == 1)
                yield f"| {part}`{phase.name}` | {_between(phase.seconds)} | {leans} | {_told(phase)} |"


def _leans(phase: Phase, *, mirror: bool) -> str:
    lean = mirrored(phase.lean) if mirror else phase.lean
    parts = [_lean(lean)] if lean else []
    if phase.iceberg is not None:
        parts.append(_iceberg(phase.iceberg, mirror=mirror))
    return "; ".join(parts) or "nothing"


def _lean(lean: dict[str, Amount]) -> str:
    return ", ".join(f"`{name}` {_amount(amount, NEUTRAL[name])}" for name, amount in lean.items())


def _amount(amount: Amount, neutral: float) -> str:
    if isinstance(amount, Decay):
        power = "" if amount.power == 1 else f", power {_number(amount.power)}"
        return f"{_number(amount.peak)} → {_number(neutral)} (τ {_number(amount.tau_s)} s{power})"
    return _between(amount) if isinstance(amount, tuple) else _number(amount)


def _iceberg(iceberg: Iceberg, *, mirror: bool) -> str:
    side = OTHER_SIDE[iceberg.side] if mirror else iceberg.side
    away, reserve, refresh = _between(iceberg.offset), _between(iceberg.reserve), _between(iceberg.refresh)
    return f"an iceberg of {reserve} lots at the {side}, {away} ticks away, {refresh} shown"


def _told(phase: Phase) -> str:
    if not phase.confidence:
        return "–"
    after = f", after {_number(phase.onset_s)} s" if phase.onset_s else ""
    during = "" if phase.label_s is None else f", for {_number(phase.label_s)} s"
    return f"{_number(phase.confidence)}{after}{during}"


def _sentence(window: Window) -> str:
    """What its windows tell, when they come, and how they end."""
    one, other = (f"`{label}`, side {_number(side)}" for label, side in (_label(window), _label(window, mirror=True)))
    says = [f"Label {other if window.mirror == 1 else one}"]
    if window.label_from_round > 1:
        says.append(f"from round {window.label_from_round} on")
    if window.fill:
        says.append("round after round without a gap")
    else:
        says.append(f"{_between(window.gap_s)} s from one window to the next")
        if window.repeat != (1, 1):
            says.append(f"{_between(window.repeat)} rounds before the end")
    if window.fails:
        says.append(f"{_percent(window.fails)} fail")
    if 0 < window.mirror < 1:
        says.append(f"{_percent(window.mirror)} with buyers and sellers in each other's place: {other}")
    return "; ".join(says) + "."


def _label(window: Window, *, mirror: bool = False) -> tuple[str, int]:
    if not mirror:
        return window.label, window.side
    return OTHER_LABEL.get(window.label, window.label), -window.side


def _percent(share: float) -> str:
    return f"{round(100 * share)} %"


def _between(bounds: Range | tuple[int, int]) -> str:
    low, high = bounds
    return _number(low) if low == high else f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "−")
