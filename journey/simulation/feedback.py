"""What comes back of a simulated person's messages, and whether they can be written to after it. It knows no walk and no time.

The store does the same (store/feedback.py); tests/store/test_same_story.py holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from journey import addresses, events, feedback
from journey.events import Event
from journey.feedback import Kind
from journey.policies import HELD
from journey.profiles import Profile
from journey.review import IN_REVIEW
from journey.simulation.story import Reacts, Told, World

SAID_BY_PROVIDERS = tuple(dict.fromkeys(feedback.REACTION.values()))


_WAITS = (*HELD, IN_REVIEW)
"""Reasons of a delivery that has not gone yet."""


@dataclass
class Reach:
    """Where a person can be written to, by what has come back. `sent_to` is where each e-mail went; `barred` addresses are suppressed,
    and of `withdrawn` channels they want no more."""

    sent_to: dict[str, str] = field(default_factory=dict)
    barred: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)
    _soft: dict[str, set[str]] = field(default_factory=dict)

    def went(self, told: Iterable[Told], profile: Profile) -> None:
        """What has gone out since: where it goes is known by then, and never later."""
        for one in told:
            if one.channel == "email" and one.status == "claimed" and one.reason not in _WAITS:
                self.sent_to[one.id] = profile.email

    def came_back(self, told: Told, happening: Reacts, email: str) -> None:
        """Something has come back of a delivery. `email` is the address of its person now: what comes back of another bars nothing."""
        channel, _, kind = happening.to.partition(".")
        address = addresses.key(self.sent_to.get(told.id, ""))
        has = address if address and address == addresses.key(email) else ""
        if kind == "unsubscribed":
            self.withdrawn.add(channel)
        elif channel != "email":
            pass
        elif kind in feedback.ARRIVED:
            self._soft.pop(address, None)
        elif kind == "complained" or (kind == "bounced" and not happening.soft):
            self.barred |= {has} - {""}
        elif kind == "bounced":
            bounces = self._soft.setdefault(address, set())
            bounces.add(told.id)
            if len(bounces) >= feedback.SOFT_BOUNCES:
                self.barred |= {has} - {""}

    def reaction(self, happening: Reacts, told: Iterable[Told], profile: str, attributes: Mapping[str, Any]) -> Event | None:
        """The event that it is; None for what cannot be. Also said again it tells whether its person can be written to."""
        one = answered(happening, told)
        if one is None:
            return None
        self.came_back(one, happening, str(attributes.get("email") or ""))
        kind = happening.to.partition(".")[2]
        bounce = ("soft" if happening.soft else "hard") if kind == "bounced" else ""
        made = events.reaction(one.id, one.node, kind, profile=profile, link=happening.link, bounce=bounce)
        return replace(made, accepted_at=happening.at)

    def of(self, profile: Profile) -> Profile:
        """The person with what they have taken back."""
        return replace(profile, consents={**profile.consents, **dict.fromkeys(self.withdrawn, False)}) if self.withdrawn else profile

    def around(self, world: World) -> World:
        """The world with the addresses that nothing is sent to any more."""
        return replace(world, suppressed=world.suppressed | {("email", address) for address in self.barred}) if self.barred else world


def as_feedback(happening: Reacts) -> Kind | None:
    """What a provider says when this happens; None for what people do themselves."""
    kind = happening.to.partition(".")[2]
    if kind == "bounced":
        return "soft_bounce" if happening.soft else "hard_bounce"
    return next((said for said, of in feedback.REACTION.items() if of == kind), None)


def answered(happening: Reacts, told: Iterable[Told]) -> Told | None:
    """The delivery that somebody reacts to; None where it never was on its way (G5), or where a provider has nothing to say of it."""
    channel, _, kind = happening.to.partition(".")
    for one in told:
        if (one.node, one.channel) != (happening.of, channel):
            continue
        if one.status == "excluded" or (kind in SAID_BY_PROVIDERS and (one.status == "failed" or one.reason in _WAITS)):
            return None
        return one
    return None
