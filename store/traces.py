"""What shows where a delivery went, and whether its provider has had it. It changes nothing and decides nothing."""

from __future__ import annotations

from sqlalchemy import bindparam, or_, select

from journey import addresses, feedback
from journey.profiles import Profile
from journey.tries import SENT_AGAIN
from store import schema
from store.statements import Row, Statement
from store.work import Work

UNANSWERED = "no_answer"
"""The reason on a delivery whose call went out without an answer. While it is claimed it is asked for again, which an idempotent provider
takes for the same; if that cannot be any more, it is uncertain."""


def address_of(channel: str, profile: Profile) -> str:
    """Where an e-mail to this person goes, hashed: what comes back of it is about that address, whichever they have by then."""
    return addresses.hashed(profile.email) if channel == "email" and profile.email else ""


def may_have_gone(row: Row) -> bool:
    """Was an open delivery, which nobody has in hand now, perhaps taken by the provider already?"""
    return bool(row.token) or row.reason in (SENT_AGAIN, UNANSWERED)


def was_taken(work: Work, row: Row) -> bool:
    """Does a fact prove that the provider took this delivery, whatever became of our call? A bounce does, though its person has nothing."""
    return _ARRIVED.first(work.connection, {"entrant": row.entrant, "step": row.n, "of": row.channel}) is not None


_ARRIVED = Statement(
    select(schema.facts.c.kind).where(
        schema.facts.c.entrant == bindparam("entrant"), schema.facts.c.n == bindparam("step"), schema.facts.c.channel == bindparam("of"),
        or_(*(schema.facts.c.kind == kind for kind in feedback.TAKEN)),
    ).limit(1)
)  # fmt: skip
