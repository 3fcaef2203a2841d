"""Sessions that several tests look at. The source is imported first, so that what is compiled is kept."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import feedsim.sources.synthetic  # noqa: F401 (for its effect)
from feedsim.mia import GenConfig, MIA_IA_DataGenerator, Session, generate
from feedsim.mia.frames import Frames

START = datetime(2025, 8, 21, 13, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def session() -> Session:
    """Six minutes of absorption and breakout, with books of every 100 ms."""
    return generate(scenario="orderflow_accumulation", minutes=6, seed=11)


@pytest.fixture(scope="session")
def quiet() -> Session:
    """Six minutes of a night in which hardly anybody trades."""
    return generate(scenario="liquidity_drought", minutes=6, seed=11, start=START.replace(hour=5), l2_interval_ms=1000)


@pytest.fixture(scope="session")
def frames(session: Session) -> Frames:
    """All tables of `session`; tests do not change them."""
    return session.frames()


@pytest.fixture(scope="session")
def data() -> Frames:
    """Five minutes as the seed API has them; tests do not change them."""
    gen = MIA_IA_DataGenerator(seed=11)
    return gen.generate_realistic_session(GenConfig(start=START, minutes=5), scenario="orderflow_accumulation")
