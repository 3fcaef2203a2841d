"""How the market is compiled: by numba, in IEEE arithmetic (no fastmath), cached only where a folder is set for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core import config

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile at the first call. Without numba.config.CACHE_DIR nothing is written, least of all into the package.

    What is compiled allocates nothing, so arrays are handed on without counting references: the counts are atomic, and
    half of the time of a book's event went there. An array is copied element by element (the other way may allocate).
    """
    settings: Any = config
    njit: Any = numba.njit  # whose types do not name every option
    return cast(F, njit(cache=bool(settings.CACHE_DIR), _nrt=False)(function))
