"""Somebody says who they are: attributes for an identity, and a second identity for one person. It knows no wire format."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from journey.errors import Conflict
from store import changes, profiles, whose
from store.changes import SetOff
from store.work import Work


def identify(work: Work, namespace: str, key: str, attributes: Mapping[str, Any]) -> SetOff:
    """Lay these attributes over what the profile of this identity has, which is made when there is none; consents stay as they are."""
    profile = profiles.find(work.connection, namespace, key) or whose.make_person(work, namespace, key)
    return changes.patch(work, profile, attributes=attributes).set_off if attributes else changes.NOTHING


def alias(work: Work, previous: tuple[str, ...], previous_key: str, namespace: str, key: str) -> str:
    """Give one person both identities. `previous` names the namespaces in which the earlier key is looked for, and the last is where
    it is put when it is new.

    Raises Conflict `identity_taken` when the two are two people, or the person has another identity in that namespace already.
    """
    connection = work.connection
    known = [(space, found) for space in previous if (found := profiles.find(connection, space, previous_key)) is not None]
    profile = profiles.find(connection, namespace, key)
    if profile is None and known:
        profile = known[0][1]
        _give(work, profile, namespace, key)
        return profile
    profile = profile or whose.make_person(work, namespace, key)
    if known and all(found != profile for _, found in known):
        raise Conflict(
            f"{previous_key!r} and {namespace} = {key!r} are two people: two profiles are never made one.", code="identity_taken"
        )
    if not known and (previous[-1], previous_key) != (namespace, key):
        _give(work, profile, previous[-1], previous_key)
    return profile


def tie(work: Work, previous: str, previous_key: str, namespace: str, key: str) -> None:
    """As `alias`, where it can be: who says who they are was this browser until now. Of two people it makes nothing, and says nothing:
    a second person on one browser, or a second browser of one person, is no fault."""
    with suppress(Conflict):
        alias(work, (previous,), previous_key, namespace, key)


def _give(work: Work, profile: str, namespace: str, key: str) -> None:
    has = profiles.locked(work, profile).identities.get(namespace)
    if has is not None and has != key:
        raise Conflict(f"The person is {namespace} = {has!r} already: one profile has one identity in a namespace.", code="identity_taken")
    profiles.patch(work, profile, identities={namespace: key})
