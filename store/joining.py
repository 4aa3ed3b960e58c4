"""Who joined a segment since it was last read: the difference of its members now and those that earlier runs have on record.

Each run of a segment keeps its members, whether or not they were let in. Somebody joined when they are a member now and were none when
a run last came to them: so whoever left and came back in between has not joined, and whoever was out at a run and is back has.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, bindparam, case, delete, exists, false, literal, select

from store import runs, schema
from store.runs import Run
from store.work import Work

_members, _runs = schema.run_members.c, schema.runs.c
_OLDER = (
    select(_runs.id)
    .where(
        _runs.journey == bindparam("journey"), _runs.segment == bindparam("segment"), _runs.number < bindparam("number"),
        _runs.profiles.is_(None), _runs.state.in_(("done", "stopped")),
    )
    .order_by(_runs.number.desc())
    .limit(5)
)  # fmt: skip
_SOME = select(_members.profile).where(_members.run == bindparam("of"), _members.stayed).limit(bindparam("most"))
_FORGET = delete(schema.run_members).where(_members.run == bindparam("of"), _members.stayed, _members.profile.in_(_SOME))


def was_member(connection: Connection, run: Run) -> ColumnElement[bool]:
    """Whether a profile was a member when an earlier run of the segment last came to it: a condition on the table of profiles.

    A run that was stopped half-way has come to the profiles up to its cursor; of the others the run before it tells.
    """
    earlier = runs.earlier_readings(connection, run)
    if not earlier:
        return false()
    upto = [(schema.profiles.c.id <= cursor, name) for name, cursor in earlier if cursor is not None]
    whole = next((name for name, cursor in earlier if cursor is None), "")
    which = case(*upto, else_=whole) if upto else literal(whole)
    return exists().where(_members.run == which, _members.profile == schema.profiles.c.id)


def forget(work: Work, run: Run, most: int = 2000) -> int:
    """Forget who stayed at runs so old that nothing is compared with them any more; returns how many were forgotten, 0 when all are."""
    earlier = runs.earlier_readings(work.connection, run)
    if not earlier:
        return 0
    oldest = runs.get(work.connection, earlier[-1][0])
    older = work.connection.execute(_OLDER, {"journey": run.journey, "segment": run.segment, "number": oldest.number}).scalars()
    return sum(work.connection.execute(_FORGET, {"of": one, "most": most}).rowcount for one in list(older))
