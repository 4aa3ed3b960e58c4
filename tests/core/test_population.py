"""Many people by lot: shares, funnels that add up, and the same lots for the same seed."""

from __future__ import annotations

from typing import Any

import pytest

from journey import reports, rules
from journey.errors import BadInput
from journey.profiles import Profile
from journey.reports import NodeReport
from journey.rule_text import as_tree
from journey.rules import Scope
from journey.simulation import people as population_people
from journey.simulation import population
from journey.simulation import rates as population_rates
from journey.simulation.population import Population
from journey.simulation.rates import Lots
from journey.simulation.story import World
from journey.version import Version
from tests.builders import DAY, HOUR, SECOND, message, profile, purchase_definition, rule, use_case, use_case_messages, version

WORLD = World(messages=use_case_messages() | {"one": message("one", "email")})
END = {"id": "end", "kind": "end"}


def walked(*rates: str, people: int = 300, seed: int = 1, of: Version | None = None, who: Any = None, world: World = WORLD) -> Population:
    of = of or use_case()
    found = population.walk_all(
        of, who or (lambda _: profile()), world, population_rates.read(rates, of, ("email", "push")), people=people, seed=seed
    )
    assert reports.differences(of.journey, found.report) == ()
    assert found.report.totals.entered == sum(found.report.totals.ended.values()) == people
    assert [node.inside for node in found.report.nodes] == [0] * len(found.report.nodes)
    return found


def at(found: Population, node: str) -> NodeReport:
    return next(one for one in found.report.nodes if one.node == node)


# ---- what many people do ---------------------------------------------------------------------------------------------------------


def test_where_nobody_does_anything_everybody_gets_the_follow_up_and_ends_by_time() -> None:
    found = walked(people=20)
    assert at(found, "email-opened").left == {"timeout": 20}
    assert at(found, "push-opened").left == {"other": 20}
    assert found.report.totals.ended == {"global_timeout": 20}
    assert (found.median, found.longest) == (91 * DAY, 91 * DAY)


def test_where_everybody_opens_and_buys_everybody_is_thanked() -> None:
    found = walked("push.opened=1 PT1S", "purchase=100% PT1S", people=20)
    assert at(found, "push-opened").left == {"next": 20}
    assert found.report.totals.ended == {"finished": 20}
    assert found.longest < DAY
    assert at(found, "thanks").channels["push"].opened == 20, "the last message is opened too, though it changes nothing any more"


def test_the_share_that_is_asked_for_is_about_the_share_that_does_it() -> None:
    found = walked("email.opened=0.3", people=2000)
    opened = at(found, "first").channels["email"].opened
    assert 500 < opened < 700
    assert at(found, "email-opened").left["next"] <= opened, "who opens after the day is too late"


def test_the_longer_people_take_the_more_are_too_late() -> None:
    in_time = {delay: at(walked(f"email.opened=1 {delay}"), "email-opened").left["next"] for delay in ("PT1H", "P1D", "P10D")}
    assert in_time["PT1H"] > in_time["P1D"] > in_time["P10D"]


def test_a_rate_may_be_for_one_node_alone_and_stands_over_the_one_for_all() -> None:
    found = walked("email.opened=0", "email.opened:follow-up=1")
    assert at(found, "first").channels["email"].opened == 0
    assert at(found, "follow-up").channels["email"].opened == 300


MOVED_BY_WRITES = version(
    {
        "id": "asks",
        "kind": "wait",
        "until": {"rule": rule("city", "=", "Rome")},
        "next": "joins",
        "timeout": {"after": "P9D", "next": "end"},
    },
    {"id": "joins", "kind": "qualification", "segment": "vips", "next": "end", "timeout": {"after": "P9D"}},
    END,
)
VIPS = World(segments={"vips": as_tree("vip == true")})


def test_a_share_of_people_is_written_as_a_rule_or_a_segment_waits_for_it() -> None:
    found = walked("profile=1 PT1S", of=MOVED_BY_WRITES, world=VIPS, people=20)
    assert (at(found, "asks").left, at(found, "joins").left) == ({"next": 20}, {"next": 20})
    found = walked("profile:asks=0.3 PT1H", of=MOVED_BY_WRITES, world=VIPS, people=1000)
    assert 0.25 < at(found, "asks").left["next"] / 1000 < 0.35
    assert set(at(found, "joins").left) == {"timeout"}


def test_a_rate_of_writes_where_nobody_waits_for_one_is_said() -> None:
    with pytest.raises(BadInput, match="there is no node of thank-you that waits for a rule or a segment"):
        population_rates.read(["profile=0.3"], use_case())
    with pytest.raises(BadInput, match="end is no node of small that waits for a rule or a segment"):
        population_rates.read(["profile:end=0.3"], MOVED_BY_WRITES)


def test_what_a_provider_refuses_leads_to_the_error_exit() -> None:
    found = walked("email.failed=1", "push.failed=1")
    assert at(found, "first").left == {"error": 300}
    assert found.report.totals.ended == {"error": 300}
    doubtful = walked("email.uncertain=1", people=10)
    assert at(doubtful, "first").channels["email"].uncertain == 10


def test_people_who_cannot_be_reached_are_excluded_and_open_nothing() -> None:
    found = walked("push.opened=1", who=lambda number: profile(push_tokens=("phone",) if number % 2 else ()), people=100)
    push = at(found, "first").channels["push"]
    assert (push.sent, push.excluded, push.opened) == (50, {"no_token": 50}, 50)


def test_people_take_the_branches_that_are_theirs() -> None:
    branches = [{"id": "atlanta", "when": rule("city", "=", "Atlanta"), "next": "end"}]
    asks = version({"id": "where", "kind": "condition", "branches": branches, "otherwise": "end"}, END)
    found = walked(of=asks, who=lambda number: profile(city="Seattle" if number % 4 else "Atlanta"), people=100)
    assert at(found, "where").left == {"atlanta": 25, "otherwise": 75}


def test_who_goes_a_way_that_ends_without_an_end_node_is_counted_as_ended() -> None:
    found = walked(of=version({"id": "hello", "kind": "message", "message": "one"}), people=10)
    assert at(found, "hello").left == {"next": 10}
    assert found.report.totals.ended == {"finished": 10}


# ---- lots ------------------------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_people_and_another_gives_others() -> None:
    rates = ("email.opened=0.4", "purchase=0.3")
    assert walked(*rates) == walked(*rates)
    assert walked(*rates) != walked(*rates, seed=2)


def test_a_rate_more_leaves_the_other_lots_as_they_were() -> None:
    without, more = walked("email.opened=0.4"), walked("email.opened=0.4", "push.clicked=0.5")
    assert at(without, "email-opened").left == at(more, "email-opened").left


def test_lots_are_spread_evenly() -> None:
    drawn = [Lots(1, number).draw("x") for number in range(2000)]
    assert all(0 <= one < 1 for one in drawn)
    assert 900 < sum(one < 0.5 for one in drawn) < 1100


def test_delays_are_whole_seconds_above_none_and_about_the_mean() -> None:
    (rate,) = population_rates.read(["email.opened=1 PT1H"], use_case())
    after = [Lots(1, number).happens_after(rate, "first") for number in range(1000)]
    delays = [one for one in after if one is not None]
    assert len(delays) == 1000
    assert all(one >= SECOND and one % SECOND == 0 for one in delays)
    assert 0.8 * HOUR < sum(delays) / 1000 < 1.2 * HOUR


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("email.opened", "is no rate"),
        ("email.opened=often", "is no rate"),
        ("email.opened=1.5", "is no share"),
        ("email.opened=1.2.3", "is no share"),
        ("email.opened=200%", "is no share"),
        ("sms.opened=0.1", "nobody does sms.opened"),
        ("email.loved=0.1", "nobody does email.loved"),
        ("refund=0.1", "nobody does refund in thank-you; there is purchase, email.opened"),
        ("email.opened:purchase=0.1", "purchase is no message"),
        ("purchase:first=0.1", "first is no node of thank-you that waits for purchase"),
        ("purchase=0.1 soon", "is no duration"),
    ],
)
def test_a_rate_that_is_none_is_said(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        population_rates.read([text], use_case())


def test_a_rate_given_twice_is_said() -> None:
    with pytest.raises(BadInput, match="purchase is given twice"):
        population_rates.read(["purchase=0.1", "purchase=0.2"], use_case())


def test_an_event_that_no_example_can_be_made_of_has_no_rate() -> None:
    dear = version({"id": "bought", "kind": "event", "event": "purchase", "next": "end"}, END,
                   definitions=[purchase_definition(rule=rule("product", "contains", "Lamp"))])  # fmt: skip
    with pytest.raises(BadInput, match="asks for more"):
        population_rates.read(["purchase=0.1"], dear)


# ---- people who are made up ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "segment",
    [
        'city in ["Atlanta", "San Francisco", "Seattle"] && birth_year > 1980',
        'birth_year < 1990 && birth_year >= 1980 && profile.tier != "gold"',
        'vip == true || score > 0.5',
        'name.startsWith("A") && !(city == "Atlanta")',
        "address.country == \"US\" && phone == null",
        "middle_name != null",
    ],
)  # fmt: skip
def test_whoever_is_made_up_is_a_member(segment: str) -> None:
    tree = as_tree(segment)
    people = [population_people.make(tree, [], Lots(1, number)) for number in range(20)]
    assert all(rules.evaluate(tree, Scope.of_profile(one.attributes)) for one in people)
    assert all(one.email and one.push_tokens for one in people)
    assert [one.attributes for one in people] == [population_people.make(tree, [], Lots(1, number)).attributes for number in range(20)]


def test_whoever_is_made_up_differs_in_what_the_journey_asks() -> None:
    made: list[Profile] = [population_people.make(as_tree("age > 17"), [as_tree('city == "Atlanta"')], Lots(1, n)) for n in range(50)]
    assert {one.attributes["city"] for one in made} == {"Atlanta", "something else"}
    assert len({one.attributes["age"] for one in made}) > 5


def test_a_segment_that_holds_nobody_is_said() -> None:
    with pytest.raises(BadInput, match="Nobody could be made up"):
        population_people.make(as_tree("age > 17 && age < 3"), [], Lots(1, 1))
