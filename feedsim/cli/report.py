"""`feedsim report`: what came of the trading in a recorded session."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from feedsim.cli.output import check_folders, table_console, write_and_say
from feedsim.cli.progress import shown
from feedsim.errors import ConfigError, SourceError

if TYPE_CHECKING:
    from rich.console import Console

    from feedsim.lab.picture import Picture
    from feedsim.lab.trading.history import History
    from feedsim.lab.trading.report import TradingReport
    from feedsim.lab.trading.study import Run, Study
    from feedsim.recording.manifest import Manifest
    from feedsim.recording.reader import Recording
    from feedsim.tap.orders import OrderLog

ROWS = 8192  # of a tape that is made again, at a time


def report(
    directory: Annotated[Path, typer.Argument(help="a recording that was traded on", show_default=False)],
    json: Annotated[str, typer.Option(help="write the figures into this file as JSON; - for stdout, no table")] = "",
    html: Annotated[str, typer.Option(help="write a page with plots into this file")] = "",
    png: Annotated[str, typer.Option(help="draw the plots into this file")] = "",
    png_size: Annotated[str, typer.Option(help="pixels of it, as 1200x620; without it what fits")] = "",
    epoch: Annotated[int, typer.Option(help="which; 0: the last that was traded in", min=0)] = 0,
    counterfactual: Annotated[
        bool, typer.Option("--counterfactual", help="also make the market without the orders, and compare")
    ] = False,
) -> None:
    """Tell what came of the orders in a recording: trades, P&L, drawdown, slippage, queue times, exposure.

    \b
    feedsim serve synthetic:orderflow_accumulation --tap run --lockstep --exit-at-end
    feedsim report run
    feedsim report run --html run.html --json run.json
    feedsim report run --counterfactual                      where orders entered the market (--impact shared)
    """
    from rich.console import Console

    paint = _painter(png, png_size)
    check_folders({"json": json, "html": html})
    result, picture = _study(directory, epoch, Console(stderr=True), counterfactual=counterfactual)
    if html:
        from feedsim.lab.trading.page import write_page

        write_page(result, picture, Path(html))
        print(f"written into {html}", file=sys.stderr)
    if paint is not None:
        paint(picture)
        print(f"drawn into {png}", file=sys.stderr)
    _tell(result, json)


def _painter(png: str, size: str) -> Callable[[Picture], None] | None:
    from feedsim.lab.painters import painter_for

    if not png:
        if size:
            raise ConfigError(f"{size}: there is no --png to have that size", field="png_size")
        return None
    if Path(png).suffix != ".png":
        raise ConfigError(f"{png}: expected a name that ends in .png", field="png")
    return painter_for(Path(png), size=size)


def _tell(result: TradingReport, json: str) -> None:
    from feedsim.lab.trading.tables import print_report

    facts = msgspec.json.format(msgspec.json.encode(result)) + b"\n" if json else b""
    if json == "-":
        print(facts.decode(), end="")
        return
    if json:
        write_and_say(json, facts, field="json")
    print_report(result, table_console())


def _study(directory: Path, epoch: int, notes: Console, *, counterfactual: bool) -> tuple[TradingReport, Picture]:
    from feedsim.lab.trading.study import Study
    from feedsim.recording.reader import open_recording
    from feedsim.tap.orders import ORDERS, read_orders

    recording = open_recording(directory)
    orders = read_orders(directory)
    if orders is None:
        problem = f"nobody traded in this session: there is no {ORDERS} beside the recording"
        raise SourceError(problem, file=str(directory))
    run = _run(recording, orders, epoch)
    if counterfactual and not run.in_market:
        problem = "the orders of this run did not enter the market (--impact shared): without them it is the same"
        raise ConfigError(problem, field="counterfactual")
    study = Study(run, channels=recording.channels(run.epoch))
    with shown(notes, f"reading {directory}") as on_step:
        for window in recording.windows(run.epoch):
            study.add(window.chunk, window.seq)
            on_step(int(window.chunk.avail[-1]) - run.start_ns, run.end_ns - run.start_ns)
    if counterfactual:
        _compare(study, recording.manifest, notes)
    return study.finish(), study.picture


def _run(recording: Recording, orders: OrderLog, epoch: int) -> Run:
    from feedsim.exchange.venue import read_venue
    from feedsim.lab.trading.history import read_histories
    from feedsim.lab.trading.study import Run

    settings, venue = orders.venue.settings, read_venue(orders.venue.settings.venue)
    every = read_histories(
        orders.entries, orders.heard, venue.products, balance=settings.balance, keep=settings.keep_account
    )
    chosen = _chosen(recording, every, epoch)
    source = settings.source
    if source == "synthetic:":
        source += settings.scenario
    return Run(
        name=str(recording.directory),
        source=f"{source}, seed {settings.seed}" if orders.venue.generated else source,
        epoch=chosen,
        start_ns=recording.first_avail(chosen),
        end_ns=recording.last_avail(chosen) + 1,
        in_market=orders.venue.in_market,
        venue=venue,
        histories=[history for history in every if history.epoch == chosen and (history.orders or history.traded)],
        notes=list(_notes(recording.manifest, every, chosen)),
    )


def _chosen(recording: Recording, histories: list[History], epoch: int) -> int:
    """An epoch with orders. Raises SourceError, ConfigError."""
    traded = sorted({history.epoch for history in histories if history.orders or history.traded})
    there = [number for number in traded if number in recording.epochs]
    if not there:
        raise SourceError("no order was accepted in what is recorded", file=str(recording.directory))
    if epoch and epoch not in there:
        raise ConfigError(f"{epoch}: there are orders in {', '.join(map(str, there))}", field="epoch")
    return epoch or there[-1]


def _notes(manifest: Manifest, histories: list[History], epoch: int) -> Iterator[str]:
    others = sorted({history.epoch for history in histories if history.orders} - {epoch})
    if others:
        yield f"this is epoch {epoch}; --epoch shows another: {', '.join(map(str, others))}"
    for hole in manifest.holes:
        if hole.epoch == epoch:
            last = "the end" if hole.last_seq is None else hole.last_seq
            yield f"seq {hole.first_seq} to {last} was not recorded ({hole.reason}): prices from before hold there"
    if manifest.filter is not None:
        yield "the recording is filtered: marks and mids are of what is in it"


def _compare(study: Study, manifest: Manifest, notes: Console) -> None:
    """Make the same market without the orders. Raises SourceError."""
    import numpy as np

    from feedsim.app.again import tape_again

    run = study.run
    tape = tape_again(manifest, run.epoch)
    try:
        with shown(notes, "making the market without the orders") as on_step:
            while (chunk := tape.advance(ROWS)) is not None:
                study.add_without(chunk, chunk.first_seq + np.arange(len(chunk)))
                on_step(int(chunk.avail[-1]) - run.start_ns, run.end_ns - run.start_ns)
    finally:
        tape.close()
