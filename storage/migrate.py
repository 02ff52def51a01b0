"""Brings a database to this version of the hub."""

import datetime as dt
from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from schemas.shipped_catalogue import shipped

from . import catalogue
from .database import Database


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files("storage").joinpath("migrations")))
    return config


def migrate(database: Database) -> None:
    """Applies what is missing, in one transaction. A database that is up to date is left alone."""
    config = _config()
    with database.write() as tx:
        if (
            MigrationContext.configure(tx).get_current_revision()
            != ScriptDirectory.from_config(config).get_current_head()
        ):
            config.attributes["connection"] = tx
            command.upgrade(config, "head")
        known = shipped()
        catalogue.ship(tx, known.version, known.items, dt.datetime.now(dt.UTC))
