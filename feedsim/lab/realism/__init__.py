"""Statistics of a session beside those of the real market: arrays in, named values out."""

from feedsim.lab.realism.arrays import Books, Orders, Quotes, Session, Trades, Vix
from feedsim.lab.realism.measuring import Facts, measure

__all__ = ["Books", "Facts", "Orders", "Quotes", "Session", "Trades", "Vix", "measure"]
