"""What a stop says of itself to whoever reads the Temporal UI. It knows no person: node and message names only, never personal data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from journey.walk import Place, nodes_of


def sent(message: str, statuses: Mapping[str, str]) -> str:
    """What became of a message, or of a node's call. `statuses` maps a channel to how it ended: `excluded (no_token)`."""
    parts = [f"{status} on {channel}" for channel, status in sorted(statuses.items())]
    return f"{message}: {', '.join(parts)}" if parts else f"{message}: nothing to send"


def entered(event: str) -> str:
    """How somebody came in by an event, named by its definition, or by a segment."""
    return f"let in by {event}"


def held(message: str, reasons: Mapping[str, str]) -> str:
    """What a message waits for that is held back; `reasons` maps a channel to quiet_hours, capped or in_review, and in a
    simulation to sent_again."""
    words = {"quiet_hours": "the end of quiet hours", "capped": "a place under the frequency caps", "in_review": "somebody to review it",
             "sent_again": "a second to be sent again, since nobody knows whether it has arrived"}  # fmt: skip
    return f"{message}: " + ", ".join(f"{channel} waits for {words[reason]}" for channel, reason in sorted(reasons.items()))


def written(node: str, attributes: Iterable[str], why_not: str) -> str:
    """What a node wrote into the profile: the names of the attributes, or the sentence why it wrote nothing."""
    return f"{node}: nothing written, {why_not}" if why_not else f"{node}: {', '.join(attributes)} written"


def came_by_jump(journey: str) -> str:
    """How somebody came in from another journey."""
    return f"jumped here from {journey}"


def jumped(journey: str, refused: str) -> str:
    """What came of a jump: `refused` is the code of why not, empty when they are in."""
    return f"does not jump to {journey}: {refused}" if refused else f"jumps to {journey}"


def left(node: str, taken: str, *, heard: bool) -> str:
    """How a gate was left: an event came, a wait was over, or time ran out."""
    if heard:
        return f"{node} happened"
    return f"{node} timed out" if taken == "timeout" else f"{node} is over"


def no_time(node: str) -> str:
    """A wait until what a field says, which says nothing that can be read."""
    return f"{node} holds no time that can be read, and is over at once"


def went(place: Place, reason: str, criterion: str = "") -> str:
    """Where a stop led. `criterion` is the exit criterion that was met, if one was."""
    if reason:
        return f"ended: {reason}" + (f" ({criterion})" if criterion else "")
    return "waits at " + " or ".join(nodes_of(place)) if place else "goes on"


def moved(before: str, after: str) -> str:
    """How somebody went on in another version."""
    return f"moved from {before} to {after}"


def halted(node: str) -> str:
    """Somebody has come to an action of a journey that is paused."""
    return f"held before {node}: the journey is paused"


def parked(node: str, why: str) -> str:
    """Somebody has come to an error that is to be mended."""
    return f"parked at {node}: {why or 'it failed'}; mend it and try again"


def joined(*parts: str) -> str:
    """One sentence of its parts; empty ones are left out."""
    return "; ".join(part for part in parts if part)
