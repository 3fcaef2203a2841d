"""What is fuzzed: each target takes bytes and raises only what nobody promised; seeds are its first inputs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from feedsim.config import ServeSettings, load
from feedsim.errors import ConfigError, FeedsimError, ProtocolError
from feedsim.wire import messages as m
from feedsim.wire.codec import CODECS, Encoding
from feedsim.wire.protocol import Offer, ServerProtocol

OFFER = Offer(
    channels=("status", "bar", "trade", "l1", "l2"),
    symbols=("ES", "NQ"),
    tf_s=(1, 60),
    sources=("live",),
    controllable=True,
    may_wait=True,
)
Target = Callable[[bytes], None]


def decode(data: bytes) -> None:
    """A message of either side in either encoding, by the first byte; what is read is written and read again."""
    encoding: Encoding = "json" if data[:1] < b"\x80" else "msgpack"
    codec = CODECS[encoding]
    for read in (codec.decode_request, codec.decode_message):
        try:
            message = read(data[1:])
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            continue
        again = codec.encode(message)
        assert codec.encode(read(again)) == again


def machine(data: bytes) -> None:
    """One connection's requests, each ended by 0xC1 (which no MessagePack and no UTF-8 has), half a second apart."""
    encoding: Encoding = "json" if data[:1] < b"\x80" else "msgpack"
    protocol = ServerProtocol(encoding, OFFER, token="x", authorized=data[:1] > b"\x01", now=0.0)  # no secret
    for number, part in enumerate(data[1:].split(b"\xc1")):
        try:
            text = part.decode() if encoding == "json" else part
            request = protocol.receive(text, number / 2)
        except UnicodeDecodeError:
            continue
        except ProtocolError:
            continue
        _obey(protocol, request)


def _obey(protocol: ServerProtocol, request: Any) -> None:
    if isinstance(request, m.Subscribe):
        assert protocol.subscribe(request).depth == request.depth
    elif isinstance(request, m.Unsubscribe):
        before = protocol.subscription.streams
        assert protocol.unsubscribe(request).streams <= before
    elif isinstance(request, m.ReplayStop):
        protocol.attach(OFFER)
    assert {channel for channel, _ in protocol.subscription.streams} <= {*OFFER.channels, *EXTRA}


EXTRA = ("footprint", "profile", "context", "leadership", "truth")


@dataclass
class Readers:
    """Files of every kind: the first byte says which, the rest is what it holds."""

    folder: Path
    places: list[tuple[Path, Path]]

    def __call__(self, data: bytes) -> None:
        from tests.support.specimens import read_all

        if not data:
            return
        source, file = self.places[data[0] % len(self.places)]
        file.write_bytes(data[1:])
        with suppress(FeedsimError):
            read_all(source)


def readers() -> Target:
    from tests.support.specimens import MAKE, specimen

    folder = Path(tempfile.mkdtemp(prefix="feedsim-fuzz-"))
    return Readers(folder, [specimen(kind, folder / str(at)) for at, kind in enumerate(MAKE)])


def config() -> Target:
    file = Path(tempfile.mkdtemp(prefix="feedsim-fuzz-")) / "c.toml"

    def read(data: bytes) -> None:
        file.write_bytes(data)
        with suppress(ConfigError):
            load(ServeSettings, given={}, file=str(file))

    return read


TARGETS: dict[str, Callable[[], Target]] = {
    "decode": lambda: decode,
    "machine": lambda: machine,
    "readers": readers,
    "config": config,
}


# ---------------------------------------------------------------------------------------------------- first inputs


def seeds(target: str) -> Iterator[bytes]:
    """Inputs that are right, to begin with."""
    from tests.wire.samples import ASKED, SAID

    if target == "decode":
        for message in (*ASKED, *SAID):
            yield b"\x00" + CODECS["json"].encode(message)
            yield b"\x80" + CODECS["msgpack"].encode(message)
    elif target == "machine":
        yield b"\x02" + b"\xc1".join(CODECS["json"].encode(request) for request in ASKED)
        yield b"\x82" + b"\xc1".join(CODECS["msgpack"].encode(request) for request in ASKED)
    elif target == "config":
        yield b'source = "a"\nspeed = 10\nport = 1\nbar_tf_s = [1, 60]\nloop = true\n[offer]\na = "b"\n'
    else:
        yield from _specimens()


def _specimens() -> Iterator[bytes]:
    from tests.support.specimens import MAKE, specimen

    folder = Path(tempfile.mkdtemp(prefix="feedsim-fuzz-"))
    for at, kind in enumerate(MAKE):
        _, file = specimen(kind, folder / kind)
        yield bytes((at,)) + file.read_bytes()
    shutil.rmtree(folder)
