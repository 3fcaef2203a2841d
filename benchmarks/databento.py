"""The Databento gateway: records a second through the official client, and what a book costs the gateway.

The client is the limit, so it is measured beside a plain socket that sends it the same bytes. `python -m
benchmarks.databento client PORT` is one run of the client, `… plain FILE` the plain socket.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from benchmarks.processes import ENVIRONMENT, ROOT
from benchmarks.report import Figure, against, at_least, beside
from feedsim.app.exporting import export_dbn
from feedsim.config import SourceSettings

KEY = "db-0123456789abcdefghijklmnopqrs"
MINUTES = 8
RATE = 300_000  # records a second that are enough, however fast the client is
SHARE = 0.8  # of what the client can take from a plain socket


class Outcome(msgspec.Struct):
    """Of one run of the client."""

    records: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.records / self.seconds


def run() -> list[Figure]:
    with TemporaryDirectory() as folder:
        stream, quotes = Path(folder) / "stream", Path(folder) / "quotes.dbn"
        export_dbn(SourceSettings(minutes=MINUTES), quotes, "mbp-1")
        _capture(stream, quotes)
        with _plain(stream) as port:
            alone = _client(port)
        with _gateway(quotes) as port:
            served = _client(port)
    limit = min(RATE, SHARE * alone.rate)
    cost_us, books = _cost_of_books()
    return [
        at_least("MBP-1 records/s through databento.Live", served.rate, limit, digits=0),
        beside("  the client from a plain socket", f"{alone.rate:,.0f} records/s ({served.records:,} records)"),
        against("gateway CPU of an MBP-10 record", cost_us, 1.0, unit=" µs"),
        beside("  of so many records, encoded and written", f"{books:,}"),
    ]


# -------------------------------------------------------------------------------------------------------- processes


@contextmanager
def _started(command: list[str], pattern: str) -> Iterator[int]:
    """A process that says on stderr at which port it listens."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if match := re.search(pattern, line):
                yield int(match[1])
                break
        else:
            raise RuntimeError(f"{command} did not start")
    finally:
        process.terminate()
        process.communicate()


def _gateway(quotes: Path) -> Any:
    serve = [sys.executable, "-m", "feedsim", "serve", str(quotes), "--port", "0", "--databento", "0", "--speed", "max"]
    whole = [*serve, "--wait-clients", "1", "--exit-at-end", "--features-every-s", "0"]
    return _started(whole, r"databento\.Live\(.*port=(\d+)\)")


def _plain(stream: Path) -> Any:
    return _started([sys.executable, "-m", "benchmarks.databento", "plain", str(stream)], r"port (\d+)")


def _client(port: int) -> Outcome:
    command = [sys.executable, "-m", "benchmarks.databento", "client", str(port)]
    printed = subprocess.run(command, capture_output=True, check=True, env=ENVIRONMENT, cwd=ROOT).stdout
    return msgspec.json.decode(printed, type=Outcome)


def _listen(port: int) -> Outcome:
    """Count records in a callback, from the first to the last."""
    import databento

    client = databento.Live(key=KEY, gateway="127.0.0.1", port=port)
    client.subscribe(dataset="GLBX.MDP3", schema="mbp-1", symbols="ALL_SYMBOLS")
    count, first, last = 0, 0.0, 0.0

    def take(record: object) -> None:  # noqa: ARG001 # a callback's signature
        nonlocal count, first, last
        if not count:
            first = time.perf_counter()
        count += 1
        if not count % 100:
            last = time.perf_counter()

    client.add_callback(take)
    client.start()
    client.block_for_close()
    return Outcome(count, last - first)


# ------------------------------------------------------------------------------------------------------ a plain socket


def _hello(connection: socket.socket) -> None:
    """The lines that come before the stream."""
    connection.sendall(b"lsg_version=0\ncram=0\n")
    _line(connection)
    connection.sendall(b"success=1|session_id=1\n")
    while not _line(connection).startswith(b"start_session"):
        pass


def _line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        line += connection.recv(1)
    return line


def _send(stream: Path) -> None:
    data = stream.read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print("port", listener.getsockname()[1], file=sys.stderr, flush=True)
        connection, _ = listener.accept()
        with connection:
            _hello(connection)
            connection.sendall(data)


def _capture(into: Path, quotes: Path) -> None:
    """What the gateway sends, as it is."""
    with _gateway(quotes) as port, socket.create_connection(("127.0.0.1", port)) as connection, into.open("wb") as file:
        while not _line(connection).startswith(b"cram="):
            pass
        connection.sendall(f"auth={'0' * 64}-abcde|dataset=GLBX.MDP3|slow_reader_behavior=warn\n".encode())
        _line(connection)
        connection.sendall(b"schema=mbp-1|stype_in=raw_symbol|symbols=ALL_SYMBOLS\nstart_session=0\n")
        while data := connection.recv(1 << 20):
            file.write(data)


# ------------------------------------------------------------------------------------------------ what a book costs


def _cost_of_books() -> tuple[float, int]:
    """µs of processor time for each record that is encoded and written to a socket that somebody drains."""
    drain = [sys.executable, "-c", "import sys, os\nwhile os.read(0, 1 << 20): pass"]
    mine, theirs = socket.socketpair()
    with subprocess.Popen(drain, stdin=theirs.fileno()) as process:
        theirs.close()
        cost = asyncio.run(_told(mine))
        mine.close()
        process.wait()
    return cost


async def _told(connection: socket.socket) -> tuple[float, int]:
    from feedsim.dbn.before import Before
    from feedsim.dbn.listing import Listing
    from feedsim.dbn.records import Scene, parts
    from feedsim.dbn.weaving import Woven
    from feedsim.playback.tape import Tape, TapeConfig
    from feedsim.sources.catalog import Market, open_source

    source = open_source("synthetic:", market=Market(minutes=2), options={"l2_interval_ms": "1"})
    tape = Tape(source, TapeConfig(bar_tf_s=(1,), footprint_tf_s=(), profile_every_s=0, features_every_s=0))
    listing = Listing(tape.symbols, tape.info.contracts, start_ns=tape.start_ns)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=connection)
    before, count, spent = Before.nothing(len(tape.symbols)), 0, 0.0
    while (chunk := tape.advance(4096)) is not None:
        started = time.process_time()
        woven = Woven(parts("mbp-10", Scene(chunk, before, listing)))
        for lo in range(0, len(chunk), 1000):
            transport.write(woven.bytes(*woven.rows(lo, lo + 1000)))
        before = before.after(chunk)
        spent += time.process_time() - started
        count += len(woven)
        while transport.get_write_buffer_size():
            started = time.process_time()
            await asyncio.sleep(0)
            spent += time.process_time() - started
    transport.close()
    return spent / count * 1e6, count


if __name__ == "__main__":
    if sys.argv[1] == "client":
        sys.stdout.buffer.write(msgspec.json.encode(_listen(int(sys.argv[2]))))
    else:
        _send(Path(sys.argv[2]))
        os._exit(0)
