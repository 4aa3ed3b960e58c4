"""A closed version with nobody inside, nobody still to come and no run that reads is finished. It ends nobody."""

from __future__ import annotations

from sqlalchemy import Connection

from store import runs, versions
from store.versions import VersionRow
from store.work import Work

_AT_ONCE = 2000
"""More people than can end in commits that are under way at one moment."""


def finish_if_empty(work: Work, version_id: str) -> bool:
    """A closed version with nobody inside, or still to come from an earlier one, and no run that reads is finished. Called after an end,
    a run and a close; returns whether."""
    if versions.row(work.connection, version_id).state != "closed" or _many_inside(work, version_id):
        return False
    row = versions.lock(work, version_id)
    if row.state != "closed" or versions.anybody_inside(work.connection, version_id) or anybody_may_come(work.connection, row):
        return False
    # once more, since somebody may have been carried over while the earlier ones were asked
    if versions.anybody_inside(work.connection, version_id) or runs.anyone_reads(work.connection, version_id):
        return False
    versions.move(work, row, "finish")
    if row.successor:  # nobody comes from here any more
        finish_if_empty(work, row.successor)
    return True


def _many_inside(work: Work, version_id: str) -> bool:
    """Whether so many are inside that this is not the last one, whatever others commit now.

    Of those who end at the same moment on PostgreSQL none sees that the others do, so the last of them ask one after the other, under the
    lock of the version. Nobody waits there before the last thousands.
    """
    return work.connection.dialect.name == "postgresql" and versions.anybody_inside(work.connection, version_id, beyond=_AT_ONCE)


def anybody_may_come(connection: Connection, version: VersionRow) -> bool:
    """Is somebody inside an earlier version whose people go on in this one, or in one before it that they go on from?

    The earliest is asked first: whoever is carried over meanwhile is found in a later one.
    """
    earlier = [one for one in versions.of_journey(connection, version.journey) if one.successor and one.number < version.number]
    heirs = {version.id}
    for one in reversed(earlier):
        if one.successor in heirs:
            heirs.add(one.id)
    return any(one.id in heirs and versions.anybody_inside(connection, one.id) for one in earlier)
