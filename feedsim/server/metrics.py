"""The counters as a Prometheus page. Nothing here runs unless the page is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from feedsim.events import CHANNELS
from feedsim.hub.counters import LATE_BOUNDS_S, Counters
from feedsim.hub.session import Session
from feedsim.hub.sessions import Sessions

if TYPE_CHECKING:
    from prometheus_client.core import Metric

TAP_STATES = ("off", "recording", "stopped", "sealed")
METRICS = (
    "feedsim_events_total",
    "feedsim_sent_events_total",
    "feedsim_sent_bytes_total",
    "feedsim_skipped_events_total",
    "feedsim_refused_total",
    "feedsim_clients",
    "feedsim_sessions",
    "feedsim_client_lag_seconds",
    "feedsim_pacing_error_seconds",
    "feedsim_ring_bytes",
    "feedsim_ring_max_bytes",
    "feedsim_ring_events",
    "feedsim_session_seq",
    "feedsim_speed",
    "feedsim_tap_rows_total",
    "feedsim_tap_state",
    "feedsim_tap_durable_seq",
    "feedsim_bridge_clients",
    "feedsim_bridge_sent_total",
    "feedsim_bridge_sent_bytes_total",
    "feedsim_bridge_conflated_total",
    "feedsim_bridge_delayed_total",
    "feedsim_bridge_skipped_total",
    "feedsim_bridge_refused_total",
)
"""Every metric that the page has; the dashboard uses each."""


class TapState(Protocol):
    """What is shown of a recorder."""

    @property
    def state(self) -> str: ...

    @property
    def rows(self) -> int: ...

    @property
    def durable_seq(self) -> int: ...


class ClientCount(Protocol):
    """What is shown of the server."""

    @property
    def clients(self) -> int: ...


class BridgeTotals(Protocol):
    """What a bridge counts."""

    clients: int
    sent: int
    bytes: int
    conflated: int
    delayed: int
    skipped: int
    refused: int


class BridgeState(Protocol):
    """What is shown of a bridge."""

    @property
    def name(self) -> str: ...

    @property
    def counts(self) -> BridgeTotals: ...


def metrics_page(
    counters: Counters,
    sessions: Sessions,
    server: ClientCount,
    tap: TapState | None,
    bridges: Sequence[BridgeState] = (),
) -> tuple[str, bytes]:
    """The content type and the text of the page."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    class Collector:
        def collect(self) -> Iterator[Metric]:
            yield from _totals(counters)
            yield from _gauges(sessions, server)
            yield from _tap(tap)
            yield from _bridges(bridges)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector())
    return CONTENT_TYPE_LATEST, generate_latest(registry)


def _totals(counters: Counters) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    events = CounterMetricFamily("feedsim_events", "Events published, by channel.", labels=["channel"])
    for channel, count in zip(CHANNELS, counters.by_channel.tolist(), strict=True):
        events.add_metric([channel], count)
    yield events
    yield CounterMetricFamily("feedsim_sent_events", "Events written, over all clients.", counters.sent_events)
    yield CounterMetricFamily("feedsim_sent_bytes", "Bytes of events written, over all clients.", counters.sent_bytes)
    yield CounterMetricFamily("feedsim_skipped_events", "Events that slow clients lost (named).", counters.skipped)
    refused = CounterMetricFamily("feedsim_refused", "Requests and connections refused, by reason.", labels=["reason"])
    for reason, count in sorted(counters.refused.items()):
        refused.add_metric([reason], count)
    yield refused
    buckets: list[tuple[str, float]] = []
    total = 0
    for bound, count in zip((*LATE_BOUNDS_S, float("inf")), counters.late, strict=True):
        total += count
        buckets.append(("+Inf" if bound == float("inf") else repr(bound), total))
    late = HistogramMetricFamily("feedsim_pacing_error_seconds", "How late wake-ups were.")
    late.add_metric([], buckets, counters.late_sum_s)
    yield late


def _gauges(sessions: Sessions, server: ClientCount) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    live, everyone = sessions.live, sessions.all()
    yield GaugeMetricFamily("feedsim_clients", "Clients connected.", server.clients)
    yield GaugeMetricFamily("feedsim_sessions", "Sessions, the live one included.", len(everyone))
    lag = GaugeMetricFamily("feedsim_client_lag_seconds", "How far clients are behind.", labels=["quantile"])
    lags = sorted(behind for session in everyone for behind in _lags(session))
    for quantile in (0.5, 0.99, 1.0):
        at = max(-(-len(lags) * quantile // 1) - 1, 0)
        lag.add_metric([f"{quantile:g}"], lags[int(at)] if lags else 0.0)
    yield lag
    yield GaugeMetricFamily("feedsim_ring_bytes", "Memory of all rings.", sum(s.ring.nbytes for s in everyone))
    most = sum(s.ring.max_bytes for s in everyone)
    yield GaugeMetricFamily("feedsim_ring_max_bytes", "Memory that all rings may take.", most)
    ring_events = sum(s.ring.head + 1 - s.ring.first_seq for s in everyone)
    yield GaugeMetricFamily("feedsim_ring_events", "Events in all rings.", ring_events)
    yield GaugeMetricFamily("feedsim_session_seq", "Newest seq of the live session.", live.ring.head)
    yield GaugeMetricFamily("feedsim_speed", "Speed of the live session, times real time.", live.player.clock.speed)


def _lags(session: Session) -> list[float]:
    """Seconds since the oldest event that each reader has not got was due; at speed max they have none."""
    clock, now = session.player.clock, session.player.pacer.now()
    lags: list[float] = []
    for seq in session.readers.positions():
        block = session.ring.find(seq + 1) if seq < session.ring.head else None
        behind = 0.0
        if block is not None and not clock.unpaced:
            behind = now - clock.deadline(int(block.chunk.avail[seq + 1 - block.first_seq]))
        lags.append(max(behind, 0.0))
    return lags


def _tap(tap: TapState | None) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    yield CounterMetricFamily("feedsim_tap_rows", "Rows that the tap has taken.", 0 if tap is None else tap.rows)
    state = GaugeMetricFamily("feedsim_tap_state", "1 for the tap's state.", labels=["state"])
    for name in TAP_STATES:
        state.add_metric([name], float(name == ("off" if tap is None else tap.state)))
    yield state
    yield GaugeMetricFamily("feedsim_tap_durable_seq", "Seq safely on disk.", 0 if tap is None else tap.durable_seq)


_BRIDGE_TOTALS = {
    "sent": ("sent", "Messages, lines or records written."),
    "sent_bytes": ("bytes", "Bytes of them."),
    "conflated": ("conflated", "Not written because something newer of their kind was."),
    "delayed": ("delayed", "Written later than they were told."),
    "skipped": ("skipped", "Not written at all."),
    "refused": ("refused", "Connections and requests refused."),
}


def _bridges(bridges: Sequence[BridgeState]) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    clients = GaugeMetricFamily("feedsim_bridge_clients", "Clients of each bridge.", labels=["bridge"])
    for bridge in bridges:
        clients.add_metric([bridge.name], bridge.counts.clients)
    yield clients
    for name, (field, text) in _BRIDGE_TOTALS.items():
        total = CounterMetricFamily(f"feedsim_bridge_{name}", f"{text} Of each bridge.", labels=["bridge"])
        for bridge in bridges:
            total.add_metric([bridge.name], getattr(bridge.counts, field))
        yield total
