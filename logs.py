"""How every program of ours writes its log: one event a line, as text or as JSON, and nothing personal in any. The roots call it.

Whoever logs names entrants and deliveries by their ids, and nobody else. What others wrote (a library's message, an error's text) is
masked here, and left out where nobody can say what may stand in it: then its type and its place in the code remain.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePath
from traceback import extract_tb
from typing import Any, Literal

from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from temporalio import activity, workflow
from temporalio.service import RPCError

from journey import ids
from journey.errors import Unavailable
from journey.masking import masked

Kind = Literal["text", "json"]

_OF_THE_DATABASE = (OperationalError, IntegrityError, InterfaceError)
_SPEAK_OF_CODE = (OSError, RPCError, Unavailable, AttributeError, NameError, ImportError, TypeError, AssertionError)
"""Errors whose text says what is wrong with a connection or the code, and no value that somebody has sent."""
_OF_THE_CORE = ("workflow_id", "run_id", "workflow_type", "activity_type", "task_queue", "error")
_MOST_PLACES = 30


def set_up(kind: Kind) -> None:
    """Write warnings of everybody, and what Sojourn itself does, to stderr; also what nobody has caught."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(kind))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("sojourn").setLevel(logging.INFO)
    logging.captureWarnings(True)
    workflow.logger.workflow_info_on_message = activity.logger.activity_info_on_message = False  # they are fields here
    sys.excepthook = lambda kind, error, place: _uncaught(error)
    threading.excepthook = lambda caught: _uncaught(caught.exc_value)
    sys.unraisablehook = lambda caught: _uncaught(caught.exc_value)


def formatter(kind: Kind) -> logging.Formatter:
    """What makes a line of a record."""
    return _Json() if kind == "json" else _Text()


def _uncaught(error: BaseException | None) -> None:
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return
    logging.getLogger("sojourn").critical("Nobody has caught this", exc_info=error or True)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"time": at, "level": record.levelname.lower(), "logger": record.name, "message": _message(record), **_about(record)}
        if errors := _errors(record):
            line["errors"] = errors
        return json.dumps(line, ensure_ascii=False, default=str)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message = _message(record)
        about = [f"{name}={value}" for name, value in _about(record).items() if str(value) not in message and name != "journey"]
        line = f"{self.formatTime(record)} {record.levelname} {record.name}: {' '.join([message, *about])}"
        for error in _errors(record):
            line += f"\n  {error['type']}{': ' if error['said'] else ''}{error['said']}"
            line += "".join(f"\n    {place}" for place in error["at"])
        return line


def _message(record: logging.LogRecord) -> str:
    said = masked(record.getMessage())
    if record.name == "asyncio":  # behind its first line stand the task and its error, values and all
        said = said.partition("\n")[0]
    return said


def _about(record: logging.LogRecord) -> dict[str, Any]:
    """Who and what a record is about: the ids it was given, and those of the workflow or activity that wrote it."""
    found: dict[str, Any] = {}
    for given in record.args if isinstance(record.args, tuple) else ():
        found |= _named(given) if isinstance(given, str) else {}
    found |= _of_temporal(record)
    return (_named(str(found["workflow"])) if "workflow" in found else {}) | found


def _named(given: str) -> dict[str, str]:
    """The entrant, delivery or run that an id names; nothing when it is none."""
    delivery = {}
    with contextlib.suppress(ValueError):
        given, delivery = ids.read_delivery(given).entrant, {"delivery": given}
    try:
        return {"journey": ids.read_entrant(given).journey, "entrant": given, **delivery}
    except ValueError:
        return {}


def _of_temporal(record: logging.LogRecord) -> dict[str, Any]:
    told = getattr(record, "temporal_activity", None) or getattr(record, "temporal_workflow", None)
    if (core := getattr(record, "temporal_log", None)) is not None:
        return {name: masked(str(core.fields[name])) for name in _OF_THE_CORE if name in core.fields}
    if told is None and activity.in_activity():
        info = activity.info()
        told = {"workflow_id": info.workflow_id, "activity_type": info.activity_type, "attempt": info.attempt}
    if not told:
        return {}
    names = {"workflow": "workflow_id", "activity": "activity_type", "attempt": "attempt"}
    return {name: told[key] for name, key in names.items() if told.get(key)}


def _errors(record: logging.LogRecord) -> list[dict[str, Any]]:
    """The error of a record and what led to it, the last one first."""
    error = record.exc_info[1] if record.exc_info else None
    return [
        {"type": f"{type(one).__module__}.{type(one).__qualname__}".removeprefix("builtins."), "said": _said(one), "at": _places(one)}
        for one in _chain(error)
    ]  # fmt: skip


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or one in seen:
            continue
        seen.append(one)
        yield one
        waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        waiting.append(one.__cause__ or (None if one.__suppress_context__ else one.__context__))


def _said(error: BaseException) -> str:
    if isinstance(error, _OF_THE_DATABASE):  # the driver's first line; behind it stand the values, in DETAIL and parameters
        return masked(str(error.orig).strip().partition("\n")[0])
    return masked(str(error)) if isinstance(error, _SPEAK_OF_CODE) else ""


def _places(error: BaseException) -> list[str]:
    frames = extract_tb(error.__traceback__)[-_MOST_PLACES:]
    return [f"{'/'.join(PurePath(frame.filename).parts[-3:])}:{frame.lineno} {frame.name}" for frame in frames]
