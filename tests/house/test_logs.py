"""How a line of the log is made: an event each, about whom by id alone; what others have written is not believed to be harmless."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError, OperationalError

import logs
from store.engines import open_engine

DELIVERY = "thank-you~c-42~1.3.email"


def record(message: str, *args: object, error: BaseException | None = None, name: str = "sojourn.tests") -> logging.LogRecord:
    found = (type(error), error, error.__traceback__) if error is not None else None
    return logging.LogRecord(name, logging.WARNING, __file__, 1, message, args, found)


def line(made: logging.LogRecord) -> dict[str, Any]:
    written = logs.formatter("json").format(made)
    assert "\n" not in written
    return dict(json.loads(written))


def test_a_line_says_when_what_and_about_whom() -> None:
    made = line(record("%s was refused: %s", DELIVERY, "address_refused"))

    assert made.pop("time").endswith("Z")
    assert made == {
        "level": "warning", "logger": "sojourn.tests", "message": f"{DELIVERY} was refused: address_refused",
        "journey": "thank-you", "entrant": "thank-you~c-42~1", "delivery": DELIVERY,
    }  # fmt: skip


def test_the_text_form_says_the_same_for_people() -> None:
    written = logs.formatter("text").format(record("%s was refused: %s", DELIVERY, "550 <ada@people.example>"))

    assert written.endswith(f" WARNING sojourn.tests: {DELIVERY} was refused: 550 <***>")


def test_a_workflow_that_logs_is_named() -> None:
    made = record("A signal that is not understood: %s", "howl")
    made.temporal_workflow = {"workflow_id": "thank-you~c-42~1", "run_id": "r", "attempt": 1, "namespace": "sojourn"}

    assert line(made) | {"workflow": "thank-you~c-42~1", "entrant": "thank-you~c-42~1", "journey": "thank-you"} == line(made)


def test_an_error_of_the_database_is_told_without_the_values_of_its_statement() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE people (name TEXT PRIMARY KEY)"))
        connection.execute(text("INSERT INTO people VALUES (:name)"), {"name": "Ada Lovelace"})
        with pytest.raises(IntegrityError) as caught:
            connection.execute(text("INSERT INTO people VALUES (:name)"), {"name": "Ada Lovelace"})
    (told, driver) = line(record("It broke", error=caught.value))["errors"]

    assert (told["type"], told["said"]) == ("sqlalchemy.exc.IntegrityError", "UNIQUE constraint failed: people.name")
    assert driver["type"] == "sqlite3.IntegrityError"
    assert any("test_logs.py" in place for place in told["at"])
    assert "Ada" not in json.dumps([told, driver])


def test_an_error_of_our_own_database_has_no_values_in_its_text_at_all(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'sojourn.db'}")
    with engine.connect() as connection, pytest.raises(OperationalError) as caught:
        connection.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": "Ada Lovelace"})

    assert "nowhere" in str(caught.value)
    assert "Ada" not in str(caught.value)


def test_what_postgresql_says_of_the_row_is_left_out() -> None:
    echoing = Exception('duplicate key value violates unique constraint "identities_pkey"\nDETAIL:  Key (value)=(c-42) already exists.')
    (told, *_) = line(record("It broke", error=OperationalError("INSERT ...", {"value": "c-42"}, echoing)))["errors"]

    assert told["said"] == 'duplicate key value violates unique constraint "identities_pkey"'


class _Form(BaseModel):
    born: int


def test_an_error_that_may_repeat_what_was_sent_is_told_by_its_type_and_place_alone() -> None:
    with pytest.raises(ValidationError) as caught:
        _Form(born="Ada Lovelace")
    for error in (caught.value, ValueError("Ada Lovelace"), KeyError("Ada Lovelace")):
        for kind in ("json", "text"):
            written = logs.formatter(kind).format(record("It broke", error=error))
            assert type(error).__name__ in written
            assert "Ada" not in written


def test_what_led_to_an_error_is_told_too() -> None:
    try:
        try:
            raise ConnectionRefusedError(111, "Connection refused")
        except OSError as why:
            raise ValueError("Ada Lovelace") from why
    except ValueError as error:
        errors = line(record("It broke", error=error))["errors"]

    assert [(one["type"], one["said"]) for one in errors] == [
        ("ValueError", ""),
        ("ConnectionRefusedError", "[Errno 111] Connection refused"),
    ]


def test_the_errors_of_a_group_are_told_one_by_one() -> None:
    errors = line(record("It broke", error=ExceptionGroup("two", [ValueError("Ada"), OSError(5, "Input/output error")])))["errors"]

    assert [one["type"] for one in errors] == ["ExceptionGroup", "ValueError", "OSError"]


async def test_a_task_that_nobody_waited_for_is_told_without_its_error() -> None:
    async def broken() -> None:
        raise ValueError("Ada Lovelace")

    task = asyncio.create_task(broken())
    await asyncio.wait({task})
    error = task.exception()
    made = line(record(f"Task exception was never retrieved\nfuture: {task!r}", error=error, name="asyncio"))

    assert made["message"] == "Task exception was never retrieved"
    assert "Ada" not in json.dumps(made)
