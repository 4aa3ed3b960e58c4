"""Why a person cannot be written to on a channel at all: what they said, and what is known of their address; and why not once more. It
knows no policies.

Looked up at the moment of sending, never earlier, and once more when something has waited.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Select, literal_column, select

from journey import calls, continuing
from journey.holding import Held
from journey.profiles import Profile
from store import schema, suppressions
from store.entrants import Entrant
from store.work import Work

ALREADY_SENT = "already_sent"
_deliveries = schema.deliveries.c


def of(work: Work, channels: Sequence[str], profile: Profile, carried: Collection[str], *, consent_explicit: bool) -> dict[str, str]:
    """The reason for each channel that cannot be used, in the order consent, address or token, suppression. `carried` are the channels
    that have a provider."""
    reasons: dict[str, str] = {}
    addresses: list[tuple[str, str]] = []
    for channel in channels:
        if channel not in carried:
            reasons[channel] = "no_provider"
        elif channel == calls.CHANNEL:
            continue  # it goes to a system of ours, not to the person
        elif not profile.consents.get(channel, not consent_explicit):
            reasons[channel] = "no_consent"
        elif channel == "email" and not profile.email:
            reasons[channel] = "no_address"
        elif channel == "push" and not profile.push_tokens:
            reasons[channel] = "no_token"
        elif channel == "email":
            addresses.append((channel, profile.email))
    if addresses:
        barred = suppressions.of(work.connection, addresses)
        reasons |= {channel: "suppressed" for channel, address in addresses if (channel, address) in barred}
    return reasons


def again(work: Work, entrant: Entrant, node: str, channels: Sequence[str]) -> dict[str, Held]:
    """Whoever was carried over from an earlier version may come to a message that they have, or may have, got there: under the id of the
    node, or one that it continues. Then nothing of it is sent, on any channel. Nobody else is asked about."""
    if not entrant.carried:
        return {}
    names = continuing.names(entrant.frozen.journey, node)
    got: Select[Any] = select(literal_column("1")).where(
        _deliveries.entrant == entrant.id, _deliveries.n < entrant.n, _deliveries.node.in_(names),
        _deliveries.status.in_(("sent", "uncertain")),
    )  # fmt: skip
    return dict.fromkeys(channels, Held(ALREADY_SENT)) if work.connection.execute(got.limit(1)).first() is not None else {}
