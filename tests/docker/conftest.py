"""What the tests of the container share."""

from tests.support.server import feedsim_server

__all__ = ["feedsim_server"]
