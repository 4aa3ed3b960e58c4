"""What providers say of simulated messages: it is waited for, it ends an address, and a population has rates of it."""

from __future__ import annotations

import pytest

from journey import reports
from journey.errors import BadInput
from journey.simulation import population, script_text
from journey.simulation import rates as population_rates
from journey.simulation.simulate import simulate
from journey.simulation.story import Changes, Reacts, Script, Story, World
from journey.version import Version
from tests.builders import HOUR, message, profile, version

WORLD = World(messages={"one": message("one", "email", "push")})


def asking(to: str = "email.bounced") -> Version:
    """Two messages; between them a day in which something may come back of the first."""
    return version(
        {"id": "first", "kind": "message", "message": "one", "next": "back"},
        {"id": "back", "kind": "reaction", "of": "first", "to": to, "next": "again", "timeout": {"after": "P1D", "next": "again"}},
        {"id": "again", "kind": "message", "message": "one", "next": "end"},
        {"id": "end", "kind": "end"},
    )


def told(*happenings: str, to: str = "email.bounced") -> Story:
    read = script_text.happenings(happenings, asking(to))
    return simulate(asking(to), profile(), Script(read), WORLD)


def second_mail(story: Story) -> str:
    (found,) = (f"{one.status} {one.reason}".strip() for one in story.deliveries if one.node == "again" and one.channel == "email")
    return found


@pytest.mark.parametrize(
    ("said", "to", "then"),
    [
        ("email.bounced", "email.bounced", "excluded suppressed"),
        ("email.soft_bounce", "email.bounced", "sent"),
        ("email.complained", "email.complained", "excluded suppressed"),
        ("email.unsubscribed", "email.unsubscribed", "excluded no_consent"),
        ("email.delivered", "email.delivered", "sent"),
        ("push.unsubscribed", "push.unsubscribed", "sent"),
        ("push.clicked", "push.clicked", "sent"),
    ],
)
def test_what_comes_back_is_heard_and_says_whether_the_next_message_goes(said: str, to: str, then: str) -> None:
    story = told(f"PT1H {said} first", to=to)
    assert story.path[2] == "back:next"
    assert second_mail(story) == then
    pushes = [one.status for one in story.deliveries if one.channel == "push"]
    assert pushes == ["sent", "excluded" if said == "push.unsubscribed" else "sent"]


def test_a_bounce_that_is_told_twice_is_a_repeat_and_one_of_an_old_address_bars_no_new_one() -> None:
    assert [one.code for one in told("PT1H email.soft_bounce first", "PT2H email.bounced first").effects] == ["decided", "duplicate"]
    moved = Script((Changes(HOUR, {"email": "ada@new.example"}), Reacts(2 * HOUR, "first", "email.bounced")))
    assert second_mail(simulate(asking(), profile(), moved, WORLD)) == "sent"


def test_of_what_was_refused_nothing_comes_back() -> None:
    story = simulate(
        asking(), profile(), Script((Reacts(HOUR, "first", "email.bounced"),), failing=frozenset({("first", "email")})), WORLD
    )  # fmt: skip
    assert [one.code for one in story.effects] == ["no_delivery"]


@pytest.mark.parametrize("what", ["email.replied", "push.bounced", "sms.opened", "email."])
def test_what_there_is_not_cannot_happen(what: str) -> None:
    with pytest.raises(BadInput, match="is no reaction: there are"):
        script_text.happening(f"PT1H {what} first", 0, asking())


def test_of_many_people_some_bounce_and_these_neither_open_nor_get_the_next_message() -> None:
    rates = population_rates.read(
        ["email.bounced=0.2 PT1M", "email.opened=0.5 PT1H", "email.complained:first=0.05"], asking(), ("email", "push")
    )
    found = population.walk_all(asking(), lambda _: profile(), WORLD, rates, people=1000, seed=3)
    assert reports.differences(asking().journey, found.report) == ()
    first, again = (next(one for one in found.report.nodes if one.node == name).channels["email"] for name in ("first", "again"))
    assert 150 < first.bounced < 250
    assert first.bounced_hard == first.bounced
    assert 330 < first.opened < 470, "half of those whose mail has not come back"
    assert 20 < first.complained < 70
    assert again.excluded["suppressed"] >= first.bounced
    assert again.targeted == 1000


@pytest.mark.parametrize("what", ["push.bounced", "push.delivered", "email.replied"])
def test_there_is_no_rate_of_what_nobody_tells(what: str) -> None:
    with pytest.raises(BadInput, match="nobody does"):
        population_rates.read([f"{what}=0.5"], asking(), ("email", "push"))
