"""Drafts, publishing, closing, stopping and finishing, on a real database."""

from __future__ import annotations

import pytest

from journey.errors import BadInput, Conflict, Invalid, NotFound, Stale
from store import finishing, journeys, messages, overdue, runs, versions
from store.database import Database
from store.journeys import Published
from tests import stock
from tests.builders import message
from tests.fakes import SettableClock


async def publish(database: Database) -> Published:
    return await database.write(lambda work: journeys.publish(work, "thank-you", stock.PUBLIC_URL))


async def state(database: Database, version: str = "thank-you@1") -> str:
    return (await database.read(lambda c: versions.row(c, version))).state


# ---- the draft ------------------------------------------------------------------------------------------------------------------


async def test_a_draft_comes_back_as_it_was_put(database: Database) -> None:
    document = {"nodes": [], "id": "thank-you", "name": "Größe \U0001f600"}
    etag = await database.write(lambda work: journeys.put_draft(work, "thank-you", document))
    draft = await database.read(lambda c: journeys.get_draft(c, "thank-you"))
    assert (draft.document, list(draft.document), draft.etag) == (document, ["nodes", "id", "name"], etag)


async def test_the_etag_changes_with_the_content_and_only_then(database: Database) -> None:
    first = await database.write(lambda work: journeys.put_draft(work, "a", {"id": "a"}))
    again = await database.write(lambda work: journeys.put_draft(work, "a", {"id": "a"}))
    other = await database.write(lambda work: journeys.put_draft(work, "a", {"id": "a", "name": "A"}))
    assert first == again != other


async def test_a_put_that_names_no_etag_overwrites(database: Database) -> None:
    await database.write(lambda work: journeys.put_draft(work, "a", {"id": "a"}))
    await database.write(lambda work: journeys.put_draft(work, "a", {"id": "a", "name": "B"}))
    assert (await database.read(lambda c: journeys.get_draft(c, "a"))).document["name"] == "B"


async def test_a_put_with_a_stale_etag_changes_nothing(database: Database) -> None:
    old = await database.write(lambda work: journeys.put_draft(work, "a", {"id": "a"}))
    new = await database.write(lambda work: journeys.put_draft(work, "a", {"id": "a", "name": "theirs"}, old))
    with pytest.raises(Stale):
        await database.write(lambda work: journeys.put_draft(work, "a", {"id": "a", "name": "mine"}, old))
    assert (await database.read(lambda c: journeys.get_draft(c, "a"))).etag == new


async def test_an_etag_of_a_draft_that_is_not_there_is_stale(database: Database) -> None:
    for if_match in ("abc", "*"):
        with pytest.raises(Stale):
            await database.write(lambda work, m=if_match: journeys.put_draft(work, "a", {"id": "a"}, m))  # type: ignore[misc]
    with pytest.raises(NotFound):
        await database.read(lambda c: journeys.get_draft(c, "a"))


async def test_what_json_cannot_carry_is_refused(database: Database) -> None:
    for document in ({"id": "a", "x": float("nan")}, {"id": "a", "name": "\ud800"}):
        with pytest.raises(BadInput):
            await database.write(lambda work, d=document: journeys.put_draft(work, "a", d))  # type: ignore[misc]


async def test_deleting_the_draft_of_a_journey_never_published_leaves_nothing(database: Database) -> None:
    etag = await database.write(lambda work: journeys.put_draft(work, "a", {"id": "a"}))
    with pytest.raises(Stale):
        await database.write(lambda work: journeys.delete_draft(work, "a", "other"))
    await database.write(lambda work: journeys.delete_draft(work, "a", etag))
    with pytest.raises(NotFound, match="There is no journey a"):
        await database.write(lambda work: journeys.delete_draft(work, "a"))


async def test_deleting_a_draft_leaves_what_was_published(database: Database) -> None:
    await database.write(stock.put_use_case)
    await publish(database)
    await database.write(lambda work: journeys.delete_draft(work, "thank-you"))
    assert await state(database) == "live"
    with pytest.raises(NotFound, match="has no draft"):
        await publish(database)


# ---- publishing -----------------------------------------------------------------------------------------------------------------


async def test_publishing_freezes_the_draft_and_starts_run_1(database: Database, clock: SettableClock) -> None:
    await database.write(stock.put_use_case)
    clock.instant = 5_000_000
    published = await publish(database)
    assert (published.version, published.number, published.run, published.closed) == ("thank-you@1", 1, "thank-you.run.1", None)
    row = await database.read(lambda c: versions.row(c, "thank-you@1"))
    assert (row.state, row.published_at) == ("live", 5_000_000)
    assert await database.read(lambda c: versions.live(c, "thank-you")) == row
    frozen = await database.read(lambda c: versions.frozen_version(c, row.hash))
    assert frozen.hash == row.hash
    assert [node.id for node in frozen.journey.nodes][:2] == ["read", "first"]
    run = await database.read(lambda c: runs.get(c, "thank-you.run.1"))
    assert (run.version, run.segment, run.state, run.cutoff) == ("thank-you@1", "three-cities-after-1980", "reading", 5_000_000)
    assert run.segment_hash
    assert run.profiles is None


async def test_a_manual_entry_waits_to_be_told(database: Database) -> None:
    document = stock.use_case_document()
    document["nodes"][0]["schedule"] = "manual"
    await database.write(lambda work: stock.put_use_case(work, nodes=document["nodes"]))
    assert (await publish(database)).run is None
    assert await database.read(runs.reading) == []


async def test_an_invalid_journey_is_not_published_and_says_all_that_is_wrong(database: Database) -> None:
    nodes = [{"id": "read", "kind": "read_segment", "next": "nowhere"}, {"id": "hi", "kind": "message"}]
    await database.write(lambda work: stock.put_use_case(work, nodes=nodes))
    with pytest.raises(Invalid) as refused:
        await publish(database)
    assert {("field_missing", "read"), ("unknown_node", "read"), ("field_missing", "hi")} <= {
        (finding.code, finding.node) for finding in refused.value.findings
    }
    assert await database.read(lambda c: versions.of_journey(c, "thank-you")) == []


@pytest.mark.complaint(10)
async def test_publishing_the_next_version_closes_the_one_before_and_keeps_its_people(database: Database) -> None:
    await database.write(stock.put_use_case)
    await publish(database)
    await database.write(stock.entrant)
    await database.write(lambda work: stock.put_use_case(work, name="Second"))
    published = await publish(database)
    assert (published.version, published.run, published.closed) == ("thank-you@2", "thank-you.run.2", "thank-you@1")
    assert (await state(database), await state(database, "thank-you@2")) == ("closed", "live")


async def test_a_former_version_in_which_nobody_is_finished_at_once_and_its_run_ends(database: Database) -> None:
    await database.write(stock.put_use_case)
    await publish(database)
    await database.write(lambda work: stock.put_use_case(work, name="Second"))
    await publish(database)
    assert await state(database) == "finished"
    assert await database.read(runs.reading) == ["thank-you.run.2"]


async def test_publishing_what_is_live_already_is_refused(database: Database) -> None:
    await database.write(stock.put_use_case)
    await publish(database)
    with pytest.raises(Conflict, match="thank-you@1 is live with just this content") as refused:
        await publish(database)
    assert refused.value.code == "unchanged"
    assert await database.read(runs.reading) == ["thank-you.run.1"]


@pytest.mark.complaint(10)
async def test_a_changed_message_needs_no_new_version(database: Database) -> None:
    await database.write(stock.put_use_case)
    await publish(database)
    await database.write(lambda work: messages.put(work, message("follow-up", "email", name="New words")))
    with pytest.raises(Conflict, match="nothing to publish"):
        await publish(database)


async def test_what_was_stopped_can_be_published_again_as_a_new_version(database: Database) -> None:
    await database.write(stock.put_use_case)
    await publish(database)
    await database.write(lambda work: journeys.stop(work, "thank-you"))
    published = await publish(database)
    assert (published.version, published.closed) == ("thank-you@2", None)
    assert (await state(database), await state(database, "thank-you@2")) == ("stopped", "live")


async def test_nobody_publishes_a_journey_that_is_not_there(database: Database) -> None:
    with pytest.raises(NotFound, match="There is no journey thank-you"):
        await publish(database)


# ---- closing, finishing, stopping -----------------------------------------------------------------------------------------------


async def test_a_closed_version_is_finished_when_the_last_entrant_has_ended(database: Database) -> None:
    await database.write(stock.put_use_case)
    await publish(database)
    entrant = await database.write(stock.entrant)
    closed = await database.write(lambda work: journeys.close(work, "thank-you"))
    assert (closed.version, closed.state) == ("thank-you@1", "closed")
    assert not await database.write(lambda work: finishing.finish_if_empty(work, "thank-you@1"))
    await database.write(lambda work: stock.end(work, entrant))
    assert await database.write(lambda work: finishing.finish_if_empty(work, "thank-you@1"))
    assert await state(database) == "finished"
    assert not await database.write(lambda work: finishing.finish_if_empty(work, "thank-you@1"))


async def test_a_live_version_does_not_finish_by_itself(database: Database) -> None:
    await database.write(stock.put_use_case)
    await publish(database)
    await database.write(stock.end_run)
    assert not await database.write(lambda work: finishing.finish_if_empty(work, "thank-you@1"))
    assert await state(database) == "live"


async def test_closing_with_nobody_inside_finishes(database: Database) -> None:
    await database.write(stock.put_use_case)
    await publish(database)
    assert (await database.write(lambda work: journeys.close(work, "thank-you"))).state == "finished"
    with pytest.raises(Conflict, match="no live version"):
        await database.write(lambda work: journeys.close(work, "thank-you"))


async def test_closing_ends_a_run_under_way(database: Database) -> None:
    await database.write(stock.put_use_case)
    await publish(database)
    await database.write(stock.entrant)
    assert (await database.write(lambda work: journeys.close(work, "thank-you"))).state == "closed"
    assert await database.read(runs.reading) == []
    assert (await database.read(lambda c: runs.get(c, "thank-you.run.1"))).state == "stopped"


async def test_a_closed_version_is_not_finished_while_a_run_reads(database: Database) -> None:
    await database.write(stock.put_use_case)
    await publish(database)
    await database.write(lambda work: versions.set_state(work, "thank-you@1", "closed"))
    assert not await database.write(lambda work: finishing.finish_if_empty(work, "thank-you@1"))
    await database.write(stock.end_run)
    assert await database.write(lambda work: finishing.finish_if_empty(work, "thank-you@1"))


async def test_stopping_takes_every_version_that_holds_people_and_its_runs(database: Database) -> None:
    await database.write(stock.put_use_case)
    await publish(database)
    await database.write(stock.entrant)
    await database.write(lambda work: stock.put_use_case(work, name="Second"))
    await publish(database)
    assert await database.write(lambda work: journeys.stop(work, "thank-you")) == ["thank-you@1", "thank-you@2"]
    assert (await state(database), await state(database, "thank-you@2")) == ("stopped", "stopped")
    assert await database.read(runs.reading) == []
    assert (await database.read(lambda c: runs.get(c, "thank-you.run.2"))).state == "stopped"
    assert await database.read(lambda c: overdue.to_wind_down(c, 0)) == [("thank-you@1", "journey_stopped")]
    with pytest.raises(Conflict, match="no live or closed version"):
        await database.write(lambda work: journeys.stop(work, "thank-you"))


# ---- runs -----------------------------------------------------------------------------------------------------------------------


async def test_a_run_of_a_list_keeps_each_profile_once(database: Database) -> None:
    await database.write(stock.put_use_case)
    await publish(database)
    run_id = await database.write(lambda work: journeys.start_run(work, "thank-you", ["b", "a", "b"]))
    run = await database.read(lambda c: runs.get(c, run_id))
    assert (run.id, run.profiles, run.segment) == ("thank-you.run.2", ("b", "a"), "")


async def test_two_runs_do_not_read_the_segment_at_once(database: Database) -> None:
    await database.write(stock.put_use_case)
    await publish(database)
    with pytest.raises(Conflict, match=r"thank-you\.run\.1 is still reading") as refused:
        await database.write(lambda work: journeys.start_run(work, "thank-you"))
    assert refused.value.code == "run_reading"
    await database.write(stock.end_run)
    assert await database.write(lambda work: journeys.start_run(work, "thank-you")) == "thank-you.run.2"


async def test_nothing_runs_into_a_journey_that_is_not_live(database: Database) -> None:
    await database.write(stock.put_use_case)
    with pytest.raises(Conflict) as refused:
        await database.write(lambda work: journeys.start_run(work, "thank-you"))
    assert refused.value.code == "not_live"
    with pytest.raises(NotFound):
        await database.write(lambda work: journeys.start_run(work, "unknown"))


async def test_runs_are_listed_the_newest_first(database: Database) -> None:
    await database.write(stock.put_use_case)
    await publish(database)
    for _ in range(3):
        await database.write(lambda work: journeys.start_run(work, "thank-you", ["a"]))
    first = await database.read(lambda c: runs.page(c, "thank-you", before=None, limit=2))
    rest = await database.read(lambda c: runs.page(c, "thank-you", before=first[-1].number, limit=10))
    assert [run.number for run in (*first, *rest)] == [4, 3, 2, 1]
