"""The text lines of the live gateway: `name=value` pairs separated by bars, one message a line.

Pure: bytes in, requests out. Whatever a client may send is answered by a request or a ProtocolError.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from feedsim.dbn.layout import OTHER_SCHEMAS, SCHEMAS, STYPES
from feedsim.dbn.listing import DATASET
from feedsim.errors import ProtocolError

LSG_VERSION = "0.8.0"  # of the vendor's gateway whose manners these are
MAX_LINE = 64 * 1024  # bytes; the official client sends at most 500 symbols a line
BUCKET = 5  # characters of a key that its owner shows
LEAST_HEARTBEAT_S, MOST_HEARTBEAT_S = 5, 1800
DEFAULT_HEARTBEAT_S = 30
MOST_SYMBOLS = 2_000  # of one session, over all its subscriptions
MOST_LINES = 200  # of subscriptions in one session


@dataclass(frozen=True, slots=True)
class Authentication:
    """Who a client is and how it wants its stream."""

    proof: str
    stamped: bool
    """Every record ends with the time at which it was sent."""
    compressed: bool
    heartbeat_s: int
    slow: str
    """skip, warn, or nothing where the client leaves it to the gateway."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """What a client wants of one schema."""

    schema: str
    stype: str
    symbols: tuple[str, ...]
    start_ns: int | None
    snapshot: bool
    id: int | None
    is_last: bool
    """False: the next line goes on with the same subscription."""


@dataclass(frozen=True, slots=True)
class Start:
    """The stream may begin."""


@dataclass(slots=True)
class LineReader:
    """Cuts what arrives into lines."""

    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete. Raises ProtocolError for what cannot be one."""
        self._rest += data
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest
        if any(len(line) > MAX_LINE for line in (*lines, rest)):
            raise ProtocolError("bad_request", f"a line of more than {MAX_LINE} bytes")
        try:
            return [line.decode() for line in lines]
        except UnicodeDecodeError:
            raise ProtocolError("bad_request", "lines are UTF-8 text") from None


def greeting(challenge: str) -> bytes:
    return f"lsg_version={LSG_VERSION}\ncram={challenge}\n".encode()


def accepted(session_id: str) -> bytes:
    return f"success=1|session_id={session_id}\n".encode()


def refused(error: str) -> bytes:
    return f"success=0|error={error}\n".encode()


def proves(proof: str, challenge: str, key: str) -> bool:
    """Whether a client has the key: it shows SHA-256 of the challenge and the key, and the key's last characters."""
    digest = hashlib.sha256(f"{challenge}|{key}".encode()).hexdigest()
    return hmac.compare_digest(proof.encode(), f"{digest}-{key[-BUCKET:]}".encode())


def parse_authentication(line: str) -> Authentication:
    """Raises ProtocolError with what the client is told."""
    fields = _fields(line)
    proof = fields.get("auth", "")
    digest, _, bucket = proof.partition("-")
    if len(digest) != hashlib.sha256().digest_size * 2 or len(bucket) != BUCKET:
        raise _unauthorized("Authentication failed: expected auth=<hash>-<bucket>")
    if fields.get("dataset") != DATASET:
        raise _unauthorized(f"Unknown dataset {fields.get('dataset', '')!r}: this gateway has {DATASET}")
    if fields.get("encoding", "dbn") != "dbn":
        raise _unauthorized(f"Unsupported encoding {fields['encoding']!r}: this gateway has dbn")
    compression = fields.get("compression", "none")
    if compression not in ("none", "zstd"):
        raise _unauthorized(f"Unsupported compression {compression!r}: expected none or zstd")
    slow = fields.get("slow_reader_behavior", "")
    if slow not in ("", "skip", "warn"):
        raise _unauthorized(f"Invalid slow_reader_behavior {slow!r}: expected skip or warn")
    return Authentication(proof, _flag(fields, "ts_out"), compression == "zstd", _heartbeat(fields), slow)


def _heartbeat(fields: dict[str, str]) -> int:
    text = fields.get("heartbeat_interval_s", str(DEFAULT_HEARTBEAT_S))
    if not text.isdecimal() or not LEAST_HEARTBEAT_S <= int(text) <= MOST_HEARTBEAT_S:
        expected = f"expected {LEAST_HEARTBEAT_S} to {MOST_HEARTBEAT_S} seconds"
        raise _unauthorized(f"Invalid heartbeat_interval_s {text!r}: {expected}")
    return int(text)


def _flag(fields: dict[str, str], name: str) -> bool:
    text = fields.get(name, "0")
    if text not in ("0", "1"):
        raise _unauthorized(f"Invalid {name} {text!r}: expected 0 or 1")
    return text == "1"


def _unauthorized(message: str) -> ProtocolError:
    return ProtocolError("unauthorized", message)


def parse_request(line: str) -> Subscribe | Start:
    """Raises ProtocolError with what the client is told."""
    fields = _fields(line)
    if "start_session" in fields:
        return Start()
    if "schema" not in fields:
        raise ProtocolError("bad_request", "Invalid request: expected a subscription or start_session")
    schema, stype = fields["schema"], fields.get("stype_in", "raw_symbol")
    if schema in OTHER_SCHEMAS:
        raise ProtocolError("bad_request", f"Schema {schema} is not available here; there are: {', '.join(SCHEMAS)}")
    if schema not in SCHEMAS:
        raise ProtocolError("bad_request", f"Unknown schema {schema!r}; there are: {', '.join(SCHEMAS)}")
    if stype not in STYPES:
        raise ProtocolError("bad_request", f"Unknown stype_in {stype!r}; there are: {', '.join(STYPES)}")
    snapshot = fields.get("snapshot", "0") == "1"
    start_ns = _number(fields, "start")
    if snapshot and schema != "mbo":
        raise ProtocolError("bad_request", f"Schema {schema} has no snapshot: mbo has one")
    if snapshot and start_ns is not None:
        raise ProtocolError("bad_request", "A subscription has a start or a snapshot, not both")
    symbols = tuple(name for name in fields.get("symbols", "").split(",") if name)
    if not symbols:
        raise ProtocolError("bad_request", "A subscription needs symbols")
    return Subscribe(
        schema, stype, symbols, start_ns, snapshot, _number(fields, "id"), fields.get("is_last", "1") != "0"
    )


def _number(fields: dict[str, str], name: str) -> int | None:
    text = fields.get(name)
    if text is None:
        return None
    if not text.isdecimal() or len(text) > len(str(1 << 64)):
        raise ProtocolError("bad_request", f"Invalid {name} {text[:40]!r}: expected a whole number")
    return int(text)


def _fields(line: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in line.rstrip("\r").split("|"))
    return {name: value for name, _, value in pairs}
