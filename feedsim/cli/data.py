"""Commands about data at rest: make it, look at it, prove it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from msgspec import Meta

from feedsim.cli.making import Format
from feedsim.cli.options import from_settings
from feedsim.config import SourceSettings
from feedsim.errors import ConfigError


class GenerateSettings(SourceSettings, kw_only=True, forbid_unknown_fields=True):
    """What is made, and where it goes."""

    out: Annotated[str, Meta(description="a new folder for the recording, or for all sessions")] = ""
    format: Annotated[Format, Meta(description="recording, or seed: a Parquet file for each table of the seed API")] = (
        "recording"
    )
    sessions: Annotated[int, Meta(description="make so many, each in a folder of its own in out", ge=0)] = 0
    jobs: Annotated[int, Meta(description="processes that make sessions; 0: one for each processor", ge=0)] = 1
    shard: Annotated[str, Meta(description="i/n: make only the i-th of n parts of the sessions")] = "1/1"


@from_settings(GenerateSettings)
def generate(settings: GenerateSettings) -> None:
    """Make a session and keep it as a recording; or many, which the same command goes on with where it was stopped.

    \b
    feedsim generate --minutes 120 --seed 7 --out sessions/7
    feedsim generate sierra/ --out recordings/monday         any source becomes a recording
    feedsim generate --scenario chop --minutes 60 --sessions 1000 --jobs 8 --out chop
    """
    from feedsim.cli import making

    if not settings.out:
        raise ConfigError("name a folder for the recording", field="out")
    wanted = SourceSettings(**{name: getattr(settings, name) for name in SourceSettings.__struct_fields__})
    if settings.sessions:
        making.make_many(
            wanted,
            Path(settings.out),
            format=settings.format,
            sessions=settings.sessions,
            jobs=settings.jobs,
            shard=settings.shard,
        )
    elif settings.shard != "1/1":
        raise ConfigError("say how many sessions there are to be in all", field="sessions")
    else:
        making.make_one(wanted, Path(settings.out), format=settings.format)


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
