"""`MIA_IA_DataGenerator`: sessions as the seed API's dict of DataFrames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedsim.errors import ConfigError
from feedsim.market.scenario import Scenario
from feedsim.mia.config import GenConfig, levels_of, open_market
from feedsim.mia.export import export_to_parquet

if TYPE_CHECKING:
    import pandas as pd


class MIA_IA_DataGenerator:  # noqa: N801 (the name that its users know)
    """Makes sessions; what one is depends on the seed, the config and the arguments alone, not on earlier calls."""

    def __init__(self, seed: int = 42) -> None:
        self.seed = seed

    def generate_realistic_session(
        self,
        cfg: GenConfig,
        scenario: str | Scenario = "normal",
        leadership: str = "NQ_leads",
        strength: float = 0.15,
        options_context: bool = True,
        include_labels: bool = True,
    ) -> dict[str, pd.DataFrame]:
        """l1, l2, bars, footprint, context, leadership_features and ground_truth, by time and symbol; `ts` in ms.

        Context without `options_context` and truth without `include_labels` have no rows. Raises ConfigError before any
        work is done.
        """
        levels = levels_of(cfg)
        session = open_market(cfg, seed=self.seed, scenario=scenario, leadership=leadership, strength=strength)
        from feedsim.mia.frames import seed_frames

        frames = seed_frames(
            session,
            names=(cfg.symbol_es, cfg.symbol_nq),
            levels=levels,
            options_context=options_context,
            include_labels=include_labels,
        )
        changed = self._apply_mia_scenarios(cfg, frames["l1"], frames["bars"], session.market.find().name)
        if changed is not None:
            frames["l1"], frames["bars"] = _pair(changed)
        return frames

    def _apply_mia_scenarios(self, cfg: Any, df_l1: pd.DataFrame, df_bars: pd.DataFrame, scenario: str) -> Any:
        """For subclasses: change L1 and bars in place, or return the two that stand for them."""

    @staticmethod
    def export_to_parquet(data: Mapping[str, pd.DataFrame], output_dir: str | Path) -> dict[str, Path]:
        """Write each table as `<name>.parquet` into a folder; the paths by name."""
        return export_to_parquet(data, output_dir)


def _pair(changed: Any) -> tuple[Any, Any]:
    if isinstance(changed, tuple) and len(changed) == 2:
        return changed
    raise ConfigError(
        f"{type(changed).__name__}: expected None, or the tuple (df_l1, df_bars)", field="_apply_mia_scenarios"
    )
