"""Brings a database to the tables that this code knows. It commits for itself, before anything else opens the database."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from store.database import open_engine

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: str) -> None:
    """Run the migrations that the database at this SQLAlchemy address has not had. Safe to repeat, and from two processes at once."""
    engine = open_engine(url)
    try:
        # `writes` takes the lock at once: of two processes that start together, one migrates and the other finds it done.
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
            command.upgrade(config, "head")
    finally:
        engine.dispose()
