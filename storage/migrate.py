"""Brings a database to this version of the hub."""

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

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
            == ScriptDirectory.from_config(config).get_current_head()
        ):
            return
        config.attributes["connection"] = tx
        command.upgrade(config, "head")
