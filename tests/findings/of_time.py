"""An example of each finding about time: lengths, waits, dates, schedules, policies."""

from __future__ import annotations

from typing import Any

from journey.graph import Journey
from journey.policies import Policies
from tests.findings.example import BUY, END, WAIT, choosing, error, journey, warning

NOW = 1_767_225_600_000_000
"""2026-01-01T00:00Z."""
_QUIET = {"channels": "all", "from": "21:00", "to": "08:00", "zone": "UTC", "longest": "P1D"}
_CAP = {"id": "weekly", "channels": ["email"], "most": 3, "within": "P7D"}
_LONG = {**WAIT, "id": "long", "for": "P60D", "next": "longer"}


def until(**changed: Any) -> Journey:
    """A journey with a wait until something."""
    return journey({"id": "wait", "kind": "wait", "until": changed, "next": "end"}, END)


def on(schedule: Any, **entry: Any) -> Journey:
    """A journey that reads its segment on a schedule."""
    return journey(END, read={"schedule": schedule} | entry)


def policies(**changed: Any) -> Policies:
    return Policies.model_validate(changed)


EXAMPLES = (
    error("duration_invalid", "wait", "for", journey({**WAIT, "for": "P1M"}, END)),
    error("duration_too_long", "wait", "for", journey({**WAIT, "for": "P92D"}, END)),
    warning("never_in_time", "end", "id", journey(_LONG, {**WAIT, "id": "longer", "for": "P60D"}, END)),
    error("two_timeouts", "buy", "timeout", journey(BUY, {**BUY, "id": "lamp", "where": 'product == "Lamp"'}, END, entry=["lamp", "buy"])),
    warning("no_timeout", "buy", "timeout", journey({**BUY, "timeout": None}, END)),
    warning("never_due", "buy", "timeout.after", journey(BUY, WAIT, END, entry=["buy", "wait"])),
    error("wait_ambiguous", "wait", "until", journey({**WAIT, "until": "2026-12-01"}, END)),
    error("time_invalid", "wait", "until.at", until(at="tomorrow")),
    error("hours_invalid", "wait", "until.hours", until(hours="9-17")),
    error("field_invalid", "wait", "until.field", until(field="renewal date")),
    error("spread_too_long", "wait", "until.spread", until(hours="09:00-10:00", spread="PT2H")),
    error("timeout_on_duration", "wait", "timeout", journey({**WAIT, "timeout": {"after": "P1D"}}, END)),
    warning("wait_past", "wait", "until.at", until(at="2025-12-24T09:00"), now=NOW),
    warning("date_past", "choose", "branches[0].when", journey(choosing('now.date < "2026-01-01"'), END), now=NOW),
    error("date_invalid", "", "start", journey(WAIT, END, start="2026-02-30")),
    error("dates_reversed", "", "end", journey(WAIT, END, start="2026-12-01", end="2026-11-01")),
    error("end_past", "", "end", journey(WAIT, END, end="2025-12-01"), now=NOW),
    error("timezone_unknown", "", "timezone", journey(WAIT, END, timezone="America/Atlantis")),
    error("schedule_invalid", "read", "schedule.at", on({"kind": "daily", "at": "9 o'clock"})),
    error("schedule_never", "read", "schedule", on({"kind": "daily", "at": "09:00", "from": "2026-02-01", "until": "2026-01-01"})),
    error("schedule_past", "read", "schedule.at", on({"kind": "once", "at": "2025-12-24T09:00"}), now=NOW),
    error("schedule_too_often", "read", "schedule.expression", on({"kind": "cron", "expression": "* * * * *"})),
    warning("day_not_in_every_month", "read", "schedule.days", on({"kind": "monthly", "days": [31], "at": "09:00"})),
    error("reentry_and_forced", "read", "force_reentry",
          journey(END, read={"schedule": {"kind": "daily", "at": "09:00"}, "force_reentry": True}, reentry={"allowed": False})),
    error("incremental_and_forced", "read", "force_reentry",
          on({"kind": "daily", "at": "09:00"}, incremental=True, force_reentry=True)),
    error("unknown_channel", "", "caps[0].channels", policies(caps=[{**_CAP, "channels": ["fax"]}])),
    error("quiet_hours_always", "", "quiet_hours", policies(quiet_hours={**_QUIET, "from": "08:00"})),
    warning("longest_too_short", "", "quiet_hours.longest", policies(quiet_hours={**_QUIET, "longest": "PT1H"})),
    warning("retry_for_unused", "", "caps[0].retry_for", policies(caps=[{**_CAP, "then": "wait", "retry_for": "P2D"}])),
)  # fmt: skip
