"""What a jump node does: it lets its person into another journey, in the commit of its stop. They go on in both.

Whoever is not let in there goes on here all the same; why not is a discard of that journey, and a fact of the node.
"""

from __future__ import annotations

from journey import sentences
from journey.entrance import Refusal
from journey.graph import EventNode, Jump
from store import entering, versions
from store.admission import Start
from store.entrants import Entrant
from store.versions import VersionRow
from store.work import Work
from store.writing import Done


def jump(work: Work, entrant: Entrant, node: Jump) -> Done:
    """Let the entrant's person into the live version of another journey, which reads as `entry` what this one does. Their workflow is
    started by whoever runs this unit, after the commit; one whose start is lost is started by the sweep."""
    entry = (entrant.entry_source, entrant.entry_event)
    version = versions.live(work.connection, node.journey)
    found = _let_in(work, entrant, version, entry)
    if isinstance(found, Start):
        work.aside.append(found)
        return Done("next", sentences.jumped(node.journey, ""), ((node.id, "jumped", ""),))
    source, event = entry
    work.discard(
        found.code, source=source, event=event, profile=entrant.profile, entrant=entrant.id,
        version=version.id if version is not None else entrant.version, detail=found.detail,
    )  # fmt: skip
    return Done("next", sentences.jumped(node.journey, found.code), ((node.id, f"refused.{found.code}", ""),))


def _let_in(work: Work, entrant: Entrant, version: VersionRow | None, entry: tuple[str, str]) -> Start | Refusal:
    if entrant.mode != entering.LIVE:
        return Refusal("in_test", "Nobody jumps from a test into what is live.")
    if version is None:
        return Refusal("not_live", "The journey that was jumped to has no live version.")
    if not isinstance(versions.frozen_version(work.connection, version.hash).journey.entry_node, EventNode):
        return Refusal("not_by_event", f"{version.id} lets nobody in by an event any more.")
    return entering.let_in(work, version, entrant.profile, entry=entry, said=sentences.came_by_jump(entrant.journey))
