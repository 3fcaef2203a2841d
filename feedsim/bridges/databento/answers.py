"""What a subscription is answered with, before its data: mappings, an acknowledgement, definitions, a snapshot."""

from __future__ import annotations

from collections.abc import Callable

from feedsim.bridges.databento.client import Client
from feedsim.bridges.databento.lines import Subscribe
from feedsim.bridges.databento.tellings import Tellings
from feedsim.dbn.available import missing
from feedsim.dbn.layout import SUBSCRIPTION_ACK, SYMBOL_RESOLUTION_FAILED
from feedsim.dbn.listing import Listed, Listing
from feedsim.dbn.messages import definitions, error, mappings, snapshot, system
from feedsim.errors import ProtocolError
from feedsim.hub.session import Session
from feedsim.instruments import NS_PER_S

DAY_NS = 24 * 3600 * NS_PER_S
REPLAY_NS = DAY_NS  # as far back as the vendor replays


class Answers:
    """Answers subscriptions to one session."""

    def __init__(self, session: Session, listing: Listing, tellings: Tellings, *, now_ns: Callable[[], int]) -> None:
        self._session, self._listing, self._tellings = session, listing, tellings
        self._now_ns = now_ns

    def acknowledge(self, client: Client, subscription: Subscribe) -> list[Listed]:
        """Mappings and the answer to one subscription. Raises ProtocolError for one that cannot be served."""
        self._check(subscription)
        now_ns = self._now_ns()
        found: dict[int, Listed] = {}
        unknown: list[str] = []
        day_ns = now_ns - now_ns % DAY_NS
        for name in subscription.symbols:
            theirs = self._listing.resolve(subscription.stype, name)
            if theirs:
                records = mappings(
                    subscription.stype, name, theirs, ts_ns=now_ns, start_ns=day_ns, end_ns=day_ns + DAY_NS
                )
                client.write_records(records)
            else:
                unknown.append(name)
            found.update({listed.code: listed for listed in theirs})
        id_ = "" if subscription.id is None else f" {subscription.id}"
        message = f"Subscription request{id_} for {subscription.schema} data succeeded"
        client.write_records(system(SUBSCRIPTION_ACK, message, ts_ns=now_ns))
        for name in unknown:
            message = f"Failed to resolve symbol {name[:80]} as {subscription.stype}"
            client.write_records(error(SYMBOL_RESOLUTION_FAILED, message, ts_ns=now_ns, is_last=name is unknown[-1]))
        if subscription.schema == "definition" and found:
            client.write_records(definitions([found[code] for code in sorted(found)], ts_ns=now_ns))
        if subscription.snapshot and found:
            client.write_records(
                snapshot([found[code] for code in sorted(found)], self._tellings.resting(), ts_ns=now_ns)
            )
        return list(found.values())

    def _check(self, subscription: Subscribe) -> None:
        tape, schema = self._session.tape, subscription.schema
        if lacks := missing(schema, tape.channels, tape.config.bar_tf_s):
            raise ProtocolError("bad_request", f"Schema {schema} is not available: {lacks}")
        start_ns = subscription.start_ns
        if start_ns is None or start_ns == 0:
            return
        if start_ns > self._now_ns():
            raise ProtocolError("bad_request", "Invalid start: it lies in the future of this session's clock")
        if start_ns < self._now_ns() - REPLAY_NS:
            raise ProtocolError("bad_request", "Invalid start: data of the last 24 hours can be replayed")
