"""Brings a database to the tables that this code knows. It commits for itself, before anything else opens the database."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError

from journey.errors import Unavailable
from store.engines import POSTGRESQL, cannot_be_opened, open_engine, reachable

_ONE_AT_A_TIME = 7_305_226_140
"""The key of the lock under which a PostgreSQL database is brought up to date: any number, as long as nobody else uses it there."""
_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: str) -> None:
    """Run the migrations that the database at this SQLAlchemy address has not had. Safe to repeat, and from two processes at once.

    Raises Unavailable when it cannot be opened, or is of a later version.
    """
    engine = open_engine(url)
    try:
        if engine.dialect.name == POSTGRESQL:
            reachable(engine)
        # `writes` takes the lock at once: of two processes that start together, one migrates and the other finds it done.
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            _wait_for_our_turn(connection)
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
            command.upgrade(config, "head")
    except CommandError as error:
        raise Unavailable(f"The database {engine.url.render_as_string()} is of another version of Sojourn: {error}.") from error
    except (OperationalError, InterfaceError, ProgrammingError) as error:
        raise cannot_be_opened(engine, error) from error
    finally:
        engine.dispose()


def _wait_for_our_turn(connection: Connection) -> None:
    """PostgreSQL has no lock on the whole database: one of ours stands for it, and a large table may take a while."""
    if connection.dialect.name == POSTGRESQL:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '5min'")
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ONE_AT_A_TIME})")
