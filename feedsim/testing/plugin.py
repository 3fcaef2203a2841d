"""Fixtures for pytest, there as soon as feedsim is installed: a server, or a market, in the test's own process.

Everything that they start is ended after the test. docs/testing.md shows tests that use them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

if TYPE_CHECKING:
    from feedsim.testing.serving import ServerThread

ServerFactory: TypeAlias = "Callable[..., ServerThread]"


@pytest.fixture
def feedsim_server() -> Iterator[ServerFactory]:
    """Call it with the settings of `feedsim serve`: `feedsim_server(source="recordings/monday", speed="max")`."""
    from feedsim.testing.serving import ServerThread

    with ExitStack() as stack:

        def start(**settings: Any) -> ServerThread:
            return stack.enter_context(ServerThread(**settings))

        yield start


@pytest.fixture
def feedsim_market(feedsim_server: ServerFactory) -> ServerFactory:
    """A market in lock-step, so that a test takes as long as the bot needs and gives the same every time.

    `feedsim_market(scenario="orderflow_accumulation", seed=7, minutes=30)`; any other setting of `feedsim serve` too.
    """

    def start(*, scenario: str = "normal", seed: int = 0, minutes: float = 30, **settings: Any) -> ServerThread:
        chosen = {"lockstep": True, "exit_at_end": False, **settings}
        return feedsim_server(scenario=scenario, seed=seed, minutes=minutes, **chosen)

    return start
