"""Brings a database to the tables that this code knows. It commits for itself, before anything else opens the database."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.exc import OperationalError

from journey.errors import Unavailable
from store.database import open_engine

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: str) -> None:
    """Run the migrations that the database at this SQLAlchemy address has not had. Safe to repeat, and from two processes at once.

    Raises Unavailable when it cannot be opened, or is of a later version.
    """
    engine = open_engine(url)
    try:
        # `writes` takes the lock at once: of two processes that start together, one migrates and the other finds it done.
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
            command.upgrade(config, "head")
    except CommandError as error:
        raise Unavailable(f"The database {engine.url.render_as_string()} is of another version of Sojourn: {error}.") from error
    except OperationalError as error:
        raise Unavailable(f"The database {engine.url.render_as_string()} cannot be opened: {error.orig}.") from error
    finally:
        engine.dispose()
