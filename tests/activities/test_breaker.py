"""A provider that does not answer in time gets a rest, is probed by one at a time, and is back as soon as it is well."""

from __future__ import annotations

from activities.breaker import Breaker, Pass


def entered(breaker: Breaker, now: float = 0.0) -> Pass:
    given = breaker.enter(now)
    assert given is not None
    return given


def tried(breaker: Breaker, now: float, good: bool | None) -> None:
    breaker.leave(entered(breaker, now), now, good)


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker(bad=3, rest=5, longest_rest=20)
    for _ in range(3):
        tried(breaker, now, False)
    return breaker


def test_only_so_many_are_let_in_at_a_time() -> None:
    breaker = Breaker(most=2)
    first, _ = entered(breaker), entered(breaker)
    assert breaker.enter(0) is None
    assert not breaker.is_open, "a place will be free in a moment"
    breaker.leave(first, 0, True)
    entered(breaker)


def test_several_in_a_row_that_do_not_answer_in_time_open_it_and_single_ones_do_not() -> None:
    breaker = Breaker(bad=3)
    for good in (False, False, True, False, False, None, True):
        tried(breaker, 0, good)
    assert not breaker.is_open
    for _ in range(3):
        tried(breaker, 0, False)
    assert breaker.is_open
    assert breaker.enter(0) is None


def test_after_its_rest_one_probe_at_a_time_is_let_in_and_a_good_one_closes_it() -> None:
    breaker = opened()
    assert breaker.enter(4.9) is None
    probe = entered(breaker, 5)
    assert probe.probe
    assert breaker.enter(5) is None
    breaker.leave(probe, 6, True)
    assert not breaker.is_open
    assert not entered(breaker, 6).probe


def test_a_bad_probe_doubles_the_rest_up_to_a_bound_and_recovery_forgets_it() -> None:
    breaker, now = opened(), 5.0
    for rest in (10, 20, 20):
        tried(breaker, now, False)
        assert breaker.enter(now + rest - 0.1) is None
        now += rest
    tried(breaker, now, True)
    for _ in range(3):
        tried(breaker, now, False)
    assert breaker.enter(now + 4.9) is None
    entered(breaker, now + 5)


def test_a_probe_that_did_not_come_to_ask_leaves_it_to_the_next() -> None:
    breaker = opened()
    tried(breaker, 5, None)
    assert breaker.is_open
    assert entered(breaker, 5).probe


def test_calls_from_before_the_rest_neither_end_it_nor_make_it_longer() -> None:
    breaker = Breaker(bad=3, rest=5)
    late = [entered(breaker) for _ in range(6)]
    for given in late[:3]:
        breaker.leave(given, 1, False)
    for given, good in zip(late[3:], (True, False, True), strict=True):
        breaker.leave(given, 3, good)
    assert breaker.enter(5.9) is None
    assert entered(breaker, 6).probe
