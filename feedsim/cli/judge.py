"""The command that judges: a source's statistics beside those of the real market."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from feedsim.cli.options import from_settings
from feedsim.cli.output import check_folders, table_console, write
from feedsim.cli.progress import shown
from feedsim.config import SourceSettings

if TYPE_CHECKING:
    from rich.console import Console

    from feedsim.lab.realism.result import Result
    from feedsim.lab.realism.study import Study
    from feedsim.playback.tape import Tape
    from feedsim.sources.synthetic import SyntheticSource

MINUTES = 60.0


class RealismSettings(SourceSettings, kw_only=True, forbid_unknown_fields=True):
    """What is judged, and how much of it."""

    seeds: Annotated[int, Meta(description="sessions of a generated market, from --seed on", ge=1, le=10_000)] = 8
    minute_seeds: Annotated[int, Meta(description="sessions for what minutes and the pair tell", ge=0, le=10_000)] = 30
    minutes: Annotated[float, Meta(description="of each session; 0: 60 of a generated one, all of another", ge=0)] = 0
    days: Annotated[int, Meta(description="whole sessions in a row besides, of a generated market", ge=0, le=1000)] = 0
    json: Annotated[str, Meta(description="write the figures into this file as JSON; - for stdout, no table")] = ""
    html: Annotated[str, Meta(description="write a page of plots into this file")] = ""


@from_settings(RealismSettings)
def realism(settings: RealismSettings) -> None:
    """Compare a source's statistics with those of real ES and NQ: value, band, z, inside or not.

    \b
    feedsim realism synthetic:                                8 seeds of an hour, 30 for what minutes tell
    feedsim realism synthetic: --days 20 --html normal.html   and the shapes of whole days, as a page of plots
    feedsim realism synthetic: --option preset.ES=es_2019     another parameter set
    feedsim realism recordings/monday --json monday.json      whatever a recording tells
    """
    from rich.console import Console

    from feedsim.sources.synthetic import SyntheticSource

    check_folders({"json": settings.json, "html": settings.html})
    notes = Console(stderr=True)
    tape = _open(settings)
    try:
        source = tape.source
        if isinstance(source, SyntheticSource):
            result, study = _judge_market(source, settings, tape.start_ns, notes)
        else:
            result, study = _judge_tape(tape, notes)
    finally:
        tape.close()
    _tell(result, study, settings, notes)


class CalibrateSettings(SourceSettings, kw_only=True, forbid_unknown_fields=True):
    """What is calibrated on, and for how long."""

    symbol: Annotated[str, Meta(description="whose parameter set is wanted; the recording's first by default")] = ""
    seconds: Annotated[float, Meta(description="how long to search for what cannot be counted", ge=0)] = 120
    vix: Annotated[float, Meta(description="of the recorded day", ge=9, le=90)] = 15
    out: Annotated[str, Meta(description="the file that the parameter set is written into")] = "calibration.json"


@from_settings(CalibrateSettings)
def calibrate(settings: CalibrateSettings) -> None:
    """Fit a parameter set of the synthetic market to recorded trades and quotes.

    \b
    feedsim calibrate DATA/20250916 --seconds 300 --out mine.json
    feedsim serve synthetic: --option preset.ES=mine.json
    """
    from rich.console import Console

    from feedsim.app.opening import open_tape
    from feedsim.lab.calibrating import calibrated, print_calibration

    notes = Console(stderr=True)
    bare = msgspec.structs.replace(settings, bar_tf_s=(), footprint_tf_s=(), features_every_s=0)
    tape = open_tape(bare)
    try:
        with shown(notes, "measuring and searching") as on_step:
            found = calibrated(tape, settings, on_step=on_step)
    finally:
        tape.close()
    write(settings.out, found.to_json().rstrip(b"\n") + b"\n", field="out")
    print_calibration(found, table_console())
    notes.print(f"written into {settings.out}", markup=False, highlight=False, soft_wrap=True)


def _open(settings: RealismSettings) -> Tape:
    """The source, with nothing computed that is not looked at."""
    from feedsim.app.opening import open_tape

    bare = msgspec.structs.replace(settings, bar_tf_s=(), footprint_tf_s=(), features_every_s=0, warmup_minutes=0)
    tape = open_tape(bare)
    if tape.end_ns is not None or tape.info.kind == "synthetic":
        return tape
    tape.close()
    return open_tape(msgspec.structs.replace(bare, minutes=MINUTES))


def _judge_market(
    source: SyntheticSource, settings: RealismSettings, start_ns: int, notes: Console
) -> tuple[Result, Study]:
    from feedsim.lab.realism.study import Protocol, study_market, told_of

    config = source.config
    protocol = Protocol(settings.seeds, settings.minute_seeds, settings.minutes or MINUTES, settings.days)
    fixed = bool(settings.start)
    with shown(notes, "measuring sessions") as on_step:
        study = study_market(
            config, protocol, seed=settings.seed, start_ns=start_ns, fixed_start=fixed, on_step=on_step
        )
    told = told_of(config, protocol, seed=settings.seed, fixed_start=fixed)
    return study.result(name=source.info.name, kind=source.info.kind, sessions=told, notes=[]), study


def _judge_tape(tape: Tape, notes: Console) -> tuple[Result, Study]:
    from feedsim.instruments import format_ns
    from feedsim.lab.realism.gathered import Gathering
    from feedsim.lab.realism.study import notes_on, study_tape

    assert tape.end_ns is not None
    span_ns = tape.end_ns - tape.start_ns
    with shown(notes, f"measuring {tape.info.name}") as on_step:
        gathering = Gathering(tape, on_chunk=lambda chunk: on_step(int(chunk.avail[-1]) - tape.start_ns, span_ns))
        study = study_tape(gathering)
    told = f"{format_ns(tape.start_ns)} to {format_ns(tape.end_ns)}"
    return (
        study.result(name=tape.info.name, kind=tape.info.kind, sessions=told, notes=notes_on(tape, gathering)),
        study,
    )


def _tell(result: Result, study: Study, settings: RealismSettings, notes: Console) -> None:
    from feedsim.lab.realism.tables import print_result

    if settings.html:
        from feedsim.lab.realism.page import write_page

        write_page(result, study, Path(settings.html))
        notes.print(f"drawn into {settings.html}", markup=False, highlight=False, soft_wrap=True)
    if settings.json == "-":
        print(msgspec.json.encode(result).decode())
        return
    if settings.json:
        write(settings.json, msgspec.json.format(msgspec.json.encode(result)) + b"\n", field="json")
    print_result(result, table_console())
