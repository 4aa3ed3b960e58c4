"""Providers say later what became of a mail: whoever is waited for goes the way that is drawn for it, and gets no mail there again."""

from __future__ import annotations

from typing import Any

from tests.e2e.world import JOURNEY, World


def waits_for(node: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": node, "kind": "reaction", "of": "mail", "to": f"email.{kind}", "next": "both", **more}


NODES = [
    {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "next": "mail"},
    {"id": "mail", "kind": "message", "message": "follow-up", "next": ["arrived"]},
    {"id": "arrived", "kind": "reaction", "of": "mail", "to": "email.delivered", "next": ["back", "spam", "enough"]},
    waits_for("back", "bounced"),
    waits_for("spam", "complained"),
    waits_for("enough", "unsubscribed", timeout={"after": "P1D", "next": "end"}),
    {"id": "both", "kind": "message", "message": "first-message", "next": "end"},
    {"id": "end", "kind": "end"},
]
SAID = {
    "c-bounces": ({"kind": "hard_bounce"}, "back", "suppressed"),
    "c-complains": ({"kind": "complaint"}, "spam", "suppressed"),
    "c-leaves": ({"kind": "unsubscribe"}, "enough", "no_consent"),
}


async def test_whose_mail_comes_back_is_reached_by_push_and_gets_no_further_mail(here: World) -> None:
    """A bounce, a complaint and an unsubscription, each of a mail that was delivered, told twice by the Message-ID that the mail had."""
    await here.set_up(journey={"id": JOURNEY, "namespace": "customer_id", "nodes": NODES})
    for key in SAID:
        await here.person(key)
    await here.publish()
    for key in SAID:
        await here.waits_at("arrived", key=key)
    named = {mail.to.partition("@")[0]: mail.headers["Message-ID"] for mail in here.mail.messages}

    arrived = await here.api.post("/v1/feedback", json=[{"kind": "delivered", "message_id": one} for one in named.values()])
    assert [(one["status"], one["code"], len(one["entrants"])) for one in arrived.json()] == [(202, "", 1)] * 3
    for key, (said, _, _) in SAID.items():
        await here.waits_at("back", "spam", "enough", key=key)
        told = said | {"message_id": named[key], "address": f"{key}@people.example"}
        first, again = [(await here.api.post("/v1/feedback", json=told)).json() for _ in range(2)]
        assert (first["code"], len(first["entrants"]), first["suppressed"]) == ("", 1, said["kind"] != "unsubscribe")
        assert (again["duplicate"], again["entrants"], again["suppressed"]) == (True, [], False)

    for key, (_, way, why) in SAID.items():
        assert await here.ends(key) == "finished"
        assert await here.path(key) == ["mail:next", "arrived:next", f"{way}:next", "both:next"]
        sent = {(one["node"], one["channel"]): (one["status"], one["reason"]) for one in (await here.story(key))["deliveries"]}
        assert sent == {("mail", "email"): ("sent", ""), ("both", "email"): ("excluded", why), ("both", "push"): ("sent", "")}
    assert (len(here.mails()), len(here.pushes())) == (3, 3)
    barred = (await here.api.get("/v1/suppressions")).json()["items"]
    assert {one["address"]: one["reason"] for one in barred} == {
        "c-bounces@people.example": "hard_bounce", "c-complains@people.example": "complaint",
    }  # fmt: skip

    report = await here.report()
    of = {node["node"]: node["channels"] for node in report["nodes"]}
    counted = ("sent", "delivered", "bounced", "bounced_hard", "complained", "unsubscribed")
    assert [of["mail"]["email"][one] for one in counted] == [3, 3, 1, 1, 1, 1]
    assert of["both"]["email"]["excluded"] == {"suppressed": 2, "no_consent": 1}
    assert (report["totals"]["ended"], report["differences"]) == ({"finished": 3}, [])
