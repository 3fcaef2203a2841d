"""feedsim: a fake futures market that a live trading bot plugs into.

async for event in feedsim.replay("synthetic:", speed=10): ...
frames = feedsim.generate(scenario="gamma_pin", minutes=120, seed=7).frames()
async with feedsim.connect("ws://127.0.0.1:8765") as feed: ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feedsim.app.generator import replay
    from feedsim.client import connect
    from feedsim.mia.session import generate

__version__ = "0.1.0"
__all__ = ["__version__", "connect", "generate", "replay"]


def __getattr__(name: str) -> Any:
    # Importing feedsim stays cheap: the client, the player and the market are loaded when they are first named.
    if name == "connect":
        from feedsim.client import connect

        return connect
    if name == "generate":
        from feedsim.mia.session import generate

        return generate
    if name == "replay":
        from feedsim.app.generator import replay

        return replay
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
