"""The tables. Instants are whole microseconds since 1970 in UTC, by the store's clock; ids are texts built by journey/ids.py."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, Table, false, text

from store.answers_table import answers as answers
from store.columns import instant_column as _instant
from store.columns import metadata as metadata
from store.columns import text_column as _text
from store.review_table import reviews as reviews
from store.schema_of_setup import api_keys as api_keys
from store.schema_of_setup import attributes as attributes
from store.schema_of_setup import event_definitions as event_definitions
from store.schema_of_setup import frozen as frozen
from store.schema_of_setup import identities as identities
from store.schema_of_setup import journeys as journeys
from store.schema_of_setup import message_revisions as message_revisions
from store.schema_of_setup import messages as messages
from store.schema_of_setup import policies as policies
from store.schema_of_setup import profiles as profiles
from store.schema_of_setup import segments as segments
from store.schema_of_setup import soft_bounces as soft_bounces
from store.schema_of_setup import suppressions as suppressions

OPEN = text("state = 'open'")
ENTERED = text("state IN ('live', 'paused')")
SETTING_OFF = text("state = 'open' AND n <= 1")
COUNTING = text("counts_at IS NOT NULL")
RUNNING = text("ended_at IS NULL")
ON_SCHEDULE = text("occurrence <> ''")
HELD = text("state = 'open' AND held <> ''")
PARKED = text("state = 'open' AND parked <> ''")
ONCE = text("once")
TO_FORGET = text("state = 'ended' AND NOT forgotten")
IS_MAIL = text("mail <> ''")
HAS_PROVIDER_ID = text("provider_id <> ''")
"""Conditions of partial indexes. A query that is to use one carries the same words: a bound value does not match them."""

versions = Table(
    "versions", metadata,
    _text("id", key=True),  # ids.version: JOURNEY@NUMBER
    _text("journey"),
    Column("number", Integer, nullable=False),  # of a test session below zero: -N
    _text("hash"),
    _text("state"),
    _instant("published_at"),
    _text("entry_kind"), _text("entry_on"),  # the kind of the node where people enter, and the event or segment that it names
    _instant("starts_at"),  # nobody enters before
    _instant("ends_at"),  # nobody enters from then on, and everybody inside ends
    _text("pause"),  # what is done with people at their next action: hold, discard; empty when it is not paused
    _text("resumes"),  # the state that it goes back to: live, closed
    _instant("paused_at"), _instant("pause_until"),
    Column("release_rate", Integer),  # people a second who are let go on after the last pause
    _text("successor"),  # the version in which those inside go on; empty where they finish here
    Column("succession", JSON(none_as_null=True)),  # how: journey/succession.py
    Index("versions_journey", "journey", "number", unique=True),
    Index("versions_entry", "entry_kind", "entry_on", sqlite_where=ENTERED, postgresql_where=ENTERED),
    Index("versions_state", "state", "id"),
)  # fmt: skip

moves = Table(
    "moves", metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _text("version"), _text("act"), _text("before"), _text("after"), _text("detail"), _instant("at"),
    Index("moves_version", "version"),
)  # fmt: skip

test_sessions = Table(
    "test_sessions", metadata,
    _text("version", key=True),  # ids.test_version: JOURNEY@tNUMBER
    _text("journey"),
    _text("etag"),  # of the draft that was frozen
    _instant("started_at"),
    _instant("used_at"),  # when somebody was last let in, or an event fired
    _instant("ended_at"),
    Column("forms", JSON, nullable=False),  # event definition to the data that was last fired
    Index("test_sessions_running", "journey", unique=True, sqlite_where=RUNNING, postgresql_where=RUNNING),
)  # fmt: skip

runs = Table(
    "runs", metadata,
    _text("id", key=True),
    _text("journey"),
    Column("number", Integer, nullable=False),
    _text("version"),
    _text("segment"),
    _text("segment_hash"),
    Column("profiles", JSON(none_as_null=True)),  # a list of profile ids instead of the segment
    _text("state"),  # waiting, clearing, reading, paused, done, stopped, missed
    _text("reason"),  # why it was missed
    _text("occurrence"),  # the local name of the time it was due at; empty when somebody asked for it
    _instant("due_at"),
    _instant("cutoff"),
    _text("cursor"),
    Column("read", Integer, nullable=False, server_default=text("0")),
    Column("admitted", Integer, nullable=False, server_default=text("0")),
    Column("discarded", Integer, nullable=False, server_default=text("0")),
    Column("stayed", Integer, nullable=False, server_default=text("0")),  # members before, whom an incremental run does not let in again
    Column("reentered", Integer, nullable=False, server_default=text("0")),  # were inside, and ended first
    _instant("ended_at"),
    Index("runs_journey", "journey", "number", unique=True),
    Index("runs_occurrence", "journey", "occurrence", unique=True, sqlite_where=ON_SCHEDULE, postgresql_where=ON_SCHEDULE),
)  # fmt: skip

run_members = Table(
    "run_members", metadata,
    _text("run", key=True), _text("profile", key=True),
    _text("entrant"),  # empty when it was not let in; the discard says why, or `stayed`
    Column("stayed", Boolean, nullable=False, server_default=false()),  # a member at the run before too
)  # fmt: skip

schedules = Table(
    "schedules", metadata,
    _text("journey", key=True),
    _text("version"),  # the live one
    _instant("next_at"),  # the first occurrence that is neither begun nor recorded as missed; null when there is none
    _text("next_local"),
    Index("schedules_next", "next_at"),
)  # fmt: skip

entrants = Table(
    "entrants", metadata,
    _text("id", key=True),
    _text("journey"),
    _text("version"),
    _text("mode"),  # live, test
    _text("key"),
    Column("number", Integer, nullable=False),  # the entrance number of (journey, mode, key)
    _text("profile"),
    _text("run"),
    _text("entry_source"), _text("entry_event"),  # the event that let it in; empty when a run did
    _instant("entered_at"),
    _text("state"),  # open, ended
    Column("n", Integer, nullable=False),  # the last step opened
    Column("closed", Boolean, nullable=False),  # whether that step is closed
    _text("place"),  # where it waits, or acts
    Column("waiting", Boolean, nullable=False),  # at a gate, undecided (and not past `until`)
    _instant("arrived_at"),
    _instant("until"),  # the gate's own end; null listens for ever
    Column("ends", JSON(none_as_null=True)),  # when each wait of the gate is over that hangs on a date, a field or a clock
    _text("won_node"), _text("won_source"), _text("won_event"),  # the event that decided the gate
    Column("keeps", Boolean, nullable=False, server_default=false()),  # whether anything may be kept for it
    _instant("due"),  # when it should have gone on; a minute later the sweep looks after it
    _instant("looked_at"),  # when the sweep last did
    _text("held"),  # the node before which it is held since its journey was paused
    _text("parked"), _text("parked_why"),  # the node whose error is to be mended before it goes on, and the code of the error
    _text("ending"),
    _text("ending_detail"),  # what that came of: the exit criterion that was met, and by which event
    _text("end_reason"),
    _instant("ended_at"),
    Column("forgotten", Boolean, nullable=False, server_default=false()),  # this row is all that is kept of it: forgetting.py
    Column("carried", Boolean, nullable=False, server_default=false()),  # came from an earlier version
    Index("entrants_ended", "ended_at", sqlite_where=TO_FORGET, postgresql_where=TO_FORGET),
    Index("entrants_one_open", "journey", "mode", "key", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
    Index("entrants_number", "journey", "mode", "key", "number", unique=True),
    Index("entrants_profile", "profile"),
    Index("entrants_due", "due", sqlite_where=OPEN, postgresql_where=OPEN),
    Index("entrants_place", "version", "place", sqlite_where=OPEN, postgresql_where=OPEN),
    Index("entrants_held", "version", "held", sqlite_where=HELD, postgresql_where=HELD),
    Index("entrants_parked", "journey", "parked", sqlite_where=PARKED, postgresql_where=PARKED),
    Index("entrants_setting_off", "run", sqlite_where=SETTING_OFF, postgresql_where=SETTING_OFF),
)  # fmt: skip

steps = Table(
    "steps", metadata,
    _text("entrant", key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    _text("left"), _text("left_exit"),  # how the place before was left
    _text("by_source"), _text("by_event"),
    _text("node"),  # where it acts; empty when it only goes on
    Column("revision", Integer),  # of the message
    _instant("opened_at"), _instant("closed_at"),
    _text("outcome"), _text("place"), _text("said"),
    _text("from_version"), _text("to_version"),  # of a step that carried its person over
    Column("why", JSON(none_as_null=True)),  # the values by which a condition was left as it was; personal, so never in a history
)  # fmt: skip

deliveries = Table(
    "deliveries", metadata,
    _text("entrant", key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    _text("channel", key=True),
    _text("version"), _text("mode"), _text("node"), _text("message"), _text("profile"),
    _text("status"),  # claimed, sent, excluded, failed, uncertain
    _text("reason"),
    _text("token"), _instant("lease"),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    _instant("not_before"),
    _text("provider_id"),
    _instant("marked_at"),
    _instant("slot"),  # its turn at the provider, where a rate is set; null when it has none, or has used it
    _instant("asked_at"),  # when it was first to be sent
    Column("priority", Integer, nullable=False, server_default=text("0")),  # of its journey
    _instant("counts_at"),  # when it went or is to go, as caps count it; null when they do not
    _text("mail"),  # of an e-mail: what its Message-ID begins with
    _text("sent_to"),  # of an e-mail: its address, hashed
    _text("detail"),  # why it failed or was last put off, in words without what is personal
    Index("deliveries_version", "version", "status"),
    Index("deliveries_mail", "mail", sqlite_where=IS_MAIL, postgresql_where=IS_MAIL),
    Index("deliveries_provider", "provider_id", sqlite_where=HAS_PROVIDER_ID, postgresql_where=HAS_PROVIDER_ID),
    Index("deliveries_counting", "profile", "counts_at", sqlite_where=COUNTING, postgresql_where=COUNTING),
)  # fmt: skip

responses = Table(
    "responses", metadata,
    _text("entrant", key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    _text("node"),
    Column("status", Integer, nullable=False),
    Column("body", JSON(none_as_null=True)),  # null when it was none, or left out
    _text("left_out"),  # why: too_large, not_json
    _instant("at"),
)  # fmt: skip
"""What webhooks answered: the last answer of each call."""

send_slots = Table("send_slots", metadata, _text("account", key=True), _instant("next_at"))  # the first turn that nobody has taken

facts = Table(
    "facts", metadata,
    _text("entrant", key=True), Column("n", Integer, primary_key=True, autoincrement=False),
    _text("node", key=True), _text("kind", key=True), _text("channel", key=True),
    _instant("at"),
)  # fmt: skip

counters = Table(
    "counters", metadata,
    _text("version", key=True), _text("mode", key=True), _text("node", key=True), _text("kind", key=True), _text("channel", key=True),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
)  # fmt: skip

events = Table(
    "events", metadata,
    _text("source", key=True), _text("id", key=True),
    _text("profile"), _text("name"), Column("data", JSON, nullable=False),
    _instant("occurred_at"), _instant("accepted_at"),
    Column("won", Boolean, nullable=False),  # whether it decided a gate, or let somebody in
    Index("events_profile", "profile", "accepted_at"),
    Index("events_accepted", "accepted_at"),
)  # fmt: skip

kept = Table(
    "kept", metadata,
    _text("entrant", key=True), _instant("accepted_at", key=True), _text("source", key=True), _text("event", key=True),
    Column("back", Boolean, nullable=False, server_default=false()),  # only for nodes that look back
    Index("kept_event", "source", "event"),
)  # fmt: skip

settling = Table(
    "settling", metadata,
    _text("source", key=True), _text("event", key=True), _text("version", key=True),
    _text("profile"), _instant("until"),  # so long each write of the profile asks whether the event lets its person in
    Index("settling_profile", "profile"), Index("settling_until", "until"),
)  # fmt: skip

discards = Table(
    "discards", metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _text("source"), _text("event"), _text("profile"), _text("entrant"), _text("version"), _text("run"),
    _text("code"), _text("detail"), _instant("at"),
    Column("once", Boolean, nullable=False, server_default=false()),  # of what is kept nowhere: on record once, however often it is sent
    Index("discards_once", "source", "event", unique=True, sqlite_where=ONCE, postgresql_where=ONCE),
    Index("discards_code", "code"), Index("discards_event", "source", "event"), Index("discards_profile", "profile"),
    Index("discards_version", "version"),
)  # fmt: skip

old_discards = Table(
    "old_discards", metadata,
    _text("version", key=True), _text("code", key=True), Column("count", BigInteger, nullable=False),
)  # fmt: skip
"""How many discards of a version are forgotten, for its report."""
