"""The vendor's package for the format's metadata, which comes with the extra `databento`."""

from __future__ import annotations

from types import ModuleType

from feedsim.errors import ConfigError


def databento_dbn() -> ModuleType:
    """Import it. Raises ConfigError where it is missing."""
    try:
        import databento_dbn
    except ImportError:
        raise ConfigError(
            "DBN needs the package databento-dbn: pip install 'feedsim[databento]'", field="databento"
        ) from None
    return databento_dbn
