"""Every id that Sojourn builds, in one place. It knows no store: the numbers in an id are given to it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

NAMESPACE = "sojourn"
TASK_QUEUE = "sojourn"
TRANSACTIONAL_QUEUE = "sojourn-transactional"
"""The task queue of people in journeys of the class transactional, so that they do not stand behind a run of many."""
REACTIONS = "sojourn"
"""The source of every event of our own: a reaction to a message of ours, or a change of a profile."""

TESTED = "sojourn-test:"
"""The source of an event that was fired in a test begins so; the id of the session's version follows."""

SWEEP = "sojourn-sweep"
"""The id of the schedule that looks after people who are overdue, and the beginning of its workflows' ids."""
CATCH_UP = "sojourn-catch-up"
"""The sweep that a process asks for at its start."""
RECONCILE = "sojourn-reconcile"
"""The one reconciliation of store and server that may run at a time."""

_SCHEDULE = ".schedule"
_LONGEST_KEY = 120
_HASHED = "h-"
_MAIL = re.compile(r"[0-9a-f]{32}")


def entrant(journey: str, key: str, number: int, *, test: bool = False) -> str:
    """The id of an entrant, which is its workflow's too: JOURNEY~KEY~N. `number` is the entrance number the store gave.

    A key that is long or looks like an address is hashed: ids are shown in the Temporal UI and in logs. One that is written like such
    a hash is hashed too, or it would be the id of somebody else. An id never holds a `/`, which the server's page could not link to.
    """
    return f"{journey}~{readable(key)}~{'t' if test else ''}{number}"


def journey_of(entrant_id: str) -> str:
    """The journey of an entrant, be it a test or not."""
    return entrant_id.partition("~")[0]


def readable(key: str) -> str:
    """A key as it stands in the id of its entrant."""
    quoted = quote(key, safe="")
    if "@" in key or len(quoted) > _LONGEST_KEY or key.startswith(_HASHED):
        return _HASHED + hashlib.sha256(key.encode()).hexdigest()[:32]
    return quoted


def is_test(entrant_id: str) -> bool:
    """Whether an entrant, by its id, is one of a test session."""
    return entrant_id.rpartition("~")[2].startswith("t")


@dataclass(frozen=True, slots=True)
class EntrantName:
    """The parts of an entrant's id. `readable` is the key as it stands there; `key` is None when that is only its hash."""

    journey: str
    readable: str
    number: int
    test: bool = False

    @property
    def key(self) -> str | None:
        return None if self.readable.startswith(_HASHED) else unquote(self.readable)


def read_entrant(entrant_id: str) -> EntrantName:
    """The parts of the id of an entrant. Raises ValueError when it is none."""
    journey, _, rest = entrant_id.partition("~")
    key, _, number = rest.rpartition("~")  # a key may hold a `~` itself, a journey and a number do not
    test, number = number.startswith("t"), number.removeprefix("t")
    if not (journey and key and number.isascii() and number.isdigit()):
        raise ValueError(f"{entrant_id!r} is no entrant: it is written JOURNEY~KEY~NUMBER")
    return EntrantName(journey, key, int(number), test)


def journey_of_entrant(entrant_id: str) -> str:
    """The journey that an entrant walks. A journey's id holds no `~`."""
    return entrant_id.split("~", 1)[0]


def delivery(entrant_id: str, n: int, channel: str) -> str:
    """The id of a delivery: entrant, step number, channel. It is the idempotency key that a provider gets."""
    return f"{entrant_id}.{n}.{channel}"


@dataclass(frozen=True, slots=True)
class DeliveryName:
    """The parts of a delivery's id."""

    entrant: str
    n: int
    channel: str


def read_delivery(delivery_id: str) -> DeliveryName:
    """The parts of a delivery's id. Raises ValueError when it is none."""
    parts = delivery_id.rsplit(".", 2)
    if len(parts) != 3 or not all(parts) or not (parts[1].isascii() and parts[1].isdigit()):
        raise ValueError(f"{delivery_id!r} is no delivery: it is written ENTRANT.STEP.CHANNEL")
    return DeliveryName(parts[0], int(parts[1]), parts[2])


def webhook(delivery_id: str) -> str:
    """The `webhook-id` of a call: the delivery's id without a dot, the same on every attempt.

    What is signed is `ID.TIMESTAMP.BODY`, and a key may hold dots: with one in the id its end could be taken for a time. No two
    deliveries have the same: a key is percent-encoded, and only the dots of ours are written as `~`.
    """
    name = read_delivery(delivery_id)
    return f"{name.entrant.replace('.', '%2E')}~{name.n}~{name.channel}"


def reaction(delivery_id: str, kind: str, link: str = "") -> str:
    """The event id of a reaction: the same delivery opened twice is one event; each link clicked is one."""
    if not link:
        return f"{delivery_id}:{kind}"
    return f"{delivery_id}:{kind}:{hashlib.sha256(link.encode()).hexdigest()[:12]}"


def profile_change(profile: str, at: int) -> str:
    """The event id of a write of a profile at this instant. The profile is hashed: its id may be an address, and histories show events."""
    return f"profile.{content_hash(profile)[:16]}.{at}"


def came_true(entrant_id: str, n: int) -> str:
    """The event id of a rule that was true already when its person came to wait for it, by step `n`."""
    return f"{entrant_id}.{n}:true"


def run(journey: str, number: int) -> str:
    """The id of a run, and of the workflow that reads it. Written with dots: no key can make an entrant's id of it."""
    return f"{journey}.run.{number}"


def run_on_schedule(journey: str, local: str) -> str:
    """The id of the run of an occurrence, by its local name `2026-03-29T02:30`: there is one, however often it is asked for."""
    return f"{journey}.run.{local}"


def schedule(journey: str) -> str:
    """The id of the schedule at the server that begins a journey's runs. A dot and no number: no run and no entrant is called so."""
    return f"{journey}{_SCHEDULE}"


def journey_of_schedule(schedule_id: str) -> str | None:
    """The journey whose runs a schedule begins; None for one that is not ours to keep."""
    return schedule_id.removesuffix(_SCHEDULE) if schedule_id.endswith(_SCHEDULE) else None


def journey_of_run(run_id: str) -> str:
    """The journey that a run lets people into. A journey's id holds no dot."""
    return run_id.split(".", 1)[0]


def wind_down(version_id: str) -> str:
    """The id of the workflow that ends everybody inside a version."""
    return f"{version_id}~wind-down"


def release(version_id: str) -> str:
    """The id of the workflow that lets those go on whom a pause has held."""
    return f"{version_id}~release"


def wake(version_id: str) -> str:
    """The id of the workflow that wakes those of a version that was succeeded who wait for something else now."""
    return f"{version_id}~wake"


def resend(delivery_id: str, since: int) -> str:
    """The id of the workflow that sends a delivery once more which has been uncertain since this instant; dots as in a run's id."""
    return f"resend.{delivery_id}.{since}"


def version(journey: str, number: int) -> str:
    """The name of a version, as the search attribute SojournVersion shows it."""
    return f"{journey}@{number}"


def test_version(journey: str, number: int) -> str:
    """The name of the version that a test session walks: `number` counts the sessions of the journey."""
    return f"{journey}@t{number}"


def is_test_version(version_id: str) -> bool:
    """Whether a version is that of a test session."""
    return version_id.partition("@")[2].startswith("t")


def is_later_version(version_id: str, other: str) -> bool:
    """Whether both are versions of one journey, and the first was published after the other. That of a test is neither."""
    (journey, _, number), (same, _, before) = version_id.partition("@"), other.partition("@")
    return journey == same and number.isdigit() and before.isdigit() and int(number) > int(before)


def test_source(version_id: str) -> str:
    """The source of the events that are fired in a test session."""
    return TESTED + version_id


def is_heard_in(source: str, version_id: str) -> bool:
    """Whether events of this source are heard by people in this version: a test session hears what is fired in it, everybody live what is
    real. What comes from ourselves names its entrant, or is about the profile itself."""
    if source == REACTIONS:
        return True
    return source == test_source(version_id) if is_test_version(version_id) else not source.startswith(TESTED)


def is_past_of(source: str, tested: str = "") -> bool:
    """Whether an event of this source counts where a rule asks what somebody did before: what is real counts everywhere, what was fired in
    a test where the same journey is `tested`."""
    return not source.startswith(TESTED) or (bool(tested) and source.startswith(f"{TESTED}{tested}@"))


def mail(delivery_id: str) -> str:
    """What the Message-ID of an e-mail begins with, and what the e-mail is found by. Hashed: a key may be somebody's name."""
    return hashlib.sha256(delivery_id.encode()).hexdigest()[:32]


def message_id(delivery_id: str, domain: str) -> str:
    """The Message-ID of an e-mail, the same on every attempt."""
    return f"<{mail(delivery_id)}@{domain}>"


def read_message_id(text: str) -> str:
    """What a Message-ID begins with, as `mail` gives it; empty when it is none of ours. Providers write it with `<>` or without."""
    begins = text.strip().strip("<>").partition("@")[0].lower()
    return begins if _MAIL.fullmatch(begins) else ""


def content_hash(canonical: str) -> str:
    """The SHA-256 of a canonical text, in hex: versions and segments are kept under it."""
    return hashlib.sha256(canonical.encode()).hexdigest()
