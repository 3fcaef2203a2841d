"""Commands that look: what a source holds, and which sources there are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from feedsim.errors import FeedsimError


def inspect(
    source: Annotated[str, typer.Argument(help="a path or synthetic:", metavar="SOURCE")],
) -> None:
    """Print what a source holds, and what is wrong in it.

    \b
    feedsim inspect sierra/
    """
    raise FeedsimError("inspect is not there yet")


def sources(
    folder: Annotated[Path, typer.Argument(help="where to look")] = Path(),
) -> None:
    """List what can be replayed here.

    \b
    feedsim sources
    """
    raise FeedsimError("sources is not there yet")
