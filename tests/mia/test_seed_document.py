"""The examples of the document that the seed API comes from, in its order and one namespace, as they are written there.

Only import lines are replaced. Two examples are outlines, of which the document leaves out the body: they get one.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

IMPORTS = {
    "from core.mia_data_generator import MIA_IA_DataGenerator, GenConfig": (
        "from feedsim.mia import MIA_IA_DataGenerator, GenConfig"
    ),
    "from data.offline_feed import OfflineFeed": "from feedsim.mia import OfflineFeed",
}

STRUCTURE = """\
{
    "l1": DataFrame,           # Level 1 - Trades et quotes
    "l2": DataFrame,           # Level 2 - Order book simplifié
    "bars": DataFrame,         # OHLCV + VWAP bands
    "footprint": DataFrame,    # Delta par bar et niveau pivot
    "context": DataFrame,      # Contexte options enrichi
    "leadership_features": DataFrame,  # Features de leadership MIA_IA
    "ground_truth": DataFrame  # Labels pour validation
}
"""
IMPORT = """\
from datetime import datetime, timezone
from core.mia_data_generator import MIA_IA_DataGenerator, GenConfig
"""
BASIC = """\
# Initialisation
gen = MIA_IA_DataGenerator(seed=42)
cfg = GenConfig(
    start=datetime(2025, 8, 21, 13, 30, tzinfo=timezone.utc),
    minutes=120  # 2 heures de données
)

# Génération simple
data = gen.generate_realistic_session(cfg, scenario="normal")

# Accès aux données
l1_data = data["l1"]
bars_data = data["bars"]
context_data = data["context"]
"""
ADVANCED = """\
# Configuration avec leadership NQ
data = gen.generate_realistic_session(
    cfg,
    scenario="confluence_breakout",
    leadership="NQ_leads",  # NQ_leads | ES_leads | balanced
    strength=0.18,          # Force du leadership (0.0-0.4)
    options_context=True,
    include_labels=True
)
"""
CONFIG = """\
@dataclass
class GenConfig:
    start: datetime              # Timestamp de début (UTC)
    minutes: int = 120          # Durée de session
    symbol_es: str = "ES"       # Symbole ES
    symbol_nq: str = "NQ"       # Symbole NQ
    tick_size: float = 0.25     # Taille de tick
    es_start_price: float = 5000.0    # Prix de départ ES
    nq_start_price: float = 18000.0   # Prix de départ NQ
    l1_interval_ms: int = 200   # Intervalle L1 (~5 ticks/sec)
    l2_interval_ms: int = 100   # Intervalle L2 (~10 snapshots/sec)
    bar_tf_s: int = 1           # Timeframe bars (secondes)
    book_levels: int = 10       # Niveaux order book
    base_size_mean: int = 3     # Taille moyenne trades
    base_size_std: int = 2      # Écart-type taille trades
    vix_start: float = 15.0     # VIX de départ
"""
SIGNATURE = """\
def generate_realistic_session(
    self,
    cfg: GenConfig,
    scenario: str = "normal",
    leadership: str = "NQ_leads",     # NQ_leads | ES_leads | balanced
    strength: float = 0.15,           # 0.0-0.4 (corrélation & momentum)
    options_context: bool = True,     # Inclure contexte options
    include_labels: bool = True,      # Inclure ground truth
) -> Dict[str, pd.DataFrame]:
"""
EXPORT = """\
# Export direct vers fichiers Parquet
MIA_IA_DataGenerator.export_to_parquet(
    data,
    output_dir="./data/backtest/"
)
"""
VALIDATION = """\
# Vérification des invariants
assert (l1_data["ask"] > l1_data["bid"]).all()  # ask > bid
assert (bars_data["high"] >= bars_data["low"]).all()  # OHLC cohérent
assert (gt_data.loc[gt_data["label"] == "long_bias", "side"] == 1).all()  # Labels cohérents
"""
CUSTOM = """\
# Application de patterns spécifiques
def _apply_mia_scenarios(self, cfg, df_l1, df_bars, scenario):
    # Injection de signatures orderflow
    # Modification des tailles bid/ask
    # Ajustement des prix
    # Recalcul des bars
"""
SHAPES = """\
def test_shapes_and_invariants():
    \"\"\"Test des formes et invariants critiques\"\"\"
    gen = MIA_IA_DataGenerator(seed=1)
    cfg = GenConfig(start=datetime(2025,8,21,13,30,tzinfo=timezone.utc), minutes=30)
    data = gen.generate_realistic_session(cfg, scenario="confluence_breakout")

    # Vérification des colonnes
    assert "ts" in data["l1"].columns
    assert "symbol" in data["bars"].columns

    # Vérification des invariants
    assert (data["l1"]["ask"] > data["l1"]["bid"]).all()
    assert (data["bars"]["high"] >= data["bars"]["low"]).all()
"""
PATTERNS = """\
def test_scenario_patterns():
    \"\"\"Test des patterns de scénarios\"\"\"
    scenarios = ["orderflow_accumulation", "delta_divergence", "confluence_breakout"]

    for scenario in scenarios:
        data = gen.generate_realistic_session(cfg, scenario=scenario)

        # Vérification des labels
        if scenario == "orderflow_accumulation":
            assert "long_bias" in data["ground_truth"]["label"].values
        elif scenario == "delta_divergence":
            assert "divergence_warning" in data["ground_truth"]["label"].values
"""
OFFLINE = """\
from data.offline_feed import OfflineFeed

# Création d'un feed offline
feed = OfflineFeed(
    data_dir="./data/backtest/",
    symbols=["ES", "NQ"],
    start_date="2025-08-21",
    end_date="2025-08-21"
)
"""
BACKTEST = """\
# Utilisation dans le pipeline de backtesting
def run_backtest_with_synthetic_data():
    # Génération des données
    data = gen.generate_realistic_session(cfg, scenario="confluence_breakout")

    # Export pour backtesting
    MIA_IA_DataGenerator.export_to_parquet(data, "./backtest_data/")

    # Lancement du backtest
    # ... intégration avec le système MIA_IA
"""
EXAMPLES: dict[str, str] = {
    "STRUCTURE": STRUCTURE,
    "IMPORT": IMPORT,
    "BASIC": BASIC,
    "ADVANCED": ADVANCED,
    "CONFIG": CONFIG,
    "SIGNATURE": SIGNATURE,
    "EXPORT": EXPORT,
    "VALIDATION": VALIDATION,
    "CUSTOM": CUSTOM,
    "SHAPES": SHAPES,
    "PATTERNS": PATTERNS,
    "OFFLINE": OFFLINE,
    "BACKTEST": BACKTEST,
}


def runnable(text: str) -> str:
    """An example with feedsim's imports; an outline with an empty body."""
    for line, instead in IMPORTS.items():
        text = text.replace(line, instead)
    try:
        ast.parse(text)
    except SyntaxError:
        return text + "    ...\n"
    return text


@pytest.fixture(scope="module")
def namespace(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What all examples leave behind, and what each left of `data`; they run in a folder of their own."""
    known: dict[str, Any] = {"__name__": __name__, "DataFrame": pd.DataFrame, "dataclass": dataclass}
    # Names that the document uses and leaves undefined.
    known |= {"Dict": dict, "pd": pd}
    folder = tmp_path_factory.mktemp("document")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, text in EXAMPLES.items():
            if name == "VALIDATION":
                known["gt_data"] = known["data"]["ground_truth"]
            exec(compile(runnable(text), f"<{name}>", "exec", dont_inherit=True), known)
            if name in ("BASIC", "ADVANCED"):
                known[name] = known["data"]
        # Its functions are there to be called.
        for function in ("test_shapes_and_invariants", "test_scenario_patterns", "run_backtest_with_synthetic_data"):
            known[function]()
    known["folder"] = folder
    return known


def test_only_outlines_are_completed() -> None:
    """All others are Python as they are written."""
    completed = [name for name, text in EXAMPLES.items() if runnable(text).endswith("    ...\n")]
    assert completed == ["SIGNATURE", "CUSTOM"]


def test_two_hours_have_the_rows_that_the_intervals_make(namespace: dict[str, Any]) -> None:
    """Every 200 ms, 100 ms and second, for two symbols; the context once a second."""
    for name in ("BASIC", "ADVANCED"):
        assert {table: len(frame) for table, frame in namespace[name].items()} == {
            "l1": 72_000,
            "l2": 144_000,
            "bars": 14_400,
            "footprint": 14_400,
            "context": 7_200,
            "leadership_features": 14_400,
            "ground_truth": 14_400,
        }


def test_the_tables_are_those_of_the_structure(namespace: dict[str, Any]) -> None:
    """In its order."""
    shown = ast.literal_eval(STRUCTURE.replace("DataFrame", "0"))
    assert list(namespace["ADVANCED"]) == list(shown)


def test_the_feed_reads_what_was_exported(namespace: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of the export is the folder of the feed."""
    monkeypatch.chdir(namespace["folder"])
    feed = namespace["feed"]
    assert len(feed.frame("l1")) == 72_000
    first = next(iter(feed))
    assert first.avail == 1_755_783_000_000
    assert len(list(Path("backtest_data").glob("*.parquet"))) == 7


def test_the_hook_can_be_assigned_to_the_class(namespace: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """As the document has it: it does nothing, and changes nothing."""
    generator = namespace["MIA_IA_DataGenerator"]
    config = namespace["GenConfig"](start=namespace["cfg"].start, minutes=1)
    before = generator(seed=1).generate_realistic_session(config)
    monkeypatch.setattr(generator, "_apply_mia_scenarios", namespace["_apply_mia_scenarios"])
    after = generator(seed=1).generate_realistic_session(config)
    assert all(before[name].equals(after[name]) for name in before)
