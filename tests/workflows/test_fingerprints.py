"""What each kind of node, and each way out of a journey, asks of the server today is what it asked when its history was recorded (D12).

`fingerprints.txt` has the commands of one workflow of each sort, to be read. A difference is a change of commands: whoever is inside a
journey when it is deployed could get stuck, or their run would read differently from one step to the next.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory

from journey.contract import Landing, Record
from journey.version import Version
from tests.e2e.world import HISTORIES
from tests.workflows import commands, replaying
from worker import WORKFLOWS

FILE = Path(__file__).parent / "fingerprints.txt"
SPLIT = "a_split_divides_people_and_a_wait_until_a_field_is_over_for_each_at_their_own_time"
CUT = "of_a_wait_of_seven_days_cut_to_five_who_waited_longer_leaves_at_once_and_the_others_after_five"
SORTS = {
    "read_segment: a run": ("one_who_opens_the_email_buys_and_is_thanked_by_push", "thank-you.run.1"),
    "message left by next, reaction that happens, event that happens, end": (
        "one_who_opens_the_email_buys_and_is_thanked_by_push", "thank-you~c-42~1",
    ),
    "reaction that times out": ("one_who_opens_nothing_gets_the_follow_up", "thank-you~c-42~1"),
    "event that times out": ("an_event_that_is_not_there_in_time_goes_on_by_its_timeout", "thank-you~chair~1"),
    "event that was kept for somebody under way": (
        "a_purchase_right_after_opening_counts_although_its_person_is_under_way", "thank-you~c-42~1",
    ),
    "open whose signal comes after the timer": (
        "an_open_before_the_deadline_wins_although_its_signal_comes_after_the_timer", "thank-you~c-42~1",
    ),
    "message left by error, with an error exit": ("an_address_refused_for_good_leads_to_the_error_exit", "thank-you~c-42~1"),
    "message left by error, without one": ("without_an_error_exit_it_is_the_end_for_that_reason", "thank-you~c-42~1"),
    "message that takes the durable path": (
        "a_mail_server_that_asks_to_come_again_gets_the_mail_a_second_later", "thank-you~c-42~1",
    ),
    "message that policies hold back": ("a_mail_that_a_cap_holds_back_goes_when_the_window_frees", "thank-you~c-42~1"),
    "cancel while policies hold a message back": (
        "whoever_is_taken_out_does_not_wait_for_their_turn_under_a_cap", "thank-you~c-42~1",
    ),
    "message held for review, that cannot be made out, is mended and approved": (
        "what_was_missing_is_mended_and_approved_while_no_worker_is_there_and_sent_once", "letters~c-42~1",
    ),
    "removal while a message is held for review": (
        "whoever_is_removed_while_their_message_is_held_ends_at_once_and_gets_nothing", "letters~c-42~1",
    ),
    "condition into a wait that passes, into a message": (
        "a_wait_lets_on_when_it_is_over_and_a_condition_sends_each_their_way", "thank-you~waits~1",
    ),
    "condition behind a condition": ("a_wait_lets_on_when_it_is_over_and_a_condition_sends_each_their_way", "thank-you~young~1"),
    "condition left by otherwise": ("a_wait_lets_on_when_it_is_over_and_a_condition_sends_each_their_way", "thank-you~elsewhere~1"),
    "condition without a branch that fits": (
        "a_wait_lets_on_when_it_is_over_and_a_condition_sends_each_their_way", "thank-you~fits-none~1",
    ),
    "wait beside a reaction, the wait wins": ("of_a_wait_and_an_open_the_first_to_happen_wins", "thank-you~sleeps~1"),
    "wait beside a reaction, the reaction wins": ("of_a_wait_and_an_open_the_first_to_happen_wins", "thank-you~opens~1"),
    "split into a gate, a wait until a field is over": (SPLIT, "thank-you~comes-1~1"),
    "wait until a field, left by its timeout": (SPLIT, "thank-you~waits-0~1"),
    "wait whose field holds no time": (SPLIT, "thank-you~lacks-1~1"),
    "wait until a window that is open": (SPLIT, "thank-you~open-3~1"),
    "the journey's own time is up": ("one_who_never_buys_ends_after_91_days", "thank-you~c-42~1"),
    "cancel of somebody who waits": ("somebody_cancelled_while_waiting_ends_as_removed", "thank-you~c-42~1"),
    "cancel while the fast path sends": (
        "somebody_cancelled_while_a_message_is_on_its_way_ends_as_removed_when_it_is_sent_0_8_", "thank-you~c-42~1",
    ),
    "cancel while the durable path sends": (
        "somebody_cancelled_while_a_message_is_on_its_way_ends_as_removed_when_it_is_sent_2_0_", "thank-you~c-42~1",
    ),
    "leave of somebody who waits": (
        "stopped_everybody_inside_ends_within_seconds_and_nobody_is_written_to_any_more", "thank-you~c-0~1",
    ),
    "signals that are wrong, or not ours": ("signals_that_say_what_is_not_so_have_no_effect", "thank-you~c-42~1"),
    "wind_down: a page of people": (
        "stopped_everybody_inside_ends_within_seconds_and_nobody_is_written_to_any_more", "thank-you@1~wind-down",
    ),
    "sweep": ("somebody_whose_signal_was_lost_is_told", "sojourn-sweep-now"),
    "an entrant that is started again where it waits": (
        "somebody_whose_workflow_was_deleted_is_started_again_where_they_were", "thank-you~c-42~1",
    ),
    "wind_down: nobody is inside": ("stopped_while_a_run_still_reads_it_lets_nobody_more_in", "thank-you@1~wind-down"),
    "a pause that holds, and a page of people who go on": (
        "whoever_is_held_looks_again_when_told_and_goes_on_when_the_pause_is_over", "thank-you@1~release",
    ),
    "somebody whom a pause holds, told without need and then let go on": (
        "whoever_is_held_looks_again_when_told_and_goes_on_when_the_pause_is_over", "thank-you~c-42~1",
    ),
    "somebody who comes to an action of a journey whose pause discards": (
        "a_pause_that_discards_ends_who_comes_to_an_action_and_lets_in_nobody", "thank-you~silent~1",
    ),
    "removal of somebody held": ("somebody_held_is_removed_and_the_others_end_at_the_end_of_the_journey", "thank-you~c-0000~1"),
    "resend": ("an_uncertain_e_mail_is_sent_once_more_when_somebody_asks", "resend.thank-you~c-42~1.1.email.1795553045321723"),
    "occurrence: what a schedule of a journey has fired for": (
        "at_each_occurrence_there_is_one_run_however_often_its_schedule_fires", "thank-you.schedule-2026-11-28T01:57:01Z",
    ),
    "webhook left by next, condition on its answer": (
        "a_webhook_is_called_once_and_what_it_answers_decides_the_way_on", "thank-you~c-42~1",
    ),
    "webhook that takes the durable path, left by error": (
        "a_webhook_that_asks_to_come_again_is_called_with_the_same_id_and_one_that_refuses_leads_to_the_error_exit", "thank-you~c-42~1",
    ),
    "webhook left by error, without an error exit": (
        "without_an_error_exit_a_webhook_that_is_refused_is_the_end", "thank-you~c-42~1",
    ),
    "update_profile left by next and by error": (
        "a_profile_is_written_once_and_the_next_node_sees_it_and_what_does_not_fit_goes_by_error", "thank-you~c-42~1",
    ),
    "a rule that comes true, then a segment that is entered": (
        "a_rule_that_comes_true_and_a_segment_that_is_entered_let_people_on_and_others_time_out", "thank-you~grows~1",
    ),
    "a rule that is true already, then a qualification that times out": (
        "a_rule_that_comes_true_and_a_segment_that_is_entered_let_people_on_and_others_time_out", "thank-you~big~1",
    ),
    "an exit criterion of somebody who waits": (
        "a_purchase_or_a_segment_ends_a_wait_of_30_days_within_seconds_and_its_timer_is_gone", "thank-you~buys~1",
    ),
    "somebody let in by an event, who jumps into another journey": (
        "an_event_lets_its_person_in_and_a_jump_leads_into_another_journey", "thank-you~c-42~1",
    ),
    "somebody let in to a gate by a jump": (
        "an_event_lets_its_person_in_and_a_jump_leads_into_another_journey", "there~c-42~1",
    ),
    "somebody who is woken and carried over into another version": (CUT, "thank-you~early-0~1 1"),
    "somebody who has come from another version": (CUT, "thank-you~late-0~1 2"),
    "wake: a page of people whose version was succeeded": (CUT, "thank-you@1~wake"),
    "reconcile": ("a_comparison_of_what_agrees_changes_nothing", "sojourn-reconcile"),
}  # fmt: skip
"""What a history is an example of: the file of tests/histories it is in, without `test_`, and the workflow's id there."""
EXITS = {
    ("message", "next"), ("message", "error"), ("event", "next"), ("event", "timeout"), ("reaction", "next"), ("reaction", "timeout"),
    ("wait", "next"), ("wait", "timeout"), ("condition", "branch"), ("condition", "otherwise"), ("split", "branch"),
    ("qualification", "next"), ("qualification", "timeout"),
    ("webhook", "next"), ("webhook", "error"), ("update_profile", "next"), ("update_profile", "error"),
    ("jump", "next"),
}  # fmt: skip
"""Every way out of a node at which somebody stops or waits, as far as it may be published."""
NAMES_ITS_EXITS = ("condition", "split")
CHANGED = """The commands of a workflow have changed.

Those inside a journey when this is deployed would be asked for other things than before. Take the change back, or put it behind
`workflow.patched` (a new engine number for entrants) and record a history of the new way beside the old one: CONTRIBUTING.md, "Changing a
workflow". Only when the difference below is a new sort of workflow, or the new way behind its patch, write the file anew:
RECORD_FINGERPRINTS=1 make test ARGS=tests/workflows/test_fingerprints.py"""


async def test_every_sort_of_stop_gives_the_commands_it_always_gave() -> None:
    sections = [(name, await commands_of(file, workflow_id)) for name, (file, workflow_id) in SORTS.items()]
    today = commands.written(sections)
    if os.environ.get("RECORD_FINGERPRINTS"):
        FILE.write_text(today)
    known = {name: commanded for name, *commanded in (section.split("\n    ") for section in FILE.read_text().strip().split("\n\n"))}
    for name, lines in sections:
        assert lines == known.get(name, []), f"{name}\n{CHANGED}"
    assert today == FILE.read_text(), f"{FILE.name} has a section that no history is an example of. {CHANGED}"


async def test_another_summary_or_another_activity_would_be_seen() -> None:
    file, workflow_id = SORTS["reaction that times out"]
    told = "\n".join(await commands_of(file, workflow_id))

    assert "schedule_local_activity stop '1: first'" in told
    assert "start_timer 'push-opened+email-opened'" in told
    assert told.endswith("complete_workflow_execution 'finished'")


@pytest.mark.parametrize("kind", WORKFLOWS, ids=lambda kind: kind.__name__)
def test_every_workflow_has_an_example(kind: type) -> None:
    recorded = {
        history.events[0].workflow_execution_started_event_attributes.workflow_type.name
        for file, workflow_id in SORTS.values()
        for history in replaying.read([HISTORIES / f"test_{file}.json"])[1]
        if history.workflow_id == workflow_id
    }
    definition = workflow._Definition.must_from_class(kind)
    assert definition.name in recorded


async def test_every_way_out_of_every_kind_of_node_is_among_them() -> None:
    taken: set[tuple[str, str]] = set()
    for file, workflow_id in SORTS.values():
        frozen, history = one_of(file, workflow_id)
        kinds = {node.id: node.kind for version in frozen.values() for node in version.journey.nodes}
        for proposal, record in (await commands.given(frozen, history)).stops:
            if proposal.left and record.n == proposal.n:
                taken.add((kinds[proposal.left], proposal.exit))
            if proposal.node:
                outcomes = [outcome for outcome, landing in proposal.landings.items() if led(landing, record)]
                taken |= {(kinds[proposal.node], outcome) for outcome in outcomes if len(outcomes) == 1}
    known = {kind for kind, _ in EXITS}
    found = {(kind, way if (kind, way) in EXITS or kind not in NAMES_ITS_EXITS else "branch") for kind, way in taken if kind in known}
    assert found == EXITS


def led(landing: Landing, record: Record) -> bool:
    """Whether a record is that of this landing."""
    return (landing.place, landing.reason) == (record.place, record.end)


def one_of(file: str, workflow_id: str) -> tuple[dict[str, Version], WorkflowHistory]:
    frozen, histories = replaying.read([HISTORIES / f"test_{file}.json"])
    (history,) = (one for one in histories if one.workflow_id == workflow_id)
    return frozen, history


async def commands_of(file: str, workflow_id: str) -> list[str]:
    return (await commands.given(*one_of(file, workflow_id))).given
