"""What a simulated person's stops do: send, call, write, decide; and by which exit each is left. It knows no walk and no time of its own.

It is for what journeys do what hearing.py is for what people do. The store does the same (store/steps.py, store/closing.py);
tests/store/test_same_story.py holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from journey import call_rendering, calls, deciding, ids, liquid_values, review, rules, tries, updating
from journey.calls import Response
from journey.errors import RenderError
from journey.events import Instant
from journey.gate import MICROSECONDS
from journey.graph import UpdateProfile, Webhook
from journey.profiles import Profile
from journey.rendering import Context
from journey.review import DISCARDED, IN_REVIEW
from journey.rule_tree import Rule
from journey.simulation import sending
from journey.simulation.hearing import Hearing
from journey.simulation.holding import Holding
from journey.simulation.story import Effect, Moment, Reviews, Script, Told, World
from journey.tries import SENT_AGAIN
from journey.version import Version
from journey.walk import Acting, Answer, Call, Decide, Enter, Send, Write

ANSWERED = Response(200)
"""What a webhook answers of which the world says nothing."""


@dataclass
class Doing:
    """The hands of one person. `told` is shared with the walk; `profile` is as it is now, `answered` what webhooks answered, by node;
    `misfits` are the nodes that wrote nothing, each with the code of its reason; `seen` are deliveries that were made out for a review."""

    version: Version
    world: World
    script: Script
    entrant: str
    key: str
    profile: Profile
    hearing: Hearing
    told: list[Told]
    answered: dict[str, Response] = field(default_factory=dict)
    misfits: list[tuple[str, str]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.holding = Holding(self.version, self.world, self.entrant)

    def learn(self) -> None:
        """What has happened may have changed the profile, and where its person can be written to."""
        self.profile = self.hearing.reach.of(replace(self.profile, attributes=dict(self.hearing.attributes)))
        self.world = self.hearing.reach.around(self.world)

    def claim(self, answer: Answer, n: int, now: Instant, deadline: Instant) -> list[Told]:
        """The deliveries of what step n does: those of a message, of a call, or none. `deadline` is the end of the journey."""
        match answer:
            case Send():
                claims = sending.claim(self.world, self.profile, self.entrant, n, answer)
                if review.holds(self.version.journey, answer.node) and any(told.status == "claimed" for told in claims):
                    going = self._for_review(claims, answer, n, now, deadline)
                else:
                    going = [self._made_out(told, now) for told in self.holding.judge(claims, self.profile, n, now, deadline)]
                self.hearing.reach.went(going, self.profile)
                return going
            case Call():
                return [
                    self._call(answer, Told(ids.delivery(self.entrant, n, calls.CHANNEL), answer.node, "", calls.CHANNEL, "claimed"), now)
                ]
        return []

    def would_go(self, answer: Send | Call, n: int) -> bool:
        """Would something go if it were claimed in step n, as far as it depends on this person?"""
        if isinstance(answer, Call):
            return True
        return any(told.status == "claimed" for told in sending.claim(self.world, self.profile, self.entrant, n, answer))

    def done(self, answer: Acting, now: Instant) -> tuple[str, str]:
        """Do it, or mark what was claimed for it; the exit that this comes to, and a sentence, empty when there is nothing to say."""
        match answer:
            case Send():
                self.mark(answer, now)
                return self._sent(answer)
            case Call():
                return self._called(answer, now)
            case Write():
                return self._written(answer, now)
            case Decide():
                decision = deciding.decide(self.version.journey, answer.node, self.key, lambda asked: self.scope(now, asked))
                return decision.exit, ""
            case Enter():
                return "next", f"jumps to {answer.journey}: that is another story"

    # ---- sending and calling ---------------------------------------------------------------------------------------------------------

    def is_out(self, told: Told) -> bool:
        """Is it on its way, and neither over nor held back?"""
        return told.status == "claimed" and told.id not in self.holding.until

    def mark(self, send: Send, now: Instant) -> None:
        """What was out of a message has its answer; what is to be sent again waits a moment."""
        repeats = self.world.messages[send.message].may_repeat
        for index, told in enumerate(self.told):
            if told.node == send.node and self.is_out(told):
                arrived = told.id in self.hearing.arrived
                self.told[index] = sending.mark(told, self.script, may_repeat=repeats, arrived=arrived)
                if self.is_out(self.told[index]):
                    self.holding.until[told.id] = now + int(tries.pause(1) * MICROSECONDS)
                self.holding.marked(self.told[index], self.holding.until.get(told.id, now))

    def release(self, send: Send, n: int, now: Instant, deadline: Instant) -> bool:
        """What was held until now is judged anew; True when something of the message goes."""
        until = self.holding.until
        due = [index for index, told in enumerate(self.told) if told.node == send.node and until.get(told.id, now + 1) <= now]
        for index in [index for index in due if self.told[index].reason == SENT_AGAIN]:
            told = self.told[index]
            self.told[index] = sending.again(told, self.profile, self.world, arrived=told.id in self.hearing.arrived)
            del until[told.id]
        due = [index for index in due if self.told[index].id in until]
        anew = [sending.judged(self.told[index], self.profile, self.world) for index in due]
        for told in anew:
            until.pop(told.id, None)
        for index, told in zip(due, self.holding.judge(anew, self.profile, n, now, deadline), strict=True):
            self.told[index] = self._made_out(told, now)
        self.hearing.reach.went((self.told[index] for index in due), self.profile)
        return any(told.node == send.node and self.is_out(told) for told in self.told)

    def _made_out(self, told: Told, now: Instant) -> Told:
        """Whatever goes now is made out first, unless that was done for its review; what cannot be has failed at once."""
        if not self.is_out(told) or told.id in self.seen:
            return told
        made = self._rendered(told, now)
        if made.status == "failed":
            self.holding.marked(made, now)
        return made

    def _rendered(self, told: Told, now: Instant) -> Told:
        if not self.world.renders:
            return told
        context = Context(
            profile=self.profile, delivery=told.id, journey=self.version.journey.id, event=self._event(),
            public_url=sending.NOWHERE, signer=sending.SIGNER, default_sender=sending.SENDER,
            now=datetime.fromtimestamp((self.world.begins + now) / 1_000_000, UTC), entry=self.hearing.about.entry,
            calls=calls.known(self.answered),
        )  # fmt: skip
        return sending.made_out(told, self.world, context)

    # ---- held for review -------------------------------------------------------------------------------------------------------------

    def _for_review(self, claims: list[Told], send: Send, n: int, now: Instant, deadline: Instant) -> list[Told]:
        """What may go is made out and waits for its review; it is approved at once where the script reviews nothing of it."""
        held = self.holding.for_review(claims, deadline)
        self._look_at(held, now)
        if send.node in self.script.reviewed:
            return held
        said = f"{send.message}: held for review, and approved at once, since nobody reviews here"
        self.hearing.timeline.append(Moment(now, said))
        going = [replace(told, reason="") for told in held if told.id in self.seen]
        for told in going:
            del self.holding.until[told.id]
        judged = {told.id: told for told in self.holding.judge(going, self.profile, n, now, deadline)}
        return [judged.get(told.id, told) for told in held]

    def _look_at(self, held: Sequence[Told], now: Instant) -> None:
        """What can be made out is seen, and is sent as it was seen."""
        for told in held:
            if told.reason != IN_REVIEW or told.id in self.seen:
                continue
            if self._rendered(told, now).status != "failed":
                self.seen.add(told.id)
            else:
                words = f"{told.message} on {told.channel} cannot be made out: whoever reviews it is told"
                self.hearing.timeline.append(Moment(now, words))

    def review(self, index: int, said: Reviews, now: Instant) -> bool:
        """What a node holds for review may go now, or is left out; False when it holds nothing. What cannot be made out is tried once
        more. `index` is that of the happening."""
        found = [place for place, told in enumerate(self.told) if told.node == said.of and told.reason == IN_REVIEW]
        became = {"approve": "approved", "discard": "discarded"}[said.verdict] if found else "no_effect"
        self.hearing.effects[index] = Effect(became)
        words = f"what waits for its review at {said.of} is {became}" if found else f"nothing waits for its review at {said.of}"
        self.hearing.timeline.append(Moment(now, words))
        if said.verdict == "approve":
            self._look_at([self.told[place] for place in found], now)
        for place in found:
            told = self.told[place]
            if said.verdict == "discard":
                del self.holding.until[told.id]
                self.told[place] = replace(told, status="excluded", reason=DISCARDED)
            elif told.id in self.seen:
                self.holding.until[told.id], self.told[place] = now, replace(told, reason="")
                self.holding.asked(ids.read_delivery(told.id).n, now)
        return bool(found)

    def unreviewed(self, send: Send, now: Instant, deadline: Instant) -> str:
        """Why somebody ends whose message nobody has reviewed; empty when they do not."""
        waits = any(told.reason == IN_REVIEW for told in self.held(send).values())
        return "global_timeout" if waits and now >= deadline else ""

    def give_up(self, send: Send) -> None:
        """They must end: what is held is not sent any more."""
        for index, told in enumerate(self.told):
            if told.node == send.node and self.holding.until.pop(told.id, None) is not None:
                self.told[index] = sending.given_up(told, arrived=told.id in self.hearing.arrived)

    def rests(self, send: Send) -> bool:
        """Is all that is left of a message held back?"""
        return bool(self.held(send)) and not any(told.node == send.node and self.is_out(told) for told in self.told)

    def held(self, send: Send) -> dict[str, Told]:
        """What is held back of a message, by channel."""
        return {told.channel: told for told in self.told if told.node == send.node and told.id in self.holding.until}

    def next_of(self, send: Send) -> Instant:
        """When the first of what is held back of a message may be tried again."""
        return min(self.holding.until[told.id] for told in self.held(send).values())

    def _sent(self, send: Send) -> tuple[str, str]:
        marked = [told for told in self.told if told.node == send.node]
        parts = [f"{told.status} on {told.channel}" + (f" ({told.reason})" if told.reason else "") for told in marked]
        return sending.outcome(marked), f"{send.message}: {', '.join(parts) or 'nothing to send'}"

    def _called(self, call: Call, now: Instant) -> tuple[str, str]:
        """A webhook is called, and answers as the script says; what it answers is seen by later nodes."""
        at = next(index for index, told in enumerate(self.told) if told.node == call.node)
        told, response = self._answered(self.told[at])
        self.told[at] = told
        if response is not None:
            self.answered[call.node] = response
        answer = f"{call.node}: {call.host} answers {response.status}" if response is not None else f"{call.node}: not answered"
        return sending.outcome([told]), answer + (f" ({told.reason})" if told.reason else "")

    def _call(self, call: Call, told: Told, now: Instant) -> Told:
        """The call is made out when it is claimed; one that cannot be has failed at once, and calls nobody."""
        node = self.version.journey.node(call.node)
        assert isinstance(node, Webhook)
        try:
            call_rendering.render(node, self._values(now) | {"delivery": told.id})
        except RenderError as error:
            return replace(told, status="failed", reason=error.code)
        return told

    def _answered(self, told: Told) -> tuple[Told, Response | None]:
        """What came of it in the end. A transient answer is what was left when all tries were used up."""
        if told.status == "failed":
            return told, None
        if (told.node, told.channel) in self.script.failing:
            return replace(told, status="failed", reason="call_refused"), None
        response = self.world.responses.get(told.node, ANSWERED)
        match calls.meaning(response.status):
            case "took":
                return replace(told, status="sent"), response
            case "later":
                return replace(told, status="failed", reason="retries_exhausted"), response
        return replace(told, status="failed", reason="call_refused"), response

    # ---- writing and deciding --------------------------------------------------------------------------------------------------------

    def _written(self, write: Write, now: Instant) -> tuple[str, str]:
        """Write into the profile, whole or not at all."""
        node = self.version.journey.node(write.node)
        assert isinstance(node, UpdateProfile)
        found = updating.written(node, self.version.writes, self.scope(now), self._values(now))
        if isinstance(found, updating.Misfit):
            self.misfits.append((node.id, found.code))
            return "error", f"{write.node} writes nothing: {found.sentence}"
        kept = {name: value for name, value in (self.profile.attributes | found).items() if value is not None or name not in found}
        self.profile = replace(self.profile, attributes=kept)
        self.hearing.learn(kept)
        return "next", f"{write.node} writes {', '.join(found)}"

    # ---- what there is to look at ----------------------------------------------------------------------------------------------------

    def scope(self, now: Instant, asked: Sequence[Rule] = ()) -> rules.Scope:
        """What these rules and waits look at now."""
        entry, answers = self.hearing.about.entry, calls.known(self.answered)
        found = rules.Scope.of_profile(self.profile.attributes, event=self._event(), entry=entry, calls=answers)
        return self.hearing.past.gathered(self.hearing.attributes, found, asked, now)

    def _values(self, now: Instant) -> dict[str, Any]:
        return liquid_values.of(
            self.profile, journey=self.version.journey.id, entrant=self.entrant, event=self._event(),
            entry=self.hearing.about.entry, calls=calls.known(self.answered),
            now=self.world.begins + now,
        )  # fmt: skip

    def _event(self) -> Mapping[str, Any]:
        return self.hearing.last_event.data if self.hearing.last_event is not None else {}
