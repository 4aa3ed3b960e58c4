"""What can be wrong with a segment, an event definition or a message, each taken alone. It knows no graph."""

from __future__ import annotations

from collections.abc import Iterator

from journey import addresses, liquid_text, past
from journey.events import EventDefinition
from journey.findings import Finding, error, warning
from journey.messages import EmailContent, MessageDocument, PushContent
from journey.nearest import meant
from journey.rendering import NAMES
from journey.segments import SegmentDocument
from journey.surroundings import Surroundings
from journey.validation.rules import About, about_people, tree
from journey.validation.rules import check as check_rule
from journey.validation.shadows import never_true

_ALWAYS_THERE = ("id",)  # of a profile, besides its attributes


def of_segment(segment: SegmentDocument, surroundings: Surroundings) -> Iterator[Finding]:
    """What is wrong with a segment."""
    about = about_people(surroundings.attributes).within(surroundings, clock=False)
    yield from check_rule(segment.rule, about.without("now", "a segment has no clock of its own: ask for the time in a condition"))
    yield from never_true(segment.rule, "", "rule")
    known = {name: found for name, one in surroundings.segments.items() if (found := tree(one.rule)) is not None}
    circle = past.circle(segment.id, known)
    if circle:
        said = f"The segment leads back to itself, and holds nobody: {' -> '.join(circle)}. Take one of them out of another's rule."
        yield error("segment_cycle", "", "rule", said)


def of_event(definition: EventDefinition) -> Iterator[Finding]:
    """What is wrong with an event definition."""
    if definition.match and definition.rule is not None:
        said = "The event is recognised by its name or by a rule, not by both: remove match or rule."
        yield error("event_ambiguous", "", "rule", said)
    elif not definition.match and definition.rule is None:
        yield error("field_missing", "", "match", "Nothing says how the event is recognised: write its name under match, or a rule.")
    if definition.rule is not None:
        yield from check_rule(definition.rule, about_event(definition))
        yield from never_true(definition.rule, "", "rule")
    if not definition.namespace:
        yield error("namespace_missing", "", "namespace", "The event names no namespace: say which identity its key holds.")
    if not definition.key:
        yield error("field_missing", "", "key", "The field key is missing: write the path of the field that names the person.")


def about_event(definition: EventDefinition) -> About:
    """A rule over the data of this event."""
    return About("event", definition.fields)


def parts_of(message: MessageDocument) -> dict[str, str]:
    """Every template of a message, by channel and part as `email subject`."""
    email, push = message.email, message.push
    parts = {"from": email.sender, "subject": email.subject, "html": email.html, "text": email.text} if email is not None else {}
    found = {f"email {name}": text for name, text in parts.items()}
    if push is not None:
        data = {f"data.{name}": value for name, value in push.data.items()}
        found |= {f"push {name}": text for name, text in ({"title": push.title, "body": push.body, "url": push.url} | data).items()}
    return found


def of_message(message: MessageDocument, surroundings: Surroundings | None = None) -> Iterator[Finding]:
    """What is wrong with a message; without surroundings nothing is said about attributes."""
    if not message.channels:
        yield error("message_empty", "", "id", "The message has no content: write an email or a push.")
    if message.email is not None:
        yield from _email(message.email, surroundings)
        if message.kind == "marketing" and "unsubscribe_url" not in (message.email.html or message.email.text):
            said = "A marketing e-mail shows its readers how to stop it: put a link to {{ unsubscribe_url }} into it."
            yield warning("no_unsubscribe_link", "", "email.html" if message.email.html else "email.text", said)
    if message.push is not None:
        yield from _push(message.push, surroundings)


def _email(email: EmailContent, surroundings: Surroundings | None) -> Iterator[Finding]:
    if not email.subject.strip():
        yield error("message_empty", "", "email.subject", "The e-mail has no subject: write one.")
    if not email.html.strip() and not email.text.strip():
        yield error("message_empty", "", "email", "The e-mail has no body: write html, text, or both.")
    if email.sender and "{" not in email.sender and addresses.read(email.sender) is None:
        yield error("sender_invalid", "", "email.from", f"{email.sender!r} is no address: write it as Shop <hello@shop.example>.")
    yield from _templates("email", {"from": email.sender, "subject": email.subject, "html": email.html, "text": email.text}, surroundings)


def _push(push: PushContent, surroundings: Surroundings | None) -> Iterator[Finding]:
    if not push.title.strip() and not push.body.strip():
        yield error("message_empty", "", "push", "The push has neither a title nor a body: write one of them.")
    data = {f"data.{name}": value for name, value in push.data.items()}
    yield from _templates("push", {"title": push.title, "body": push.body, "url": push.url} | data, surroundings)


def _templates(channel: str, parts: dict[str, str], surroundings: Surroundings | None) -> Iterator[Finding]:
    for name, text in parts.items():
        try:
            liquid_text.check(text, NAMES)
        except liquid_text.Fault as fault:
            place = f"{channel} {name}" + (f", line {fault.line}" if fault.line else "")
            yield error("template_invalid", "", f"{channel}.{name}", f"The Liquid of {place} is wrong: {fault.sentence}.")
            continue
        if surroundings is None:
            continue
        for attribute in liquid_text.fields_of("profile", text):
            if attribute not in surroundings.attributes and attribute not in _ALWAYS_THERE:
                known = meant(attribute, surroundings.attributes)
                said = f"{channel} {name} shows profile.{attribute}, which is not declared: whoever lacks it cannot be sent to.{known}"
                yield warning("undeclared_attribute", "", f"{channel}.{name}", said)
