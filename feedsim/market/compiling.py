"""How the market is compiled: by numba, in IEEE arithmetic (no fastmath), cached only where a folder is set for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core import config

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile at the first call. Without numba.config.CACHE_DIR nothing is written, least of all into the package."""
    settings: Any = config
    return cast(F, numba.njit(cache=bool(settings.CACHE_DIR))(function))
