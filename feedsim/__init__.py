"""feedsim: a fake futures market that a live trading bot plugs into."""

__version__ = "0.1.0"
