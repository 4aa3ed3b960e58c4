"""What policies hold back of a simulated person's messages, and what counts under their caps. It knows no walk and no time of its own.

Caps see only what this one journey sends: of others the simulator knows nothing. store/claims.py does the same for real.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from journey import caps, holding, quiet_hours
from journey.caps import Place
from journey.events import Instant
from journey.holding import Wanted
from journey.policies import CAPPED
from journey.profiles import Profile
from journey.review import IN_REVIEW
from journey.simulation.story import Told, World
from journey.version import Version


@dataclass
class Holding:
    """The policies of one person's world. `until` says of each delivery that is held when it may be tried again, after the admission."""

    version: Version
    world: World
    entrant: str
    until: dict[str, Instant] = field(default_factory=dict)
    _places: dict[str, Place] = field(default_factory=dict)
    _asked: dict[int, Instant] = field(default_factory=dict)

    def judge(self, claims: Sequence[Told], profile: Profile, n: int, now: Instant, deadline: Instant) -> list[Told]:
        """What may not go now of what is claimed in step n is held, with its reason, or excluded."""
        open_ones = [told for told in claims if told.status == "claimed"]
        for told in claims:
            if told.status == "excluded":  # meanwhile: it stands in no line any more
                self._places.pop(told.id, None)
        if not open_ones or self.world.messages[open_ones[0].message].kind == "transactional":
            return list(claims)
        begins, asked = self.world.begins, self._asked.setdefault(n, now)
        own = {told.id for told in open_ones}
        wanted = Wanted(
            self.entrant, n, self.version.journey.priority, quiet_hours.zone_of(profile), begins + asked, begins + deadline
        )  # fmt: skip
        verdicts = holding.judge(
            self.world.policies, wanted, [told.channel for told in open_ones], begins + now,
            lambda: [place for name, place in self._places.items() if name not in own],
        )  # fmt: skip
        found: list[Told] = []
        for told in claims:
            verdict = verdicts.get(told.channel) if told.status == "claimed" else None
            if told.status == "claimed":
                self.until.pop(told.id, None)
                self._places.pop(told.id, None)
            if verdict is not None and verdict.until is not None:
                self.until[told.id] = verdict.until - begins
                if verdict.reason == CAPPED:
                    rank = caps.rank(wanted.priority, wanted.asked_at, self.entrant, n, told.channel)
                    self._places[told.id] = Place(told.channel, verdict.until, rank)
            elif verdict is None and told.status == "claimed":
                self._places[told.id] = Place(told.channel, begins + now)
            status = "excluded" if verdict is not None and verdict.until is None else told.status
            reason = verdict.reason if verdict is not None else told.reason if status == "excluded" else ""
            found.append(replace(told, status=status, reason=reason))
        return found

    def for_review(self, claims: Sequence[Told], deadline: Instant) -> list[Told]:
        """What may go of what is claimed waits for its review first, for as long as its person is in the journey."""
        self.until |= {told.id: deadline for told in claims if told.status == "claimed"}
        return [replace(told, reason=IN_REVIEW) if told.status == "claimed" else told for told in claims]

    def asked(self, n: int, now: Instant) -> None:
        """A message of step n was approved: it is due since now."""
        self._asked[n] = now

    def marked(self, told: Told, now: Instant) -> None:
        """What became of a delivery that was out: what failed gives its place back."""
        if told.id in self._places and told.status == "failed":
            del self._places[told.id]
        elif told.id in self._places:
            self._places[told.id] = Place(told.channel, self.world.begins + now)
