"""What users need in tests of their own: `check_source` holds a source to the contract of `feedsim.sources.base`."""

from feedsim.testing.sources import check_source

__all__ = ["check_source"]
