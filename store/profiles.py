"""People: kept, read for a stop, found by an identity, and paged by a rule. It knows no rule and no run: both are given to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, select, tuple_, update
from sqlalchemy import delete as sql_delete

from journey.errors import Conflict, NotFound, SojournError
from journey.events import Instant
from journey.profiles import Profile, ProfileDocument, PushToken
from store.schema import deliveries, entrants, identities, profiles, reviews, soft_bounces, steps
from store.statements import Statement
from store.upserts import upsert
from store.work import Work

_READ = Statement(
    select(profiles.c.attributes, profiles.c.consents, profiles.c.push_tokens, profiles.c.test).where(profiles.c.id == bindparam("id"))
)
_LOCK = Statement(
    select(profiles.c.attributes, profiles.c.consents, profiles.c.push_tokens, profiles.c.test)
    .where(profiles.c.id == bindparam("id"))
    .with_for_update()
)
_SHARE = Statement(select(profiles.c.attributes).where(profiles.c.id == bindparam("id")).with_for_update(read=True))
_FIND = Statement(
    select(identities.c.profile).where(identities.c.namespace == bindparam("namespace"), identities.c.value == bindparam("value"))
)
_IDENTITIES = (
    select(identities.c.namespace, identities.c.value).where(identities.c.profile == bindparam("id")).order_by(identities.c.namespace)
)
_IDS_IN_ONE_STATEMENT = 500

Identity = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Member:
    """One row of a page; `stayed` by the condition that the page was asked for with."""

    id: str
    test: bool
    stayed: bool = False


def put(work: Work, document: ProfileDocument) -> None:
    """Keep a profile as given; what was there under its id is replaced, except for when it was created.

    Raises Conflict `identity_taken` when an identity belongs to another profile.
    """
    (error,) = put_all(work, [document])
    if error is not None:
        raise error


def insert(work: Work, document: ProfileDocument) -> None:
    """Keep somebody who is not there yet. Where another process has been quicker the unit is run again, and finds them (IntegrityError)."""
    (row,) = _rows(work, [document])
    work.connection.execute(profiles.insert(), row)
    _name(work, [document])


def put_all(work: Work, documents: Sequence[ProfileDocument]) -> list[SojournError | None]:
    """Keep many profiles, as `put` would one after the other. Gives for each None, or why it was left as it was."""
    holders = _holders(work.connection, documents)
    errors: list[SojournError | None] = []
    kept: dict[str, ProfileDocument] = {}
    for document in documents:
        wanted = list(document.identities.items())
        taken = next((identity for identity in wanted if holders.get(identity, document.id) != document.id), None)
        if taken is not None:
            errors.append(_identity_taken(taken))
            continue
        for identity in [identity for identity, holder in holders.items() if holder == document.id]:
            del holders[identity]
        holders.update(dict.fromkeys(wanted, document.id))
        kept[document.id] = document
        errors.append(None)
    _write(work, kept)
    return errors


def patch(
    work: Work,
    profile_id: str,
    *,
    attributes: Mapping[str, Any] | None = None,
    identities: Mapping[str, str | None] | None = None,
    consents: Mapping[str, bool | None] | None = None,
    push_tokens: Sequence[PushToken] | None = None,
    test: bool | None = None,
) -> ProfileDocument:
    """Change what is named and leave the rest: entries are merged, None takes one out, `push_tokens` replaces the list.

    Returns the profile as it is now. Raises NotFound, and Conflict `identity_taken`.
    """
    found = locked(work, profile_id)
    changed = found.model_copy(
        update={
            "attributes": _merged(found.attributes, attributes),
            "identities": _merged(found.identities, identities),
            "consents": _merged(found.consents, consents),
            "push_tokens": found.push_tokens if push_tokens is None else tuple(push_tokens),
            "test": found.test if test is None else test,
        }
    )
    put(work, changed)
    return changed


def drop_push_tokens(work: Work, profile_id: str, tokens: Sequence[str]) -> None:
    """Forget push tokens that a provider calls dead (M3). A profile or token that is gone already is fine."""
    row = _LOCK.first(work.connection, {"id": profile_id})
    if row is None:
        return
    living = [entry for entry in row.push_tokens if entry["token"] not in tokens]
    if len(living) < len(row.push_tokens):
        work.connection.execute(update(profiles).where(profiles.c.id == profile_id).values(push_tokens=living, updated_at=work.now()))


def delete(work: Work, profile_id: str) -> None:
    """Forget a profile and its identities, what was found in it when a condition was decided, where its mails went, and messages made out
    for it that wait for their review. Raises NotFound."""
    if not work.connection.execute(sql_delete(profiles).where(profiles.c.id == profile_id)).rowcount:
        raise _no_such_profile(profile_id)
    work.connection.execute(sql_delete(identities).where(identities.c.profile == profile_id))
    theirs = select(entrants.c.id).where(entrants.c.profile == profile_id)
    sent = (deliveries.c.entrant.in_(theirs), deliveries.c.sent_to != "")
    work.connection.execute(sql_delete(soft_bounces).where(soft_bounces.c.address.in_(select(deliveries.c.sent_to).where(*sent))))
    work.connection.execute(update(deliveries).where(deliveries.c.entrant.in_(theirs)).values(sent_to="", detail=""))
    work.connection.execute(update(steps).where(steps.c.entrant.in_(theirs), steps.c.why.is_not(None)).values(why=None))
    work.connection.execute(update(reviews).where(reviews.c.profile == profile_id).values(content=None, error=""))


def get(connection: Connection, profile_id: str) -> ProfileDocument:
    """A profile as it was put, with its identities. Raises NotFound."""
    return _document(connection, profile_id, _READ)


def locked(work: Work, profile_id: str) -> ProfileDocument:
    """As `get`; nobody else changes it until the commit, so that what is made of it loses nothing of theirs."""
    return _document(work.connection, profile_id, _LOCK)


def lock_all(work: Work, profile_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The attributes of those of these profiles that are there, by id; nobody else changes them until the commit."""
    found: dict[str, dict[str, Any]] = {}
    for part in _parts(sorted(set(profile_ids))):
        query = select(profiles.c.id, profiles.c.attributes).where(profiles.c.id.in_(part)).order_by(profiles.c.id).with_for_update()
        found.update((row.id, row.attributes) for row in work.connection.execute(query))
    return found


def documents(work: Work, profile_ids: Sequence[str]) -> dict[str, ProfileDocument]:
    """Those of these profiles that are there, by id, as `locked` gives them."""
    found: dict[str, ProfileDocument] = {}
    for part in _parts(sorted(set(profile_ids))):
        rows = work.connection.execute(select(profiles).where(profiles.c.id.in_(part)).order_by(profiles.c.id).with_for_update()).all()
        named: dict[str, dict[str, str]] = {}  # read under the lock: who changes an identity holds it
        for one in work.connection.execute(select(identities).where(identities.c.profile.in_(part))):
            named.setdefault(one.profile, {})[one.namespace] = one.value
        found.update((row.id, _made(row.id, row, named.get(row.id, {}))) for row in rows)
    return found


def attributes_for_gate(work: Work, profile_id: str) -> dict[str, Any]:
    """The attributes of somebody who arrives where a rule is waited for, empty where there is no such profile: whoever writes them now
    commits before they are read, or finds them waiting (store/changes.py)."""
    row = _SHARE.first(work.connection, {"id": profile_id})
    return {} if row is None else row.attributes


def _document(connection: Connection, profile_id: str, read: Statement) -> ProfileDocument:
    row = read.first(connection, {"id": profile_id})
    if row is None:
        raise _no_such_profile(profile_id)
    known = {identity.namespace: identity.value for identity in connection.execute(_IDENTITIES, {"id": profile_id})}
    return _made(profile_id, row, known)


def _made(profile_id: str, row: Row[Any], known: dict[str, str]) -> ProfileDocument:
    return ProfileDocument.model_construct(
        id=profile_id,
        attributes=row.attributes,
        identities=known,
        consents=row.consents,
        push_tokens=tuple(PushToken.model_validate(entry) for entry in row.push_tokens),
        test=row.test,
    )


def read(connection: Connection, profile_id: str) -> Profile | None:
    """A profile as a stop needs it, in one statement; None when there is none."""
    row = _READ.first(connection, {"id": profile_id})
    if row is None:
        return None
    zones = [entry["timezone"] for entry in row.push_tokens if entry.get("timezone")]
    tokens = tuple(entry["token"] for entry in row.push_tokens)
    return Profile(profile_id, row.attributes, row.consents, tokens, row.test, zones[-1] if zones else "")


def find(connection: Connection, namespace: str, value: str) -> str | None:
    """The id of the profile that an identity names, or None."""
    found: str | None = _FIND.scalar(connection, {"namespace": namespace, "value": value})
    return found


def keys(connection: Connection, namespace: str, profile_ids: Sequence[str]) -> dict[str, str]:
    """For each profile that has an identity in the namespace: its id and that identity's value."""
    found: dict[str, str] = {}
    for part in _parts(profile_ids):
        statement = select(identities.c.profile, identities.c.value).where(
            identities.c.profile.in_(part), identities.c.namespace == namespace
        )
        found.update((profile, value) for profile, value in connection.execute(statement))
    return found


def page(
    connection: Connection, where: ColumnElement[bool], after: str, limit: int, cutoff: Instant, stayed: ColumnElement[bool] | None = None
) -> list[Member]:
    """The next `limit` profiles after an id, in order of id, that a rule holds for and that existed at the cutoff (E3)."""
    columns = (profiles.c.id, profiles.c.test) if stayed is None else (profiles.c.id, profiles.c.test, stayed.label("stayed"))
    statement = select(*columns).where(profiles.c.id > after, profiles.c.created_at <= cutoff, where).order_by(profiles.c.id).limit(limit)
    return [Member(row.id, row.test, stayed is not None and bool(row.stayed)) for row in connection.execute(statement)]


def count(connection: Connection, where: ColumnElement[bool]) -> int:
    """How many profiles a rule holds for now, test profiles among them."""
    return connection.execute(select(func.count()).select_from(profiles).where(where)).scalar_one()


def _write(work: Work, kept: Mapping[str, ProfileDocument]) -> None:
    if not kept:
        return
    documents = [kept[name] for name in sorted(kept)]  # in one order everywhere: two imports never wait for each other in a ring
    upsert(work.connection, profiles, _rows(work, documents), update=("attributes", "consents", "push_tokens", "test", "updated_at"))
    for part in _parts(list(kept)):
        work.connection.execute(sql_delete(identities).where(identities.c.profile.in_(part)))
    _name(work, documents)


def _rows(work: Work, documents: Sequence[ProfileDocument]) -> list[dict[str, Any]]:
    now = work.now()
    return [{**document.model_dump(mode="json", exclude={"identities"}), "created_at": now, "updated_at": now} for document in documents]


def _name(work: Work, documents: Sequence[ProfileDocument]) -> None:
    named = [
        {"namespace": namespace, "value": value, "profile": document.id}
        for document in documents
        for namespace, value in document.identities.items()
    ]
    if named:
        work.connection.execute(identities.insert(), sorted(named, key=lambda row: (row["namespace"], row["value"])))


def _holders(connection: Connection, documents: Sequence[ProfileDocument]) -> dict[Identity, str]:
    """Who holds the identities that are asked for, and what the named profiles hold already."""
    columns = select(identities.c.namespace, identities.c.value, identities.c.profile)
    found: dict[Identity, str] = {}
    for part in _parts([identity for document in documents for identity in document.identities.items()]):
        rows = connection.execute(columns.where(tuple_(identities.c.namespace, identities.c.value).in_(part)))
        found.update(((row.namespace, row.value), row.profile) for row in rows)
    for ids in _parts([document.id for document in documents]):
        rows = connection.execute(columns.where(identities.c.profile.in_(ids)))
        found.update(((row.namespace, row.value), row.profile) for row in rows)
    return found


def _parts(items: Sequence[Any]) -> list[Sequence[Any]]:
    return [items[start : start + _IDS_IN_ONE_STATEMENT] for start in range(0, len(items), _IDS_IN_ONE_STATEMENT)]


def _merged(old: Mapping[str, Any], change: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in {**old, **(change or {})}.items() if value is not None or name not in (change or {})}


def _identity_taken(identity: Identity) -> Conflict:
    namespace, value = identity
    return Conflict(
        f"The identity {namespace} = {value} belongs to another profile; take it away there, or send to that profile.",
        code="identity_taken",
    )


def _no_such_profile(profile_id: str) -> NotFound:
    return NotFound(f"There is no profile {profile_id!r}; put it first.")
