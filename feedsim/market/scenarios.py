"""The scenarios that may follow `synthetic:`, and what each does to the market."""

from __future__ import annotations

from types import MappingProxyType

SCENARIOS = MappingProxyType(
    {"normal": "an ordinary day: busy at the open and at the close, quiet overnight, no trend of its own"}
)
