"""Whoever's e-mail is uncertain gets it once more when somebody asks for it, also after the end of their way."""

from __future__ import annotations

from demo.catchers import MailBehaviour
from tests.e2e.world import JOURNEY, World, eventually

ENTRY = {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "next": "mail"}
MAIL = {"id": "mail", "kind": "message", "message": "follow-up", "next": "end"}
END = {"id": "end", "kind": "end"}


async def test_an_uncertain_e_mail_is_sent_once_more_when_somebody_asks(here: World) -> None:
    await here.set_up(journey={"id": JOURNEY, "namespace": "customer_id", "nodes": [ENTRY, MAIL, END]})
    here.mail.behave(MailBehaviour(drop=True))
    await here.person()
    await here.publish()
    assert await here.ends() == "finished"
    (uncertain,) = (await here.api.get("/v1/deliveries", params={"status": "uncertain"})).json()["items"]
    assert uncertain["reason"] == "no_answer"
    assert here.mails() == []

    here.mail.behave(MailBehaviour(at="RCPT", answer="451 4.7.1 greylisted", times=1))
    for _ in range(2):
        answer = await here.api.post(f"/v1/deliveries/{uncertain['id']}:resend")
        assert answer.status_code in (202, 409), answer.text

    async def stands() -> tuple[str, str]:
        (found,) = (await here.api.get("/v1/deliveries", params={"entrant": uncertain["entrant"]})).json()["items"]
        return found["status"], found["reason"]

    await eventually(stands, lambda now: now == ("sent", "resent"), "the second attempt")
    assert len(here.mails()) == 1
    assert (await here.api.post(f"/v1/deliveries/{uncertain['id']}:resend")).status_code == 409
    report = await here.report()
    (channel,) = (node["channels"]["email"] for node in report["nodes"] if node["node"] == "mail")
    assert (channel["uncertain"], channel["resent"], channel["sent"]) == (1, 1, 0)
    assert report["differences"] == []
