"""What users need in tests of their own.

`check_source` holds a source to the contract of `feedsim.sources.base`; `ServerThread` is a server inside a test; the
fixtures of `feedsim.testing.plugin` start one for pytest.
"""

from feedsim.testing.serving import ServerThread
from feedsim.testing.sources import check_source

__all__ = ["ServerThread", "check_source"]
