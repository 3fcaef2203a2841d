"""The scenarios that may follow `synthetic:`, as one table: each leans on the same law, none paints prices.

`mu` is in ticks of ES a second at 5,000 points and a VIX of 15; other prices, volatilities and symbols scale it.
"""

from __future__ import annotations

from types import MappingProxyType

from feedsim.market.scenario import Decay, Iceberg, Phase, Scenario, Window

_NORMAL = Scenario(
    name="normal",
    about="an ordinary day: busy at the open and at the close, quiet overnight, no trend of its own",
)

# ------------------------------------------------------------------------------------------------------------- trends

_IMPULSE = Phase(
    name="impulse",
    seconds=(240.0, 420.0),
    lean={"mu": 0.03, "flow_bias": 0.45, "sigma_mult": 0.9, "vix_drift": -0.6},
    confidence=0.8,
)
_PULLBACK = Phase(
    name="pullback",
    seconds=(80.0, 140.0),
    lean={"mu": -0.018, "flow_bias": -0.15, "sigma_mult": 0.8, "act_mult": 0.75, "vix_drift": -0.2},
    confidence=0.8,
)


def _trend(mirror: float) -> Window:
    return Window(
        phases=(_IMPULSE, _PULLBACK),
        gap_s=(0.0, 0.0),
        repeat=(40, 40),
        label="long_bias",
        side=1,
        label_from_round=3,
        fill=True,
        mirror=mirror,
    )


_TREND_UP = Scenario(
    name="trend_up",
    about="a day that rises: legs up on buying, shallow pullbacks that dry up",
    windows=(_trend(0.0),),
)
_TREND_DOWN = Scenario(
    name="trend_down",
    about="a day that falls: legs down on selling, weak bounces",
    windows=(_trend(1.0),),
)

# ------------------------------------------------------------------------------------------------- ranges and the pin

_CHOP = Scenario(
    name="chop",
    about="a quiet range: the edges are faded, delta flips, nothing goes anywhere",
    always={"sigma_mult": 0.55, "act_mult": 0.7, "revert": 0.008},
)
_GAMMA_PIN = Scenario(
    name="gamma_pin",
    about="a strike that holds the price: every departure is sold or bought, volatility fades",
    always={"sigma_mult": 0.6, "act_mult": 0.85, "pin_weight": 1.0, "vix_drift": -0.3},
)

# --------------------------------------------------------------------------------------------------------------- news

NEWS_WINDOW = Window(
    phases=(
        Phase(name="lull", seconds=(540.0, 600.0), lean={"act_mult": 0.55, "depth_bid": 0.6, "depth_ask": 0.6}),
        Phase(
            name="shock",
            seconds=(10.0, 10.0),
            ramp_s=1.0,
            lean={
                "jump": (36.0, 60.0),
                "act_mult": 50.0,
                "trade_mult": 2.3,
                "sigma_mult": 8.0,
                "depth_bid": 0.15,
                "depth_ask": 0.15,
                "inside_mult": 0.7,
                "flow_bias": 0.5,
                "vix_drift": 300.0,
            },
        ),
        Phase(
            name="news",
            seconds=(50.0, 50.0),
            ramp_s=1.0,
            lean={
                "act_mult": Decay(peak=42.0, tau_s=60.0),
                "trade_mult": 2.3,
                "sigma_mult": Decay(peak=7.0, tau_s=60.0, power=0.8),
                "depth_bid": Decay(peak=0.2, tau_s=90.0),
                "depth_ask": Decay(peak=0.2, tau_s=90.0),
                "inside_mult": Decay(peak=0.75, tau_s=60.0),
            },
        ),
        Phase(
            name="news",
            seconds=(840.0, 1200.0),
            ramp_s=1.0,
            confidence=0.8,
            label_s=600.0,
            lean={
                "act_mult": Decay(peak=9.0, tau_s=110.0),
                "sigma_mult": Decay(peak=3.6, tau_s=400.0, power=0.5),
                "depth_bid": Decay(peak=0.55, tau_s=90.0),
                "depth_ask": Decay(peak=0.55, tau_s=90.0),
                "mu": Decay(peak=0.02, tau_s=300.0),
                "vix_drift": -3.0,
            },
        ),
    ),
    gap_s=(1500.0, 2700.0),
    early_s=1800.0,
    label="long_bias",
    side=1,
    mirror=0.5,
)
_NEWS_SPIKE = Scenario(
    name="news_spike",
    about="figures at a random time: a lull, a gap through the levels, wide spreads, a climax of volume",
    windows=(NEWS_WINDOW,),
)

# --------------------------------------------------------------------------------------------------------- order flow

_ABSORPTION = Phase(
    name="absorption",
    seconds=(70.0, 160.0),
    lean={"mu": 0.02, "flow_bias": 1.3, "depth_bid": 1.2, "sigma_mult": 0.7, "act_mult": 1.7},
    iceberg=Iceberg(side="ask", offset=(0.0, 1.0), reserve=(9000.0, 16000.0), refresh=(120.0, 240.0)),
    confidence=0.6,
    onset_s=30.0,
)
_BREAKOUT = Phase(
    name="breakout",
    seconds=(30.0, 60.0),
    lean={"mu": 0.22, "flow_bias": 0.8, "depth_ask": 0.5, "act_mult": 1.5, "sigma_mult": 0.8},
    ramp_s=3.0,
    confidence=0.9,
)
_FOLLOW = Phase(
    name="retest",
    seconds=(120.0, 240.0),
    lean={"mu": 0.02, "flow_bias": 0.2},
    confidence=0.9,
    label_s=60.0,
)
_GIVE_UP = Phase(name="retest", seconds=(90.0, 180.0), lean={"mu": -0.04, "flow_bias": -0.2})
_BUILD_UP = Phase(name="lull", seconds=(30.0, 60.0), lean={"mu": -0.01, "act_mult": 0.8}, confidence=0.6)


def _accumulation(mirror: float) -> Window:
    return Window(
        phases=(_ABSORPTION, _BUILD_UP),
        repeat=(2, 3),
        last=(_BREAKOUT, _FOLLOW),
        fails=0.25,
        failing=(_GIVE_UP,),
        gap_s=(500.0, 1100.0),
        label="long_bias",
        side=1,
        mirror=mirror,
    )


_ACCUMULATION = Scenario(
    name="orderflow_accumulation",
    about="buying into an offer that does not give way, higher lows, then a breakout",
    windows=(_accumulation(0.0),),
)
_DISTRIBUTION = Scenario(
    name="orderflow_distribution",
    about="selling into a bid that does not give way, lower highs, then a flush",
    windows=(_accumulation(1.0),),
)
_CONFLUENCE = Scenario(
    name="confluence_breakout",
    about="back to VWAP, then the leader goes first and everything agrees: a clean breakout",
    windows=(
        Window(
            phases=(
                Phase(name="lull", seconds=(90.0, 180.0), lean={"to_vwap": 0.02, "act_mult": 0.9, "sigma_mult": 0.8}),
            ),
            last=(
                Phase(
                    name="breakout",
                    seconds=(45.0, 90.0),
                    lean={"mu": 0.155, "flow_bias": 1.2, "act_mult": 2.0, "depth_ask": 0.6},
                    ramp_s=2.0,
                    confidence=0.9,
                    onset_s=2.0,
                ),
                Phase(
                    name="retest",
                    seconds=(120.0, 240.0),
                    lean={"mu": 0.012, "flow_bias": 0.2, "sigma_mult": 0.8},
                    confidence=0.8,
                    label_s=60.0,
                ),
            ),
            fails=0.22,
            failing=(
                Phase(
                    name="breakout",
                    seconds=(15.0, 25.0),
                    lean={"mu": 0.12, "flow_bias": 0.6, "act_mult": 1.6},
                    ramp_s=2.0,
                    confidence=0.6,
                    onset_s=2.0,
                ),
                Phase(name="retest", seconds=(60.0, 120.0), lean={"mu": -0.06, "flow_bias": -0.4}),
            ),
            gap_s=(400.0, 900.0),
            label="long_bias",
            side=1,
        ),
    ),
)
_DIVERGING = Phase(
    name="divergence",
    seconds=(30.0, 60.0),
    lean={
        "mu": 0.15,
        "flow_bias": -0.9,
        "imbalance_mult": 0.12,
        "quote_tilt": 1.1,
        "cancel_empty": 0.9,
        "depth_bid": 2.8,
        "depth_ask": 0.38,
        "trade_mult": 0.85,
    },
    ramp_s=4.0,
    confidence=0.8,
    onset_s=15.0,
)
_DIVERGENCE = Scenario(
    name="delta_divergence",
    about="a new high on falling delta, the offers pulled and the selling absorbed; then it fails",
    windows=(
        Window(
            phases=(_DIVERGING,),
            last=(
                Phase(
                    name="reversal",
                    seconds=(60.0, 120.0),
                    lean={"mu": -0.08, "flow_bias": -0.4},
                    confidence=0.8,
                    label_s=30.0,
                ),
            ),
            fails=0.28,
            failing=(
                Phase(
                    name="reversal",
                    seconds=(60.0, 120.0),
                    lean={"mu": 0.01},
                    confidence=0.8,
                    label_s=30.0,
                ),
            ),
            gap_s=(240.0, 480.0),
            label="divergence_warning",
            side=-1,
            mirror=0.5,
        ),
    ),
)

# -------------------------------------------------------------------------------------------------------------- stress

_FLASH_CRASH = Scenario(
    name="flash_crash",
    about="liquidity goes, the price falls through the book, and comes back most of the way",
    windows=(
        Window(
            phases=(
                Phase(name="lull", seconds=(120.0, 240.0), lean={"depth_bid": 0.5, "depth_ask": 0.7}),
                Phase(
                    name="flush",
                    seconds=(180.0, 300.0),
                    lean={
                        "mu": (-1.3, -0.7),
                        "flow_bias": -2.5,
                        "sigma_mult": 3.0,
                        "act_mult": 20.0,
                        "trade_mult": 2.0,
                        "depth_bid": 0.1,
                        "depth_ask": 0.2,
                        "inside_mult": 0.9,
                        "vix_drift": 40.0,
                    },
                    confidence=0.9,
                    onset_s=10.0,
                ),
                Phase(
                    name="reversal",
                    seconds=(300.0, 480.0),
                    lean={
                        "mu": (0.35, 0.5),
                        "flow_bias": 0.6,
                        "sigma_mult": 2.0,
                        "act_mult": 4.0,
                        "depth_bid": 0.3,
                        "depth_ask": 0.3,
                        "vix_drift": -10.0,
                    },
                ),
            ),
            gap_s=(3600.0, 5400.0),
            label="short_bias",
            side=-1,
        ),
    ),
)
_CIRCUIT_BREAKER = Scenario(
    name="circuit_breaker",
    about="a fall to the limit of 7 percent, where trading stands for fifteen minutes, and what comes after",
    windows=(
        Window(
            phases=(
                Phase(
                    name="flush",
                    seconds=(650.0, 900.0),
                    lean={
                        "mu": -3.0,
                        "flow_bias": -2.0,
                        "sigma_mult": 2.5,
                        "act_mult": 3.5,
                        "trade_mult": 1.3,
                        "depth_bid": 0.15,
                        "depth_ask": 0.4,
                        "inside_mult": 1.0,
                        "vix_drift": 40.0,
                    },
                    confidence=0.9,
                    onset_s=10.0,
                ),
            ),
            last=(
                Phase(
                    name="aftermath",
                    seconds=(1500.0, 2100.0),
                    lean={"act_mult": Decay(peak=5.0, tau_s=120.0), "sigma_mult": Decay(peak=3.0, tau_s=120.0)},
                ),
            ),
            gap_s=(3600.0, 5400.0),
            label="short_bias",
            side=-1,
        ),
    ),
)
_DROUGHT = Scenario(
    name="liquidity_drought",
    about="hardly anybody there: thin queues, few trades, a spread that opens",
    always={"depth_bid": 0.25, "depth_ask": 0.25, "act_mult": 0.35, "inside_mult": 0.35, "sigma_mult": 1.1},
)

SCENARIOS = MappingProxyType(
    {
        scenario.name: scenario
        for scenario in (
            _NORMAL,
            _TREND_UP,
            _TREND_DOWN,
            _CHOP,
            _NEWS_SPIKE,
            _GAMMA_PIN,
            _ACCUMULATION,
            _DISTRIBUTION,
            _CONFLUENCE,
            _DIVERGENCE,
            _FLASH_CRASH,
            _CIRCUIT_BREAKER,
            _DROUGHT,
        )
    }
)
