"""Commands that look: what a source holds and what is wrong in it, and which sources are here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from msgspec import Meta

from feedsim.cli.options import from_settings
from feedsim.cli.progress import shown
from feedsim.config import SourceSettings

if TYPE_CHECKING:
    from rich.console import Console

    from feedsim.events import Chunk
    from feedsim.lab.picture import Picture
    from feedsim.lab.report import Report
    from feedsim.playback.tape import Tape

DEFAULT_MINUTES = 60.0  # of a source without an end


class InspectSettings(SourceSettings, kw_only=True, forbid_unknown_fields=True):
    """What is looked at, and how it is shown."""

    plot: Annotated[str, Meta(description="also draw it into this file, .png or .html")] = ""
    plot_size: Annotated[str, Meta(description="pixels of a .png, as 1200x620; without it what fits")] = ""
    json: Annotated[bool, Meta(description="print the facts as JSON instead of tables")] = False


@from_settings(InspectSettings)
def inspect(settings: InspectSettings) -> None:
    """Print what a source holds: streams, times, rates, spreads, and where it contradicts itself.

    \b
    feedsim inspect sierra/                                   Sierra chart files
    feedsim inspect recordings/monday --plot monday.html      and a picture, for any browser
    feedsim inspect synthetic: --seed 7 --minutes 60 --plot market.png
    feedsim inspect synthetic:chop --symbols ES --minutes 60 --plot chop.png --plot-size 1200x620
    """
    from rich.console import Console

    from feedsim.errors import ConfigError
    from feedsim.lab.painters import painter_for

    if settings.plot_size and not settings.plot:
        raise ConfigError(f"{settings.plot_size}: there is no --plot to have that size", field="plot_size")
    paint = painter_for(Path(settings.plot), size=settings.plot_size) if settings.plot else None
    notes = Console(stderr=True)
    tape = _open(settings, notes)
    try:
        report, picture = _read(tape, notes, drawn=paint is not None)
    finally:
        tape.close()
    _print(report, as_json=settings.json)
    if paint is not None and picture is not None:
        paint(picture)
        notes.print(f"drawn into {settings.plot}", markup=False, highlight=False, soft_wrap=True)


def _open(settings: InspectSettings, notes: Console) -> Tape:
    """The session to look at; of a source without an end its first hour."""
    from feedsim.app.opening import open_tape

    tape = open_tape(settings)
    if tape.end_ns is not None:
        return tape
    tape.close()
    notes.print(f"this source has no end: its first {DEFAULT_MINUTES:g} minutes (--minutes says otherwise)")
    return open_tape(msgspec.structs.replace(settings, minutes=DEFAULT_MINUTES))


def _read(tape: Tape, notes: Console, *, drawn: bool) -> tuple[Report, Picture | None]:
    from feedsim.lab.inspection import inspect_tape

    picture = None
    if drawn:
        from feedsim.lab.picture import Picture

        picture = Picture.of(tape)
    assert tape.end_ns is not None
    span_ns = tape.end_ns - tape.start_ns
    with shown(notes, f"reading {tape.info.name}") as on_step:

        def on_chunk(chunk: Chunk) -> None:
            if picture is not None:
                picture.add(chunk)
            on_step(int(chunk.avail[-1]) - tape.start_ns, span_ns)

        report = inspect_tape(tape, on_chunk=on_chunk)
    return report, picture


def _print(report: Report, *, as_json: bool) -> None:
    from rich.console import Console

    from feedsim.lab.tables import LEAST_WIDTH, print_report

    if as_json:
        print(msgspec.json.encode(report).decode())
        return
    console = Console()
    print_report(report, console if console.is_terminal else Console(width=LEAST_WIDTH))


def sources(
    folder: Annotated[Path, typer.Argument(help="where to look", show_default=False)] = Path(),
) -> None:
    """List what can be replayed here: the synthetic scenarios, and what lies below a folder.

    \b
    feedsim sources
    feedsim sources recordings/
    """
    from rich.console import Console

    from feedsim.errors import ConfigError
    from feedsim.lab.finding import Search, scenarios

    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder", field="folder")
    rows = [("synthetic", f"synthetic:{name}", about) for name, about in scenarios().items()]
    search = Search()
    with Console(stderr=True).status("looking"):
        for found in search.below(folder):
            files = f"{found.files:,} file" + "s" * (found.files != 1)
            rows.append((found.kind, str(found.path), f"{files}, {found.size / 2**20:,.1f} MiB"))
    width = max(len(name) for _, name, _ in rows)
    for kind, name, about in rows:
        print(f"{kind:9}  {name:{width}}  {about}")
    if search.cut_short:
        print("there may be more: this is what was found in time, within a few folders", file=sys.stderr)
