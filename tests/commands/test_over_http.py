"""The commands that speak to the API, against a real one on loopback."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import pytest
from rich.console import Console
from rich.table import Table

from api.app import create_app
from api.services import Services
from api_server import serving
from commands import publish, report
from commands.apply import apply
from commands.http import Api
from demo.temporal_server import free_port
from journey import report_messages
from journey.contract import LeftAlone, Repaired
from journey.errors import BadInput, Conflict, Invalid, NotFound, Unavailable
from journey.tracking import Signer
from store.database import Database
from store.upgrade import upgrade
from tests.fakes import FakeWorkflows

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "three-cities"
KEY = "an-admin-key-for-tests"
T = TypeVar("T")


@pytest.fixture
async def workflows() -> FakeWorkflows:
    return FakeWorkflows()


@pytest.fixture
async def url(tmp_path: Path, workflows: FakeWorkflows) -> AsyncIterator[str]:
    """The address of an API over an empty database."""
    address = f"sqlite:///{tmp_path / 'sojourn.db'}"
    upgrade(address)
    database = Database(address)
    services = Services(database=database, workflows=workflows, signer=Signer("a secret for tests"), admin_key=KEY)
    port = free_port()
    async with serving(create_app(services), "127.0.0.1", port):
        yield f"http://127.0.0.1:{port}"
    await database.close()


async def call(url: str, what: Callable[[Api], T], *, key: str = KEY) -> T:
    """Run a command as it runs: it waits for each answer, so it does so in a thread of its own."""

    def run() -> T:
        with Api(url, key) as api:
            return what(api)

    return await asyncio.to_thread(run)


@pytest.mark.complaint(22)
async def test_a_folder_is_applied_in_full_and_again_without_harm(url: str) -> None:
    heard: dict[str, tuple[int, int]] = {}
    for _ in range(2):
        applied = await call(url, lambda api: apply(api, EXAMPLE, lambda what, done, of: heard.update({what: (done, of)})))
        assert applied.as_json() == {
            "attributes": 5, "policies": 0, "segments": 1, "events": 1, "messages": 3, "journeys": 1, "profiles": 200, "suppressions": 3,
            "failed": 0, "errors": [],
        }  # fmt: skip
    assert list(heard) == ["attributes", "segments", "events", "messages", "journeys", "profiles", "suppressions"]
    assert all(done == of for done, of in heard.values())
    assert (await call(url, lambda api: api.get("/v1/suppressions")))["items"][0]["channel"] == "email"
    # every edge arrives as it stands in the file: a birth year that is a text too
    texts = [await call(url, lambda api, one=one: api.get(f"/v1/profiles/{one}")) for one in ("p-123", "p-129")]  # type: ignore[misc]
    assert all(isinstance(profile["attributes"]["birth_year"], str) for profile in texts)


async def test_apply_deletes_nothing(url: str) -> None:
    await call(url, lambda api: api.put("/v1/attributes", {"plan": {"type": "string"}}))
    await call(url, lambda api: apply(api, EXAMPLE))
    assert set(await call(url, lambda api: api.get("/v1/attributes"))) == {"plan", "first_name", "last_name", "email", "city", "birth_year"}


async def test_of_a_folder_with_a_fault_nothing_is_sent(url: str, tmp_path: Path) -> None:
    broken = shutil.copytree(EXAMPLE, tmp_path / "broken")
    (broken / "messages" / "follow-up.yaml").write_text("id: follow-up\nemail: {subject: Hello}\ncolour: red\n")
    with pytest.raises(BadInput) as caught:
        await call(url, lambda api: apply(api, broken))
    assert "follow-up.yaml:3" in caught.value.sentence
    assert await call(url, lambda api: api.get("/v1/attributes")) == {}


async def test_profiles_that_are_not_taken_are_named_by_their_line(url: str, tmp_path: Path) -> None:
    (tmp_path / "profiles.csv").write_text("id,city,identities.customer_id\np-1,Atlanta,c-1\np-2,Seattle,c-2\n")
    await call(url, lambda api: api.put("/v1/profiles/somebody-else", {"identities": {"customer_id": "c-2"}}))
    applied = await call(url, lambda api: apply(api, tmp_path))
    assert (applied.profiles, applied.failed) == (1, 1)
    assert (applied.errors[0]["line"], applied.errors[0]["code"]) == (3, "identity_taken")


async def test_publish_lets_people_in_and_report_shows_the_version(url: str, workflows: FakeWorkflows) -> None:
    await call(url, lambda api: apply(api, EXAMPLE))
    published = await call(url, lambda api: publish.publish(api, "thank-you"))
    assert (published["version"], published["run"]) == ("thank-you@1", "thank-you.run.1")
    assert workflows.runs == ["thank-you.run.1"]
    said = list(publish.sentences(published))
    assert said[0] == "thank-you@1 is live."
    assert any("no_timeout" in sentence for sentence in said)
    shown = await call(url, lambda api: report.report(api, "thank-you"))
    assert shown["version"]["id"] == "thank-you@1"
    assert report.table(shown).row_count == 8
    assert next(report.sentences(shown)) == "0 entered, 0 are inside, 0 finished."


async def test_a_journey_that_is_not_valid_is_refused_with_every_finding(url: str) -> None:
    await call(url, lambda api: api.put("/v1/journeys/half", {"id": "half", "nodes": [{"id": "read", "kind": "read_segment"}]}))
    with pytest.raises(Invalid) as caught:
        await call(url, lambda api: publish.publish(api, "half"))
    assert {finding.code for finding in caught.value.findings} >= {"field_missing"}


async def test_what_goes_wrong_is_one_sentence(url: str) -> None:
    with pytest.raises(NotFound):
        await call(url, lambda api: report.report(api, "nowhere"))
    with pytest.raises(BadInput, match="set SOJOURN_ADMIN_KEY"):
        await call(url, lambda api: api.get("/v1/attributes"), key="a wrong key")
    with pytest.raises(Unavailable, match="start `sojourn dev`, or set SOJOURN_URL"):
        await call("http://127.0.0.1:9", lambda api: api.get("/v1/attributes"))


async def test_publish_waits_for_no_temporal_server(url: str, workflows: FakeWorkflows) -> None:
    await call(url, lambda api: apply(api, EXAMPLE))
    workflows.up = False
    with pytest.raises(Unavailable):
        await call(url, lambda api: publish.publish(api, "thank-you"))
    workflows.up = True
    await call(url, lambda api: publish.publish(api, "thank-you"))
    with pytest.raises(Conflict):  # just this is live already
        await call(url, lambda api: publish.publish(api, "thank-you"))


async def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """The command line as a process of its own: exit code, stdout, stderr."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import cli; cli.main()", *arguments, cwd=ROOT,
        env=kept | environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_the_command_line_applies_and_reports(url: str) -> None:
    here = {"SOJOURN_URL": url, "SOJOURN_ADMIN_KEY": KEY}
    code, out, err = await run("apply", str(EXAMPLE), **here)
    assert (code, err) == (0, "")
    assert out == "Applied: 5 attributes, 1 segment, 1 event, 3 messages, 1 journey, 200 profiles, 3 suppressions.\n"
    await call(url, lambda api: publish.publish(api, "thank-you"))
    code, out, err = await run("report", "thank-you", **here)
    assert (code, err) == (0, "")
    assert "thank-you@1, live" in out
    assert "push-opened" in out


async def test_the_command_line_compares_and_says_who_was_left_alone(url: str, workflows: FakeWorkflows) -> None:
    workflows.repaired = Repaired(checked=3, started=2, left_alone=2, left=[LeftAlone("thank-you~c-9~1", "profile_unknown", "Import it.")])
    here = {"SOJOURN_URL": url, "SOJOURN_ADMIN_KEY": KEY}
    code, out, err = await run("reconcile", "--wake", **here)
    assert (code, err, workflows.comparisons) == (0, "", [True])
    assert re.search(r"2 . got their workflow again", out)
    assert out.endswith("thank-you~c-9~1 profile_unknown: Import it.\nand 1 more.\n")
    code, out, err = await run("reconcile", "--json", **here)
    assert (json.loads(out)["started"], workflows.comparisons) == (2, [True, False])
    workflows.up = False
    code, out, err = await run("reconcile", **here)
    assert (code, out, err) == (1, "", "The Temporal server cannot be reached; try again in a moment.\n")


async def test_the_command_line_says_what_is_wrong_in_one_sentence_and_ends_with_1() -> None:
    code, out, err = await run("publish", "thank-you", "--json", SOJOURN_API_PORT="eighty")
    assert (code, err) == (1, "SOJOURN_API_PORT is 'eighty': a port is a whole number from 1 to 65535.\n")
    told: dict[str, Any] = json.loads(out)["error"]
    assert told["code"] == "setting_invalid"


def test_a_report_tells_what_is_next_and_how_the_last_runs_were() -> None:
    run = {"admitted": 3, "discarded": 1, "stayed": 0, "reentered": 0, "reason": "", "state": "done", "id": "win-back.run.2026-03-02T09:00"}
    missed = run | {"admitted": 0, "discarded": 0, "state": "missed", "reason": "too_late", "id": "win-back.run.2026-03-09T09:00"}
    totals = {"entered": 3, "inside": 3, "finished": 0, "ended": {}, "held": 0, "excluded": {}, "discards": {}}
    schedule = {"says": "every week on mon at 09:00", "timezone": "Europe/Berlin", "next": [{"local": "2026-03-16T09:00", "at": ""}]}
    answer = {"totals": totals, "nodes": [], "differences": [], "schedule": schedule, "runs": [missed, run]}
    assert list(report.sentences(answer)) == [
        "3 entered, 3 are inside, 0 finished.",
        "Reads its segment every week on mon at 09:00 (Europe/Berlin): next 2026-03-16T09:00.",
        "win-back.run.2026-03-09T09:00: missed (too_late).",
        "win-back.run.2026-03-02T09:00: done, 3 let in, 1 discarded.",
    ]


def numbers(**counts: int) -> dict[str, Any]:
    """A message's numbers on a channel, as the API answers them."""
    return asdict(report_messages.read({(kind, "email"): count for kind, count in counts.items()}, {})["email"])


def test_a_report_shows_of_each_message_what_became_of_it_and_of_each_split_what_it_got() -> None:
    first = numbers(sent=8, uncertain=2, opened=5, bounced=1, **{"excluded.no_consent": 3, "excluded.suppressed": 1})
    node = {"name": "", "ended": {}, "channels": {}, "planned": {}, "real": {}, "no_time": 0, "held": 0, "parked": 0, "in_review": 0,
            "errors": 0, "timed_out": 0, "moved_in": 0}  # fmt: skip
    nodes = [
        node
        | {"node": "first", "kind": "message", "arrived": 14, "inside": 2, "parked": 2, "left": {"next": 12}, "channels": {"email": first}},
        node | {"node": "again", "kind": "message", "arrived": 1, "inside": 0, "left": {"next": 1}, "channels": {"email": numbers(sent=1)}},
        node | {"node": "half", "kind": "split", "arrived": 4, "inside": 0, "left": {"a": 3, "b": 1}, "planned": {"a": 50, "b": 50}},
    ]
    totals = {"entered": 14, "moved_in": 0, "inside": 2, "finished": 12, "moved_out": 0, "held": 0, "ended": {"finished": 12},
              "excluded": {}, "discards": {"late": 2}, "channels": {"email": first}}  # fmt: skip
    answer = {"version": {"id": "x@1", "state": "live"}, "totals": totals, "nodes": nodes, "differences": []}
    told = shown(report.messages(answer))
    assert [column.header for column in report.messages(answer).columns] == [
        "message", "channel", "targeted", "sent", "uncertain", "opened", "bounced", "not sent",
    ]  # fmt: skip
    assert report.messages(answer).row_count == 3, "each message, and all of them"
    for part in ("5 (50 %)", "1 (10 %)", "no consent 3", "suppressed 1"):
        assert part in told
    left = shown(report.table(answer))
    assert "2 (parked 2)" in left
    assert "a 3 (75.0 %, planned 50 %), b 1 (25.0 %, planned 50 %)" in left
    lines = list(report.as_csv(answer))
    assert lines[0] == "node,kind,channel,number,count"
    for line in (
        "first,message,email,excluded.no_consent,3",
        "first,message,email,rates.opened,50.0",
        "half,split,,left.a,3",
        ",,,discards.late,2",
    ):
        assert line in lines


def shown(table: Table) -> str:
    console = Console(width=200, file=io.StringIO())
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
