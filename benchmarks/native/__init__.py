"""The C programs of the benchmarks: compiled when they are needed, into a folder that goes again at the end."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

HERE = Path(__file__).parent


class NoCompilerError(RuntimeError):
    """Nothing here compiles C."""


@cache
def program(name: str) -> str:
    """The path of a compiled program. Raises NoCompilerError."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise NoCompilerError("no C compiler (cc) was found; the benchmarks compare with a loop of send() in C")
    folder = Path(mkdtemp(prefix="feedsim-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    built = folder / name
    subprocess.run([compiler, "-O3", "-o", str(built), str(HERE / f"{name}.c")], check=True)
    return str(built)
