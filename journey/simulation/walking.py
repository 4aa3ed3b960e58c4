"""The stops of a simulated person, one after the other: what is left, done and arrived at, with what comes in between kept (G1 to G8, M1).

It has no clock of its own: simulate.py says what time it is. The store and the workflow do the same with a step (store/steps.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from journey import ends, exit_criteria, gate, local_time, sentences, walk
from journey.events import Instant
from journey.graph import Message, Webhook
from journey.policies import HELD
from journey.profiles import Profile
from journey.review import IN_REVIEW
from journey.simulation.acting import Doing
from journey.simulation.hearing import Hearing
from journey.simulation.life import Life
from journey.simulation.stop import Halted, Stop
from journey.simulation.story import Moment, Script, Told, World
from journey.tries import SENT_AGAIN
from journey.version import Version
from journey.walk import Acting, Call, Finish, Listen, Outcome, Place, Send


@dataclass
class Walking:
    """One person who walks, at the instant `now`.

    `place` is what the store has: where they wait or act, or the gate they are just leaving. Of the script only `stops`, `failing` and
    `uncertain` are read: what happens is told one by one. `timeless` are the waits that were over at once for want of a time.
    `held` is the node before which a pause holds them.
    """

    version: Version
    profile: Profile
    script: Script
    world: World
    entrant: str
    key: str
    now: Instant = 0
    n: int = 0
    place: Place = ""
    at_gate: gate.Gate | None = None
    end: Finish | None = None
    ended_at: Instant | None = None
    ended_waiting: bool = False
    ending: str = ""
    path: list[Outcome] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    timeline: list[Moment] = field(default_factory=list)
    timeless: list[str] = field(default_factory=list)
    parked: Place = ""
    held: str = ""
    _stop: Stop | None = None
    _halted: Halted | None = None
    _left_by: Outcome | None = None

    def __post_init__(self) -> None:
        self.hearing = Hearing(
            self.version, self.world, self.entrant, self.profile.id, self.told, self.timeline, self.profile.attributes
        )  # fmt: skip
        self.doing = Doing(self.version, self.world, self.script, self.entrant, self.key, self.profile, self.hearing, self.told)
        self.life = Life.of(self.version.journey, self.world.begins)
        self.deadline = 0

    # ---- stops -------------------------------------------------------------------------------------------------------------------

    def _decided(self, left: Outcome) -> None:
        self.at_gate = None
        self._set_off(walk.follow(self.version.journey, left), left, decided=True)

    def _set_off(self, target: Place, left: Outcome | None = None, *, decided: bool = False) -> None:
        """A stop begins: what it sends is claimed now. A stop that sends nothing has left the gate only when it closes."""
        answer = walk.ask(self.version.journey, target, left=left)
        if isinstance(answer, Send | Call) and self.life.keeps_from(answer) and self.doing.would_go(answer, self.n + 1):
            self._halt(answer, Halted(target, left, decided))
            return
        self.n += 1
        claims = self.doing.claim(answer, self.n, self.now, self.deadline)
        opened = any(told.status in ("claimed", "failed") or told.reason in HELD for told in claims)
        if opened:
            if not decided and self.now >= self.deadline:
                self._finish(Finish("global_timeout"))
                return
            if decided and left is not None:
                self._leave(left)
            self.told += claims
            self.place = target
            self.hearing.came_to(target, self.now)
        takes = self.script.stops.get(target, 0) if not opened or any(self.doing.is_out(told) for told in claims) else 0
        self._stop = Stop(answer, target, self.now + takes, opened, left if decided else None)

    def _halt(self, answer: Acting, halted: Halted) -> None:
        """They may not act: they stay where they are, or end. The step is not opened, so it has left nothing."""
        late = not halted.decided and self.now >= self.deadline
        reason = "global_timeout" if late else self.life.ends_held(self.now, self.deadline)
        if reason:
            self._finish(Finish(reason))
            return
        self._halted = halted
        self._is_held(answer.node)

    def _is_held(self, node: str) -> None:
        if self.held != node:
            self._say(sentences.halted(node))
        self.held = node

    def _go_on(self) -> None:
        """The pause is over: whoever is held begins their stop anew, or goes on with it."""
        was_held, halted = self.held, self._halted
        self.held, self._halted = "", None
        if halted is not None:
            self._set_off(halted.target, halted.left, decided=halted.decided)
        elif was_held and self._stop is not None:
            self._close(self._stop)

    def _is_halted(self, stop: Stop, send: Send) -> bool:
        """Does a pause keep back what is left of a message? It does when it is to go; one that discards ends them."""
        held = self.doing.held(send)
        again = any(told.reason == SENT_AGAIN for told in held.values())
        asks = stop.rested or again or (bool(held) and self.doing.next_of(send) <= self.now)
        if not asks or not self.life.keeps_from(send):
            return False
        self.ending = self.ending or self.life.ends_held(self.now, self.deadline)
        if self.ending or all(told.reason == IN_REVIEW for told in held.values()):
            return False
        self._stop = replace(stop, closes_at=self.deadline, rested=True)
        self._is_held(send.node)
        return True

    def _rests(self, stop: Stop, send: Send) -> bool:
        """Is something of a message still out, or held back? What was out is marked, and what is held no longer goes."""
        self.doing.mark(send, self.now)
        if self._is_halted(stop, send):
            return True
        self.ending = self.ending or self.doing.unreviewed(send, self.now, self.deadline)
        if self.ending:
            self.doing.give_up(send)
        if self.doing.release(send, self.n, self.now, self.deadline):
            self._stop = replace(stop, closes_at=self.now + self.script.stops.get(stop.target, 0), rested=False)
            return True
        held = self.doing.held(send)
        if held:
            self._say(sentences.held(send.message, {channel: told.reason for channel, told in held.items()}))
            self._stop = replace(stop, closes_at=self.doing.next_of(send), rested=True)
        return bool(held)

    def _close(self, stop: Stop) -> None:
        self._stop = None
        if not stop.opened:
            if self.ending or (stop.left is None and self.now >= self.deadline):
                self._finish(Finish(self.ending or "global_timeout"), waited=stop.left is not None)
                return
            if not isinstance(stop.answer, Listen | Finish) and self.life.keeps_from(stop.answer):
                self.n -= 1
                self._halt(stop.answer, Halted(stop.target, stop.left, stop.left is not None))
                return
            if stop.left is not None:
                self._leave(stop.left)
            self.told += self.doing.claim(stop.answer, self.n, self.now, self.deadline)
            if not isinstance(stop.answer, Listen | Finish):
                self.hearing.came_to(stop.answer.node, self.now)
        elif isinstance(stop.answer, Send) and self._rests(stop, stop.answer):
            return
        match stop.answer:
            case Listen():
                self.place = stop.target
                self._arrive_at_gate()
            case Finish():
                self._finish(stop.answer)
            case _:
                self._act(stop.answer)

    def _act(self, answer: Acting) -> None:
        before = self.hearing.attributes
        taken, sentence = self.doing.done(answer, self.now)
        if self.hearing.wrote(self.n, before, self.place, self.now, self.life.door(self.now), leaving=bool(self.ending)) is not None:
            self.ending = exit_criteria.REASON
        if sentence:
            self._say(sentence)
        outcome = Outcome(answer.node, taken)
        self._leave(outcome)
        self.place = walk.follow(self.version.journey, outcome)
        ahead = walk.ask(self.version.journey, self.place, left=outcome)
        if self.ending:
            self._finish(Finish(self.ending, ahead.node if isinstance(ahead, Finish) else ""))
        elif isinstance(ahead, Finish) and walk.parks(self.version.journey, ahead.reason):
            self._park(outcome)
        elif isinstance(ahead, Listen):
            self._arrive_at_gate()
        elif isinstance(ahead, Finish):
            self._finish(ahead)
        else:
            self._set_off(self.place, outcome)

    def _park(self, outcome: Outcome) -> None:
        """Nobody mends anything here: they stay until their time in the journey is over. Only then is a step that was opened left."""
        self.path.pop()
        opened = isinstance(self.version.journey.node(outcome.node), Message | Webhook)
        self._left_by = outcome if opened else None
        self.place = self.parked = outcome.node
        self._say(f"parked at {outcome.node}")

    def _arrive_at_gate(self) -> None:
        """The clock of the gate starts, and what was kept on the way is decided."""
        begins, journey = self.world.begins, self.version.journey
        found = ends.ends(journey, self.place, self.key, begins + self.now, lambda: self.doing.scope(self.now))
        virtual = {node: end if end is None else end - begins for node, end in found.items()}
        self.at_gate = gate.build(journey, self.place, self.now, virtual)
        self._say("waits at " + " or ".join(node.id for node in self.at_gate.nodes))
        self.timeless += [node for node, end in found.items() if end is None]
        for node, end in found.items():
            self._say(sentences.no_time(node) if end is None else f"{node} is over {local_time.said(end, journey.timezone)}")
        for arrived in self.at_gate.nodes:
            self.hearing.came_to(arrived.id, self.now)
        won = self.hearing.arrive(self.at_gate, self.place, self.now, self.n)
        if won is not None:
            self._decided(won.outcome)

    def _finish(self, end: Finish, *, waited: bool = False) -> None:
        """They end. `waited`: at a gate that a stop was to leave, which has left nothing."""
        if self._left_by is not None:
            self._leave(self._left_by)
        self.ended_waiting = waited or self.at_gate is not None
        self.end, self.ended_at, self.at_gate, self.place = end, self.now, None, end.node
        self.held, self._halted = "", None
        self.hearing.finish(self.now)
        self._say(f"ends: {end.reason}")

    def _leave(self, outcome: Outcome) -> None:
        self.path.append(outcome)

    def _say(self, sentence: str) -> None:
        self.timeline.append(Moment(self.now, sentence))
