"""For all tests: how much is tried, how properties are tried, and guards around what is asynchronous."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator, MutableMapping
from typing import Any

import pytest
import structlog
from hypothesis import settings

from tests.support.guards import LoopWatch, left_behind

FULL_TIMEOUT_S = 3000

# Properties are not timed, since a busy machine is no bug.
settings.register_profile("feedsim", deadline=None, print_blob=True, max_examples=50)
settings.load_profile("feedsim")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="the large figures of the tests that are marked `full`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is tried at length may take long."""
    if config.getoption("--full"):
        for item in items:
            if item.get_closest_marker("full"):
                item.add_marker(pytest.mark.timeout(FULL_TIMEOUT_S), append=False)


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Whether the large figures are asked for (`--full`)."""
    return bool(request.config.getoption("--full"))


@pytest.fixture(autouse=True)
def guarded(request: pytest.FixtureRequest) -> None:
    """Every test that is a coroutine function is guarded."""
    function = getattr(request, "function", None)
    if inspect.iscoroutinefunction(inspect.unwrap(function)) if function is not None else False:
        request.getfixturevalue("guarded_loop")


@pytest.fixture
async def guarded_loop(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """No task is left when the test is over, and nothing but the test itself kept the loop for long.

    `may_block` marks the tests of something that is known to, and says what.
    """
    before, watch = asyncio.all_tasks(), LoopWatch(inspect.unwrap(request.function))
    with watch.watching():
        yield
    left = await left_behind(before)
    assert not left, f"tasks were left behind: {left}"
    if request.node.get_closest_marker("may_block") is None:
        assert not watch.blocked, f"the event loop was blocked: {watch.blocked}"


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """What is logged, as texts, wherever the log goes."""
    entries: list[str] = []

    def keep(_: Any, __: str, event: MutableMapping[str, Any]) -> Any:
        entries.append(str(dict(event)))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[structlog.processors.format_exc_info, keep])
    yield entries
    structlog.configure(**before)
