"""`feedsim export`: a session in somebody else's format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from feedsim.cli.options import from_settings
from feedsim.config import SourceSettings
from feedsim.errors import ConfigError


class ExportSettings(SourceSettings, kw_only=True, forbid_unknown_fields=True):
    """What is exported, and how."""

    dbn: Annotated[str, Meta(description="a file to write: .dbn, or .dbn.zst to have it compressed")] = ""
    schema: Annotated[str, Meta(description="mbo, mbp-1, mbp-10, tbbo, trades, bbo-1s, ohlcv-1s, definition …")] = (
        "mbp-1"
    )


@from_settings(ExportSettings)
def export(settings: ExportSettings) -> None:
    """Write a session as a DBN file, Databento's format.

    \b
    feedsim export recordings/monday --dbn monday.mbp-1.dbn.zst
    feedsim export --minutes 10 --seed 7 --option mbo=yes --schema mbo --dbn orders.dbn.zst
    """
    from rich.console import Console

    from feedsim.app.exporting import export_dbn

    if not settings.dbn:
        raise ConfigError("name a file", field="dbn")
    wanted = SourceSettings(**{name: getattr(settings, name) for name in SourceSettings.__struct_fields__})
    console = Console(stderr=True)
    with console.status(f"exporting {settings.source}") as status:
        rows = export_dbn(
            wanted,
            Path(settings.dbn),
            settings.schema,
            on_rows=lambda rows: status.update(f"{rows:,} records of {settings.schema}"),
        )
    console.print(f"{settings.dbn}: {rows:,} records of {settings.schema}")
