"""Why a person cannot be written to on a channel at all: what they said, and what is known of their address. It knows no policies.

Looked up at the moment of sending, never earlier, and once more when something has waited.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from journey import calls
from journey.profiles import Profile
from store import suppressions
from store.work import Work


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
