"""The counters behind every report, moved once a commit. What moves them are facts: store/work.py."""

from __future__ import annotations

from collections import Counter

from store import schema
from store.engines import POSTGRESQL, SQLITE
from store.statements import Statement
from store.upserts import insert_into
from store.work import CounterKey, Work

_NEW = {dialect: insert_into(dialect, schema.counters) for dialect in (SQLITE, POSTGRESQL)}
_COUNT = {
    dialect: Statement(
        new.on_conflict_do_update(
            index_elements=list(schema.counters.primary_key.columns),
            set_={"count": schema.counters.c.count + new.excluded.count},
        )
    )
    for dialect, new in _NEW.items()
}


def add_up(work: Work, counted: Counter[CounterKey], slot: int = 0) -> None:
    """Counters once a commit, in the order of their keys, so that two writers never wait for each other in a ring. It is the last that
    a commit writes, and is sent with it."""
    rows = [{**key._asdict(), "slot": slot, "count": count} for key, count in sorted(counted.items())]
    if rows:
        work.write(_COUNT[work.dialect], rows)
    work.send()
