"""What the tests of the documentation share."""

from tests.support.server import feedsim_server

__all__ = ["feedsim_server"]
