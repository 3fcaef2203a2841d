"""`feedsim stream` and `feedsim record`: a feed as lines on stdout, or as a recording."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from feedsim.errors import ConfigError

if TYPE_CHECKING:
    from feedsim.client import Feed
    from feedsim.events import Event
    from feedsim.tap.tap import Tap

Channels = Annotated[str, typer.Option(help="channels, separated by commas; * for all but truth and mbo")]
Symbols = Annotated[str, typer.Option(help="symbols, separated by commas; * for all")]
Token = Annotated[str, typer.Option(help="the server's token", envvar="FEEDSIM_TOKEN")]


def stream(
    source: Annotated[str, typer.Argument(help="ws://… of a server, or a source to replay here", metavar="URL|SOURCE")],
    channels: Channels = "*",
    symbols: Symbols = "*",
    speed: Annotated[str, typer.Option(help="of a source: times real time, or max")] = "1",
    seed: Annotated[int, typer.Option(help="of the synthetic market")] = 0,
    start: Annotated[str, typer.Option(help="of a source: ISO time or HH:MM, New York time")] = "",
    minutes: Annotated[float, typer.Option(help="of a source: length; 0 for all of it")] = 0,
    count: Annotated[int, typer.Option(help="stop after so many events; 0 never")] = 0,
    token: Token = "",
) -> None:
    """Print events as JSON lines on stdout.

    \b
    feedsim stream ws://127.0.0.1:8765 --channels trade,l1 --symbols ES
    feedsim stream recordings/monday --speed max | jq -c 'select(.type=="bar")'
    """
    import feedsim

    if source.startswith(("ws://", "wss://")):
        check_url(source)
        feed = feedsim.connect(source, channels=listed(channels), symbols=listed(symbols), token=token or None)
        asyncio.run(_print(_events(feed), count))
        return
    chosen = {"channels": None if channels == "*" else listed(channels)}
    chosen["symbols"] = None if symbols == "*" else listed(symbols)
    pace = float(speed) if speed.replace(".", "", 1).isdigit() else speed
    events = feedsim.replay(source, speed=pace, seed=seed, start=start, minutes=minutes, **chosen)  # type: ignore[arg-type] # checked by it
    asyncio.run(_print(events, count))


def check_url(url: str) -> None:
    """Raises ConfigError for what is no address of a server."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("ws", "wss") and parts.hostname and parts.port != 0
    except ValueError:  # of a port that is no number, or too large a one
        usable = False
    if not usable:
        raise ConfigError(f"{url!r}: expected ws://host:port", field="url")


async def _events(feed: Feed) -> AsyncIterator[Event]:
    async with feed:
        async for event in feed:
            yield event


async def _print(events: AsyncIterator[Event], count: int) -> None:
    import msgspec

    encode = msgspec.json.Encoder().encode
    write = sys.stdout.buffer.write
    left = count or -1
    async for event in events:
        write(encode(event) + b"\n")
        sys.stdout.buffer.flush()
        left -= 1
        if not left:
            return


def listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def record(
    url: Annotated[str, typer.Argument(help="ws://… of a server")],
    out: Annotated[Path, typer.Option(help="a new folder for the recording")],
    channels: Annotated[str, typer.Option(help="channels, separated by commas; all for everything there is")] = "all",
    symbols: Symbols = "*",
    token: Token = "",
) -> None:
    """Record what a server sends, until it ends or ^C.

    \b
    feedsim record ws://127.0.0.1:8765 --out recordings/today
    """
    check_url(url)
    asyncio.run(_record(url, out, listed(channels), listed(symbols), token or None))


async def _record(url: str, out: Path, channels: tuple[str, ...], symbols: tuple[str, ...], token: str | None) -> None:
    from rich.console import Console

    import feedsim
    from feedsim.events import CHANNELS

    everything = channels == ("all",) and symbols == ("*",)
    feed = feedsim.connect(
        url, channels=CHANNELS if channels == ("all",) else channels, symbols=symbols, depth=20, ts="ns", token=token
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    console = Console(stderr=True)
    async with feed:
        tap = _open_tap(out, feed, everything=everything)
        work = loop.create_task(tap.run())
        with console.status(f"recording {url}") as status:
            reading = loop.create_task(_take(feed, tap, lambda: status.update(f"{tap.rows:,} events in {out}")))
            stopping = loop.create_task(stop.wait())
            await asyncio.wait((reading, stopping), return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
        await tap.close()
        await work
    console.print(f"{out}: {tap.rows:,} events, {tap.state}")
    if tap.problem and tap.state == "stopped":
        raise typer.Exit(1)


def _open_tap(directory: Path, feed: Feed, *, everything: bool) -> Tap:
    """The recorder of a client that takes a feed with `ts:"ns"`. Raises ConfigError for a folder it cannot use."""
    from feedsim.app.recorders import tap_into
    from feedsim.recording.manifest import Filter, Header

    welcome, subscribed = feed.welcome, feed.subscribed
    chosen = Filter(channels=tuple(subscribed.channels), symbols=tuple(subscribed.symbols))
    header = Header(
        session_id=welcome.session_id,
        symbols=tuple(welcome.symbols),
        config={"bar_tf_s": welcome.tf_s},
        filter=None if everything else chosen,
    )
    return tap_into(directory, header, field="out")


async def _take(feed: Feed, tap: Tap, show: Callable[[], None]) -> None:
    async for batch in feed.batches():
        tap.append_events(feed.epoch, batch)
        await tap.ready()
        show()
