"""Who plays what in the demonstration, and what must come of it: the simulator walks each of them by the same script. No server here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from commands import folder
from commands.folder import Folder
from journey import freezing, rules
from journey.events import Instant
from journey.profiles import Profile, ProfileDocument
from journey.rules import Scope
from journey.simulation.simulate import simulate
from journey.simulation.story import Happening, Occurs, Reacts, Script, World

Part = Literal["push-opened", "email-opened", "silent"]
JOURNEY = "thank-you"
NAMESPACE = "customer_id"
PURCHASE = {"product": "House blend, 1 kg", "purchase_id": "demo", "purchaseMessage": "thank you"}
_SOON: Instant = 1_000_000
_AFTER_ALL: Instant = 40 * 86400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Player:
    """One member of the segment: the profile's id, the key that events carry, and what they do with the first message."""

    profile: str
    key: str
    part: Part


@dataclass
class Expected:
    """What the example demands, in the words of the demonstration's last line."""

    members: int = 0
    entered: int = 0
    emails: int = 0
    pushes: int = 0
    by_path: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    discards: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """The object that the demonstration prints."""
        return {
            "members": self.members, "entered": self.entered, "emails": self.emails, "pushes": self.pushes,
            "by_path": {part: self.by_path[part] for part in ("push-opened", "email-opened", "silent")},
            "finished": self.finished, "excluded": dict(sorted(self.excluded.items())), "discards": dict(sorted(self.discards.items())),
        }  # fmt: skip


def of(root: Path) -> tuple[list[Player], Expected]:
    """The players of an example folder, and what is expected of them."""
    example = folder.read(root)
    rule = example.segments["three-cities-after-1980"].document.tree
    documents = [entry.document for entry in example.profiles.values()]
    satisfying = [document for document in documents if rules.evaluate(rule, Scope(document.attributes))]
    members = [document for document in satisfying if not document.test]
    barred = {(one.document.channel, one.document.address.lower()) for one in example.suppressions}
    players = [_player(number, document, barred) for number, document in enumerate(members)]
    expected = _expected(example, members, players)
    expected.discards["test_profile"] = len(satisfying) - len(members)
    return players, expected


def _player(number: int, document: ProfileDocument, barred: set[tuple[str, str]]) -> Player:
    """A third each; whoever cannot be reached on the channel of their part stays silent."""
    address = str(document.attributes.get("email") or "")
    mailed = bool(address) and document.consents.get("email", True) and ("email", address.lower()) not in barred
    pushed = bool(document.push_tokens) and document.consents.get("push", True)
    parts: tuple[Part, ...] = ("push-opened" if pushed else "silent", "email-opened" if mailed else "silent", "silent")
    return Player(document.id, document.identities[NAMESPACE], parts[number % 3])


def _expected(example: Folder, members: list[ProfileDocument], players: list[Player]) -> Expected:
    version = freezing.freeze(example.journeys[JOURNEY].document, example.surroundings())
    world = World(
        messages={name: entry.document for name, entry in example.messages.items()},
        definitions=tuple(entry.document for entry in example.events.values()),
        suppressed=frozenset((one.document.channel, one.document.address) for one in example.suppressions),
    )
    expected = Expected(members=len(members), entered=len(members))
    for document, player in zip(members, players, strict=True):
        tokens = tuple(token.token for token in document.push_tokens)
        profile = Profile(document.id, document.attributes, document.consents, tokens)
        story = simulate(version, profile, Script(_script(player)), world, key=player.key)
        sent = Counter(told.channel for told in story.deliveries if told.status == "sent")
        expected.emails += sent["email"]
        expected.pushes += sent["push"]
        expected.excluded.update(told.reason for told in story.deliveries if told.status == "excluded")
        expected.finished += story.end == "finished"
        expected.by_path[_part_of(story.path)] += 1
    return expected


def _script(player: Player) -> tuple[Happening, ...]:
    buys = Occurs(_AFTER_ALL, "Order Completed", PURCHASE)
    if player.part == "silent":
        return (buys,)
    return (Reacts(_SOON, "first", player.part.replace("-", ".")), buys)


def _part_of(path: tuple[str, ...]) -> str:
    if "push-opened:next" in path:
        return "push-opened"
    return "email-opened" if "email-opened:next" in path else "silent"
