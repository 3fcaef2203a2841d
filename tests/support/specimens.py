"""A small file of each kind that is read, in the folder that it belongs into, and reading such a thing to its end."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import zstandard

from feedsim.sources.catalog import open_source
from feedsim.testing.sources import YEAR_NS
from tests.support import seed_export, sierra_files
from tests.support.chunks import session
from tests.support.memory_source import small_tables
from tests.support.recordings import record

CHUNKS = session(63, windows=3, channels=("status", "trade", "l1", "l2"))


def _recording(folder: Path, *, sealed: bool) -> Path:
    record(folder / "r", CHUNKS, close=sealed)
    return folder / "r"


def _sierra(folder: Path) -> Path:
    sierra_files.session(folder / "CHART_3", 5, records=60)
    return folder


def _csv(folder: Path) -> Path:
    trades = small_tables(seconds=20, symbols=("ES",))["trade"]
    columns = [trades.array(name).tolist() for name in ("ts", "price", "size", "side")]
    lines = [
        "ts,symbol,price,size,side",
        *(f"{ts},ES,{px},{n},{side}" for ts, px, n, side in zip(*columns, strict=True)),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "a.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def _packed(folder: Path, suffix: str, pack: Callable[[bytes], bytes]) -> Path:
    plain = _csv(folder)
    path = plain.with_name(plain.name + suffix)
    path.write_bytes(pack(plain.read_bytes()))
    plain.unlink()
    return path


MAKE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "manifest": (lambda folder: _recording(folder, sealed=True), "manifest.json"),
    "segment": (lambda folder: _recording(folder, sealed=True), "l1/*.parquet"),
    "journal": (lambda folder: _recording(folder, sealed=False), "_journal/*.journal"),
    "export": (lambda folder: seed_export.write(folder / "e", seed_export.everything()), "l2.parquet"),
    "chart quotes": (_sierra, "CHART_3/*quote*"),
    "chart trades": (_sierra, "CHART_3/*trade*"),
    "chart depth": (_sierra, "CHART_3/*depth*"),
    "csv": (_csv, ""),
    "csv.gz": (lambda folder: _packed(folder, ".gz", lambda data: gzip.compress(data, mtime=0)), ""),
    "csv.zst": (lambda folder: _packed(folder, ".zst", zstandard.compress), ""),
}
"""How a source of a kind is made in a folder, and which file in it is the kind's."""


def specimen(kind: str, folder: Path) -> tuple[Path, Path]:
    """The source's path, and the file to damage."""
    make, pattern = MAKE[kind]
    source = make(folder)
    if not pattern:
        return source, source
    [file, *_] = sorted(path for path in source.glob(pattern) if path.stat().st_size)
    return source, file


def read_all(path: Path) -> int:
    """Open whatever lies there and read it to its end; how many rows it has. Raises FeedsimError where it cannot be."""
    source = open_source(str(path))
    try:
        start_ns, end_ns = source.info.start_ns, source.info.end_ns
        until = start_ns + YEAR_NS if end_ns is None else end_ns
        return sum(map(len, source.read(until).values()))
    finally:
        source.close()
