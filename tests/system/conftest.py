"""The real server, in a process of its own."""

from tests.support.server import feedsim_server

__all__ = ["feedsim_server"]
