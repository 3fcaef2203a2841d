"""Commands about data at rest: make it, look at it, prove it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Meta

from feedsim.cli.options import from_settings
from feedsim.config import SourceSettings
from feedsim.errors import ConfigError


class GenerateSettings(SourceSettings, kw_only=True, forbid_unknown_fields=True):
    """What is made, and where it goes."""

    out: Annotated[str, Meta(description="a new folder for the recording")] = ""


@from_settings(GenerateSettings)
def generate(settings: GenerateSettings) -> None:
    """Make a session and keep it as a recording.

    \b
    feedsim generate --minutes 120 --seed 7 --out sessions/7
    feedsim generate sierra/ --out recordings/monday         any source becomes a recording
    """
    from feedsim.app.making import make_recording

    if not settings.out:
        raise ConfigError("name a folder for the recording", field="out")
    asyncio.run(make_recording(settings, Path(settings.out)))


def verify(
    directory: Annotated[Path, typer.Argument(help="a recording")],
    source: Annotated[str, typer.Option(help="where its source is now, if it has moved")] = "",
    seal: Annotated[bool, typer.Option(help="first seal what a killed server left in the journal")] = False,
) -> None:
    """Prove that a recording is whole, and that its source or seed makes the same session again.

    \b
    feedsim verify recordings/monday
    """
    from feedsim.app.proof import prove

    if not prove(directory, source=source or None, seal=seal):
        raise typer.Exit(1)
