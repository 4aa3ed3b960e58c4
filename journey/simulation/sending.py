"""What becomes of a message in a simulation: claimed or excluded, then marked as the script says. It knows no walk and no time.

store/claims.py excludes by the same rules, tests/store/test_same_story.py holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from journey import addresses, ids, rendering
from journey.errors import NotFound, RenderError
from journey.profiles import Profile
from journey.rendering import Context
from journey.simulation.story import Script, Told, World
from journey.tracking import Signer
from journey.tries import SENT_AGAIN
from journey.walk import Send

NOWHERE = "https://links.example"
SENDER = "Sojourn <sojourn@localhost.localdomain>"
SIGNER = Signer("links of what is only simulated lead nowhere")


def claim(world: World, profile: Profile, entrant: str, n: int, send: Send) -> list[Told]:
    """A delivery for each channel of the message that the node wants: claimed, or excluded with the reason.

    Raises NotFound when the world does not have the message.
    """
    document = world.messages.get(send.message)
    if document is None:
        raise NotFound(f"{send.node} sends {send.message}, and there is no such message: write messages/{send.message}.yaml.")
    found: list[Told] = []
    for channel in document.channels:
        if not send.channels or channel in send.channels:
            reason = exclusion(profile, channel, world)
            status = "excluded" if reason else "claimed"
            found.append(Told(ids.delivery(entrant, n, channel), send.node, send.message, channel, status, reason))
    return found


def judged(told: Told, profile: Profile, world: World) -> Told:
    """A delivery that has waited: what forbids it to this person is looked at once more."""
    reason = exclusion(profile, told.channel, world)
    return replace(told, status="excluded", reason=reason) if reason else told


def exclusion(profile: Profile, channel: str, world: World) -> str:
    """Why this person cannot be written to on a channel: consent stands before address or token, and these before suppression."""
    if not profile.consents.get(channel, not world.consent_explicit):
        return "no_consent"
    if channel == "email":
        if not profile.email:
            return "no_address"
        return "suppressed" if addresses.key(profile.email) in _barred(world.suppressed, channel) else ""
    return "no_token" if channel == "push" and not profile.push_tokens else ""


@lru_cache(maxsize=16)
def _barred(suppressed: frozenset[tuple[str, str]], channel: str) -> frozenset[str]:
    """The addresses of a channel as they are compared: found once for all who walk in the same world."""
    return frozenset(addresses.key(address) for of, address in suppressed if of == channel)


def made_out(told: Told, world: World, context: Context) -> Told:
    """A delivery that goes now, or has failed since its message cannot be made out for this person: no provider ever sees it."""
    try:
        rendering.render(world.messages[told.message], told.channel, context)
    except RenderError as error:
        return replace(told, status="failed", reason=error.code)
    return told


def mark(told: Told, script: Script, *, may_repeat: bool, arrived: bool = False) -> Told:
    """What the provider answered; nobody is uncertain of what has `arrived`, since it was opened meanwhile. What `may_repeat` stays
    claimed and is sent again, which is marked."""
    if (told.node, told.channel) in script.failing:
        return replace(told, status="failed", reason="refused")
    if (told.node, told.channel) in script.uncertain and not arrived and told.reason != SENT_AGAIN:
        return replace(told, reason=SENT_AGAIN) if may_repeat else unknown(told)
    return replace(told, status="sent")


def again(told: Told, profile: Profile, world: World, *, arrived: bool) -> Told:
    """What may have arrived goes once more as it was; neither to whoever has had it, nor to whoever has said no meanwhile."""
    return unknown(told, arrived=arrived) if arrived or exclusion(profile, told.channel, world) else told


def given_up(told: Told, *, arrived: bool) -> Told:
    """What is held back when its person must end, and goes no more. Of what was to go again nobody knows."""
    return unknown(told, arrived=arrived) if told.reason == SENT_AGAIN else replace(told, status="excluded", reason="ended")


def unknown(told: Told, *, arrived: bool = False) -> Told:
    """A delivery that may have arrived, and is not sent again; one that has `arrived` was sent."""
    return replace(told, status="sent", reason="") if arrived else replace(told, status="uncertain", reason="worker_lost")


def outcome(marked: Iterable[Told]) -> str:
    """The exit of the node: `error` when none was sent and one failed; all excluded goes on (M1)."""
    found = {told.status for told in marked}
    return "error" if "failed" in found and not found & {"sent", "uncertain"} else "next"
