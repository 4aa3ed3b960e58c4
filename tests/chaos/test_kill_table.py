"""The worker is killed with SIGKILL at every point of a stop, with people in the middle of it, and another comes: who got what how often?

The catchers throw nothing away: a mail that goes out twice is there twice. A push that is repeated carries the same Idempotency-Key,
by which a real push service knows it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from demo.catchers import MailBehaviour, PushBehaviour
from journey import ids
from tests.chaos.conftest import FULL
from tests.chaos.ledger import Books
from tests.chaos.place import Place
from tests.chaos.tables import TABLES
from tests.chaos.victim import POINTS
from tests.e2e.world import eventually, profile_of

EACH = 5 if FULL else 2
"""People in the middle of the point for each kind of message: all are there when the process dies."""
NEVER_ENDING = 1000.0
IN_TURN = sorted(POINTS, key=lambda point: point != "while_called")
"""The catchers are held up while nobody of another point is there yet."""


@dataclass(frozen=True)
class Kind:
    """One kind of message, or a call: what it is called in a journey of its own, its channel, and what its marketer has asked for."""

    name: str
    channel: str
    promise: str = ""

    def node(self, place: Place) -> dict[str, Any]:
        if self.channel == "webhook":
            return {"id": "news", "kind": "webhook", "url": f"http://{place.hooks.host}/people/{{{{ profile.id }}}}", "next": "end"}
        return {"id": "news", "kind": "message", "message": self.name, "next": "end"}

    def message(self) -> dict[str, Any]:
        content = {"email": {"subject": "News", "html": "<p>News</p>"}, "push": {"title": "News", "body": "News"}}[self.channel]
        return {"id": self.name, self.channel: content} | ({"promise": self.promise} if self.promise else {})

    def journey(self, place: Place) -> dict[str, Any]:
        nodes = [
            {"id": "read", "kind": "read_segment", "segment": "nobody", "schedule": "manual", "next": "news"},
            self.node(place),
            {"id": "end", "kind": "end"},
        ]
        return {"id": self.name, "namespace": "customer_id", "nodes": nodes}


PUSH, TWICE_NEVER, LOST_NEVER = Kind("push", "push"), Kind("mail", "email", "never_twice"), Kind("mail-again", "email", "never_lost")
CALL = Kind("call", "webhook")
KINDS = (PUSH, TWICE_NEVER, LOST_NEVER, CALL)
MAILS = tuple(kind for kind in KINDS if kind.channel == "email")


def keys(point: str, kind: Kind) -> list[str]:
    return [f"{point}-{kind.name}-{number}" for number in range(EACH)]


async def set_up(place: Place) -> None:
    await place.put("/v1/segments/nobody", {"id": "nobody", "rule": 'city = "Nowhere"'})
    for kind in KINDS:
        if kind is not CALL:
            await place.put(f"/v1/messages/{kind.name}", kind.message())
        await place.put(f"/v1/journeys/{kind.name}", kind.journey(place))
        assert (await place.api.post(f"/v1/journeys/{kind.name}:publish")).status_code == 200
        for point in POINTS:
            for key in keys(point, kind):
                await place.put(f"/v1/profiles/{key}", profile_of(key))


async def die_at(place: Place, point: str) -> None:
    """The process comes, lets in people who all get to this point, and dies when they are there."""
    await place.sojourn.comes(CHAOS_POINT=point, CHAOS_WHOSE=f"{point}-", CHAOS_PEOPLE=str(EACH * len(KINDS)))
    if point == IN_TURN[0]:
        await set_up(place)
    if point == "while_called":
        place.mail.behave(MailBehaviour(at="BODY", delay=NEVER_ENDING))  # the mail is on its way, its last line is not read
        place.push.behave(PushBehaviour(delay=NEVER_ENDING))  # the push has arrived, its answer is not sent
        place.hooks.behave(PushBehaviour(delay=NEVER_ENDING))
    begun = place.mail.asked["BODY"], len(place.push.pushes), len(place.hooks.calls)
    for kind in KINDS:
        await place.run(kind.name, keys(point, kind))
    if point == "while_called":

        async def on_their_way() -> tuple[int, int, int]:
            return place.mail.asked["BODY"] - begun[0], len(place.push.pushes) - begun[1], len(place.hooks.calls) - begun[2]

        def all_are(seen: tuple[int, int, int]) -> bool:
            return seen[0] >= len(MAILS) * EACH and seen[1] >= EACH and seen[2] >= EACH

        await eventually(on_their_way, all_are, "every message on its way", 60)
        await place.sojourn.is_killed()
        place.mail.behave()
        place.push.behave()
        place.hooks.behave()
    else:
        await place.sojourn.dies()


def seen(place: Place, point: str, kind: Kind) -> list[int]:
    """How often the catcher has the message of each of these people."""
    deliveries = [ids.delivery(ids.entrant(kind.name, key, 1), 1, kind.channel) for key in keys(point, kind)]
    if kind is CALL:
        calls = place.calls_by_id()
        return [calls[ids.webhook(one)] for one in deliveries]
    found = place.pushes_by_key() if kind.channel == "push" else place.mails_by_id()
    return [found[one if kind.channel == "push" else ids.message_id(one, "")[:-1]] for one in deliveries]


def tabled(place: Place, database: str, point: str, kind: Kind, uncertain: Counter[str]) -> None:
    times = seen(place, point, kind)
    TABLES.add(
        "Killed at a point of a stop", database=database, point=point, message=f"{kind.channel} {kind.promise}".strip(), people=EACH,
        arrived_at_the_catcher=sum(times), missing=times.count(0), came_twice=sum(one > 1 for one in times),
        uncertain=sum(uncertain[ids.entrant(kind.name, key, 1)] for key in keys(point, kind)),
    )  # fmt: skip


@pytest.mark.behaviour(1)
@pytest.mark.complaint(2)
@pytest.mark.timeout(420)
async def test_killed_at_any_point_of_a_stop_every_promise_is_kept(place: Place, database: str) -> None:
    for point in IN_TURN:
        await die_at(place, point)
    await place.sojourn.comes()
    await place.have_ended(EACH * len(KINDS) * len(POINTS), patience=200)

    listed = await place.everything("/v1/deliveries", status="uncertain")
    uncertain = Counter(one["entrant"] for one in listed)
    for point in POINTS:
        for kind in KINDS:
            tabled(place, database, point, kind, uncertain)
    for point in POINTS:
        pushes, once, again, calls = (seen(place, point, kind) for kind in KINDS)
        assert min(calls) >= 1, f"{point}: a call of every id"
        assert max(calls) <= 2, f"{point}: one repeat of those that were in the air, by the same id"
        assert min(pushes) >= 1, f"{point}: a push of every key"
        assert max(pushes) <= 2, f"{point}: one repeat of those that were in the air"
        assert max(once) <= 1, f"{point}: no mail of never_twice is there twice"
        for key, times in zip(keys(point, TWICE_NEVER), once, strict=True):
            assert times == 1 or uncertain[ids.entrant(TWICE_NEVER.name, key, 1)] == 1, f"{point}: whose mail is missing is uncertain"
        assert min(again) >= 1, f"{point}: no mail of never_lost is missing"
        assert sum(again) - EACH <= EACH, f"{point}: no more doubles than mails in flight"
    assert len(place.calls_by_id()) == EACH * len(POINTS), "one id for each person: whoever is called knows a repeat"
    assert all(one["channel"] == "email" and one["message"] == TWICE_NEVER.name for one in listed)
    assert await (await Books.read(place)).faults(place) == []
