"""What is computed from the trades of any source: bars with session VWAP, footprints, profiles, session phases."""

from feedsim.observe.bars import Bars
from feedsim.observe.base import Observer
from feedsim.observe.footprint import Footprints
from feedsim.observe.phases import Phases
from feedsim.observe.profile import Profiles

__all__ = ["Bars", "Footprints", "Observer", "Phases", "Profiles"]
