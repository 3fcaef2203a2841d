"""Sessions as pandas DataFrames: the names of the seed API, and what `feedsim.generate` returns."""

from feedsim.mia.config import GenConfig
from feedsim.mia.export import export_to_parquet
from feedsim.mia.generator import MIA_IA_DataGenerator
from feedsim.mia.offline import OfflineFeed
from feedsim.mia.session import Session, generate

__all__ = ["GenConfig", "MIA_IA_DataGenerator", "OfflineFeed", "Session", "export_to_parquet", "generate"]
