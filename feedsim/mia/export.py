"""DataFrames as a flat folder of Parquet files, one a table, which every part of feedsim can read as a source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from feedsim.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from feedsim.mia.session import Session


def export_session(session: Session, output_dir: str | Path) -> dict[str, int]:
    """Write a session as the seed API has it, and its windows; the number of rows by table. Raises ConfigError."""
    from feedsim.mia.frames import WINDOWS, seed_frames, window_frame

    frames = {**seed_frames(session), WINDOWS: window_frame(session)}
    export_to_parquet(frames, output_dir)
    return {name: len(frame) for name, frame in frames.items()}


def export_to_parquet(data: Mapping[str, pd.DataFrame], output_dir: str | Path) -> dict[str, Path]:
    """Write each table as `<name>.parquet`, in place of one that is there; the paths by name.

    A file is the old one or the new one as a whole. Raises ConfigError for what is no table, or a folder that cannot be
    written.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name, frame in data.items():
        if not isinstance(frame, pd.DataFrame):
            raise ConfigError(f"{type(frame).__name__}: expected a DataFrame", field=f"data[{name!r}]")
        if not name or Path(name).name != name:
            raise ConfigError(f"{name!r}: expected the name of a table", field="data")
    folder = Path(output_dir)
    paths: dict[str, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, frame in data.items():
            paths[name] = folder / f"{name}.parquet"
            unfinished = folder / f".{name}.parquet.tmp"
            try:
                pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), unfinished, compression="zstd")
                unfinished.replace(paths[name])
            finally:
                unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror or error}", field="output_dir") from None
    return paths
