"""What is computed from the trades and quotes of any source: bars with session VWAP, footprints, profiles, features of
leadership, session phases."""

from feedsim.observe.bars import Bars
from feedsim.observe.base import MarketObserver, Observer
from feedsim.observe.footprint import Footprints
from feedsim.observe.leadership import Leadership
from feedsim.observe.phases import Phases
from feedsim.observe.profile import Profiles

__all__ = ["Bars", "Footprints", "Leadership", "MarketObserver", "Observer", "Phases", "Profiles"]
