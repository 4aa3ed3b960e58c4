"""Whose an event is: the profile that an identity names, made when nobody has it. It knows no entrant and decides nothing."""

from __future__ import annotations

from journey import ids, matching
from journey.events import Event
from journey.profiles import ProfileDocument
from store import definitions, profiles
from store.work import Work


class Unfit(Exception):
    """Nobody can be found for the event."""

    def __init__(self, code: str, detail: str) -> None:
        self.code, self.detail = code, detail


def person(work: Work, namespace: str, key: str, *, create: bool) -> str:
    """The profile that an identity names, made when it is not there and `create` says so."""
    found = profiles.find(work.connection, namespace, key)
    if found is not None:
        return found
    if not create:
        raise Unfit("unknown_profile", f"Nobody has the identity {namespace} = {key!r}.")
    return make_person(work, namespace, key)


def make_person(work: Work, namespace: str, key: str) -> str:
    """Make a profile for an identity that nobody has. Its id is the key where that can be one and is free."""
    plain = key.replace("/", "_")[:100]
    profile_id = plain
    if profile_id != key or profiles.read(work.connection, profile_id) is not None:
        profile_id = f"{plain}-{ids.content_hash(f'{namespace}={key}')[:12]}"
    profiles.insert(work, ProfileDocument(id=profile_id, identities={namespace: key}))
    return profile_id


def named_by_definition(work: Work, event: Event) -> tuple[str, str]:
    """The namespace and key that the first fitting definition finds in an event. Raises Unfit."""
    for definition in definitions.of_event(work.connection, event.name):
        if matching.definition_fits(definition, event):
            found = matching.person_of(definition, event)
            if found is None:
                raise Unfit("no_key", f"The definition {definition.id} finds nobody in the event: its key is {definition.key!r}.")
            return found
    raise Unfit("no_definition", f"No event definition fits {event.name!r} and what is in it.")
