"""The store's clock goes on whatever is done to the clocks of machines."""

from __future__ import annotations

from pathlib import Path

from store import latest, schema
from store.clock import ServerClock, SystemClock
from store.engines import open_engine
from store.upgrade import upgrade

SECOND = 1_000_000


class Hands:
    """The clocks of a machine and of a server, all set by hand; a question to the server takes `way` there and as long back."""

    def __init__(self) -> None:
        self.wall, self.steady, self.server, self.way = 1_000 * SECOND, 7 * SECOND, 2_000 * SECOND, 0

    def pass_by(self, seconds: float) -> None:
        for name in ("wall", "steady", "server"):
            setattr(self, name, getattr(self, name) + int(seconds * SECOND))

    def ask(self) -> int:
        self.pass_by(self.way / SECOND)
        told = self.server
        self.pass_by(self.way / SECOND)
        return told


def system_clock(hands: Hands) -> SystemClock:
    return SystemClock(wall=lambda: hands.wall, steady=lambda: hands.steady)


def server_clock(hands: Hands) -> ServerClock:
    return ServerClock(hands.ask, steady=lambda: hands.steady)


def test_a_machine_whose_clock_is_set_back_or_ahead_goes_on_as_before() -> None:
    hands = Hands()
    clock = system_clock(hands)
    hands.pass_by(5)
    assert clock.now() == 1_005 * SECOND
    hands.wall -= 3600 * SECOND
    hands.pass_by(1)
    assert clock.now() == 1_006 * SECOND
    hands.wall += 7200 * SECOND
    assert clock.now() == 1_006 * SECOND


def test_a_process_on_a_machine_whose_clock_was_set_back_begins_where_the_one_before_ended() -> None:
    hands = Hands()
    an_hour_later = hands.wall + 3600 * SECOND
    clock = SystemClock(wall=lambda: hands.wall, steady=lambda: hands.steady, least=an_hour_later)
    hands.pass_by(5)
    assert clock.now() == an_hour_later + 5 * SECOND


def test_a_clock_that_is_a_day_behind_the_store_is_believed() -> None:
    hands = Hands()
    assert SystemClock(wall=lambda: hands.wall, steady=lambda: hands.steady, least=hands.wall + 86_400 * SECOND).now() == hands.wall


def test_a_sqlite_file_knows_its_last_instant(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'sojourn.db'}"
    engine = open_engine(address)
    assert latest.instant(engine) == 0, "without a table"
    upgrade(address)
    assert latest.instant(engine) == 0, "without a row"
    with engine.begin() as connection:
        for entrant, at in (("b", 7), ("a", 9)):
            fact = {"entrant": entrant, "n": 1, "node": "x", "kind": "arrived", "channel": "", "at": at}
            connection.execute(schema.facts.insert(), fact)
    assert latest.instant(engine) == 9
    engine.dispose()


def test_two_machines_that_disagree_have_the_time_of_their_server() -> None:
    one, other = Hands(), Hands()
    other.wall += 500 * SECOND
    other.steady += 90 * SECOND
    clocks = server_clock(one), server_clock(other)
    one.pass_by(3)
    other.pass_by(3)
    assert [clock.now() for clock in clocks] == [2_003 * SECOND] * 2


def test_the_way_to_the_server_is_taken_off() -> None:
    hands = Hands()
    hands.way = 40_000
    assert server_clock(hands).now() == hands.server


def test_of_several_answers_the_quickest_counts() -> None:
    hands = Hands()
    late = iter([3 * SECOND, 0, 2 * SECOND])  # on the way back, when the server has said its time already

    def ask() -> int:
        told = hands.server
        hands.pass_by(next(late) / SECOND)
        return told

    assert ServerClock(ask, steady=lambda: hands.steady).now() == hands.server


def test_a_small_correction_never_moves_it_back() -> None:
    hands = Hands()
    clock = server_clock(hands)
    seen = clock.now()
    hands.server -= 300_000
    clock.measure()
    assert clock.now() == seen
    hands.pass_by(1)
    assert clock.now() == hands.server


def test_a_server_whose_clock_is_set_is_followed_by_everybody() -> None:
    hands = Hands()
    clock = server_clock(hands)
    clock.now()
    for change in (-600, 7200):
        hands.server += change * SECOND
        clock.measure()
        assert clock.now() == hands.server


def test_while_the_server_does_not_answer_the_clock_goes_on() -> None:
    hands = Hands()
    clock = server_clock(hands)
    hands.ask = lambda: 1 // 0  # type: ignore[method-assign]  # the server is away
    hands.pass_by(60)
    assert clock.now() == 2_060 * SECOND
