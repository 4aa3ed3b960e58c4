"""What a provider says of a message later: a reaction and a fact of its delivery, and the end of an address that does not work.

Which delivery is meant is found by its id, by what its Message-ID begins with, or by the id that the provider gave. What is about an
address alone holds for that address, whoever it belongs to. What finds nothing to do is a discard with its reason.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass, field, replace

from sqlalchemy import ColumnElement, bindparam, delete, func, or_, select

from journey import addresses, feedback, ids
from journey.errors import NotFound
from journey.events import REACTIONS, Instant
from journey.feedback import Kind
from store import acceptance, deliveries, profiles, schema, suppressions, traces
from store.acceptance import Verdict
from store.statements import Row, Statement
from store.upserts import insert_new
from store.work import Work

SOURCE = "feedback"
"""The source of a discard that comes of it."""
_EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What was said: of a delivery by one of three names, or of an address; of both, where both are known. `id` is its own, at whoever says
    it: by it a soft bounce of an address alone is known again."""

    kind: Kind
    delivery: str = ""
    message_id: str = ""
    provider_id: str = ""
    address: str = ""
    id: str = ""

    @property
    def about(self) -> str:
        """The delivery as it was named; empty when only an address was."""
        return self.delivery or self.message_id or self.provider_id


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of it. `delivery` is the one that was meant, if one was found; `suppressed` says that this has suppressed the address;
    `code` as of an event: why nobody waited for it, or why it had no effect at all."""

    delivery: str = ""
    duplicate: bool = False
    suppressed: bool = False
    code: str = ""
    detail: str = ""
    verdict: Verdict = field(default_factory=Verdict)


@dataclass(frozen=True, slots=True)
class _Effect:
    """What it does to an address: whether it is suppressed by it, and whether anything is other than before."""

    suppressed: bool = False
    new: bool = False


def take(work: Work, said: Feedback, soft_bounces: int = feedback.SOFT_BOUNCES) -> Taken:
    """Take feedback in. The same again has no second effect. `soft_bounces` is how many in a row suppress an address."""
    row = _delivery(work, said)
    return _of_nobody(work, said, soft_bounces) if row is None else _of_delivery(work, said, row, soft_bounces)


def play(work: Work, kind: Kind, delivery: str) -> Verdict:
    """What a provider says in a story that is played. Raises NotFound where it has nothing to say of the delivery."""
    row = deliveries.find(work, delivery)
    if row is None or not went_out(row):
        raise NotFound(f"Nothing can come back of {delivery}.")
    return _of_delivery(work, Feedback(kind, delivery), row, feedback.SOFT_BOUNCES).verdict


def _of_delivery(work: Work, said: Feedback, row: Row, most: int) -> Taken:
    name, kind = deliveries.name_of(row), feedback.REACTION[said.kind]
    if f"{row.channel}.{kind}" not in REACTIONS:
        known = ", ".join(REACTIONS)
        return _in_vain(work, said, name, "no_such_reaction", f"There is no reaction {row.channel}.{kind}: there are {known}.")
    if said.kind == "unsubscribe":
        acceptance.opt_out(work, row)
    if not went_out(row):
        if said.address and row.mode == "live":
            return Taken(name, suppressed=_of_address(work, said, row, most).suppressed)
        if said.kind == "unsubscribe":
            return Taken(name)
        return _in_vain(work, said, name, "not_sent", f"The delivery {name} is {row.status}: nothing of it can have come back.")
    bounce = said.kind.removesuffix("_bounce") if kind == "bounced" else ""
    heard = acceptance.came_back(work, row, kind, bounce=bounce)
    new = said.kind == "hard_bounce" and deliveries.fact(work, row, feedback.HARD, work.now())
    effect = _of_address(work, said, row, most, again=heard.duplicate) if row.mode == "live" else _Effect()
    return Taken(name, heard.duplicate and not (new or effect.new), effect.suppressed, heard.code, heard.detail, heard)


def _of_nobody(work: Work, said: Feedback, most: int) -> Taken:
    """No delivery is found: it is about an address, if it names one."""
    if said.kind == "unsubscribe" and said.delivery:
        with suppress(NotFound):  # one that is forgotten: whose it was is known all the same
            return Taken(said.delivery, verdict=acceptance.unsubscribe(work, said.delivery))
    if not said.address:
        return _in_vain(work, said, "", "unknown_delivery", f"There is no delivery {said.about}.")
    effect = _of_address(work, said, None, most)
    return Taken(duplicate=not effect.new and said.kind != "delivered", suppressed=effect.suppressed)


def went_out(row: Row) -> bool:
    """Has the provider had this delivery, as far as is known?"""
    return row.status in ("sent", "uncertain") or (row.status == "claimed" and traces.may_have_gone(row))


def _of_address(work: Work, said: Feedback, row: Row | None, most: int, *, again: bool = False) -> _Effect:
    """What it says about where mail goes: to an address, never to a device. What came `again` suppresses where it has not, and is not
    counted twice."""
    if row is not None and row.channel != _EMAIL:
        return _Effect()
    address = said.address or _address_of(work, row)
    where = addresses.hashed(address) if address else row.sent_to if row is not None else ""
    if again and said.kind in ("delivered", "soft_bounce"):
        return _Effect()
    if said.kind == "delivered":
        return _Effect(new=_forget(work, where))
    if said.kind == "soft_bounce":
        new, times = _bounced(work, said, row, where)
        if times < most or not address:
            return _Effect(new=new)
        return replace(_suppress(work, address, where, feedback.TOO_MANY), new=new)
    if said.kind == "unsubscribe" and row is not None:
        return _Effect()  # their consent says it
    return _suppress(work, address, where, feedback.AT_ONCE[said.kind]) if address else _Effect()


def _suppress(work: Work, address: str, where: str, reason: str) -> _Effect:
    if suppressions.of(work.connection, [(_EMAIL, address)]):
        return _Effect()
    suppressions.put(work, _EMAIL, address, reason)
    _forget(work, where)
    return _Effect(suppressed=True, new=True)


def _bounced(work: Work, said: Feedback, row: Row | None, where: str) -> tuple[bool, int]:
    """One more soft bounce of an address, unless it was counted: whether it is new, and how many there are in a row with it."""
    known = row.profile if row is not None else ""
    sign: Instant | None = _SIGN_OF_LIFE.scalar(work.connection, {"person": known, "of": _EMAIL}) if known else None
    if sign is not None:
        work.connection.execute(delete(schema.soft_bounces).where(*_bounces_of(where), schema.soft_bounces.c.at < sign))
    name = deliveries.name_of(row) if row is not None else said.id or f"unnamed-{secrets.token_hex(8)}"
    new = insert_new(work.connection, schema.soft_bounces, {"channel": _EMAIL, "address": where, "bounce": name, "at": work.now()})
    return new, work.connection.execute(select(func.count()).select_from(schema.soft_bounces).where(*_bounces_of(where))).scalar_one()


def _forget(work: Work, where: str) -> bool:
    """The address works, or is not written to any more: its soft bounces are over. Whether there were any."""
    return bool(where) and work.connection.execute(delete(schema.soft_bounces).where(*_bounces_of(where))).rowcount > 0


def _bounces_of(where: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return schema.soft_bounces.c.channel == _EMAIL, schema.soft_bounces.c.address == where


def _address_of(work: Work, row: Row | None) -> str:
    """The address that a delivery went to, as far as its person still has it: it is kept nowhere else."""
    person = profiles.read(work.connection, row.profile) if row is not None else None
    if row is None or person is None or not person.email:
        return ""
    return person.email if row.sent_to in ("", addresses.hashed(person.email)) else ""


def _delivery(work: Work, said: Feedback) -> Row | None:
    """The delivery that is meant: the first of its names that names one, and no other."""
    if said.delivery:
        found = deliveries.find(work, said.delivery)
        if found is not None:
            return found
    for query, text in ((_BY_MAIL, ids.read_message_id(said.message_id)), (_BY_PROVIDER, said.provider_id)):
        if text and len(rows := query.all(work.connection, {"text": text})) == 1:
            return rows[0]
    return None


def _in_vain(work: Work, said: Feedback, name: str, code: str, detail: str) -> Taken:
    """It had no effect: a discard, once."""
    work.discard_once(code, SOURCE, f"{said.kind} {said.id or said.about}", detail)
    return Taken(name, code=code, detail=detail)


_deliveries, _facts = schema.deliveries.c, schema.facts.c
_BY_MAIL = Statement(select(schema.deliveries).where(schema.IS_MAIL, _deliveries.mail == bindparam("text")).limit(2))
_BY_PROVIDER = Statement(select(schema.deliveries).where(schema.HAS_PROVIDER_ID, _deliveries.provider_id == bindparam("text")).limit(2))
_SIGN_OF_LIFE = Statement(
    select(func.max(_facts.at)).where(
        _facts.entrant.in_(select(schema.entrants.c.id).where(schema.entrants.c.profile == bindparam("person"))),
        _facts.channel == bindparam("of"), or_(*(_facts.kind == kind for kind in feedback.ARRIVED)),
    )
)  # fmt: skip
