"""Plays a story on a real server: the workflow, the stops, the store and the providers are those of production, only time is ours.

Whenever the person stands still and nothing is to happen earlier, the clock goes on to the next instant of the story, and the workflow is
asked to look again: deadlines are the store's, and a timer of the server's is only what wakes somebody. So nobody waits for anything.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial

from api.events import tell
from api.services import Services
from demo import story_stage
from demo.story_pace import Pace
from demo.story_stage import Play
from demo.story_standing import Standing, standing
from demo.story_stops import Told, step_name
from journey import ids
from journey.errors import NotFound, Unavailable
from journey.events import PROFILE_CHANGED, Event, Instant
from journey.graph import ReadSegment
from journey.simulation.feedback import as_feedback
from journey.simulation.story import Changes, Effect, Happening, Moment, Occurs, Pauses, Reacts, Resumes, Reviews, Story, happening_name
from store import acceptance, changes, dates, feedback, overdue, pausing, removal, reviews, runs, settling
from store.acceptance import Arrived, Verdict

PATIENCE = 60.0
"""Seconds without anything happening after which a story is given up."""
_ASK_AGAIN = 0.5
_LOOK_AGAIN = 0.05


@dataclass(frozen=True, slots=True)
class _Next:
    """When the person, who `stands` so, moves on by themselves; it is past for whoever came too late. `under_way` is a stop that is over
    then, `held_up` one that needs only the time."""

    at: Instant
    stands: Standing
    under_way: bool = False
    held_up: bool = False


@dataclass
class Player:
    """One story. `services` is what the API works with, on a process whose clock is that of `pace`."""

    play: Play
    services: Services
    pace: Pace
    told: Told
    effects: dict[int, Effect] = field(default_factory=dict)
    names: dict[int, tuple[str, str]] = field(default_factory=dict)
    timeline: list[Moment] = field(default_factory=list)
    run_id: str = ""
    approved: set[int] = field(default_factory=set)  # steps whose message was approved at once, since the script does not review it

    async def run(self) -> Story:
        """From the beginning to the end of the story. Raises Unavailable when the person stands still where they should go on."""
        await self.services.database.write(lambda work: story_stage.stage(work, self.play))
        if isinstance(self.play.version.journey.entry_node, ReadSegment):
            self.run_id = await self.services.database.write(lambda work: story_stage.begin_run(work, self.play))
            await self._run_lets_in()
        script = self.play.script
        for index in sorted(range(len(script.happenings)), key=lambda index: script.happenings[index].at):
            happening = script.happenings[index]
            if script.until is not None and happening.at > script.until:
                break
            await self._advance(happening.at, before=True)
            await self._happen(index, happening)
        await self._advance(script.until)
        return await self._story()

    # ---- time --------------------------------------------------------------------------------------------------------------------

    async def _advance(self, to: Instant | None, *, before: bool = False) -> None:
        """Let time pass: stops close, and what listens is over. `before` leaves open what is over at that very instant. What the clock
        brings to the version comes first."""
        begins, database = self.play.world.begins, self.services.database
        while True:
            moves = await self._settled()
            turn = await database.read(story_stage.turns_at)
            looks = moves is not None or to is not None or await database.read(story_stage.waits_to_begin)
            if looks and turn is not None and (to is None or turn - begins <= to) and (moves is None or turn <= moves.at):
                self.pace.move_to(turn)
                await self._serve()
                continue
            if moves is None:
                return
            at = moves.at - begins
            last = to - 1 if to is not None and before and not moves.under_way else to
            if last is not None and at > last:
                return
            self.pace.move_to(moves.at)
            if not moves.held_up:
                await self._wake(moves.stands)

    async def _settled(self) -> _Next | None:
        """Wait until time alone could move the person on, and nobody looks at the clock; None for somebody outside, or at their end."""
        loop = asyncio.get_running_loop()
        patient_until = loop.time() + PATIENCE
        while True:
            stands = await self._standing()
            if stands is not None and self._is_approved_at_once(stands):
                self.approved.add(stands.n)
                await self._review(stands.reviewed, "approve")
                continue
            moves = self._next(stands) if stands is not None and not stands.ended else None
            if (moves is not None or stands is None or stands.ended) and not self.pace.looking:
                return moves
            if loop.time() > patient_until:
                raise Unavailable(f"{self.play.entrant} stands still: after {PATIENCE:.0f} s there is {stands}.")
            await self._some_change()

    def _next(self, stands: Standing) -> _Next | None:
        now = self.pace.clock.now()
        step = self.pace.held(step_name(self.play.entrant, stands.n + 1))
        if step is not None:
            return _Next(step, stands, under_way=True, held_up=True)
        if stands.goes_on or (stands.must_end and not stands.out):
            return None  # they are told: nothing keeps them
        if stands.stands:
            return _Next(stands.next_instant, stands)
        if stands.open_step:
            held_up = [self.pace.held(name) for name in stands.out]
            if stands.renders:
                return None
            if held_up:
                known = [at for at in held_up if at is not None]
                return _Next(min(known), stands, under_way=True, held_up=True) if len(known) == len(held_up) else None
            return _Next(max(stands.free_at, now), stands, under_way=True) if stands.free_at is not None else None
        return _Next(stands.next_instant, stands) if stands.waits else None

    def _is_approved_at_once(self, stands: Standing) -> bool:
        """Does a message wait for its review that the script does not review?"""
        waits = bool(stands.reviewed) and not stands.renders and not stands.ended
        return waits and stands.reviewed not in self.play.script.reviewed and stands.n not in self.approved

    async def _wake(self, before: Standing) -> None:
        """Time is up for somebody who stood so: their workflow asks the store, as it does when its timer fires."""
        loop = asyncio.get_running_loop()
        patient_until, asked = loop.time() + PATIENCE, 0.0
        self.pace.due = True
        self.pace.changed()
        try:
            while await self._standing() == before and not self.pace.held(step_name(self.play.entrant, before.n + 1)):
                if loop.time() > patient_until:
                    raise Unavailable(f"{self.play.entrant} does not go on although their time is up: {before}.")
                if loop.time() - asked > _ASK_AGAIN:
                    await self.services.workflows.leave(self.play.entrant, "")
                    asked = loop.time()
                await self._some_change()
        finally:
            self.pace.due = False

    async def _standing(self) -> Standing | None:
        return await self.services.database.read(lambda c: standing(c, self.play.entrant, self.play.version.journey))

    async def _some_change(self) -> None:
        """Something has happened, or a moment has passed: not all that happens is told."""
        try:
            async with asyncio.timeout(_LOOK_AGAIN):
                await self.pace.change()
        except TimeoutError:
            pass

    # ---- what happens ------------------------------------------------------------------------------------------------------------

    async def _run_lets_in(self) -> None:
        """The run reads to its end, unless it is to wait for the start of the journey, or there is none."""
        database, run = self.services.database, self.run_id
        if not run or (await database.read(lambda c: runs.get(c, run))).state != "reading":
            return
        await self.services.workflows.start_run(run)
        loop = asyncio.get_running_loop()
        patient_until = loop.time() + PATIENCE
        while (await database.read(lambda c: runs.get(c, run))).state != "done":
            if loop.time() > patient_until:
                raise Unavailable(f"The run {run} does not come to its end.")
            await self._some_change()

    async def _serve(self) -> None:
        """What the sweep does at this instant to versions and runs (activities/repairing.py)."""
        database, now = self.services.database, self.pace.clock.now()
        for unit in await database.read(lambda c: dates.due(c, now)):
            await database.write(unit)
        await self._run_lets_in()
        for version, reason in await database.read(lambda c: overdue.to_wind_down(c, now)):
            for one in await database.write(partial(removal.tell_page, version=version, reason=reason, most=1)):
                await self.services.workflows.leave(one, reason)
        await self._release()

    async def _release(self) -> None:
        """Whoever a pause has held goes on when it is over."""
        for version in await self.services.database.read(pausing.held_back):
            await self.services.workflows.release(version)

    async def _happen(self, index: int, happening: Happening) -> None:
        """It is accepted at its instant, as the API accepts it. Nobody acts meanwhile, so that what it has come to can be seen."""
        self.pace.still = True
        self.pace.move_to(self.play.world.begins + happening.at)
        try:
            verdict = await self._accepted(index, happening)
            if verdict is not None:
                self.effects[index] = story_stage.effect_of(verdict)
                await tell(self.services, [verdict])
        finally:
            self.pace.still = False
            self.pace.changed()
        self.timeline.append(Moment(happening.at, f"{happening_name(happening)}: {story_stage.said(self.effects[index])}"))

    async def _accepted(self, index: int, happening: Happening) -> Verdict | None:
        """What became of it; None, with the effect noted, where nothing comes of it at all."""
        database = self.services.database
        match happening:
            case Occurs():
                name = happening.id or f"{happening.name or 'event'}-{index + 1}"
                self.names[index] = (happening.source, name)
                made = Event(happening.source, name, happening.name, dict(happening.data))
                arrived = Arrived(made, self.play.version.journey.namespace, self.play.key)
                return await database.write(lambda work: acceptance.accept(work, arrived, acceptance.Policy()))
            case Reacts():
                return await self._reacted(index, happening)
            case Changes():
                return await self._written(index, happening)
            case Reviews():
                found = await self._review(happening.of, happening.verdict)
                self.effects[index] = Effect({"approve": "approved", "discard": "discarded"}[happening.verdict] if found else "no_effect")
                return None
            case Pauses() | Resumes():
                self.effects[index] = Effect(await database.write(lambda work: story_stage.steer(work, self.play, happening)))
                await self._release()
                return None
        raise NotFound(f"{happening} happens to nobody real.")

    async def _reacted(self, index: int, happening: Reacts) -> Verdict | None:
        channel, _, kind = happening.to.partition(".")
        database = self.services.database
        delivery = await database.read(lambda c: story_stage.delivery_of(c, self.play.entrant, happening.of, channel))
        self.names[index] = (ids.REACTIONS, ids.reaction(delivery, kind, happening.link))
        said = as_feedback(happening)
        try:
            if said is not None:
                return await database.write(lambda work: feedback.play(work, said, delivery))
            return await database.write(lambda work: acceptance.react(work, delivery, kind, happening.link))
        except NotFound:
            self.effects[index] = Effect("no_delivery")
            return None

    async def _review(self, node: str, verdict: reviews.Verdict) -> bool:
        """What waits at the node is approved or discarded, as the API does it; False when nothing does."""
        wanted = reviews.Wanted(self.play.version.journey.id, node)
        found = await self.services.database.write(lambda work: reviews.judge(work, verdict, wanted))
        for one in found.people:
            await self.services.workflows.leave(one, "")
        return bool(found.deliveries)

    async def _written(self, index: int, happening: Changes) -> Verdict | None:
        database = self.services.database
        known = await database.read(lambda c: story_stage.changes_on_record(c, PROFILE_CHANGED))
        waited = await database.read(settling.count)
        done = await database.write(lambda work: changes.patch(work, self.play.person.id, attributes=happening.attributes))
        made = await database.read(lambda c: story_stage.changes_on_record(c, PROFILE_CHANGED)) - known
        if not made:
            self.effects[index] = Effect("settles" if await database.read(settling.count) < waited else "no_effect")
            await tell(self.services, [Verdict(entered=done.set_off.entered)])
            return None
        (self.names[index],) = made
        name = self.names[index]
        code = "" if done.set_off.decided or done.set_off.entered else await database.read(lambda c: story_stage.discard_of(c, *name))
        return Verdict(code=code, decided=done.set_off.decided, entered=done.set_off.entered)

    # ---- the story ---------------------------------------------------------------------------------------------------------------

    async def _story(self) -> Story:
        if self.play.script.until is None:
            self.pace.move_to(self.pace.clock.now() + settling.LONGEST + 1)
        await self.services.database.write(lambda work: settling.expire(work, most=len(self.names) + 1))
        effects = [await self._became(index) for index in range(len(self.play.script.happenings))]
        begins = self.play.world.begins
        told = [Moment(at - begins, sentence) for at, sentence in self.told.said]
        timeline = sorted([*self.timeline, *told], key=lambda moment: moment.at)
        return await self.services.database.read(lambda c: story_stage.read(c, self.play, effects, self.told, timeline))

    async def _became(self, index: int) -> Effect:
        """What was kept has an effect by now, or is kept still."""
        effect = self.effects.get(index, Effect("not_yet"))
        if effect.code != "kept":
            return effect
        source, name = self.names[index]
        if node := self.told.decided.get((source, name)):
            return Effect("decided", node, was_kept=True)
        if await self.services.database.read(lambda c: story_stage.has_let_in(c, source, name)):
            return Effect("enters", was_kept=True)
        code = await self.services.database.read(lambda c: story_stage.discard_of(c, source, name))
        return Effect(code, was_kept=True) if code else Effect("kept", was_kept=True)
