"""One person is let into a version otherwise than by a run: by an event, a jump, a rule that came true. In the commit of what caused it.

It says who may enter and writes them down as an admission does. Their workflow is started by whoever called, after the commit; one whose
start was lost is started by the sweep.
"""

from __future__ import annotations

from journey import ids
from journey.contract import EntrantStart
from journey.entrance import NEVER, Refusal, may_enter
from journey.events import Instant
from journey.lifecycle import TESTED
from store import admission, profiles, versions
from store.admission import Start
from store.versions import VersionRow
from store.work import Work

LIVE = "live"
TEST = "test"


def enter(
    work: Work, version: VersionRow, profile: str, *, entry: tuple[str, str] = ("", ""), mode: str = LIVE, said: str = "let in"
) -> Start | None:  # fmt: skip
    """Let somebody in, or put on record why not. What is returned is to be started after the commit.

    `entry` is the event (source, id) whose data the journey reads as `entry`; `said` stands in step 0. Call it with no lock on the version
    and after those of the person's entrants (D4).
    """
    found = let_in(work, version, profile, entry=entry, mode=mode, said=said)
    if isinstance(found, Start):
        return found
    refuse(work, version, profile, found, entry=entry)
    return None


def let_in(
    work: Work, version: VersionRow, profile: str, *, entry: tuple[str, str] = ("", ""), mode: str = LIVE, said: str = "let in"
) -> Start | Refusal:  # fmt: skip
    """As `enter`, for a caller who has somewhere else to say why somebody was not let in."""
    standing = versions.stays(work, version.id)
    closed = standing.closed(work.now()) if mode == LIVE else _not_tested(standing)
    if closed is not None:
        return closed
    frozen = versions.frozen_version(work.connection, version.hash)
    person = profiles.read(work.connection, profile)
    if person is None:
        return Refusal("unknown_profile", f"There is no profile {profile!r}.")
    if person.test and mode == LIVE:
        return Refusal("test_profile", "A test profile is left out of live journeys.")
    if not person.test and mode == TEST:
        return not_a_test_profile(profile)
    namespace = frozen.journey.namespace
    key = profiles.keys(work.connection, namespace, [profile]).get(profile, "")
    if not key:
        return Refusal("no_identity", f"They have no identity in the namespace {namespace}, by which {version.journey} knows people.")
    before = admission.entrances(work.connection, version.journey, [key], mode).get(key, NEVER)
    now = work.now()
    earlier = before if mode == LIVE or before.inside else NEVER  # whoever came to the end of a test may begin again at once
    refusal = may_enter(frozen.journey, earlier, now)
    if refusal is not None:
        return refusal
    return _write(work, version, profile, key, before.number + 1, now, entry=entry, mode=mode, said=said)


def _not_tested(version: VersionRow) -> Refusal | None:
    return None if version.state in TESTED else Refusal("not_live", f"{version.id} is {version.state}: it lets nobody in.")


def refuse(
    work: Work, version: VersionRow, profile: str, refusal: Refusal, *, entry: tuple[str, str] = ("", ""), entrant: str = ""
) -> None:  # fmt: skip
    """Put on record that a version did not let somebody in. `entrant` is who was to bring them there, if it was a jump."""
    source, event = entry
    work.discard(
        refusal.code, source=source, event=event, profile=profile, entrant=entrant, version=version.id, detail=refusal.detail
    )  # fmt: skip


def _write(
    work: Work, version: VersionRow, profile: str, key: str, number: int, now: Instant, *, entry: tuple[str, str], mode: str, said: str
) -> Start:  # fmt: skip
    """Where somebody else lets the same person in at the same moment, one of the two meets the other's row, and is run again."""
    frozen = versions.frozen_version(work.connection, version.hash)
    entrant = ids.entrant(version.journey, key, number, test=mode == TEST)
    row = admission.row_of(entrant, version, frozen, "", key, number, profile, now, now, mode=mode, entry=entry)
    admission.insert(work, version, frozen, [row], now, said)
    return Start(EntrantStart(entrant, version.id, row["place"]), version.hash)


def not_a_test_profile(profile: str) -> Refusal:
    """Why somebody real has no part in a test."""
    return Refusal("not_a_test_profile", f"{profile} is a real person: only profiles whose `test` is true have a part in a test.")
