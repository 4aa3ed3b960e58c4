"""What `/metrics` says after people have walked is what the report says, and what happened at the providers."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from demo.catchers import MailBehaviour
from tests.e2e.world import JOURNEY, WRITE_KEY, World, eventually

SILENT, OPENING, BUYING, REFUSED = "silent", "opening", "buying", "ben"
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def test_the_numbers_of_a_day_are_those_of_its_report(here: World) -> None:
    before = await scraped(here)
    await here.set_up()
    for key in (SILENT, OPENING, BUYING):
        await here.person(key)
    await here.publish()
    for key in (SILENT, OPENING, BUYING):
        await here.waits_at("push-opened", "email-opened", key=key)
    for key in (OPENING, BUYING):
        await here.opens_email(key)
        await here.waits_at("purchase", key=key)
    for _ in range(2):
        await here.buys(BUYING)
    assert await here.ends(BUYING) == "finished"
    await here.buys(SILENT)  # waits for an open, not for this

    def of_now(series: Series) -> bool:  # the store is read every few seconds
        return series.get(("sojourn_facts_total", labels("purchase", "left.next"))) == 1

    after = await eventually(lambda: scraped(here), of_now, "numbers of now")
    report = await here.report()

    assert value(after, "sojourn_entrants_open", journey=JOURNEY, version=f"{JOURNEY}@1") == report["totals"]["inside"] == 2
    assert [value(after, f"sojourn_entrants_{state}") for state in ("overdue", "stalled")] == [0, 0]
    assert value(after, "sojourn_runs_reading") == 0
    for node in report["nodes"]:
        for name in ("arrived", *(f"left.{way}" for way in node["left"])):
            wanted = node["arrived"] if name == "arrived" else node["left"][name.removeprefix("left.")]
            assert after.get(("sojourn_facts_total", labels(node["node"], name)), 0) == wanted, (node["node"], name)
        for channel, numbers in node["channels"].items():
            assert after.get(("sojourn_facts_total", labels(node["node"], "opened", channel)), 0) == numbers["opened"]
    sent = {channel: sum(of_channel(report, channel, "sent")) for channel in ("email", "push")}
    assert {channel: value(after, "sojourn_deliveries_total", channel=channel, status="sent") for channel in sent} == sent
    assert sent == {"email": len(here.mail.messages), "push": len(here.push.pushes)} == {"email": 3, "push": 4}

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    verdicts = {
        verdict: grown("sojourn_events_accepted_total", verdict=verdict) for verdict in ("decided", "kept", "discarded", "duplicate")
    }
    assert verdicts == {"decided": 3, "kept": 0, "discarded": 1, "duplicate": 1}
    assert grown("sojourn_discards_total", code="nobody_listening") == 1
    assert {channel: grown("sojourn_provider_call_seconds_count", channel=channel, answer="took") for channel in sent} == sent
    assert grown("sojourn_stop_seconds_count", outcome="done") == 3 + 2 + 1
    assert grown("sojourn_signals_total", signal="happened", answer="taken") == 3
    assert grown("sojourn_http_requests_total", route="/v1/track", status="200") == 3
    assert grown("sojourn_database_commit_members_sum") >= 3 + 6 * 1 + 5
    assert grown("sojourn_database_commit_seconds_count") == grown("sojourn_database_commit_members_count") > 0
    assert grown("sojourn_database_write_wait_seconds_count") == grown("sojourn_database_commit_members_sum")
    assert grown("temporal_local_activity_succeed_endtoend_latency_seconds_count") >= 0
    assert any(name.startswith("temporal_workflow_completed") for name, _ in after)


async def test_a_refusal_is_counted_apart_and_nobody_is_named(here: World) -> None:
    await here.set_up()
    await here.person(REFUSED)
    await here.person("ada@people.example")
    here.mail.behave(MailBehaviour(at="RCPT", answer="550 5.1.1 <ada@people.example> unknown"))
    await here.publish()
    for key in (REFUSED, "ada@people.example"):
        await here.waits_at("push-opened", "email-opened", key=key)
    told = (await here.api.get("/metrics")).text
    series = read(told)

    assert value(series, "sojourn_deliveries_total", channel="email", status="failed") == 2
    assert value(series, "sojourn_provider_call_seconds_count", channel="email", answer="refused") >= 2
    for private in (REFUSED, "@", "Ada", "device-", WRITE_KEY, "Order Completed"):
        lines = [line for line in told.replace(f"{JOURNEY}@1", "").splitlines() if private in line and not line.startswith("#")]
        assert lines == []


def labels(node: str, kind: str, channel: str = "") -> tuple[tuple[str, str], ...]:
    found = {"journey": JOURNEY, "version": f"{JOURNEY}@1", "node": node, "kind": kind, "channel": channel}
    return tuple(sorted(found.items()))


async def scraped(here: World) -> Series:
    answer = await here.api.get("/metrics")
    assert answer.status_code == 200
    return read(answer.text)


def read(text: str) -> Series:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(series: Series, name: str, **wanted: str) -> float:
    """The sum of all series of a name that have these labels."""
    return sum(one for (found, labelled), one in series.items() if found == name and wanted.items() <= dict(labelled).items())


def of_channel(report: dict[str, Any], channel: str, number: str) -> list[int]:
    return [node["channels"][channel][number] for node in report["nodes"] if channel in node["channels"]]
